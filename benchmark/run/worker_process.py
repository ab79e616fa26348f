"""A worker process as the driver sees it: begun, asked, ended, and why it died."""

import contextlib
import multiprocessing
import signal
from collections.abc import Hashable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...core.memory import kernel_kills, memory_bytes, told
from ...core.record import Record, Status
from ...core.trial import Trial
from ..records.machine import now, provenance
from ..records.signals import deaf_children
from ..trial.context import Context
from ..trial.micro_batches import Again, does_not_fit, in_parts, mend
from ..trial.places import Place
from .tensorflow_log import last_lines, last_words
from .worker import STOP, work

KILLED = -9
"""Exit code of what SIGKILL ended, which Windows does not know."""

ENDS_S = 5.0
"""Seconds in which a process whose pipe is closed has to be gone."""


@dataclass
class WorkerProcess:
    """One process. trial: what it runs; since: from when, 0.0 before it began; before: its last trial; resident: bytes.

    context, place: what it was begun with, and where it computes. log: the file that takes what its libraries print.
    phase: of the trial. asked: whether it was to stop. again: how the trial is run where that is not the first time.
    printed: bytes of the log before the trial or check. kills: of processes by the kernel, before this one began.
    seat: which of its crew's it has. known: the record of its trial that there was before the run.
    """

    process: Any
    pipe: Any
    context: Context
    place: Place
    log: Path
    trial: Trial | None = None
    since: float = 0.0
    before: Trial | None = None
    phase: str = ""
    resident: int = 0
    asked: bool = False
    again: Again | None = None
    printed: int = 0
    kills: int | None = None
    seat: Hashable = None
    known: Record | None = None

    @classmethod
    def spawn(cls, context: Context, place: Place, log: Path) -> "WorkerProcess":
        """Begin a process; it loads Keras when it has something to do."""
        spawning = multiprocessing.get_context("spawn")
        ours, theirs = spawning.Pipe()
        process = spawning.Process(target=work, args=(theirs, context, place, log), daemon=True)
        with deaf_children():
            process.start()
        theirs.close()
        return cls(process, ours, context, place, log, kills=kernel_kills())

    def take(self, trial: Trial, order: Any, again: Again | None = None) -> None:
        """Run a trial. order: what `work` takes for it; again: how, where that is not the first time."""
        self.trial = self.before = trial
        self.again, self.since, self.phase = again, 0.0, ""
        self.forget_log()
        self.send(order)

    def forget_log(self) -> None:
        """Count only what is printed from now on among the last lines."""
        self.printed = self.log.stat().st_size if self.log.exists() else 0

    @property
    def where(self) -> str:
        """What a person looks for in a list of processes, and the GPU if it has one of its own."""
        return f"process {self.process.pid}" + ("" if self.place.gpu is None else f", GPU {self.place.gpu}")

    def is_alive(self) -> bool:
        """Whether it can be given anything."""
        return self.process.is_alive()

    def is_lost(self) -> bool:
        """Whether it ended for a reason that says nothing about its trial; the end of a process always may."""
        return False

    def end(self) -> None:
        """Ask an idle process to end, and kill one that is busy or does not."""
        if self.trial is None and self.process.is_alive():
            self.send(None)
            self.process.join(10)
        self.kill()

    def ask_to_stop(self) -> None:
        """Ask for an end at the next epoch, with a checkpoint, of what it runs."""
        if self.trial is not None and not self.asked:
            self.asked = True
            self.send(STOP)

    def send(self, order: Any) -> None:
        """Send what `work` takes; a process that is dying does not get it, and the end of its pipe tells."""
        with contextlib.suppress(OSError):
            self.pipe.send(order)

    def kill(self) -> None:
        """End it at once."""
        if self.process.is_alive():
            self.process.kill()
        self.process.join()

    def last_lines(self) -> list[str]:
        """The last lines that were printed since the trial, or the check of a part, began."""
        return last_lines(self.log.read_bytes()[self.printed :]) if self.log.exists() else []

    def exit_reason(self) -> str:
        """Why a process ended that was not asked to, with its last words."""
        self.process.join(ENDS_S)
        code = self.process.exitcode
        if code is None:
            how = "not heard of any more, though it had not ended"
            self.kill()
        else:
            how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        loads = self.phase == "load" and self.context.cache == "memory"
        advice = "say `cache: disk` in the sweep file, or --cache disk" if loads else "try a smaller batch"
        hint = f"; often too little memory ({told(memory_bytes())} here): {advice}" if code == KILLED else ""
        if self.starved_training():
            hint = f" by the kernel, which does so where memory runs out ({told(memory_bytes())} here)"
        said = last_words(self.last_lines())
        return f"the worker process was {how}{hint}" + (f"; it last said: {said}" if said else "")

    def starved_training(self) -> bool:
        """Whether the process was killed while it trained, and the kernel has killed for want of memory meanwhile."""
        killed = self.process.exitcode == KILLED and self.phase in ("train", "epoch")
        return killed and self.kills is not None and (kernel_kills() or 0) > self.kills

    def record(self, status: Status, reason: str, **fields: Any) -> Record:
        """The record of a trial whose process makes none."""
        assert self.trial is not None  # nobody asks for that of an idle process
        return Record(self.trial, status, reason, finished=now(), **provenance(threads=self.context.threads), **fields)

    def exit_record(self) -> Record:
        """The record of a trial whose process ended that was not asked to."""
        reason = self.exit_reason()
        if self.trial is None or not self.starved_training():
            return self.record("failed", reason)
        patches = in_parts(self.trial, self.again.parts if self.again else 0).training.micro_batch
        return self.record("failed", f"{does_not_fit(patches)}: {reason}", training={"out_of_memory": patches})

    def completed(self, record: Record) -> Record:
        """A trial's record with what its process cannot tell: why it ran in parts, and, of a failure, last lines."""
        fields: dict[str, Any] = {}
        if self.again is not None:
            fields["training"] = {**record.training, "micro_because": self.again.because}
        if record.training.get("out_of_memory"):
            fields["reason"] = f"{record.reason}; {mend(record)}"
        if record.status in ("failed", "timed_out"):
            fields["log"] = self.last_lines()
        return replace(record, **fields) if fields else record
