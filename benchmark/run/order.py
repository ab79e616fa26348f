"""Which trial a worker gets next: the one for which it has most at hand."""

from collections.abc import Collection, Sequence

from ...core.trial import Trial
from ..records.machine import machine
from ..trial.places import Place
from .worker_process import WorkerProcess


def by_network(trials: Sequence[Trial]) -> list[Trial]:
    """In the order that came, but trials of one network in a row, and in it those of one compiled model."""
    last_first = list(enumerate(trials))[::-1]
    network = {trial.network_key: index for index, trial in last_first}
    compiled = {trial.compile_key: index for index, trial in last_first}
    return sorted(trials, key=lambda trial: (network[trial.network_key], compiled[trial.compile_key]))


def ready(queue: Sequence[Trial], workers: Sequence[WorkerProcess], elsewhere: Collection[str] = ()) -> list[Trial]:
    """The trials whose parent, if they have one, is neither still to come nor running, here or elsewhere (by id)."""
    ahead = {*elsewhere, *(trial.id for trial in queue)}
    ahead |= {worker.trial.id for worker in workers if worker.trial is not None}
    return [trial for trial in queue if trial.derivation is None or trial.derivation.parent not in ahead]


def likest(trials: Sequence[Trial], worker: WorkerProcess) -> Trial | None:
    """The first trial of the compiled model that a worker has at hand, else of its network, else of its place."""
    trials = [trial for trial in trials if worker.place.takes(trial)]
    before = worker.before
    for key in ("compile_key", "network_key") if before is not None else ():
        for trial in trials:
            if getattr(trial, key) == getattr(before, key):
                return trial
    return trials[0] if trials else None


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
