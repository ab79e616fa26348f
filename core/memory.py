"""The memory that this process may use."""

from pathlib import Path

import psutil

from .processor import CGROUP, control_groups

KILLS = ("memory.events", "memory.oom_control")
"""Files in which a control group of Linux counts its processes that were killed for want of memory."""


def memory_bytes(root: Path = CGROUP, groups: Path = Path("/proc/self/cgroup")) -> int:
    """Return the memory of the machine, or of the strictest control group of Linux where that allows less."""
    known = [limit for folder in control_groups("memory", root, groups) if (limit := _limit(folder)) is not None]
    return min([psutil.virtual_memory().total, *known])


def told(count: int) -> str:
    """Write a number of bytes in MiB, from a GiB on in GiB."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{max(1, round(count / 2**20))} MiB"


def reset_peak(process: Path = Path("/proc/self")) -> bool:
    """Begin anew to look for the peak of this process's resident memory; False where the system cannot."""
    try:
        (process / "clear_refs").write_text("5", "ascii")
    except OSError:
        return False
    return True


def peak_bytes(process: Path = Path("/proc/self")) -> int:
    """Return the most resident memory of this process: since `reset_peak` where that did it, else since it began."""
    try:
        lines = dict(line.split(":", 1) for line in (process / "status").read_text("utf-8").splitlines() if ":" in line)
        return int(lines["VmHWM"].split()[0]) << 10
    except (OSError, KeyError):  # no Linux
        return lifetime_peak_bytes()


def lifetime_peak_bytes() -> int:
    """Return the most resident memory of this process since it began."""
    info = psutil.Process().memory_info()
    if hasattr(info, "peak_wset"):
        return info.peak_wset
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if psutil.MACOS else 1024)


def kernel_kills(
    root: Path = CGROUP, groups: Path = Path("/proc/self/cgroup"), everywhere: Path = Path("/proc/vmstat")
) -> int | None:
    """Return how many processes Linux has killed for want of memory: of our control group, else of the machine.

    Since they were made; None where nobody counts.
    """
    counters = (folder / name for folder in control_groups("memory", root, groups) for name in KILLS)
    for file in (*counters, everywhere):
        try:
            lines = file.read_text("utf-8").splitlines()
        except OSError:
            continue
        counts = dict(line.split(" ", 1) for line in lines if " " in line)
        if "oom_kill" in counts:
            return int(counts["oom_kill"])
    return None


def _limit(folder: Path) -> int | None:
    for name in ("memory.max", "memory.limit_in_bytes"):
        try:
            return int((folder / name).read_text("utf-8"))
        except (OSError, ValueError):  # no limit is written as `max`, and a folder may belong to the host
            continue
    return None
