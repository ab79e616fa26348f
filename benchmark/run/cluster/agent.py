"""The process that runs trials beside a dask worker, one at a time, as `unetbench run` does on a machine of its own.

A dask worker is a daemon of its nanny, which may have no children of multiprocessing, its threads disturb random
state, and dask limits the threads of its libraries. So it begins this process by `subprocess`, in the environment as
it was before, and talks to it through stdin and stdout. A `Runner` here, with one worker process that is kept from
trial to trial, does what it does without dask: it claims, looks whether the trial is settled meanwhile, trains, times
out, says why a process died, and writes the record.

So it is this process that holds the claim, not the driver. A claim says that a trial is being trained, and holds as
long as somebody gives signs of life: that has to be who would have to end for the training to end. Were it the driver,
a trial that goes on when the driver dies, as it does under a scheduler of its own, would be begun again beside itself
by the next driver; and a driver cut off from its workers would keep claims alive on trials that are long dead. As it
is, a driver may come and go: the next one finds the trial claimed, waits, and finds its record. What it costs: where a
host goes down without a word, the driver knows at once, by dask, that the trial is lost, but it is begun elsewhere only
when its claim has been silent for `STALE_S`, as with several drivers.
"""

import _thread
import json
import os
import pickle
import platform
import queue
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Hashable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from .... import __version__
from ....core.errors import StoreError, one_line
from ....core.processor import cores
from ....core.record import Record
from ....core.trial import Trial
from ...records.gpus import visible_gpus
from ...records.machine import machine
from ...trial.context import Context
from ...trial.own_parts import PartCheck
from ..crew import Processes
from ..order import is_spent
from ..progress import Progress
from ..runner import GROWTH, Runner
from ..worker_process import WorkerProcess
from .orders import END, STOP, Answer, Order, Setup, Site

IDLE_S = 600.0
"""Seconds without an order after which the process ends: its driver may have died without a word."""

TELL_S = 1.0
"""Seconds between two events about the steps of an epoch: they go through the scheduler."""

SEEN_S = 10.0
"""Seconds that a network file system is given to show a new file."""


class Agent:
    """Carries out the orders of one driver. threads: that the dask worker has; say: sends something to it."""

    def __init__(self, setup: Setup, threads: int, say: Any) -> None:
        here = cores()
        context = replace(setup.context, threads=threads if threads < here else 0, latency=None)
        self.setup, self.say = setup, say
        self.crew = Kept(context, share=min(threads, here) / here)
        self.orders: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self.stop, self.key, self.ended, self.gone = threading.Event(), "", False, False
        self._turn = threading.Lock()

    def listen(self, stream: BinaryIO) -> None:
        """Take orders and words about them until the stream ends, with the dask worker; then this process ends too."""
        try:
            while True:
                word, key, payload = pickle.load(stream)
                with self._turn:
                    if word not in (STOP, END):
                        self.key, self.ended = key, False
                        self.stop.clear()
                        self.orders.put((key, payload))
                    elif key == self.key and word == STOP:
                        self.stop.set()
                    elif key == self.key:
                        self._interrupt()
        except (EOFError, OSError, pickle.UnpicklingError):
            self.gone = True
            with self._turn:
                if self.key:
                    self._interrupt()
            self.orders.put(("", b""))  # an interrupt does not wake who waits for one
            time.sleep(SEEN_S)  # for the claim to be given back
            os._exit(1)

    def work(self) -> None:
        """Carry out orders until there are none for long."""
        while not self.gone:
            try:
                key, payload = self.orders.get(timeout=IDLE_S)
                if not key or key != self.key:  # ended before it began
                    continue
                answer = self._answer(pickle.loads(payload))
            except queue.Empty:
                break
            except KeyboardInterrupt:
                answer, key = ("stopped",), self.key
            if self._over():
                self.say(("answer", key, answer))
        self.crew.close()

    def _interrupt(self) -> None:
        if not self.ended:  # once: it must not come between what it sets off
            self.ended = True
            _thread.interrupt_main()

    def _over(self) -> bool:
        """Nothing said about the order from now on is heeded. False where there was none."""
        try:
            with self._turn:
                key, self.key = self.key, ""
        except KeyboardInterrupt:  # it came after all was done
            key, self.key = self.key or "late", ""
        return bool(key) and not self.gone

    def _answer(self, order: Order) -> Answer:
        if self.ended:
            return ("stopped",)
        self.crew.gpu = order.gpu
        runner = Once(
            self.crew.context,
            limit_s=self.setup.limit_s,
            progress=Forwarding(self.say),
            wait=False,
            stop=self.stop,
            crew=self.crew,
        )
        try:
            if isinstance(order.what, PartCheck):
                return self._check(runner, order.what)
            known = Record.from_json(order.known) if order.known else None
            outcome = runner.run([order.what], settled=(), known={order.what.id: known} if known else {})
        except StoreError as error:
            return ("unwritten", str(error))
        except Exception as error:  # a fault of ours; the driver tells it, and the dask worker lives
            traceback.print_exc()
            return ("fault", one_line(error))
        if outcome.made:
            return ("record", outcome.made[-1].to_json())
        return ("stopped",) if outcome.stopped else ("elsewhere",)

    def _check(self, runner: Runner, check: PartCheck) -> Answer:
        record = runner.check(check)
        self.crew.dismiss(runner.workers)
        return ("record", record and record.to_json())


