"""What `--cluster` takes, read without loading dask."""

import re
from dataclasses import dataclass
from typing import Literal

from ....core.errors import SpecError

Kind = Literal["local", "address", "file", "slurm", "pbs", "lsf"]

QUEUES = ("slurm", "pbs", "lsf")
"""Kinds of job queue, as dask-jobqueue calls them in its configuration."""

POSSIBLE = "local:N, tcp://HOST:PORT, tls://HOST:PORT, the .json file of a scheduler, slurm, slurm:N, pbs:N, lsf:N"


@dataclass(frozen=True)
class Where:
    """Which dask workers run the trials.

    kind: `local`, processes on this machine; `address` or `file`, a scheduler that runs; else jobs of a queue.
    place: address or file. count: of processes, or of jobs at most; 0: as dask's configuration says.
    """

    kind: Kind
    place: str = ""
    count: int = 0


def where(text: str) -> Where:
    """Read the option. Raises SpecError with what is possible."""
    if re.match(r"(tcp|tls)://\S+:\d+$", text):
        return Where("address", text)
    if text.endswith(".json"):
        return Where("file", text)
    kind, _, number = text.partition(":")
    if kind == "local" and number.isdecimal() and int(number):
        return Where("local", count=int(number))
    for queue in QUEUES:
        if kind == queue and (text == queue or (number.isdecimal() and int(number))):
            return Where(queue, count=int(number or 0))
    raise SpecError(f"--cluster: {text!r} names no cluster; {POSSIBLE} are possible")
