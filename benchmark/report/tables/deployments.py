"""Runtimes of one trained network in one setting, as a table and the notes that belong to it."""

import math
from collections.abc import Sequence

from ....core.measure import measure, signed
from ..deployments import MARGIN, Deployment
from ..kernels import precision_text
from ..layers import layer_error_text, layer_errors
from .grid import Grid
from .runtimes import ENERGY
from .table import UNDEFINED


def deployments_grid(caption: str, found: Sequence[Deployment]) -> Grid:
    """One row a runtime, the fastest first, those that are not done last."""
    ordered = sorted(found, key=lambda one: (math.isnan(one.latency_s(50)), one.latency_s(50)))
    told = any(one.energy_j > 0 for one in ordered)
    headers = (
        "Runtime",
        "Precision",
        "Median [ms]",
        "p95 [ms]",
        "p99 [ms]",
        "Images/s",
        "× Keras",
        "First call [ms]",
        "File [MB]",
        "Peak [MiB]",
        *([ENERGY] if told else []),
        "Largest difference",
        "Dice",
        "Dice lost",
        "95\u00a0%\u00a0CI",
        "Agreement",
    )
    return Grid(caption, headers, tuple(_cells(one, energy=told) for one in ordered))


def deployments_notes(found: Sequence[Deployment]) -> list[str]:
    """What a reader must know beside the table."""
    notes = [f"{one.runtime}: {one.row['problem']}" for one in found if one.row.get("problem")]
    slower = [one.runtime for one in found if one.times_baseline > 1 and one.verdict != "baseline"]
    if slower:
        notes.append(f"slower than Keras float32: {', '.join(slower)}")
    for one in found:
        worst = [layer_error_text(*entry) for entry in layer_errors(one.row)]
        if worst:
            notes.append(f"{one.runtime}: layers with the largest errors against float32: {', '.join(worst)}")
        if one.row.get("layer_errors_problem"):
            notes.append(f"{one.runtime}: its layers were not compared: {one.row['layer_errors_problem']}")
    if any(one.noisy for one in found):
        notes.append(
            "the machine was noisy: the time of a fixed computation differed by up to "
            f"{max(one.spread for one in found):.0%} of its median between rounds; time again when it is idle"
        )
    unsteady = [one.runtime for one in found if one.row.get("steady") is False]
    if unsteady:
        notes.append(f"not steady after the warm-up: {', '.join(unsteady)}")
    notes.append(
        "Agreement: exact, a float32 file whose probabilities differ from a float64 run by no more than float32 "
        "explains; within margin, the 95 % interval of the Dice lost against Keras float32 on validation cases lies "
        f"below {MARGIN:g}; everything else is never recommended"
    )
    return notes


def _cells(one: Deployment, *, energy: bool) -> tuple[str, ...]:
    row, lost = one.row, one.lost
    apart = row.get("difference")
    interval = UNDEFINED if lost is None or math.isnan(lost.low) else f"{signed(lost.low, 4)} to {signed(lost.high, 4)}"
    return (
        one.runtime,
        precision_text(row) or UNDEFINED,
        *(_number(one.latency_s(percentile) * 1e3, ".2f") for percentile in (50, 95, 99)),
        _number(one.images_per_s, ".1f"),
        _number(one.times_baseline, ".2f"),
        _number(row.get("first_call_s", math.nan) * 1e3, ".0f"),
        _number(row.get("file_bytes", math.nan) / 1e6, ".2f"),
        _number(row.get("peak_bytes", math.nan) / 2**20, ".0f"),
        *([measure("energy_j").text(one.energy_j)] if energy else []),
        UNDEFINED if apart is None else f"{apart:.1e}",
        _number(one.dice, ".3f"),
        UNDEFINED if lost is None else signed(lost.mean, 4),
        interval,
        one.verdict,
    )


def _number(value: float, form: str) -> str:
    return UNDEFINED if math.isnan(value) else format(value, form)
