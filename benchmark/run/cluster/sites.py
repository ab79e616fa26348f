"""Which workers of a cluster can be used, and for which GPU."""

from collections.abc import Mapping, Sequence

from .... import __version__
from ...records.machine import describe
from .orders import Site


def refusal(site: Site, first: Site | None, mark: str, folder: object) -> str:
    """Why a worker cannot be used, in words that follow its name; "" where it can.

    first: one that can, None before there is one. mark: what the file in the results folder must say there.
    """
    if site.version != __version__:
        return f"has unetbench {site.version}, the driver {__version__}; install the same there"
    if site.mark != mark:
        return f"does not see the results folder {folder} of the driver; give one that all share with --results DIR"
    if first is None or all(site.machine[fact] == first.machine[fact] for fact in ("digest", "name")):
        return ""
    kinds = f"is another machine ({describe(site.machine)}) than the first ({describe(first.machine)})"
    return f"{kinds}, and records of both do not mix; ask for nodes of one kind"


def free_gpu(address: str, sites: Mapping[str, Site], used: Mapping[str, int], named: Sequence[int]) -> int | None:
    """The number of a GPU that a worker sees and no other worker of its host uses, None where there is none.

    used: numbers by address. named: those that the sweep names, all where it names none.
    """
    site = sites[address]
    taken = {sites[other].gpus[number] for other, number in used.items() if sites[other].host == site.host}
    numbers = (number for number in named or range(len(site.gpus)) if number < len(site.gpus))
    return next((number for number in numbers if site.gpus[number] not in taken), None)
