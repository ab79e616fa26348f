"""Which trial a worker gets next: one for which it has most at hand, and the longest first where several compute."""

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from ...core.trial import Trial
from ..records.machine import machine
from ..trial.places import Place
from .worker_process import WorkerProcess

HELPS = 1.05
"""A worker that is free goes to a network that others train already, rather than to the next one, where these would
need so many times what all workers need for all that is left: else each would trace every network."""


@dataclass
class _Network:
    """The trials of one network by compile key and id. left_s: what they are expected to take."""

    models: OrderedDict[str, OrderedDict[str, Trial]] = field(default_factory=OrderedDict)
    left_s: float = 0.0


class Queue:
    """The trials of one device that are to be handed out. Taking one costs no more the more there are.

    A worker stays with its compiled model, then with its network. Where there is one worker, networks come in the order
    in which the trials came. Where there are several, here or in other drivers, the network with the longest trial
    comes first, one of unknown length before all; and a worker goes to one that nobody trains while there is one,
    unless another would take longer than all that is left (`HELPS`). A trial whose parent is to be run, or runs, here
    or elsewhere, waits for it.

    seconds: expected of each trial, by id, as far as known; only their ratios count. workers: that run at once here.
    """

    def __init__(self, trials: Iterable[Trial], seconds: Mapping[str, float] | None = None, workers: int = 1) -> None:
        self.seconds, self.workers = seconds or {}, workers
        self._usual_s = sum(self.seconds.values()) / len(self.seconds) if self.seconds else 1.0
        self._trials: dict[str, Trial] = {}
        self._places: dict[tuple[str, str], OrderedDict[str, _Network]] = {}
        self._waiting: dict[str, OrderedDict[str, Trial]] = {}
        self._parents: set[str] = set()  # of those that wait: the ones that are not in the queue themselves
        self._parent: dict[str, int] = {}  # of those that wait: for which of their parents
        self._left_s, self._sorted = 0.0, False
        self.add(trials)

    def __len__(self) -> int:
        return len(self._trials)

    @property
    def ids(self) -> Collection[str]:
        """Of all that are left."""
        return self._trials.keys()

    def rest(self) -> list[Trial]:
        """All that are left."""
        return list(self._trials.values())

    def clear(self) -> None:
        """Leave none."""
        self.drop(list(self._trials))

    def add(self, trials: Iterable[Trial]) -> None:
        """Put in trials, also such as were taken out and came back."""
        new = {trial.id: trial for trial in trials}
        self._trials |= new
        self._parents -= new.keys()
        self._sorted = False
        for key, trial in new.items():
            self._parent[key] = 0
            self._put_or_wait(trial)

    def drop(self, keys: Iterable[str]) -> None:
        """Take out the trials of these ids, as far as they are here."""
        for key in keys:
            if key in self._trials:
                self._remove(self._trials[key])

    def ready(self, workers: Sequence[WorkerProcess], elsewhere: Mapping[str, Trial]) -> bool:
        """Whether there is a trial that waits for no other. workers: whose trials run. elsewhere: as `take` has it."""
        running = {worker.trial.id for worker in workers if worker.trial is not None}
        while over := [key for key in self._parents if key not in running and key not in elsewhere]:
            for parent in over:
                self._parents.discard(parent)
                for trial in self._waiting.pop(parent, {}).values():
                    self._parent[trial.id] += 1
                    self._put_or_wait(trial)
        return any(self._places.values())

    def take(
        self, workers: Sequence[WorkerProcess], elsewhere: Mapping[str, Trial], worker: WorkerProcess | None = None
    ) -> Trial | None:
        """Take out the next trial for a worker, or for a new one; None where there is none for its place.

        workers: all of this driver, which say what runs. elsewhere: trials of other drivers, by id.
        """
        if not self.ready(workers, elsewhere):
            return None
        if not self._sorted and (self.workers > 1 or elsewhere):
            self._sort()
        place = next(key for key, networks in self._places.items() if networks)
        if worker is not None:
            place = worker.place.backend, worker.place.device
        networks = self._places.get(place)
        if not networks:
            return None
        before = worker.before if worker is not None else None
        key = before.network_key if before is not None else ""
        if key not in networks:
            running = [worker.trial for worker in workers if worker.trial is not None]
            key = self._next_network(networks, [*running, *elsewhere.values()])
        models = networks[key].models
        model = before.compile_key if before is not None else ""
        trial = next(iter(models[model if model in models else next(iter(models))].values()))
        self._remove(trial)
        return trial

    def _next_network(self, networks: OrderedDict[str, _Network], running: Sequence[Trial]) -> str:
        """The first that nobody trains, unless one that is trained holds up everything; then that one."""
        if self.workers == 1 and not running:
            return next(iter(networks))
        count, held_s = Counter[str](), defaultdict[str, float](float)
        for trial in running:
            key = trial.network_key
            count[key] += 1
            held_s[key] += self._expected(trial)
        ends = {key: (networks[key].left_s + held_s[key]) / count[key] for key in count if key in networks}
        slowest = max(ends, key=ends.__getitem__, default="")
        share = (self._left_s + sum(held_s.values())) / max(self.workers, len(running) + 1)
        if slowest and ends[slowest] > HELPS * share:
            return slowest
        return next((key for key in networks if key not in count), slowest)

    def _waits_for(self, trial: Trial) -> str:
        """The parent that comes next of those that must be over before the trial; "" where all were."""
        parents = trial.derivation.parents if trial.derivation is not None else ()
        return next(iter(parents[self._parent[trial.id] :]), "")

    def _put_or_wait(self, trial: Trial) -> None:
        parent = self._waits_for(trial)
        if not parent:
            self._put(trial)
            return
        self._waiting.setdefault(parent, OrderedDict())[trial.id] = trial
        if parent not in self._trials:
            self._parents.add(parent)

    def _put(self, trial: Trial) -> None:
        networks = self._places.setdefault((trial.backend, trial.device), OrderedDict())
        network = networks.setdefault(trial.network_key, _Network())
        network.models.setdefault(trial.compile_key, OrderedDict())[trial.id] = trial
        network.left_s += self._expected(trial)
        self._left_s += self._expected(trial)

    def _remove(self, trial: Trial) -> None:
        del self._trials[trial.id]
        if trial.id in self._waiting:
            self._parents.add(trial.id)
        parent = self._waits_for(trial)
        if trial.id in self._waiting.get(parent, ()):
            del self._waiting[parent][trial.id]
            return
        networks, network_key, model_key = (
            self._places[trial.backend, trial.device],
            trial.network_key,
            trial.compile_key,
        )
        network = networks[network_key]
        del network.models[model_key][trial.id]
        network.left_s -= self._expected(trial)
        self._left_s -= self._expected(trial)
        if not network.models[model_key]:
            del network.models[model_key]
        if not network.models:
            del networks[network_key]

    def _sort(self) -> None:
        self._sorted = True
        for networks in self._places.values() if self.seconds else ():
            longest = {key: max(map(self._longest, network.models.values())) for key, network in networks.items()}
            for key in sorted(networks, key=longest.__getitem__, reverse=True):
                networks.move_to_end(key)
                models = networks[key].models
                for model in sorted(models, key=lambda model: self._longest(models[model]), reverse=True):
                    models.move_to_end(model)

    def _longest(self, trials: Iterable[str]) -> float:
        return max(self.seconds.get(key, inf) for key in trials)

    def _expected(self, trial: Trial) -> float:
        return self.seconds.get(trial.id, self._usual_s)


def shares_graph(trial: Trial, before: Trial) -> bool:
    """Whether the compiled model of one trial serves the other."""
    return trial.compile_key == before.compile_key


def is_spent(worker: WorkerProcess, trial: Trial, allowed_bytes: float) -> bool:
    """Whether a fresh process is to run the trial, rather than a worker that has run one of another compiled model."""
    if worker.before is None or shares_graph(trial, worker.before):
        return False
    return worker.resident > allowed_bytes or keeps_peak(worker.place)


def keeps_peak(place: Place) -> bool:
    """Whether the peak of the device's memory cannot be looked for anew: on JAX, which counts from the start."""
    return place.backend == "jax" and place.device != "cpu" and bool(machine()["gpu"])
