"""Who runs the trials of a driver: processes that it began on its machine, or workers elsewhere that do the same."""

import shutil
import tempfile
import weakref
from collections.abc import Hashable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from ...core.trial import Trial
from ..records.machine import machine
from ..records.store import Store
from ..trial.context import Context
from ..trial.places import Place, slots
from .worker_process import WorkerProcess


class Crew(Protocol):
    """The workers of a driver.

    context: settings of the run. store: as the machine of the workers sees it. claims: whether the workers claim their
    trials, look whether these are settled and write the records by themselves; else the driver does.
    """

    context: Context
    store: Store
    claims: bool

    def context_on(self, device: str) -> Context:
        """The settings of the trials on a device."""
        ...

    def seats(self, device: str, wanted: int | None = None) -> Sequence[Hashable]:
        """Where trials of a device can run now, one at a time each. wanted: how many could be used, if told."""
        ...

    def spawn(self, trial: Trial, seat: Hashable) -> WorkerProcess:
        """Begin a worker on a free seat, where the trial is to be run."""
        ...

    def end(self, worker: WorkerProcess) -> None:
        """A worker gets no trial any more."""
        ...

    def dismiss(self, workers: Sequence[WorkerProcess]) -> None:
        """A run is over: end what still computes, before anybody else may begin it. Workers may be kept for another."""
        ...


class Processes:
    """Processes on this machine, on the seats of `trial.places.slots`. count: how many at once where there is no GPU.

    store: of the records, by default the context's as seen from here.
    """

    claims = False

    def __init__(self, context: Context, count: int = 1, store: Store | None = None) -> None:
        self.context, self.count = context, count
        self.store = store or Store.here(context.results, context.sweep)
        self.logs = Path(tempfile.mkdtemp(prefix="unetbench-"))
        # Also where no run comes to its end, as after an error of the input or a second Ctrl-C.
        weakref.finalize(self, shutil.rmtree, self.logs, ignore_errors=True)
        self.spawned = 0

    def context_on(self, device: str) -> Context:
        """The settings of the trials on a device: its share of the cores and no latency where several run at once."""
        several = len(self.seats(device))
        if several < 2:
            return self.context
        return replace(self.context, threads=max(1, machine()["cores"] // several), latency=None)

    def seats(self, device: str, wanted: int | None = None) -> Sequence[int | None]:
        """See `Crew`: numbers of GPUs, or None as often as there are to be processes."""
        return slots(device, self.context.gpus, self.count)

    def spawn(self, trial: Trial, seat: Hashable) -> WorkerProcess:
        """See `Crew`."""
        self.spawned += 1
        gpu = seat if isinstance(seat, int) else None
        place, log = Place(trial.backend, trial.device, gpu), self.logs / f"worker-{self.spawned}.log"
        worker = WorkerProcess.spawn(self.context_on(trial.device), place, log)
        worker.seat = seat
        return worker

    def end(self, worker: WorkerProcess) -> None:
        """See `Crew`."""
        worker.end()

    def dismiss(self, workers: Sequence[WorkerProcess]) -> None:
        """See `Crew`; none is kept."""
        for worker in workers:
            worker.end()
        shutil.rmtree(self.logs, ignore_errors=True)
