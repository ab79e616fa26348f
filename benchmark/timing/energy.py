"""Energy that a machine's own counters tell: RAPL of processors, NVML of NVIDIA GPUs.

Both count what the whole package or board takes, other programs and idling included; nothing is subtracted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

POWERCAP = Path("/sys/class/powercap")
"""Where Linux has the counters of RAPL, of Intel's processors and AMD's."""

RAPL = "intel-rapl:[0-9]*"
"""Folders of the counters; those of `intel-rapl-mmio` are the same ones, read another way."""


@dataclass(frozen=True)
class Counter:
    """A counter of joules. read: its value now. range_j: from which it starts again at 0; None if it never does."""

    read: Callable[[], float]
    range_j: float | None = None


@dataclass(frozen=True)
class EnergyMeter:
    """The counters of a machine. problems: why some of those that it has cannot be read, in words."""

    counters: Mapping[str, Counter] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @classmethod
    def of_machine(cls, powercap: Path = POWERCAP, nvml: Any = None) -> "EnergyMeter":
        """The counters that can be read here, possibly none.

        powercap: the folder of Linux's power capping. nvml: the module pynvml, imported by default where
        nvidia-ml-py is installed.
        """
        processors, problems = _rapl(powercap)
        if nvml is None and find_spec("pynvml"):
            import pynvml as nvml  # pyright: ignore[reportMissingImports]  # not declared: few machines have one
        return cls({**processors, **(_nvml(nvml) if nvml else {})}, tuple(problems))

    def read(self) -> dict[str, float]:
        """Joules of each counter."""
        return {name: counter.read() for name, counter in self.counters.items()}

    def between(self, before: Mapping[str, float], after: Mapping[str, float]) -> float:
        """Joules of all counters together between two readings, in which each started again at most once.

        A package of 200 W does so every 20 minutes or more (2^32 units of 61 uJ).
        """
        return sum(_grown(before[name], after[name], counter.range_j) for name, counter in self.counters.items())


def _grown(before: float, after: float, range_j: float | None) -> float:
    return after - before + (range_j if range_j is not None and after < before else 0.0)


def _rapl(powercap: Path) -> tuple[dict[str, Counter], list[str]]:
    """Counters of processor packages; their parts (cores, memory) and whole platforms are left out.

    Since Linux 5.10 only root may read them, for power tells secrets (CVE-2020-8694).
    """
    found, problems = {}, []
    for folder in sorted(powercap.glob(RAPL)):
        file = folder / "energy_uj"
        try:
            name = (folder / "name").read_text("ascii").strip()
            if not name.startswith("package"):
                continue
            most = int((folder / "max_energy_range_uj").read_text("ascii"))
            _microjoules(file)
        except PermissionError:
            problems.append(f"{file}: only root may read it, so that energy is not measured; chmod a+r it to have it")
        except (OSError, ValueError) as error:
            problems.append(f"{file}: cannot be read ({error}), so that energy is not measured")
        else:
            found[f"rapl {folder.name} {name}"] = Counter(lambda file=file: _microjoules(file) / 1e6, most / 1e6)
    return found, problems


def _microjoules(file: Path) -> int:
    return int(file.read_text("ascii"))


def _nvml(nvml: Any) -> dict[str, Counter]:
    """Counters of GPUs, of Volta and later; {} without a driver."""
    try:
        nvml.nvmlInit()
        handles = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
    except nvml.NVMLError:
        return {}
    found = {}
    for index, handle in enumerate(handles):
        try:
            nvml.nvmlDeviceGetTotalEnergyConsumption(handle)
        except nvml.NVMLError:  # a GPU that does not count
            continue
        found[f"nvml {index}"] = Counter(lambda handle=handle: nvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1e3)
    return found
