"""Who runs the trials of `unetbench run`: processes on this machine, or the workers of a cluster of dask."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from threading import Event

from ...core.errors import SpecError, Unavailable
from ..records.machine import machine
from ..records.store import Store
from ..run.cluster.where import QUEUES, Where, where
from ..run.crew import Crew, Processes
from ..sweep.plan import Planned
from ..trial.context import Context
from ..trial.places import lacking

NEEDED = ("distributed", "dask_jobqueue")
"""What the extra brings: for any cluster, and for the jobs of a queue."""


@contextmanager
def opened(
    options: argparse.Namespace, context: Context, planned: Sequence[Planned], stop: Event
) -> Iterator[Crew | None]:
    """Who is to run the trials; None when stop is set before a worker of the cluster has come.

    Raises SpecError for what names no cluster, Unavailable for one that is not here or cannot be used.
    """
    if options.cluster is None:
        yield Processes(context, options.workers or 1)
        return
    wanted = _where(options)
    from ..run.cluster.clusters import opened as cluster_opened
    from ..run.cluster.dask_crew import DaskCrew

    with (
        cluster_opened(wanted, context.sweep, len(planned)) as cluster,
        DaskCrew(cluster, context, options.limit) as crew,
    ):
        yield crew if crew.wait(stop) else None


def print_job(options: argparse.Namespace, sweep: str) -> None:
    """Print the script that the cluster of `--cluster` would send to the queue for a worker of a sweep."""
    wanted = _where(options)
    from ..run.cluster.clusters import job_script

    print(job_script(wanted, sweep), end="")


def for_workers(planned: Sequence[Planned], context: Context, crew: Crew) -> list[Planned]:
    """The trials without what this machine lacks for them, where it is not this machine that runs them."""
    if not crew.claims:
        return list(planned)
    lacks = {entry.trial.id: lacking(entry.trial, context.gpus) for entry in planned}
    return [
        replace(entry, problem="") if entry.problem and entry.problem == lacks[entry.trial.id] else entry
        for entry in planned
    ]


def is_here(store: Store) -> bool:
    """Whether the records of a store are of the machine that this runs on."""
    return store.machine == machine()["name"]


def tell_not_timed(runtimes: Sequence[str], store: Store) -> None:
    """Say that runtimes are left to another command, since the machine of the workers is not this one."""
    names = ", ".join(runtimes)
    print(
        f"unetbench: {names} not timed, for the trials ran on {store.machine}; `unetbench time {store.folder}` there "
        "does it",
        file=sys.stderr,
    )


def _where(options: argparse.Namespace) -> Where:
    """What the option asks for. Raises SpecError, and Unavailable where the extra is not installed."""
    if options.cluster is None:
        raise SpecError("--print-job: shows the job of a cluster; name it, as in --cluster slurm")
    if options.workers is not None:
        raise SpecError("--workers is for trials on this machine without --cluster; give one of them")
    found = where(options.cluster)
    for package in NEEDED[: 2 if found.kind in QUEUES else 1]:
        if find_spec(package) is None:
            raise Unavailable(f"--cluster: {package} is not installed: pip install 'unetbench[cluster]'")
    return found
