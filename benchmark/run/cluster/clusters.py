"""Clusters of dask: begun here, met where they run, or made of a queue's jobs."""

import logging
import shutil
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....core.errors import SpecError, Unavailable, one_line
from ....core.processor import cores
from ...records.signals import deaf_children
from .tasks import GRACE_S
from .where import QUEUES, Where

JOBS = 10
"""Jobs at most where neither the command line nor dask's configuration says."""

SENDS = {"slurm": "sbatch", "pbs": "qsub", "lsf": "bsub"}
"""What sends a job to the queue."""

TTL = ("distributed.scheduler.worker-ttl", "5 minutes", "30 minutes")
"""Without a sign of life for so long a worker is dropped: key, dask's own value, and ours, for a host may swap."""

LOST = ("distributed.deploy.lost-worker-timeout", "15s", f"{GRACE_S + 30:.0f}s")
"""So long after it left the scheduler a worker's job is cancelled; ours leaves it time for a checkpoint."""


@dataclass(frozen=True)
class Cluster:
    """A cluster with a client. name: in messages. want: is told how many workers could be used now."""

    name: str
    client: Any
    want: Callable[[int], None]


@contextmanager
def opened(where: Where, sweep: str, trials: int) -> Iterator[Cluster]:
    """Make or meet a cluster, and leave it as it was at the end. sweep: its name; trials: how many there are to run.

    Raises Unavailable where there is no scheduler, or no queue to send jobs to, and SpecError where dask's
    configuration lacks what jobs need.
    """
    import dask.config
    from distributed import Client

    for name in ("distributed", "distributed.client"):  # what matters of it is told by us
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with dask.config.set(_patient()):
        if where.kind in ("address", "file"):
            with _met(where) as client:
                yield Cluster(where.place, client, lambda _: None)
        elif where.kind == "local":
            with _local(where.count) as cluster, Client(cluster, set_as_default=False) as client:
                yield Cluster(f"local:{where.count}", client, lambda _: None)
        else:
            with _failures_told(where.kind), _jobs(where, sweep) as cluster:
                most = where.count or _configured()
                first = min(most, max(1, trials))
                adaptive = cluster.adapt(minimum=first, maximum=first)

                def want(count: int) -> None:
                    adaptive.minimum = adaptive.maximum = min(most, max(1, count))

                with Client(cluster, set_as_default=False) as client:
                    yield Cluster(where.kind, client, want)


def jobqueue() -> Any:
    """Return the package of dask-jobqueue; in the main thread, where it is imported for the first time."""
    on_interrupt = signal.getsignal(signal.SIGINT)
    import dask_jobqueue

    signal.signal(signal.SIGINT, on_interrupt)  # its import has Ctrl-C end the process with status 0
    return dask_jobqueue


def job_script(where: Where, sweep: str) -> str:
    """The script that is sent to the queue for each worker of a sweep. Raises SpecError where no jobs are asked for."""
    if where.kind not in QUEUES:
        raise SpecError(f"--print-job: a cluster of {', '.join(QUEUES)} has jobs, not this one")
    with _jobs(where, sweep) as cluster:
        return cluster.job_script()


@contextmanager
def _met(where: Where) -> Iterator[Any]:
    from distributed import Client

    if where.kind == "file" and not Path(where.place).is_file():
        raise Unavailable(
            f"{where.place}: there is no such file of a scheduler; `dask scheduler --scheduler-file` makes one"
        )
    address, file = (where.place, None) if where.kind == "address" else (None, where.place)
    try:
        client = Client(address, scheduler_file=file, set_as_default=False)
    except (OSError, TimeoutError, ValueError, TypeError) as error:  # the last two: what the file holds
        raise Unavailable(
            f"{where.place}: no scheduler of dask answers there ({one_line(error)}); `dask scheduler` starts one"
        ) from None
    with client:
        yield client


@contextmanager
def _local(count: int) -> Iterator[Any]:
    import dask.config
    from distributed import LocalCluster

    # Threads are limited where a trial's process begins. Memory: a worker of dask takes none to speak of.
    with dask.config.set({"distributed.nanny.pre-spawn-environ": {}}), deaf_children(), warnings.catch_warnings():
        # Without a dashboard dask opens its port all the same, another one where two clusters are on a host.
        warnings.filterwarnings("ignore", r"Port \d+ is already in use")
        cluster = LocalCluster(
            n_workers=count,
            threads_per_worker=max(1, cores() // count),
            processes=True,
            memory_limit=None,
            dashboard_address=None,  # pyright: ignore[reportArgumentType]  # none, as its documentation says
            silence_logs=logging.CRITICAL,
        )
    with cluster:
        yield cluster


@contextmanager
def _jobs(where: Where, sweep: str) -> Iterator[Any]:
    import dask.config

    kind = getattr(jobqueue(), f"{where.kind.upper()}Cluster")
    own = dask.config.get(f"jobqueue.{where.kind}.scheduler-options", {}) or {}
    options = {"dashboard_address": "127.0.0.1:0", **own}  # a free port, and for this host alone
    usual = dask.config.get(f"jobqueue.{where.kind}.name", "") == "dask-worker"
    name = {"job_name": f"unetbench-{sweep}"} if usual else {}
    try:
        cluster = kind(processes=1, scheduler_options=options, silence_logs=logging.CRITICAL, **name)
    except (ValueError, TypeError, RuntimeError, OSError) as error:
        raise SpecError(
            f"--cluster {where.kind}: {one_line(error)}; see jobqueue.{where.kind} in dask's configuration "
            "(docs/cluster.md has one)"
        ) from None
    with cluster:
        yield cluster


def _configured() -> int:
    import dask.config

    most = dask.config.get("distributed.adaptive.maximum", JOBS)
    return int(most) if isinstance(most, int | float) and most < 10**6 else JOBS


def _patient() -> dict[str, str]:
    """What dask's configuration leaves at values that are too short for trials of hours."""
    import dask.config

    return {key: ours for key, usual, ours in (TTL, LOST) if dask.config.get(key, usual) == usual}


@contextmanager
def _failures_told(kind: str) -> Iterator[None]:
    """Tell in one line each, once, why jobs cannot be sent; dask goes on trying."""
    if shutil.which(SENDS[kind]) is None:
        raise Unavailable(f"--cluster {kind}: {SENDS[kind]} is not here; run this where jobs can be sent to the queue")
    logger, handler = logging.getLogger("distributed.deploy.adaptive"), _Told(kind)
    level, passes = logger.level, logger.propagate
    logger.setLevel(logging.WARNING)
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.level, logger.propagate = level, passes


class _Told(logging.Handler):
    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind, self.told = kind, set()

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        text = one_line(error) if error is not None else record.getMessage()
        if text not in self.told:
            self.told.add(text)
            print(f"unetbench: {self.kind}: {text}", file=sys.stderr)
