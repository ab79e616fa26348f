"""The table of the models that were made lighter: what each loses and what it saves against its parent."""

import math
from typing import Any

import pandas as pd

from ....core.measure import measure
from ..frame import PRIMARY
from .grid import Grid
from .lighter import AgainstParent
from .row import Row
from .summary import ComparisonTable
from .table import UNDEFINED, digits, interval_text, percent_text, signed_text

MEGABYTE = 1e6

DENSE = (
    "Zeros: magnitude pruning sets weights to zero where they stand. A runtime without sparse kernels multiplies them "
    "like any other number and gains no speed; the latency here is what was measured. Compressed: all weights through "
    "zlib, as an archive of the file would hold them."
)
"""What a reader must know of unstructured sparsity."""


def lighter_grid(table: ComparisonTable) -> Grid | None:
    """Each row that comes from another: its parent, Dice lost, and its size and speed; None where there is none."""
    if not table.lighter:
        return None
    entries = [(entry, *_rows(table, entry)) for entry in table.lighter]
    facts = [_facts(table, row) for _, row, _ in entries]
    title = measure(PRIMARY).title
    columns = {
        "Model": [row.model for _, row, _ in entries],
        "Loss": [row.loss for _, row, _ in entries],
        "From": [parent.model for _, _, parent in entries],
        f"{title} lost": [signed_text(entry.lost.mean) for entry, _, _ in entries],
        "95\u00a0%\u00a0CI": [interval_text(entry.lost, measure(PRIMARY)) for entry, _, _ in entries],
        "p (Holm)": [UNDEFINED if math.isnan(entry.p) else f"{entry.p:.3f}" for entry, _, _ in entries],
        "Zeros": [percent_text(_zeros(own)) for own in facts],
        "Parameters": [_ratio(row.trainable, parent.trainable) for _, row, parent in entries],
        "MACs": [_ratio(row.macs, parent.macs) for _, row, parent in entries],
        "Weights, MB": [_megabytes(own.get("weights_bytes")) for own in facts],
        "Compressed, MB": [_megabytes(own.get("compressed_bytes")) for own in facts],
        "Latency": [_ratio(_median(table, row), _median(table, parent)) for _, row, parent in entries],
    }
    cells = tuple(zip(*columns.values(), strict=True))
    return Grid(f"{table.title}: lighter models", tuple(columns), cells, names=3)


def lighter_frame(table: ComparisonTable) -> pd.DataFrame:
    """The same as raw numbers in base units, with the parent's own beside them."""
    rows: list[dict[str, Any]] = []
    for entry in table.lighter:
        row, parent = _rows(table, entry)
        own, theirs = _facts(table, row), _facts(table, parent)
        rows.append(
            {
                "model": row.model,
                "loss": row.loss,
                "parent": parent.model,
                "dice_lost": entry.lost.mean,
                "dice_lost_low": entry.lost.low,
                "dice_lost_high": entry.lost.high,
                "p_holm": entry.p,
                "zeros": _zeros(own),
                "parameters": row.trainable,
                "parent_parameters": parent.trainable,
                "macs": row.macs,
                "parent_macs": parent.macs,
                "latency_median_s": _median(table, row),
                "parent_latency_median_s": _median(table, parent),
                "weights_bytes": own.get("weights_bytes"),
                "parent_weights_bytes": theirs.get("weights_bytes"),
                "compressed_bytes": own.get("compressed_bytes"),
            }
        )
    return pd.DataFrame(rows)


def lighter_remarks(table: ComparisonTable) -> list[str]:
    """What must be said of sparsity where a row has any."""
    sparse = any(record.model.get("sparsity") for record in table.records.values())
    return [DENSE] if sparse else []


def _rows(table: ComparisonTable, entry: AgainstParent) -> tuple[Row, Row]:
    by_name = {(row.model, row.loss): row for row in table.rows}
    return by_name[entry.name], by_name[entry.parent]


def _facts(table: ComparisonTable, row: Row) -> dict[str, Any]:
    """What the first record of the row that has a network tells of it."""
    return next((table.records[key].model for key in row.records if table.records[key].model.get("total")), {})


def _zeros(model: dict[str, Any]) -> float:
    return model.get("sparsity", {}).get("total", math.nan)


def _median(table: ComparisonTable, row: Row) -> float:
    entry = row.latency(table.setting)
    return entry.median_s if entry else math.nan


def _ratio(own: float, of: float) -> str:
    """The number as a share of the parent's: `×0.25`."""
    return UNDEFINED if math.isnan(own) or not of > 0 else f"×{digits(own / of)}"


def _megabytes(count: float | None) -> str:
    return UNDEFINED if count is None else digits(count / MEGABYTE)
