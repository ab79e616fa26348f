"""What a machine computes and moves at best, beside its records: measured once with the same versions."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...core.errors import StoreError
from ...core.files import write
from ...core.json_text import read_json
from ...core.structure import MAPPING, NUMBER, ROWS, TEXT, TEXTS, Kind, check, list_of
from ...core.trial import canonical
from .machine import machine, now, versions

READ = ("keras", "backend", "tensorflow", "jax", "torch", "numpy")
"""Versions that can change what is measured."""

_POSITIVE = Kind("a number above 0", lambda value: NUMBER.holds(value) and value > 0)
_FILE = {
    **dict.fromkeys(("backend", "device", "precision", "measured"), TEXT),
    "machine": MAPPING,
    "versions": TEXTS,
    "readings": ROWS,
}
_READING = {"what": TEXT, "samples_s": list_of(_POSITIVE, least=1), "operations": NUMBER, "bytes": NUMBER}


@dataclass(frozen=True)
class Peaks:
    """The readings of one machine, backend, device and precision.

    machine, versions: as in records. device: `cpu` or `gpu`. measured: when. readings: see `timing.peaks`.
    """

    backend: str
    device: str
    precision: str
    measured: str
    machine: dict[str, Any]
    versions: dict[str, str]
    readings: list[dict[str, Any]] = field(default_factory=list)

    def best(self, *names: str) -> float:
        """The most operations, or bytes, a second that any reading of these names has; 0 where there is none."""
        found = [reading for reading in self.readings if reading["what"] in names]
        return max(((e.get("operations") or e["bytes"]) / min(e["samples_s"]) for e in found), default=0.0)

    @property
    def convolution(self) -> float:
        """Floating-point operations a second of the fastest convolution, two a multiply-accumulate."""
        return self.best("conv2d", "conv3d")

    @property
    def bandwidth(self) -> float:
        """Bytes a second, read and written, of the fastest copy."""
        return self.best("copy", "copy_numpy")


def put_peaks(
    folder: Path, kept: Path, setting: tuple[str, str, str], measure: Callable[[], list[dict[str, Any]]]
) -> None:
    """Write the readings of this machine into a sweep's folder, measured only where nobody did it before.

    setting: backend, device and precision. kept: a folder of the user's, in which they are found by the next sweep.
    Raises OSError where neither can be written.
    """
    backend, device, precision = setting
    here, made_with = machine(), {name: text for name, text in versions(backend).items() if name in READ}
    digest = hashlib.sha256(canonical([here["digest"], made_with]).encode()).hexdigest()[:8]
    name = f"{backend}-{device}-{precision}-{digest}.json"
    file, before = folder / "machines" / here["name"] / name, kept / "machines" / name
    if file.exists():
        return
    if before.exists():
        write(file, before.read_bytes())
        return
    readings = measure()
    about = {"backend": backend, "device": device, "precision": precision, "measured": now()}
    fields = {**about, "machine": here, "versions": made_with, "readings": readings}
    text = json.dumps(fields, indent=1).encode() + b"\n"
    write(file, text)
    write(before, text)


def read_peaks(folder: Path) -> list[Peaks]:
    """Every reading of peaks in a sweep's folder, the latest of a setting last. Raises StoreError naming the file."""
    found: list[Peaks] = []
    for file in sorted(folder.glob("machines/*/*.json")):
        try:
            fields = read_json(file)
            check(fields, "peaks", _FILE, *_FILE)
            for index, reading in enumerate(fields["readings"]):
                check(reading, f"readings[{index}]", _READING, "what", "samples_s")
                if not (reading.get("operations") or reading.get("bytes")):
                    raise ValueError(f"readings[{index}] has neither operations nor bytes")
            found.append(Peaks(**fields))
        except (OSError, ValueError, TypeError) as error:
            raise StoreError(
                f"{file}: no peaks of a machine ({error}); delete it to have them measured again"
            ) from None
    return sorted(found, key=lambda peaks: peaks.measured)


def peaks_of(found: Sequence[Peaks], recorded: Mapping[str, Any], setting: tuple[str, str, str]) -> Peaks | None:
    """The latest peaks of the machine that a record names, for backend, device and precision."""
    same = [
        peaks
        for peaks in found
        if peaks.machine.get("digest") == recorded.get("digest")
        and (peaks.backend, peaks.device, peaks.precision) == setting
    ]
    return same[-1] if same else None
