"""The next trial: what a worker has at hand, the longest where several compute, and none before its parent."""

from dataclasses import replace
from heapq import heapify, heapreplace

import pytest

from unetbench.benchmark.run.order import Queue
from unetbench.benchmark.run.worker_process import WorkerProcess
from unetbench.benchmark.trial.places import Place
from unetbench.core.recipe import Recipe
from unetbench.core.trial import Choice, Derivation, Member, Trial

PLAIN = Trial(Choice("cells"), {}, Choice("unet"), Choice("dice"), Recipe(), 0)


def _trial(model, seed=0, loss="dice", **fields):
    return replace(PLAIN, model=Choice(model), loss=Choice(loss), seed=seed, **fields)


def _child(parent):
    return replace(parent, derivation=Derivation("channels", parent.id, parent.model, {"share": 0.5}))


def _worker(trial=None, before=None, backend="tensorflow"):
    return WorkerProcess(None, None, None, Place(backend), None, trial, 0.0, before)


def _drained(queue, worker=None):
    """All trials in the order in which one worker gets them."""
    worker, found = worker or _worker(), []
    while (trial := queue.take([worker], {}, worker)) is not None:
        worker.before = trial
        found.append(trial)
    return found


def _end(queue, seconds, count):
    """When all is done if trials take these seconds, and how often a worker began another compiled model."""
    workers, begun = [_worker() for _ in range(count)], 0
    ends = [(0.0, index) for index in range(count)]
    while True:
        now, index = min(ends)
        workers[index].trial = None
        trial = queue.take(workers, {}, workers[index])
        if trial is None:
            return max(ends)[0], begun
        begun += workers[index].before is None or workers[index].before.compile_key != trial.compile_key
        workers[index].trial = workers[index].before = trial
        ends[index] = (now + seconds[trial.id], index)


def _end_in_order(seconds, count):
    ends = [0.0] * count
    heapify(ends)
    for spent in seconds:
        heapreplace(ends, ends[0] + spent)
    return max(ends)


def test_one_worker_has_the_order_of_the_file_with_networks_and_compiled_models_in_a_row():
    listed = [("a", 0, "dice"), ("b", 0, "dice"), ("a", 0, "bce"), ("a", 1, "dice"), ("b", 1, "dice"), ("a", 1, "bce")]
    trials = [_trial(model, seed, loss) for model, seed, loss in listed]
    seconds = {trial.id: 10.0 if trial.model.name == "b" else 1.0 for trial in trials}
    found = [(trial.model.name, trial.seed, trial.loss.name) for trial in _drained(Queue(trials, seconds))]
    assert found == [
        ("a", 0, "dice"),
        ("a", 1, "dice"),
        ("a", 0, "bce"),
        ("a", 1, "bce"),
        ("b", 0, "dice"),
        ("b", 1, "dice"),
    ]


def test_a_worker_stays_with_its_compiled_model_then_with_its_network_then_with_its_place():
    before = _trial("b", 7, "bce")
    trials = [_trial("a"), _trial("b"), _trial("b", 1, "bce"), _trial("a", backend="jax")]
    worker = _worker(before=before)
    assert [trial.label for trial in _drained(Queue(trials), worker)] == [trials[k].label for k in (2, 1, 0)]
    assert _drained(Queue(trials), _worker(backend="jax")) == [trials[3]]


def test_several_workers_begin_with_the_longest_trial_and_with_what_nobody_knows_before_it():
    trials = [_trial("short"), _trial("long"), _trial("unknown"), _trial("middle")]
    seconds = {trials[0].id: 1.0, trials[1].id: 9.0, trials[3].id: 5.0}
    queue, names = Queue(trials, seconds, 2), []
    while (trial := queue.take([], {})) is not None:
        names.append(trial.model.name)
    assert names == ["unknown", "long", "middle", "short"]


def test_a_driver_that_meets_another_begins_with_the_longest_too():
    trials = [_trial("short"), _trial("long")]
    queue = Queue(trials, {trials[0].id: 1.0, trials[1].id: 9.0})
    other = _trial("other")
    assert queue.take([], {other.id: other}) == trials[1]


