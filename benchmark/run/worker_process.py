"""A worker process as the driver sees it: begun, asked, ended, and why it died."""

import contextlib
import multiprocessing
import signal
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.memory import memory_bytes, told
from ...core.record import Record
from ...core.trial import Trial
from ..records.signals import deaf_children
from ..trial.context import Context
from ..trial.places import Place
from .tensorflow_log import last_words
from .worker import STOP, work


@dataclass
class WorkerProcess:
    """One process. trial: what it runs; since: from when, 0.0 before it began; before: its last trial; resident: bytes.

    context, place: what it was begun with, and where it computes. log: the file that takes what its libraries print.
    phase: of the trial. asked: whether it was to stop. seat: which of its crew's it has.
    known: the record of its trial that there was before the run.
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
        return cls(process, ours, context, place, log)

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

    def exit_reason(self) -> str:
        """Why a process ended that was not asked to, with its last words."""
        self.process.join(5)
        code = self.process.exitcode or 0
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        loads = self.phase == "load" and self.context.cache == "memory"
        advice = "say `cache: disk` in the sweep file, or --cache disk" if loads else "try a smaller batch"
        hint = f"; often too little memory ({told(memory_bytes())} here): {advice}" if code == -9 else ""
        printed = last_words(self.log.read_bytes()) if self.log.exists() else ""
        return f"the worker process was {how}{hint}" + (f"; it last said: {printed[:300]}" if printed else "")
