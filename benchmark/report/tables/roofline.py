"""How near each model and runtime comes to what its machine can do: the roofline of Williams et al. 2009.

    attainable = min(peak, intensity × bandwidth)   [FLOP/s]

intensity: floating-point operations (two a MAC) a byte that a prediction moves at least. peak: of the machine's fastest
convolution. bandwidth: of its fastest copy.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ....core.record import Record
from ...records.peaks import Peaks, peaks_of
from ..frame import Frames, size_text
from .grid import Grid
from .summary import ComparisonTable
from .table import scaled

BYTES = {"float32": 4, "bfloat16": 2, "bf16": 2, "float16": 2, "f16": 2, "int8": 1}
"""Of a number, by the name of the precision; four for another one, such as float32 with weights of eight bits."""

PEAK = {"bfloat16": "mixed_bfloat16", "bf16": "mixed_bfloat16", "float16": "mixed_float16", "f16": "mixed_float16"}
"""The recipe's precision whose peak is the roof; float32 for every other one, as no convolution of int8 is measured."""


@dataclass(frozen=True)
class Point:
    """One model on one runtime, all its losses and seeds together. flops: of a call, 2 × MACs × batch."""

    model: str
    runtime: str
    batch: int
    precision: str
    flops: float
    moved_bytes: float
    latency_s: float
    peaks: Peaks

    @property
    def intensity(self) -> float:
        """Floating-point operations a byte, at most."""
        return self.flops / self.moved_bytes

    @property
    def achieved(self) -> float:
        """Floating-point operations a second over the median latency."""
        return self.flops / self.latency_s

    @property
    def attainable(self) -> float:
        """Floating-point operations a second that the machine allows for this intensity."""
        return min(self.peaks.convolution, self.intensity * self.peaks.bandwidth)

    @property
    def bound(self) -> str:
        """`memory` where bandwidth allows less than the peak, else `compute`."""
        return "memory" if self.attainable < self.peaks.convolution else "compute"


def points(table: ComparisonTable, frames: Frames) -> list[Point]:
    """A point for each model, runtime, batch and precision of the rows whose machine's peaks were measured.

    Latency at another size than that of the recorded MACs, and of records that do not tell what a model moves, is left
    out, and so are runtimes that are not done.
    """
    found: dict[tuple[str, str, int, str], tuple[Record, list[float]]] = {}
    for row in table.rows:
        for key in row.records:
            record, deployed = table.records[key], frames.deployed.get(key, [])
            in_turns = {entry["runtime"] for entry in deployed}  # Keras among them: the better of its two readings
            entries = [*deployed, *(entry for entry in record.latency if entry["runtime"] not in in_turns)]
            for entry in entries if "moved_activations" in record.model else ():
                if size_text(entry["size"]) == record.model["size"] and entry.get("samples_s"):
                    precision = str(entry.get("precision") or record.trial.recipe.precision.removeprefix("mixed_"))
                    setting = row.model, str(entry["runtime"]), int(entry["batch"]), precision
                    found.setdefault(setting, (record, []))[1].extend(entry["samples_s"])
    made = [_point(setting, *facts, frames.peaks) for setting, facts in found.items()]
    return [point for point in made if point is not None]


def _point(
    setting: tuple[str, str, int, str], record: Record, samples: list[float], peaks: Sequence[Peaks]
) -> Point | None:
    model, runtime, batch, precision = setting
    wanted = record.ran.backend, record.ran.device, PEAK.get(precision, "float32")
    here = peaks_of(peaks, record.machine, wanted)
    if here is None or not here.convolution or not here.bandwidth:
        return None
    numbers = batch * record.model["moved_activations"] + record.model["total"]
    flops, moved = 2.0 * batch * record.model["macs"], float(BYTES.get(precision, 4) * numbers)
    return Point(model, runtime, batch, precision, flops, moved, float(np.median(samples)), here)


def roofline_grid(table: ComparisonTable, found: Sequence[Point]) -> Grid | None:
    """Work, what is achieved and what bounds it; None where there is no point."""
    if not found:
        return None
    columns = {
        "Model": [point.model for point in found],
        "Runtime": [point.runtime for point in found],
        "Bound by": [point.bound for point in found],
        "Precision": [point.precision for point in found],
        "Batch": [str(point.batch) for point in found],
        **scaled("Work, 2 × MACs", [point.flops for point in found], "FLOP"),
        **scaled("Moved at least", [point.moved_bytes for point in found], "B"),
        "Intensity [FLOP/B]": [f"{point.intensity:.3g}" for point in found],
        **scaled("Latency, median", [point.latency_s for point in found], "s"),
        **scaled("Achieved", [point.achieved for point in found], "FLOP/s"),
        **scaled("Attainable", [point.attainable for point in found], "FLOP/s"),
        "Of attainable": [f"{point.achieved / point.attainable:.0%}" for point in found],
        "Of the convolution peak": [f"{point.achieved / point.peaks.convolution:.0%}" for point in found],
    }
    return Grid(f"{table.title}: roofline", tuple(columns), tuple(zip(*columns.values(), strict=True)), names=4)


def roofline_frame(found: Sequence[Point]) -> pd.DataFrame:
    """The same as raw numbers in base units; FLOP are 2 × MACs."""
    return pd.DataFrame(
        [
            {
                "model": point.model,
                "runtime": point.runtime,
                "batch": point.batch,
                "precision": point.precision,
                "flop": point.flops,
                "moved_bytes": point.moved_bytes,
                "flop_per_byte": point.intensity,
                "latency_median_s": point.latency_s,
                "achieved_flop_per_s": point.achieved,
                "attainable_flop_per_s": point.attainable,
                "convolution_peak_flop_per_s": point.peaks.convolution,
                "bandwidth_bytes_per_s": point.peaks.bandwidth,
                "bound_by": point.bound,
            }
            for point in found
        ]
    )


def roofline_remarks(found: Sequence[Point]) -> list[str]:
    """Which models are bound by memory, and the peaks that say so."""
    bound = list(dict.fromkeys(point.model for point in found if point.bound == "memory"))
    free = [model for model in dict.fromkeys(point.model for point in found) if model not in bound]
    lines = [f"Bound by memory: {', '.join(bound) or 'none'}. Bound by computing: {', '.join(free) or 'none'}."]
    for peaks in {id(point.peaks): point.peaks for point in found}.values():
        lines.append(
            f"Peaks with {peaks.backend} on {peaks.device}, {peaks.precision}: convolution "
            f"{peaks.convolution / 1e9:.0f} GFLOP/s, matrix product {peaks.best('matmul') / 1e9:.0f} GFLOP/s, copy "
            f"{peaks.bandwidth / 1e9:.1f} GB/s read and written; measured {peaks.measured}."
        )
    above = [point.model for point in found if point.achieved > point.attainable]
    if above:
        names = ", ".join(dict.fromkeys(above))
        lines.append(
            f"Above its roof: {names}. Either the peaks were measured while the machine was busy (delete the sweep's "
            "folder machines/, and that of the cache, to have them measured again), or caches keep what is counted as "
            "moved, or a layer computes less than its MACs."
        )
    return lines
