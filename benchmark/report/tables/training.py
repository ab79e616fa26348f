"""What the training of each configuration took: time of a step, images a second, memory."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import pandas as pd

from ....core.measure import measure
from .grid import Grid
from .row import Row
from .summary import ComparisonTable
from .table import UNDEFINED, scaled

READINGS = ("step_s", "images_per_s", "first_step_s", "host_peak_bytes", "device_peak_bytes")
"""What is shown of a training, in this order; `core.measure` has titles and units."""


@dataclass(frozen=True)
class Training:
    """The training of one configuration, NaN where no record tells; see `core.record` on what is measured.

    micro_batch: patches that were computed at once, of several seeds the fewest. step_s: median over the steps after
    the first, those of all seeds together. images_per_s: batch over that. first_step_s: of the seed that took longest,
    since others may find the step compiled. host_peak_bytes, device_peak_bytes: the largest over the seeds.
    """

    backend: str
    device: str
    precision: str
    batch: int
    micro_batch: int
    step_s: float
    images_per_s: float
    first_step_s: float
    host_peak_bytes: float
    device_peak_bytes: float


def training_of(table: ComparisonTable, row: Row) -> Training:
    """The training of a row, from the records of its trials."""
    records = [table.records[key] for key in row.records]
    told = [record.training for record in records if record.training]
    steps = [seconds for entry in told for seconds in entry.get("steps_s") or ()]
    step, trial = median(steps) if steps else math.nan, records[0].ran
    return Training(
        backend=trial.backend,
        device=next((str(entry["device_name"]) for entry in told if entry.get("device_name")), trial.device),
        precision=trial.recipe.precision,
        batch=trial.recipe.batch,
        micro_batch=min((entry["micro_batch"] for entry in told if "micro_batch" in entry), default=trial.recipe.batch),
        step_s=step,
        images_per_s=trial.recipe.batch / step,
        **{name: _largest(told, name) for name in READINGS[2:]},
    )


def training_grid(table: ComparisonTable) -> Grid | None:
    """Backend, device, precision and cost of every configuration's training; None where no record tells its steps."""
    found = [(row, training_of(table, row)) for row in table.rows]
    found = [(row, entry) for row, entry in found if not math.isnan(entry.host_peak_bytes)]
    if not found:
        return None
    columns = {
        "Model": [row.model for row, _ in found],
        "Loss": [row.loss for row, _ in found],
        "Backend": [entry.backend for _, entry in found],
        "Device": [entry.device or UNDEFINED for _, entry in found],
        "Precision": [entry.precision for _, entry in found],
        "Batch": [_batch(entry) for _, entry in found],
    }
    for name in READINGS:
        values = [getattr(entry, name) for _, entry in found]
        if not all(map(math.isnan, values)):
            columns |= scaled(measure(name).title, values, measure(name).unit)
    cells = tuple(zip(*columns.values(), strict=True))
    return Grid(f"{table.title}: training", tuple(columns), cells, names=5)


def training_frame(table: ComparisonTable) -> pd.DataFrame:
    """The same of every row as raw numbers in base units."""
    rows = [{"model": row.model, "loss": row.loss, **asdict(training_of(table, row))} for row in table.rows]
    return pd.DataFrame(rows)


def _batch(entry: Training) -> str:
    """Patches of a step and, where that took them in parts, how many at once: `8 by 4`."""
    return str(entry.batch) if entry.micro_batch == entry.batch else f"{entry.batch} by {entry.micro_batch}"


def _largest(told: Sequence[dict[str, Any]], name: str) -> float:
    return max((float(entry[name]) for entry in told if entry.get(name) is not None), default=math.nan)