class Once(Runner):
    """Runs what it is given and leaves what others have to the driver, which has other trials."""

    def awaits_others(self, told: bool) -> bool:
        """See `Runner`."""
        return False


class Kept(Processes):
    """One process of this machine, which is kept between runs. share: of the machine that it may have. gpu: its GPU."""

    def __init__(self, context: Context, share: float) -> None:
        super().__init__(context)
        self.share = share
        self.gpu: int | None = None
        self.kept: WorkerProcess | None = None

    def seats(self, device: str, wanted: int | None = None) -> Sequence[int | None]:
        """See `Crew`."""
        return [self.gpu if device != "cpu" else None]

    def spawn(self, trial: Trial, seat: Hashable) -> WorkerProcess:
        """See `Crew`; the kept one, where it fits."""
        kept, self.kept = self.kept, None
        if kept is None:
            return super().spawn(trial, seat)
        fits = kept.is_alive() and kept.seat == seat and kept.place.takes(trial)
        if fits and not is_spent(kept, trial, GROWTH * self.share * machine()["memory_bytes"]):
            return kept
        kept.end()
        return super().spawn(trial, seat)

    def end(self, worker: WorkerProcess) -> None:
        """See `Crew`; an idle one is kept, unless it was asked to stop, which it does not forget."""
        self.shut()
        if worker.trial is None and worker.is_alive() and not worker.asked:
            self.kept = worker
        else:
            worker.end()

    def dismiss(self, workers: Sequence[WorkerProcess]) -> None:
        """See `Crew`."""
        for worker in workers:
            self.end(worker)

    def shut(self) -> None:
        """Keep none."""
        kept, self.kept = self.kept, None
        if kept is not None:
            kept.end()

    def close(self) -> None:
        """Keep nothing."""
        self.shut()
        shutil.rmtree(self.logs, ignore_errors=True)


class Forwarding(Progress):
    """Passes on what a trial tells; shows nothing."""

    def __init__(self, say: Any) -> None:
        super().__init__(quiet=True)
        self.say, self.last = say, 0.0

    def on_progress(self, trial: Trial, event: Any) -> None:
        """See `Progress`."""
        if event["phase"] == "train" and time.monotonic() - self.last < TELL_S:
            return
        self.last = time.monotonic()
        self.say(("tell", json.dumps(event, default=float)))  # NumPy's numbers too


def site(mark: Path) -> Site:
    """Return where this process is."""
    gpus = tuple(gpu.key for gpu in visible_gpus())
    return Site(platform.node(), os.getpid(), __version__, machine(), gpus, _read(mark))


def _read(mark: Path) -> str:
    end = time.monotonic() + SEEN_S
    while True:
        try:
            return mark.read_text("utf-8")
        except OSError:
            if time.monotonic() > end:
                return ""
            time.sleep(0.5)


def main() -> None:
    """Be an agent: a setup and the number of threads come first on stdin, then orders; stdout takes answers."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not come between
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    lock = threading.Lock()

    def say(message: Any) -> None:
        with lock:
            pickle.dump(message, out)
            out.flush()

    setup, threads = pickle.load(sys.stdin.buffer)
    try:
        agent = Agent(pickle.loads(setup), threads, say)
        say(("site", site(agent.setup.mark)))
        threading.Thread(target=agent.listen, args=(sys.stdin.buffer,), daemon=True).start()
        agent.work()
    except BrokenPipeError:
        os._exit(1)  # with the dask worker


if __name__ == "__main__":
    main()
