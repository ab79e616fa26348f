"""Drive a sweep: hand trials to worker processes, write every record, survive everything."""

import shutil
import tempfile
import time
from collections import Counter, deque
from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from ...core.errors import PartError, StoreError
from ...core.record import Record
from ...core.trial import Trial
from ..records.machine import machine, provenance
from ..records.store import Store
from ..trial.context import Context
from ..trial.own_parts import part_checks
from ..trial.places import Place, slots
from .check_worker import checked
from .progress import Progress
from .worker_process import WorkerProcess

GROWTH = 0.3
"""Share of the machine's memory, split among the workers, beyond which a worker is replaced by a fresh process."""


@dataclass
class Outcome:
    """What a run did: the records it made, and the trials that were settled before."""

    made: list[Record] = field(default_factory=list)
    settled: int = 0
    lost: list[str] = field(default_factory=list)

    @property
    def fine(self) -> bool:
        """Whether every trial is done or declared unfit."""
        return not self.lost and all(record.status in ("done", "unfit") for record in self.made)


class Runner:
    """Runs trials in several processes. limit_s: seconds after which a trial is timed out, 0 for never.

    Each process computes in one place, a backend and a device, and trials on one device are all run before those on
    the next: at most one a GPU at a time, `workers` elsewhere.
    """

    def __init__(self, context: Context, *, workers: int = 1, limit_s: float = 0.0, progress: Progress) -> None:
        self.context, self.count, self.limit_s, self.progress = context, workers, limit_s, progress
        self.store = Store.here(context.results, context.sweep)
        self.logs = Path(tempfile.mkdtemp(prefix="unetbench-"))
        self.spawned, self.workers = 0, []

    def context_on(self, device: str) -> Context:
        """The settings of the trials on a device: its share of the cores and no latency where several run at once."""
        several = len(slots(device, self.context.gpus, self.count))
        if several < 2:
            return self.context
        return replace(self.context, threads=max(1, machine()["cores"] // several), latency=None)

    def check_parts(self, trials: Sequence[Trial]) -> dict[str, Record]:
        """Run each part of the user's own once, before anything is trained; the record of each trial it spoils, by id.

        Raises PartError for a metric or a runtime that does not do what it must, for it would spoil all of them.
        """
        problems: dict[str, Record] = {}
        for check, users in part_checks(trials, self.context):
            worker = self._worker_for(check.trial)
            record = checked(check, worker, self.context, self.limit_s)
            if not worker.process.is_alive():
                self.workers = []
            if record is not None and not users:
                raise PartError(record.reason)
            if record is not None:
                problems |= {trial.id: replace(record, trial=trial) for trial in users}
        return problems

    def run(self, trials: Sequence[Trial], *, settled: Container[str], beside: Sequence[Trial] = ()) -> Outcome:
        """Run what is not settled, same graph after same graph. Raises StoreError when no record can be written.

        settled: ids. beside: the sweep's other trials, whose data or parts cannot be used; progress names all alike.
        """
        outcome = Outcome()
        pending: list[Trial] = []
        for trial in trials:
            if trial.id in settled:
                self.store.copy_from_other_sweep(trial)
                outcome.settled += 1
            else:
                pending.append(trial)
        self.progress.begin(trials, outcome.settled, beside)
        workers, self.workers = self.workers, []
        try:
            for device in dict.fromkeys(trial.device for trial in pending):
                queue = deque(_by_network([trial for trial in pending if trial.device == device]))
                places = slots(device, self.context.gpus, self.count)
                while queue or any(worker.trial for worker in workers):
                    self._assign(queue, workers, places)
                    self._listen(workers, outcome)
        finally:
            for worker in workers:
                worker.end()
            shutil.rmtree(self.logs, ignore_errors=True)
            self.progress.end()
        return outcome

    def _assign(self, queue: deque[Trial], workers: list[WorkerProcess], places: Sequence[int | None]) -> None:
        allowed = GROWTH * machine()["memory_bytes"] / len(places)
        for worker in [worker for worker in workers if worker.trial is None]:
            ready = _ready(queue, workers)
            likest = _likest(ready, worker)
            other_model = likest is not None and worker.before is not None and not _shares_graph(likest, worker.before)
            if likest is None or (other_model and (worker.resident > allowed or _keeps_peak(worker.place))):
                workers.remove(worker)
                worker.end()
        for worker in workers:
            likest = _likest(_ready(queue, workers), worker) if worker.trial is None else None
            if likest is not None:
                self._hand(likest, worker, queue)
        for gpu in (Counter(places) - Counter(worker.place.gpu for worker in workers)).elements():
            ready = _ready(queue, workers)
            if ready:
                workers.append(self._spawn(ready[0], gpu))
                self._hand(ready[0], workers[-1], queue)

    def _hand(self, trial: Trial, worker: WorkerProcess, queue: deque[Trial]) -> None:
        queue.remove(trial)
        worker.trial = worker.before = trial
        worker.since = 0.0
        self.progress.start(trial)
        worker.pipe.send(trial)

    def _worker_for(self, trial: Trial) -> WorkerProcess:
        """The idle worker where the trial is to be run, begun if need be in the place of another."""
        if not self.workers or not self.workers[0].place.takes(trial):
            for worker in self.workers:
                worker.end()
            self.workers = [self._spawn(trial, slots(trial.device, self.context.gpus, self.count)[0])]
        return self.workers[0]

    def _spawn(self, trial: Trial, gpu: int | None) -> WorkerProcess:
        self.spawned += 1
        place, log = Place(trial.backend, trial.device, gpu), self.logs / f"worker-{self.spawned}.log"
        return WorkerProcess.spawn(self.context_on(trial.device), place, log)

    def _listen(self, workers: list[WorkerProcess], outcome: Outcome) -> None:
        busy = {worker.pipe: worker for worker in workers if worker.trial is not None}
        for pipe in wait(list(busy), timeout=0.5):
            worker = busy[pipe]  # pyright: ignore[reportArgumentType]  # wait returns what it was given
            try:
                message = worker.pipe.recv()
            except (EOFError, ConnectionResetError):
                self._discard_worker(worker, workers, outcome, "failed", worker.exit_reason())
                continue
            if message[0] == "tell" and worker.trial is not None:
                worker.since = worker.since or time.monotonic()  # loading Keras is not the trial's time
                worker.phase = message[1]["phase"]
                self.progress.on_progress(worker.trial, message[1])
            elif message[0] == "record":
                worker.trial, worker.resident = None, message[2]
                self._keep(Record.from_json(message[1]), outcome)
        for worker in list(workers):
            spent = time.monotonic() - worker.since if worker.since else 0.0
            if worker.trial is not None and 0 < self.limit_s < spent:
                self._discard_worker(worker, workers, outcome, "timed_out", f"took longer than {self.limit_s:g} s")

    def _discard_worker(
        self, worker: WorkerProcess, workers: list[WorkerProcess], outcome: Outcome, status: Any, reason: str
    ) -> None:
        workers.remove(worker)
        worker.kill()
        if worker.trial is not None:
            about = provenance(threads=worker.context.threads)
            self._keep(Record(worker.trial, status, reason, **about), outcome)

    def _keep(self, record: Record, outcome: Outcome) -> None:
        outcome.made.append(record)
        self.progress.finish(record)
        try:
            self.store.put(record)
        except StoreError as error:
            outcome.lost.append(str(error))
            raise


def _by_network(trials: Sequence[Trial]) -> list[Trial]:
    """In the order that came, but trials of one network in a row, and in it those of one compiled model."""
    last_first = list(enumerate(trials))[::-1]
    network = {trial.network_key: index for index, trial in last_first}
    compiled = {trial.compile_key: index for index, trial in last_first}
    return sorted(trials, key=lambda trial: (network[trial.network_key], compiled[trial.compile_key]))


def _ready(queue: Sequence[Trial], workers: Sequence[WorkerProcess]) -> list[Trial]:
    """The trials whose parent, if they have one, is neither still to come nor running."""
    ahead = {trial.id for trial in queue} | {worker.trial.id for worker in workers if worker.trial is not None}
    return [trial for trial in queue if trial.derivation is None or trial.derivation.parent not in ahead]


def _likest(trials: Sequence[Trial], worker: WorkerProcess) -> Trial | None:
    """The first trial of the compiled model that a worker has at hand, else of its network, else of its place."""
    trials = [trial for trial in trials if worker.place.takes(trial)]
    before = worker.before
    for key in ("compile_key", "network_key") if before is not None else ():
        for trial in trials:
            if getattr(trial, key) == getattr(before, key):
                return trial
    return trials[0] if trials else None


def _shares_graph(trial: Trial, before: Trial) -> bool:
    return trial.compile_key == before.compile_key


def _keeps_peak(place: Place) -> bool:
    """Whether the peak of the device's memory cannot be looked for anew: on JAX, which counts from the start."""
    return place.backend == "jax" and place.device != "cpu" and bool(machine()["gpu"])
