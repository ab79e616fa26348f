"""A dask worker as the driver's Runner sees it: like a process of its own, whose pipe dask fills."""

import os
import socket
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from multiprocessing.connection import wait
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from ....core.errors import Unavailable
from ....core.record import Record, Status
from ...trial.context import Context
from ...trial.places import Place
from ..worker import STOP as STOP_TRIAL
from ..worker_process import WorkerProcess
from .orders import END, STOP


class Seat(NamedTuple):
    """A dask worker by its address, and the number of the GPU that it is to use, None for the first or for none."""

    address: str
    gpu: int | None = None


class Mailbox:
    """The end of a pipe that threads of this process put messages into."""

    def __init__(self) -> None:
        self._messages: deque[tuple[Any, ...] | None] = deque()
        self._lock = Lock()
        self._ours, self._theirs = socket.socketpair()

    def fileno(self) -> int:
        """For `multiprocessing.connection.wait`, which waits until there is a message."""
        return self._ours.fileno()

    def put(self, message: tuple[Any, ...] | None) -> None:
        """Add a message; None for the end. Nothing happens where it is closed."""
        with self._lock:
            if self._theirs.fileno() >= 0:
                self._messages.append(message)
                self._theirs.send(b".")

    def poll(self, timeout: float = 0.0) -> bool:
        """Whether there is a message, after waiting so many seconds for one."""
        return bool(wait([self._ours], timeout))

    def recv(self) -> tuple[Any, ...]:
        """The next message; waits for it. Raises EOFError at the end."""
        self._ours.recv(1)
        message = self._messages.popleft()
        if message is None:
            raise EOFError
        return message

    def close(self) -> None:
        """Nothing is put in or taken out any more."""
        with self._lock:
            self._ours.close()
            self._theirs.close()


class RemoteWorker(WorkerProcess):
    """A worker on a seat of dask.

    at: its seat. submit: has it carry out an order; say: says a word to it. host: that it is on. hardware: of its
    machine, as records have it. name: what a person calls it. epoch: of its trial.
    """

    def __init__(
        self,
        seat: Seat,
        host: str,
        context: Context,
        place: Place,
        *,
        hardware: Mapping[str, Any],
        submit: Callable[["RemoteWorker", Any], None],
        say: Callable[["RemoteWorker", str], None],
    ) -> None:
        super().__init__(None, Mailbox(), context, place, Path(os.devnull), seat=seat, host=host)
        self.at, self.name = seat, f"worker {seat.address} on {host}"
        self.hardware, self.submit, self.say = hardware, submit, say
        self.key, self.epoch, self.reason, self.blameless = "", 0, "", False

    @property
    def mailbox(self) -> Mailbox:
        """Its pipe."""
        return self.pipe

    @property
    def where(self) -> str:
        """See `WorkerProcess`."""
        return self.name

    def send(self, order: Any) -> None:
        """See `WorkerProcess`; what it is told to run is a task of dask."""
        if order == STOP_TRIAL:
            self.say(self, STOP)
        elif order is not None:
            self.submit(self, order)

    def lose(self, reason: str, *, blameless: bool) -> None:
        """It is gone, and no answer will come. blameless: whether that says nothing about its trial."""
        self.reason, self.blameless = reason, blameless
        self.key = ""
        self.mailbox.put(None)

    def is_alive(self) -> bool:
        """See `WorkerProcess`."""
        return not self.reason

    def is_lost(self) -> bool:
        """See `WorkerProcess`."""
        return self.blameless

    def end(self) -> None:
        """See `WorkerProcess`; an idle one needs nothing."""
        self.kill()

    def kill(self) -> None:
        """See `WorkerProcess`; its claim is given back."""
        if self.key:
            self.say(self, END)
        self.key = ""
        self.mailbox.close()

    def exit_reason(self) -> str:
        """See `WorkerProcess`. Raises Unavailable where it is lost in the check of a part, which then tells nothing."""
        if self.trial is None:
            raise Unavailable(f"{self.reason} while it checked a part; the same command goes on")
        return self.reason

    def record(self, status: Status, reason: str, **fields: Any) -> Record:
        """See `WorkerProcess`."""
        made = super().record(status, reason, **fields)
        return replace(made, machine={**made.machine, **self.hardware})

    def exit_record(self) -> Record:
        """See `WorkerProcess`."""
        return self.record("failed", self.exit_reason())

    def completed(self, record: Record) -> Record:
        """See `WorkerProcess`; its agent has done so."""
        return record
