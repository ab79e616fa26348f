"""Drive a sweep: hand trials to worker processes, write every record, survive everything."""

import shutil
import tempfile
import time
from collections import deque
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
    """Runs trials in several processes. limit_s: seconds after which a trial is timed out, 0 for never."""

    def __init__(self, context: Context, *, workers: int = 1, limit_s: float = 0.0, progress: Progress) -> None:
        cores = machine()["cores"]
        if workers > 1:
            context = replace(context, threads=max(1, cores // workers), latency=None)
        self.context, self.count, self.limit_s, self.progress = context, workers, limit_s, progress
        self.store = Store.here(context.results, context.sweep)
        self.logs = Path(tempfile.mkdtemp(prefix="unetbench-"))
        self.spawned, self.workers = 0, []

    def check_parts(self, trials: Sequence[Trial]) -> dict[str, Record]:
        """Run each part of the user's own once, before anything is trained; the record of each trial it spoils, by id.

        Raises PartError for a metric or a runtime that does not do what it must, for it would spoil all of them.
        """
        problems: dict[str, Record] = {}
        for check, users in part_checks(trials, self.context):
            self.workers = self.workers or [self._spawn()]
            record = checked(check, self.workers[0], self.context, self.limit_s)
            if not self.workers[0].process.is_alive():
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
        queue = deque(_by_network(pending))
        workers, self.workers = self.workers, []
        try:
            while queue or any(worker.trial for worker in workers):
                self._assign(queue, workers)
                self._listen(workers, outcome)
        finally:
            for worker in workers:
                worker.end()
            shutil.rmtree(self.logs, ignore_errors=True)
            self.progress.end()
        return outcome

    def _assign(self, queue: deque[Trial], workers: list[WorkerProcess]) -> None:
        allowed = GROWTH * machine()["memory_bytes"] / self.count
        for worker in [worker for worker in workers if worker.trial is None]:
            ready = _ready(queue, workers)
            other_model = (
                bool(ready)
                and worker.before is not None
                and (_likest(ready, worker.before).compile_key != worker.before.compile_key)
            )
            if not queue or (other_model and worker.resident > allowed):
                workers.remove(worker)
                worker.end()
        while queue and len(workers) < self.count:
            workers.append(self._spawn())
        for worker in workers:
            ready = _ready(queue, workers)
            if worker.trial is None and ready:
                same = _likest(ready, worker.before)
                queue.remove(same)
                worker.trial = worker.before = same
                worker.since = 0.0
                self.progress.start(same)
                worker.pipe.send(same)

    def _spawn(self) -> WorkerProcess:
        self.spawned += 1
        return WorkerProcess.spawn(self.context, self.logs / f"worker-{self.spawned}.log")

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
                worker.since = worker.since or time.monotonic()  # loading TensorFlow is not the trial's time
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
            about = provenance(threads=self.context.threads)
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


def _likest(trials: Sequence[Trial], before: Trial | None) -> Trial:
    """The first trial of the compiled model that a worker has at hand, else of its network, else the first."""
    if before is not None:
        for key in ("compile_key", "network_key"):
            for trial in trials:
                if getattr(trial, key) == getattr(before, key):
                    return trial
    return trials[0]
