"""The workers of a dask cluster as a crew: looked at, given one trial at a time, and missed when they are gone."""

import json
import pickle
import sys
import time
import uuid
from collections.abc import Callable, Hashable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from threading import Event, Lock, Thread
from typing import Any

from ....core.errors import StoreError, Unavailable, one_line
from ....core.trial import Trial
from ...records.store import Store
from ...trial.context import Context
from ...trial.places import Place
from ..worker_process import WorkerProcess
from . import tasks
from .clusters import Cluster
from .losses import Losses, reason_of
from .orders import Order, Setup, Site
from .remote_worker import RemoteWorker, Seat
from .sites import free_gpu, refusal

LOOK_S = 1.0
"""Seconds between two looks at which workers there are."""

PATIENCE_S = 5.0
"""Seconds without a worker after which a person is told that one is awaited."""

LEAVE_S = 20.0
"""Seconds that workers have to end what they do when the driver ends."""


class DaskCrew:
    """See `Crew`. limit_s: seconds after which a worker times out a trial, 0 for never.

    All workers are machines of one kind, that of the first; others are left idle, with a line to stderr, as are those
    that do not see the results folder or have another version of unetbench. No latency is measured: what else runs on
    their hosts nobody knows. Usable in a `with` statement, which leaves nothing of it on the workers. Raises StoreError
    where the results folder cannot be written.
    """

    claims = True
    store: Store

    def __init__(self, cluster: Cluster, context: Context, limit_s: float = 0.0) -> None:
        self.cluster, self.client, self.context = cluster, cluster.client, replace(context, latency=None)
        self.session, self.folder = uuid.uuid4().hex[:12], context.results / context.sweep
        self.mark = self.folder / f".cluster-{self.session}"
        self.setup = pickle.dumps(Setup(self.context, limit_s, self.mark))
        self.sites: dict[str, Site] = {}
        self.first: Site | None = None
        self._asked: dict[str, Future[dict[str, Any]]] = {}
        self._refused: dict[str, str] = {}
        self._gpus: dict[str, int] = {}
        self._busy: dict[str, tuple[RemoteWorker, Any]] = {}
        self._lock, self._losses, self._told = Lock(), Losses(), set()
        self._orders, self._looked, self._seen = 0, 0.0, time.monotonic()

    def __enter__(self) -> "DaskCrew":
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.mark.write_text(self.session, "utf-8")
        except OSError as error:
            raise StoreError(f"{self.folder}: {error.strerror}; give another place with --results DIR") from None
        self.client.subscribe_topic(self.session, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        self.dismiss([worker for worker, _ in list(self._busy.values())])
        left = self._run(tasks.leave, self.session, workers=self.sites)
        _wait(left.done, LEAVE_S)
        self.mark.unlink(missing_ok=True)

    def wait(self, stop: Event) -> bool:
        """Wait for the first worker; False when stop is set before. Raises Unavailable when it cannot be used."""
        begun, told = time.monotonic(), False
        while not self.sites:
            if stop.wait(0.1):
                return False
            self._look()
            if self._refused and not self.sites and not self._asked:
                raise Unavailable(next(iter(self._refused.values())))
            if not told and time.monotonic() - begun > PATIENCE_S:
                told = True
                _tell(f"{self.cluster.name}: waiting for a worker")
        return True

    def context_on(self, device: str) -> Context:
        """See `Crew`."""
        return self.context

    def seats(self, device: str, wanted: int | None = None) -> Sequence[Seat]:
        """See `Crew`: one for each worker. Where workers see GPUs, only for those that have one to themselves.

        Trials on `cpu` have all; of a device that the backend takes by itself it may be a GPU.
        """
        if wanted is not None:
            self.cluster.want(wanted)
        self._look()
        self._tell_if_none()
        if device == "cpu":
            return [Seat(address) for address in self.sites]
        for address in self.sites:
            if address not in self._gpus:
                number = free_gpu(address, self.sites, self._gpus, self.context.gpus if device else ())
                self._gpus |= {} if number is None else {address: number}
        idle = [address for address in self.sites if not self._has_gpu(address)]
        if idle:
            text = f"{self._name(idle[0])} has no GPU that no other worker has; it is left idle, but for trials on cpu"
            self._tell_once("GPU", f"{self.cluster.name}: {text}")
        return [Seat(address, self._gpus.get(address)) for address in self.sites if address not in idle]

    def _tell_if_none(self) -> None:
        """Say once that no worker is left, when that has been so for a while."""
        now = time.monotonic()
        if self.sites:
            self._seen = now
            self._told.discard("none")
        elif now - self._seen > PATIENCE_S:
            self._tell_once("none", f"{self.cluster.name}: no worker is left; waiting for one")

    def _tell_once(self, about: str, text: str) -> None:
        if about not in self._told:
            self._told.add(about)
            _tell(text)

    def _has_gpu(self, address: str) -> bool:
        return address in self._gpus or not self.sites[address].gpus  # without any, the trial says so

    def spawn(self, trial: Trial, seat: Hashable) -> WorkerProcess:
        """See `Crew`."""
        assert isinstance(seat, Seat)  # seats are given out above
        place = Place(trial.backend, trial.device, seat.gpu)
        return RemoteWorker(
            seat,
            self.sites[seat.address].host,
            self.context,
            place,
            hardware=self.store.hardware,
            submit=self._submit,
            say=self._say,
        )

    def end(self, worker: WorkerProcess) -> None:
        """See `Crew`; its agent keeps its process."""
        worker.end()

    def dismiss(self, workers: Sequence[WorkerProcess]) -> None:
        """See `Crew`."""
        keys = [worker.key for worker in workers if isinstance(worker, RemoteWorker)]
        for worker in workers:
            worker.end()
        _wait(lambda: not any(key in self._busy for key in keys), LEAVE_S)

    def _look(self) -> None:
        """Take note of workers that came and went."""
        if time.monotonic() - self._looked < LOOK_S:
            return
        self._looked = time.monotonic()
        try:
            present = self.client.nthreads()
        except (OSError, TimeoutError) as error:
            raise Unavailable(
                f"{self.cluster.name}: the scheduler is gone ({one_line(error)}); the same command goes on with another"
            ) from None
        for address in [address for address in self.sites if address not in present]:
            self._miss(address)
        for known in (self._asked, self._refused):
            for address in [address for address in known if address not in present]:
                del known[address]
        for address in present:
            if not any(address in known for known in (self.sites, self._asked, self._refused)):
                self._asked[address] = self._run(tasks.site, self.session, self.setup, workers=[address])
        for address in [address for address, answer in self._asked.items() if answer.done()]:
            self._meet(address, self._asked.pop(address))

    def _meet(self, address: str, answer: Future[dict[str, Any]]) -> None:
        found = answer.exception() or answer.result().get(address)
        if isinstance(found, Site):
            reason = refusal(found, self.first, self.session, self.folder)
            where = f"worker {address} on {found.host}"
        else:
            reason, where = f"cannot be asked: {one_line(found) if found else 'it is gone'}", f"worker {address}"
        if isinstance(found, Site) and not reason:
            if self.first is None:
                self.first, facts = found, found.machine
                self.store = Store(self.context.results, self.context.sweep, facts["name"], facts)
            self.sites[address] = found
            return
        self._refused[address] = f"{self.cluster.name}: {where} {reason}"
        if self.first is not None:
            self._tell_once(reason, f"{self._refused[address]}; it is left idle")

    def _miss(self, address: str) -> None:
        name = self._name(address)
        self._gpus.pop(address, None)
        del self.sites[address]
        lost = [(worker, future) for worker, future in list(self._busy.values()) if worker.at.address == address]
        for worker, future in lost:
            self._lose(worker, f"{name} is gone")
            future.cancel()

    def _name(self, address: str) -> str:
        return f"worker {address} on {self.sites[address].host}"

    def _submit(self, worker: RemoteWorker, what: Any) -> None:
        self._orders += 1
        worker.key, worker.epoch = f"unetbench-{self.session}-{self._orders}", 0
        order = Order(what, worker.known.to_json() if worker.known else None, worker.at.gpu)
        future = self.client.submit(
            tasks.perform,
            self.session,
            self.setup,
            worker.key,
            pickle.dumps(order),
            key=worker.key,
            workers=[worker.at.address],
            allow_other_workers=False,
            pure=False,
        )
        self._busy[worker.key] = worker, future
        future.add_done_callback(partial(self._done, worker.key))

    def _done(self, key: str, future: Any) -> None:
        """In a thread of dask's: an order is over, or was lost."""
        worker, _ = self._busy[key]
        try:
            answer = future.result()
        except Exception as error:  # whatever befell worker, agent or connection
            if worker.key == key:
                self._lose(worker, f"{worker.name}: {reason_of(error)}")
        else:
            if worker.key == key and answer[0] == "fault":
                worker.lose(answer[1], blameless=False)
            elif worker.key == key:
                worker.key = ""
                worker.mailbox.put(("record", answer[1], 0) if answer[0] == "record" else answer)
        finally:
            del self._busy[key]
            future.release()  # else dask computes it anew where its worker goes

    def _lose(self, worker: RemoteWorker, reason: str) -> None:
        with self._lock:  # it is missed here and in a thread of dask's
            if worker.key:
                trial = worker.trial
                again = trial is not None and self._losses.blameless(trial, worker.epoch)
                worker.lose(reason, blameless=again)

    def _hear(self, event: tuple[float, Any]) -> None:
        """In a thread of dask's: a worker tells of its trial."""
        worker, _ = self._busy.get(event[1]["key"], (None, None))
        if worker is not None and worker.key == event[1]["key"]:
            told = json.loads(event[1]["event"])
            if told["phase"] == "epoch":
                worker.epoch = told["epoch"]
            worker.mailbox.put(("tell", told))

    def _say(self, worker: RemoteWorker, word: str) -> None:
        self._run(tasks.say, word, self.session, worker.key, workers=[worker.at.address])

    def _run(self, function: Any, *words: Any, workers: Iterable[str]) -> Future[dict[str, Any]]:
        """Run a function on workers, at once and beside their tasks; a worker that cannot has an exception."""
        answer: Future[dict[str, Any]] = Future()

        def run() -> None:
            try:
                answer.set_result(self.client.run(function, *words, workers=list(workers), on_error="return"))
            except Exception as error:
                answer.set_exception(error)

        Thread(target=run, daemon=True).start()  # no executor: at its end Python waits for those, and a host may hang
        return answer


def _wait(happened: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not happened() and time.monotonic() < end:
        time.sleep(0.05)


def _tell(text: str) -> None:
    print(f"unetbench: {text}", file=sys.stderr)
