"""Drive a sweep: hand trials to worker processes, write every record, survive everything."""

import time
from collections import Counter
from collections.abc import Container, Hashable, Mapping, Sequence
from dataclasses import replace
from multiprocessing.connection import wait
from threading import Event
from typing import Any

from ...core.errors import PartError, StoreError
from ...core.record import Record
from ...core.trial import Trial
from ..records.claims import Claims
from ..records.machine import machine
from ..records.store import SETTLED
from ..trial.context import Context
from ..trial.micro_batches import Again, once_more
from ..trial.own_parts import PartCheck, part_checks
from .check_worker import checked
from .crew import Crew, Processes
from .order import Queue, is_spent
from .outcome import Outcome, kept
from .progress import Progress
from .shared import LOOK_S, Shared
from .worker_process import WorkerProcess

GROWTH = 0.3
"""Share of the machine's memory, split among the workers, beyond which a worker is replaced by a fresh process."""


class Runner:
    """Runs trials in several processes. limit_s: seconds after which a trial is timed out, 0 for never.

    Each process computes in one place, a backend and a device, and trials on one device are all run before those on
    the next: at most one a GPU at a time, `workers` elsewhere. Other drivers may run the same sweep on the same folder.
    wait: for what they have, and run it where they die; else end when nothing is left that is nobody's. stop: once set,
    no trial begins, and those under way end at the next epoch, with a checkpoint. crew: who runs the trials, by default
    that many processes on this machine. seconds: that trials are expected to take, by id, as far as known; where
    several run at once, the longest begin first.
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
        crew: Crew | None = None,
        seconds: Mapping[str, float] | None = None,
    ) -> None:
        self.context, self.limit_s, self.progress, self.wait = context, limit_s, progress, wait
        self.crew = crew or Processes(context, workers)
        self.store = self.crew.store
        self.claims = Claims.of(self.store)
        self.shared, self.asked = Shared(self.store, self.claims), stop or Event()
        self.workers, self.called, self.seconds = [], [], seconds

    def order(self, trial: Trial, again: Again | None) -> Any:
        """What a worker is sent to run a trial; again: differently, since it failed."""
        return again or trial

    def following(self, record: Record) -> Sequence[Trial]:
        """Trials that a record, made here or by another driver, calls for; those of a sweep are all named before."""
        return ()

    def check_parts(self, trials: Sequence[Trial]) -> dict[str, Record]:
        """Run each part of the user's own once, before anything is trained; the record of each trial it spoils, by id.

        Raises PartError for a metric or a runtime that does not do what it must, for it would spoil all of them.
        """
        problems: dict[str, Record] = {}
        for check, users in part_checks(trials, self.context):
            record = self.check(check)
            if record is not None and not users:
                raise PartError(record.reason)
            if record is not None:
                problems |= {trial.id: replace(record, trial=trial) for trial in users}
        return problems

    def check(self, check: PartCheck) -> Record | None:
        """Run one part of the user's own; the record of the check's trial where it spoils that, else None."""
        worker = self._worker_for(check.trial)
        record = checked(check, worker, self.context, self.limit_s)
        if not worker.is_alive():
            self.workers = []
        return record

    def run(
        self,
        trials: Sequence[Trial],
        *,
        settled: Container[str],
        known: Mapping[str, Record] | None = None,
        rejected: Sequence[Record] = (),
    ) -> Outcome:
        """Run what is not settled, same graph after same graph. Raises StoreError when no record can be written.

        settled: ids. known: records by id that there were when these were found, which may be a while ago; by default
        those of now. rejected: records of the sweep's other trials, whose data or parts cannot be used.
        """
        pending = [trial for trial in trials if trial.id not in settled]
        outcome = Outcome(settled=len(trials) - len(pending))
        self.store.copy_from_other_sweeps(trial for trial in trials if trial.id in settled)
        self.shared.begin(self.store.found(pending) if known is None else known)
        self.progress.begin(trials, pending, known=known, rejected=rejected)
        workers, self.workers = self.workers, []
        with self.claims:
            try:
                while pending and not outcome.stopped:
                    pending = self._run_devices(pending, workers, outcome)
            finally:  # before the claims are dropped: nobody is to begin what still runs
                self.crew.dismiss(workers)
                self.progress.end()
        outcome.elsewhere = list(self.shared.elsewhere.values())
        return outcome

    def _run_devices(self, pending: Sequence[Trial], workers: list[WorkerProcess], outcome: Outcome) -> list[Trial]:
        """Run trials, those of one device after those of another; returns what came free of a device that was over."""
        freed: list[Trial] = []
        for device in dict.fromkeys(trial.device for trial in pending):
            there = [trial for trial in pending if trial.device == device]
            freed += self._run_queue(Queue(there, self.seconds), workers, device, outcome)
        return freed

    def _run_queue(self, queue: Queue, workers: list[WorkerProcess], device: str, outcome: Outcome) -> list[Trial]:
        told, freed = False, []
        while True:
            if self.asked.is_set():
                outcome.stopped = True
                queue.clear()
                for worker in workers:
                    worker.ask_to_stop()
            wanted = len(queue) + sum(worker.trial is not None for worker in workers)
            seats = self.crew.seats(device, wanted)
            queue.workers = len(seats)
            self._assign(queue, workers, seats)
            busy = any(worker.trial for worker in workers)
            done = not busy and not queue.ready(workers, self.shared.elsewhere)
            if done and (outcome.stopped or not self.awaits_others(told)):
                break
            told = told or not busy
            self._listen(workers, outcome)
            made, free = self.shared.look(queue.ids) if not outcome.stopped else ([], [])
            queue.drop(record.trial.id for record in made)
            queue.add(trial for trial in free if trial.device == device)
            freed += [trial for trial in free if trial.device != device]
            for record in made:
                outcome.others.append(kept(record, outcome.others))
                self.progress.finish(record, elsewhere=True)
                self.called += self.following(record)
            queue.add(self.called)
            self.called = []
        self.shared.hold_back(queue.rest())
        return freed

    def awaits_others(self, told: bool) -> bool:
        """Whether to wait for what others have; who is not to wait does so until it is sure that they live."""
        waits = bool(self.shared.elsewhere) and (self.wait or self.shared.in_doubt())
        if waits and self.wait and not told:
            self.progress.wait(len(self.shared.elsewhere))
        return waits

    def _assign(self, queue: Queue, workers: list[WorkerProcess], seats: Sequence[Hashable]) -> None:
        allowed = GROWTH * machine()["memory_bytes"] / max(1, len(seats))
        for worker in [worker for worker in workers if worker.trial is None]:
            trial = self._claimed(queue, workers, worker) if worker.seat in seats else None
            if trial is None or is_spent(worker, trial, allowed):
                workers.remove(worker)
                self.crew.end(worker)
                if trial is not None:
                    worker = self.crew.spawn(trial, worker.seat)
                    workers.append(worker)
            if trial is not None:
                self._hand(trial, worker)
        for seat in (Counter(seats) - Counter(worker.seat for worker in workers)).elements():
            trial = self._claimed(queue, workers)
            if trial is not None:
                workers.append(self.crew.spawn(trial, seat))
                self._hand(trial, workers[-1])

    def _claimed(
        self, queue: Queue, workers: Sequence[WorkerProcess], worker: WorkerProcess | None = None
    ) -> Trial | None:
        """The next trial that is no other driver's, for a worker or for a new one; it is taken out of the queue."""
        while (trial := queue.take(workers, self.shared.elsewhere, worker)) is not None:
            if self.crew.claims or self.shared.is_mine(trial):
                return trial
        return None

    def _hand(self, trial: Trial, worker: WorkerProcess, again: Again | None = None) -> None:
        self.progress.start(trial, worker.where)
        worker.known = self.shared.known.get(trial.id)
        worker.take(trial, self.order(trial, again), again)

    def _worker_for(self, trial: Trial) -> WorkerProcess:
        """The idle worker where the trial is to be run, begun if need be in the place of another."""
        if not self.workers or not self.workers[0].place.takes(trial):
            for worker in self.workers:
                self.crew.end(worker)
            while not (seats := self.crew.seats(trial.device)):
                time.sleep(LOOK_S)
            self.workers = [self.crew.spawn(trial, seats[0])]
        return self.workers[0]

    def _listen(self, workers: list[WorkerProcess], outcome: Outcome) -> None:
        busy = {worker.pipe: worker for worker in workers if worker.trial is not None}
        for pipe in wait(list(busy), timeout=0.5):
            worker = busy[pipe]  # pyright: ignore[reportArgumentType]  # wait returns what it was given
            try:
                message = worker.pipe.recv()
            except (EOFError, ConnectionResetError):
                if worker.is_lost():
                    self._leave(worker, workers)
                else:
                    self._finish(worker.exit_record(), worker, workers, outcome)
                continue
            if message[0] == "tell" and worker.trial is not None:
                worker.since = worker.since or time.monotonic()  # loading Keras is not the trial's time
                worker.phase = worker.phase if message[1]["phase"] == "warning" else message[1]["phase"]
                self.progress.on_progress(worker.trial, message[1])
                if message[1]["phase"] == "epoch":
                    self.shared.tell(worker.trial, message[1])
            elif message[0] == "stopped" and worker.trial is not None:
                self.claims.drop(worker.trial.id)  # no failure: whoever runs it next goes on from its checkpoint
                self.progress.stop(worker.trial)
                worker.trial = None
            elif message[0] == "elsewhere" and worker.trial is not None:
                self.progress.stop(worker.trial)
                self.shared.hold_back([worker.trial])
                worker.trial = None
            elif message[0] == "unwritten":
                raise StoreError(message[1])
            elif message[0] == "record" and self.crew.claims:  # written by its worker
                worker.trial = None
                self._count(Record.from_json(message[1]), outcome)
            elif message[0] == "record":
                worker.resident = message[2]
                self._finish(Record.from_json(message[1]), worker, workers, outcome)
        for worker in list(workers):
            spent = time.monotonic() - worker.since if worker.since else 0.0
            if worker.trial is not None and 0 < self.limit_s < spent:
                record = worker.record("timed_out", f"took longer than {self.limit_s:g} s")
                self._finish(record, worker, workers, outcome)

    def _finish(self, record: Record, worker: WorkerProcess, workers: list[WorkerProcess], outcome: Outcome) -> None:
        """Keep what came of a worker's trial, or have it run again, in parts, by a fresh process."""
        again = once_more(record)
        if record.status == "timed_out" or record.training.get("out_of_memory") or not worker.is_alive():
            workers.remove(worker)
            worker.kill()
            self.store.suspect()
        worker.trial, record = None, worker.completed(record)
        if again is None:
            self._keep(record, outcome)
        elif self.asked.is_set():
            self.claims.drop(record.trial.id)
            self.progress.stop(record.trial)
        else:
            workers.append(self.crew.spawn(record.trial, worker.seat))
            self._hand(record.trial, workers[-1], again)
            text = f"{again.because}; it is run again in {again.parts} parts a step"
            self.progress.on_progress(record.trial, {"phase": "warning", "text": text})

    def _leave(self, worker: WorkerProcess, workers: list[WorkerProcess]) -> None:
        """Have a worker's trial run elsewhere, once its claim is gone; that may be a while where a host is."""
        workers.remove(worker)
        if worker.trial is not None:
            text = f"{worker.exit_reason()}; the trial goes on elsewhere"
            self.progress.on_progress(worker.trial, {"phase": "warning", "text": text})
            self.progress.stop(worker.trial)
            self.shared.hold_back([worker.trial])
        worker.kill()

    def _count(self, record: Record, outcome: Outcome) -> None:
        outcome.made.append(kept(record, outcome.made))
        self.progress.finish(record)

    def _keep(self, record: Record, outcome: Outcome) -> None:
        self._count(record, outcome)
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