def test_a_long_model_that_comes_last_in_the_file_does_not_come_last():
    trials = [_trial(f"small{k}", seed) for k in range(6) for seed in range(4)] + [_trial("long")]
    seconds = {trial.id: 100.0 if trial.model.name == "long" else 10.0 for trial in trials}
    assert _end_in_order([seconds[trial.id] for trial in trials], 2) == 220  # 24 trials in 120 s, then 100 s alone
    assert _end(Queue(trials, seconds, 2), seconds, 2)[0] == 170  # half of 340 s: nobody waits


@pytest.mark.parametrize(("count", "most_begun"), [(2, 12), (4, 14)])
def test_workers_spread_over_networks_and_meet_only_at_the_end(count, most_begun):
    trials = [_trial(f"m{k}", seed) for k in range(10) for seed in range(5)]
    seconds = {trial.id: 10.0 for trial in trials}
    end, begun = _end(Queue(trials, seconds, count), seconds, count)
    assert end <= 10 * -(-50 // count)
    assert begun <= most_begun  # ten networks, and one more for each worker that helps at the end


def test_a_network_that_holds_up_all_the_others_is_shared_at_once():
    trials = [_trial("long", seed) for seed in range(10)] + [_trial("short", seed) for seed in range(10)]
    seconds = {trial.id: 3600.0 if trial.model.name == "long" else 60.0 for trial in trials}
    assert _end(Queue(trials, seconds, 2), seconds, 2)[0] == 5 * 3600 + 5 * 60


def test_a_trial_waits_until_its_parent_is_neither_here_nor_under_way():
    parent, child = _trial("a"), _child(_trial("a"))
    idle, busy = _worker(), _worker(trial=parent)
    queue = Queue([child, parent])
    assert queue.take([idle], {}, idle) == parent
    assert queue.take([busy, idle], {}, idle) is None
    assert queue.take([idle], {parent.id: parent}, idle) is None
    assert len(queue) == 1
    queue.add([parent])  # it came back
    assert queue.take([idle], {}, idle) == parent
    assert queue.take([idle], {}, idle) == child
    assert not queue.ready([idle], {})
    assert Queue([child]).take([], {}) == child


def test_what_others_have_made_is_taken_out_and_lets_children_go():
    parent, child, third = _trial("a"), _child(_trial("a")), _trial("b")
    queue = Queue([parent, child, third])
    queue.drop([parent.id, third.id, "of another sweep"])
    assert queue.rest() == [child]
    assert queue.take([], {}) == child
    queue.add([parent, child])
    queue.clear()
    assert not len(queue)
    assert not queue.ready([], {})


def _ensemble(*members):
    listed = tuple(Member(one.id, one.model, one.loss, one.seed) for one in members)
    return replace(members[0], derivation=Derivation("ensemble", members[0].id, members[0].model, {}, listed))


def test_an_ensemble_waits_for_all_its_members():
    members = [_trial("unet", seed) for seed in (0, 1, 2)]
    whole = _ensemble(*members)
    assert _drained(Queue([whole, *members])) == [*members, whole]
    queue = Queue([whole, *members[1:]])
    busy, idle = _worker(members[0]), _worker()
    assert queue.take([busy, idle], {}, idle) == members[1]
    assert queue.take([busy, idle], {members[1].id: members[1]}, idle) == members[2]
    assert queue.take([busy, idle], {}, idle) is None  # the first one still runs
    busy.trial = None
    assert queue.take([busy, idle], {members[1].id: members[1]}, idle) is None  # the second one does, elsewhere
    assert queue.take([busy, idle], {}, idle) == whole
    assert len(queue) == 0


def test_an_ensemble_of_settled_members_waits_for_none_and_can_be_dropped():
    members = [_trial("unet", seed) for seed in (0, 1)]
    whole = _ensemble(*members)
    assert _drained(Queue([whole])) == [whole]
    queue = Queue([whole, members[1]])
    queue.drop([whole.id])
    assert _drained(queue) == [members[1]]
