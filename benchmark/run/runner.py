"""Drive a sweep: hand trials to worker processes, write every record, survive everything."""

import shutil
import tempfile
import time
from collections import Counter, deque
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import wait
from pathlib import Path
from threading import Event
from typing import Any

from ...core.errors import PartError, StoreError
from ...core.record import Record
from ...core.trial import Trial
from ..records.claims import Claims
from ..records.machine import machine, now, provenance
from ..records.store import SETTLED, Store
from ..trial.context import Context
from ..trial.own_parts import part_checks
from ..trial.places import Place, slots
from .check_worker import checked
from .order import by_network, keeps_peak, likest, ready, shares_graph
from .progress import Progress
from .shared import Shared
from .worker_process import WorkerProcess

GROWTH = 0.3
"""Share of the machine's memory, split among the workers, beyond which a worker is replaced by a fresh process."""


@dataclass
class Outcome:
    """What a run did: the records it made, and the trials that were settled before.

    others: records that other drivers made meanwhile. elsewhere: trials that they had when this one ended. stopped:
    whether it ended before its trials because it was asked to.
    """

    made: list[Record] = field(default_factory=list)
    settled: int = 0
    lost: list[str] = field(default_factory=list)
    others: list[Record] = field(default_factory=list)
    elsewhere: list[Trial] = field(default_factory=list)
    stopped: bool = False

    @property
    def fine(self) -> bool:
        """Whether every trial is done or declared unfit; what other drivers still have does not count."""
        return not self.lost and all(record.status in SETTLED for record in (*self.made, *self.others))


