"""Progress counts, calls the trials as the tables do, and is not ended by a log."""

import io
import sys

import pytest

from unetbench.benchmark.naming.labels import Labels
from unetbench.benchmark.run import lines
from unetbench.benchmark.run.listener import Listener, mean_dice
from unetbench.benchmark.run.progress import Progress
from unetbench.benchmark.run.progress_text import duration, scores
from unetbench.benchmark.run.running import Running
from unetbench.core.recipe import Recipe
from unetbench.core.record import Record
from unetbench.core.trial import Choice, Trial

SWEEP = {
    "datasets": ["cells"],
    "models": [{"name": "unet", "width": 8, "label": "Ours"}, {"name": "unet", "width": 16}],
}
EPOCH = {"phase": "epoch", "loss": 0.25, "val_loss": 0.5, "val_dice": 0.75, "best": 0.8, "rate": 0.001}


def _trials(count=2, epochs=10):
    recipe = Recipe(epochs=epochs)
    return [Trial(Choice("cells"), {}, Choice("unet"), Choice("bce"), recipe, seed) for seed in range(count)]


def _epoch(number):
    return {**EPOCH, "epoch": number, "train_s": 1.0, "validate_s": 0.5}


def score(case, dice, empty="none"):
    return {"case": case, "class": "nucleus", "empty": empty, "dice": dice}


class Heard(Listener):
    name = "what was heard"

    def __init__(self):
        self.told = []

    def start(self, state, running):
        self.told.append(("start", running.trial.seed, running.worker))

    def finish(self, state, record, name, running):
        self.told.append(("finish", record.trial.seed, running and running.worker))


class Failing(Listener):
    name = "log on a full disk"

    def start(self, state, running):
        raise OSError("no space left\non device")


def test_a_finished_trial_is_told_by_its_labels(capsys):
    trials = [Trial(Choice("cells"), {}, Choice("unet", {"width": w}), Choice("bce"), Recipe(), 1) for w in (8, 16)]
    progress = Progress(Labels(SWEEP))
    progress.begin(trials, trials)
    for trial in trials:
        progress.start(trial)
        progress.on_progress(trial, {"phase": "warning", "text": "no weights"})
        progress.finish(Record(trial, "done", scores=[score("a", 0.5)]))
    progress.end()
    assert capsys.readouterr().err.splitlines() == [
        "cells · Ours · bce · seed 1: warning: no weights",
        "[1/2] cells · Ours · bce · seed 1: done, Dice 0.500, 0 s",
        "cells · unet(width=16) · bce · seed 1: warning: no weights",
        "[2/2] cells · unet(width=16) · bce · seed 1: done, Dice 0.500, 0 s",
        "2 trials: 2 done; 0 s",
    ]


@pytest.mark.parametrize(("policy", "dice"), [("nan_worst", 0.7 / 2), ("smp", 1.7 / 3)])
def test_the_dice_of_a_trial_is_the_one_of_tables(policy, dice):
    # a: (0.8 + 0.6) / 2; b: 0; c, of two empty masks: left out, or 1 as in smp
    rows = [score("a", 0.8), score("a", 0.6), score("b", 0.0, "prediction"), score("c", None, "both")]
    assert mean_dice(Record(_trials(1)[0], "done", scores=rows), policy) == pytest.approx(dice)


def test_the_last_line_counts_what_failed_and_what_was_settled_before(capsys):
    one, two, three, four = _trials(4)
    progress = Progress()
    progress.begin([one, two, three], [two, three], rejected=[Record(four, "failed", "no data")])
    progress.start(two)
    progress.finish(Record(two, "timed_out", "took longer than 5 s"))
    progress.start(three)
    progress.end()
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "1 of 4 trials are settled already"
    assert told[1] == "[3/4] cells · unet · bce · seed 1: timed_out, took longer than 5 s, 0 s"
    assert told[2] == "4 trials: 1 settled before, 1 failed, 1 timed out, 1 under way; 0 s"


def test_quiet_says_nothing(capsys):
    (trial,) = _trials(1)
    progress = Progress(quiet=True)
    progress.begin([trial], [trial])
    progress.start(trial)
    progress.finish(Record(trial, "failed", "no"))
    progress.end()
    assert capsys.readouterr().err == ""


def test_a_log_that_fails_is_told_once_and_the_others_hear_on(capsys):
    trials, heard = _trials(), Heard()
    progress = Progress(quiet=True, logs=[Failing(), heard])
    progress.begin(trials, trials)
    for trial in trials:
        progress.start(trial)
    progress.end()
    assert [kind for kind, *_ in heard.told] == ["start", "start"]
    assert capsys.readouterr().err.splitlines() == [
        "unetbench: log on a full disk: OSError: no space left on device; nothing more is written there, "
        "and the sweep goes on"
    ]


