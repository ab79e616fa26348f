"""The memory that this process may use."""

from pathlib import Path

import psutil

from .processor import CGROUP, control_groups


def memory_bytes(root: Path = CGROUP, groups: Path = Path("/proc/self/cgroup")) -> int:
    """Return the memory of the machine, or of the strictest control group of Linux where that allows less."""
    known = [limit for folder in control_groups("memory", root, groups) if (limit := _limit(folder)) is not None]
    return min([psutil.virtual_memory().total, *known])


def told(count: int) -> str:
    """Write a number of bytes in MiB, from a GiB on in GiB."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{max(1, round(count / 2**20))} MiB"


def _limit(folder: Path) -> int | None:
    for name in ("memory.max", "memory.limit_in_bytes"):
        try:
            return int((folder / name).read_text("utf-8"))
        except (OSError, ValueError):  # no limit is written as `max`, and a folder may belong to the host
            continue
    return None