class Runner:
    """Runs trials in several processes. limit_s: seconds after which a trial is timed out, 0 for never.

    Each process computes in one place, a backend and a device, and trials on one device are all run before those on
    the next: at most one a GPU at a time, `workers` elsewhere. Other drivers may run the same sweep on the same folder.
    wait: for what they have, and run it where they die; else end when nothing is left that is nobody's. stop: once set,
    no trial begins, and those under way end at the next epoch, with a checkpoint. store: by default the context's.
    """

    def __init__(
        self,
        context: Context,
        *,
        workers: int = 1,
        limit_s: float = 0.0,
        progress: Progress,
        wait: bool = True,
        stop: Event | None = None,
        store: Store | None = None,
    ) -> None:
        self.context, self.count, self.limit_s, self.progress, self.wait = context, workers, limit_s, progress, wait
        self.store = store or Store.here(context.results, context.sweep)
        self.claims = Claims.of(self.store)
        self.shared, self.asked = Shared(self.store, self.claims), stop or Event()
        self.logs = Path(tempfile.mkdtemp(prefix="unetbench-"))
        self.spawned, self.workers, self.called = 0, [], []

    def context_on(self, device: str) -> Context:
        """The settings of the trials on a device: its share of the cores and no latency where several run at once."""
        several = len(slots(device, self.context.gpus, self.count))
        if several < 2:
            return self.context
        return replace(self.context, threads=max(1, machine()["cores"] // several), latency=None)

    def order(self, trial: Trial) -> Any:
        """What a worker is sent to run a trial."""
        return trial

    def following(self, record: Record) -> Sequence[Trial]:
        """Trials that a record, made here or by another driver, calls for; those of a sweep are all named before."""
        return ()

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

    def run(
        self,
        trials: Sequence[Trial],
        *,
        settled: Container[str],
        known: Mapping[str, Record] | None = None,
        beside: Sequence[Trial] = (),
    ) -> Outcome:
        """Run what is not settled, same graph after same graph. Raises StoreError when no record can be written.

        settled: ids. known: records by id that there were when these were found, which may be a while ago; by default
        those of now. beside: the sweep's other trials, whose data or parts cannot be used; progress names all alike.
        """
        outcome = Outcome()
        pending: list[Trial] = []
        for trial in trials:
            if trial.id in settled:
                self.store.copy_from_other_sweep(trial)
                outcome.settled += 1
            else:
                pending.append(trial)
        self.shared.begin(self.store.found(pending) if known is None else known)
        self.progress.begin(trials, outcome.settled, beside)
        workers, self.workers = self.workers, []
        with self.claims:
            try:
                while pending and not outcome.stopped:
                    pending = self._run_devices(pending, workers, outcome)
            finally:  # before the claims are dropped: nobody is to begin what still runs
                for worker in workers:
                    worker.end()
                shutil.rmtree(self.logs, ignore_errors=True)
                self.progress.end()
        outcome.elsewhere = list(self.shared.elsewhere.values())
        return outcome

    def _run_devices(self, pending: Sequence[Trial], workers: list[WorkerProcess], outcome: Outcome) -> list[Trial]:
        """Run trials, those of one device after those of another; returns what came free of a device that was over."""
        freed: list[Trial] = []
        for device in dict.fromkeys(trial.device for trial in pending):
            queue = deque(by_network([trial for trial in pending if trial.device == device]))
            freed += self._run_queue(queue, workers, device, outcome)
        return freed

    def _run_queue(
        self, queue: deque[Trial], workers: list[WorkerProcess], device: str, outcome: Outcome
    ) -> list[Trial]:
        places, told, freed = slots(device, self.context.gpus, self.count), False, []
        while True:
            if self.asked.is_set():
                outcome.stopped = True
                queue.clear()
                for worker in workers:
                    worker.ask_to_stop()
            self._assign(queue, workers, places)
            busy = any(worker.trial for worker in workers)
            if not busy and not self._ready(queue, workers) and (outcome.stopped or not self._awaits_others(told)):
                break
            told = told or not busy
            self._listen(workers, outcome)
            made, free = self.shared.look() if not outcome.stopped else ([], [])
            queue.extend(trial for trial in free if trial.device == device)
            freed += [trial for trial in free if trial.device != device]
            for record in made:
                outcome.others.append(record)
                self.progress.finish(record, elsewhere=True)
                self.called += self.following(record)
            queue.extend(self.called)
            self.called = []
        self.shared.hold_back(queue)
        return freed

    def _awaits_others(self, told: bool) -> bool:
        """Whether to wait for what others have; who is not to wait does so until it is sure that they live."""
        waits = bool(self.shared.elsewhere) and (self.wait or self.shared.in_doubt())
        if waits and self.wait and not told:
            self.progress.wait(len(self.shared.elsewhere))
        return waits

    def _assign(self, queue: deque[Trial], workers: list[WorkerProcess], places: Sequence[int | None]) -> None:
        allowed = GROWTH * machine()["memory_bytes"] / len(places)
        for worker in [worker for worker in workers if worker.trial is None]:
            trial = self._claimed(queue, workers, worker)
            other_model = trial is not None and worker.before is not None and not shares_graph(trial, worker.before)
            if trial is None or (other_model and (worker.resident > allowed or keeps_peak(worker.place))):
                workers.remove(worker)
                worker.end()
                if trial is not None:
                    worker = self._spawn(trial, worker.place.gpu)
                    workers.append(worker)
            if trial is not None:
                self._hand(trial, worker)
        for gpu in (Counter(places) - Counter(worker.place.gpu for worker in workers)).elements():
            trial = self._claimed(queue, workers)
            if trial is not None:
                workers.append(self._spawn(trial, gpu))
                self._hand(trial, workers[-1])

    def _claimed(
        self, queue: deque[Trial], workers: Sequence[WorkerProcess], worker: WorkerProcess | None = None
    ) -> Trial | None:
        """The next trial that is no other driver's, for a worker or for a new one; it is taken out of the queue."""
        while able := self._ready(queue, workers):
            trial = able[0] if worker is None else likest(able, worker)
            if trial is None:
                return None
            queue.remove(trial)
            if self.shared.is_mine(trial):
                return trial
        return None

    def _ready(self, queue: Sequence[Trial], workers: Sequence[WorkerProcess]) -> list[Trial]:
        return ready(queue, workers, self.shared.elsewhere)

    def _hand(self, trial: Trial, worker: WorkerProcess) -> None:
        worker.trial = worker.before = trial
        worker.since = 0.0
        self.progress.start(trial)
        worker.send(self.order(trial))

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
                if worker.phase == "epoch":
                    self.claims.tell(worker.trial.id, _reading(worker.trial, message[1]))
            elif message[0] == "stopped" and worker.trial is not None:
                self.claims.drop(worker.trial.id)  # no failure: whoever runs it next goes on from its checkpoint
                worker.trial = None
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
            self._keep(Record(worker.trial, status, reason, finished=now(), **about), outcome)

    def _keep(self, record: Record, outcome: Outcome) -> None:
        outcome.made.append(record)
        self.progress.finish(record)
        overtaken = record.status not in SETTLED and not self.claims.holds(record.trial.id)
        if overtaken and (theirs := self.store.settled([record.trial])):
            self.called += self.following(theirs[record.trial.id])
            return  # by who took it over while we gave no sign of life
        try:
            self.store.put(record)
        except StoreError as error:
            outcome.lost.append(str(error))
            raise
        self.store.tidy(record)
        self.claims.drop(record.trial.id)
        self.called += self.following(record)


def _reading(trial: Trial, event: dict[str, Any]) -> str:
    """How far a trial is, for who asks from elsewhere."""
    return f"epoch {event['epoch']} of {trial.training.epochs}, validation Dice {event['val_dice']:.3f}"
