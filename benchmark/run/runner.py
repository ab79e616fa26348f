"""Drive a sweep: hand trials to worker processes, write every record, survive everything."""

import multiprocessing
import shutil
import signal
import tempfile
import time
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from ...core.errors import StoreError
from ...core.memory import memory_bytes, told
from ...core.record import Record
from ...core.trial import Trial
from ..records.machine import machine, provenance
from ..records.store import Store
from ..trial.context import Context
from .progress import Progress
from .tensorflow_log import last_words
from .worker import work

GROWTH = 0.3
"""Share of the machine's memory, split among the workers, beyond which a worker is replaced by a fresh process."""


@dataclass
class _Worker:
    process: Any
    pipe: Any
    log: Path
    trial: Trial | None = None
    since: float = 0.0
    before: Trial | None = None
    phase: str = ""
    resident: int = 0


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
        self.spawned = 0

    def run(self, trials: Sequence[Trial], beside: Sequence[Trial] = (), again: Collection[str] = ()) -> Outcome:
        """Run what the store has not, same graph after same graph. Raises StoreError when no record can be written.

        beside: the sweep's other trials, whose data cannot be listed; progress names all alike. again: ids of trials
        that are run whatever the store has.
        """
        outcome = Outcome()
        pending: list[Trial] = []
        for trial in trials:
            if trial.id not in again and self.store.is_complete(trial):
                self.store.copy_from_other_sweep(trial)
                outcome.settled += 1
            else:
                pending.append(trial)
        self.progress.begin(trials, outcome.settled, beside)
        queue = deque(_by_network(pending))
        workers: list[_Worker] = []
        try:
            while queue or any(worker.trial for worker in workers):
                self._assign(queue, workers)
                self._listen(workers, outcome)
        finally:
            for worker in workers:
                _end(worker)
            shutil.rmtree(self.logs, ignore_errors=True)
            self.progress.end()
        return outcome

    def _assign(self, queue: deque[Trial], workers: list[_Worker]) -> None:
        allowed = GROWTH * machine()["memory_bytes"] / self.count
        for worker in [worker for worker in workers if worker.trial is None]:
            other_model = (
                bool(queue)
                and worker.before is not None
                and (_likest(queue, worker.before).compile_key != worker.before.compile_key)
            )
            if not queue or (other_model and worker.resident > allowed):
                workers.remove(worker)
                _end(worker)
        while queue and len(workers) < self.count:
            workers.append(self._spawn())
        for worker in workers:
            if worker.trial is None and queue:
                same = _likest(queue, worker.before)
                queue.remove(same)
                worker.trial = worker.before = same
                worker.since = 0.0
                self.progress.start(same)
                worker.pipe.send(same)

    def _spawn(self) -> _Worker:
        self.spawned += 1
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        log = self.logs / f"worker-{self.spawned}.log"
        process = context.Process(target=work, args=(theirs, self.context, log), daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours, log)

    def _listen(self, workers: list[_Worker], outcome: Outcome) -> None:
        busy = {worker.pipe: worker for worker in workers if worker.trial is not None}
        for pipe in wait(list(busy), timeout=0.5):
            worker = busy[pipe]  # pyright: ignore[reportArgumentType]  # wait returns what it was given
            try:
                message = worker.pipe.recv()
            except (EOFError, ConnectionResetError):
                self._discard_worker(worker, workers, outcome, "failed", _exit_reason(worker, self.context))
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
        self, worker: _Worker, workers: list[_Worker], outcome: Outcome, status: Any, reason: str
    ) -> None:
        workers.remove(worker)
        worker.process.kill()
        worker.process.join()
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


def _likest(trials: Sequence[Trial], before: Trial | None) -> Trial:
    """The first trial of the compiled model that a worker has at hand, else of its network, else the first."""
    if before is not None:
        for key in ("compile_key", "network_key"):
            for trial in trials:
                if getattr(trial, key) == getattr(before, key):
                    return trial
    return trials[0]


def _end(worker: _Worker) -> None:
    if worker.trial is None and worker.process.is_alive():
        worker.pipe.send(None)
        worker.process.join(10)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join()


def _exit_reason(worker: _Worker, context: Context) -> str:
    worker.process.join(5)
    code = worker.process.exitcode or 0
    how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
    loads = worker.phase == "load" and context.cache == "memory"
    advice = "say `cache: disk` in the sweep file, or --cache disk" if loads else "try a smaller batch"
    hint = f"; often too little memory ({told(memory_bytes())} here): {advice}" if code == -9 else ""
    printed = last_words(worker.log.read_bytes()) if worker.log.exists() else ""
    return f"the worker process was {how}{hint}" + (f"; it last said: {printed[:300]}" if printed else "")