def test_a_worker_number_goes_to_the_next_trial_and_a_lost_trial_keeps_its_own():
    first, second, third = _trials(3)
    heard = Heard()
    progress = Progress(quiet=True, logs=[heard])
    progress.begin([first, second, third], [first, second, third])
    progress.start(first)
    progress.start(second)
    progress.start(first, "another process")  # its worker was lost
    progress.finish(Record(first, "done"))
    progress.start(third)
    progress.finish(Record(second, "done"), elsewhere=True)
    assert heard.told == [
        ("start", 0, 1),
        ("start", 1, 2),
        ("start", 0, 1),
        ("finish", 0, 1),
        ("start", 2, 1),
        ("finish", 1, None),
    ]


def test_what_comes_late_of_a_trial_that_is_over_changes_nothing():
    (trial,) = _trials(1)
    progress = Progress(quiet=True)
    progress.begin([trial], [trial])
    progress.on_progress(trial, _epoch(1))
    assert not progress.state.running


def test_a_log_file_gets_a_report_now_and_then_with_a_line_for_each_worker(capsys, monkeypatch):
    monkeypatch.setattr(lines, "REPORT_S", 0.0)
    monkeypatch.setattr(lines, "SHARE", 0.0)
    trials = _trials()
    progress = Progress(expected={trials[0].id: 15.0, trials[1].id: 15.0})
    progress.begin(trials, trials)
    for trial in trials:
        progress.start(trial)
    progress.on_progress(trials[0], {"phase": "load"})
    progress.on_progress(trials[1], {"phase": "resume", "history": [_epoch(3)]})
    progress.on_progress(trials[1], _epoch(4))
    told = capsys.readouterr().err.splitlines()
    # an epoch of 1.5 s, of 10 as was expected: 9 s of the second, 15 s of the first, at once
    assert told == [
        "0 of 2 trials have ended, about 15 s left",
        "  worker 1: cells · unet · bce · seed 0: load",
        "  worker 2: cells · unet · bce · seed 1: epoch 4 of 10, loss 0.2500, Dice 0.750, best 0.800",
    ]


def test_lines_say_which_worker_of_a_cluster_runs_what(capsys, monkeypatch):
    monkeypatch.setattr(lines, "REPORT_S", 0.0)
    monkeypatch.setattr(lines, "SHARE", 0.0)
    (trial,) = _trials(1)
    progress = Progress()
    progress.begin([trial], [trial])
    progress.start(trial, "worker tcp://10.0.0.7:4001 on node7", "node7")
    progress.on_progress(trial, _epoch(4))
    progress.finish(Record(trial, "done", scores=[score("a", 0.5)]))
    _, report, finished = capsys.readouterr().err.splitlines()
    name = "cells · unet · bce · seed 0"
    assert report.startswith(f"  worker tcp://10.0.0.7:4001 on node7: {name}: epoch 4 of 10, loss ")
    assert finished == f"[1/1] {name}: done, Dice 0.500, 0 s, worker tcp://10.0.0.7:4001 on node7"


def test_a_log_file_gets_no_report_before_a_minute(capsys):
    (trial,) = _trials(1)
    progress = Progress()
    progress.begin([trial], [trial])
    progress.start(trial)
    progress.on_progress(trial, _epoch(1))
    assert capsys.readouterr().err == ""


def test_of_many_short_trials_only_some_have_a_line_but_failures_still_have_theirs(capsys):
    trials = _trials(lines.AT_FIRST + 5)
    progress = Progress()
    progress.begin(trials, trials)
    for trial in trials[:-1]:
        progress.start(trial)
        progress.finish(Record(trial, "done"))
    progress.start(trials[-1])
    progress.finish(Record(trials[-1], "failed", "loss is nan"))
    told = capsys.readouterr().err.splitlines()
    assert len(told) == lines.AT_FIRST + 1
    assert told[-1].endswith("failed, loss is nan, 0 s (and 4 more since the line before)")


def test_the_best_validation_loss_is_told_as_a_loss():
    trial = Trial(Choice("cells"), {}, Choice("unet"), Choice("bce"), Recipe(epochs=10, monitor="loss"), 0)
    running = Running(trial, "", 1, "", begun=0.0)
    running.note({**_epoch(1), "best": -0.5}, 1.0)
    assert scores(running) == ["loss 0.2500", "Dice 0.750", "best loss 0.5000"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (99, "99 s"),
        (100, "2 min"),
        (5940, "99 min"),
        (7800, "2 h 10 min"),
        (36000, "10 h"),
        (273600, "3 d 4 h"),
    ],
)
def test_times_are_said_as_a_person_says_them(seconds, text):
    assert duration(seconds) == text


def test_a_dumb_terminal_gets_plain_lines(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(Progress().shown[0], lines.Lines)
