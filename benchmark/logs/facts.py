"""What TensorBoard and MLflow are told of a trial: its settings, its epochs, its means on the test cases."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from ...core.measure import measure
from ...core.record import TERM, Record
from ...core.trial import Trial
from ...metrics.empty import apply

READINGS = ("loss", "val_loss", "val_dice", "rate")
"""Of an epoch, besides the terms of a compound loss."""

NO_MEASURES = ("case", "group", "class", "tp", "fp", "fn", "tn", "empty", "diagonal", "objects", "matched")
"""Keys of a score that are facts or counts."""


def settings(trial: Trial) -> dict[str, str | float | int]:
    """Parts with their options, seed, backend, device, and every key of the recipe it trains by, as `recipe.batch`."""
    found: dict[str, Any] = {
        "dataset": trial.dataset.label,
        "model": trial.network,
        "loss": trial.loss.label,
        "seed": trial.seed,
        "backend": trial.backend,
        "device": trial.device or "any",
    }
    for key, value in asdict(trial.training).items():
        options = value if isinstance(value, dict) else {"": value}
        found |= {f"recipe.{key}.{name}".rstrip("."): option for name, option in options.items()}
    return {key: _plain(value) for key, value in found.items()}


def readings(row: Mapping[str, Any]) -> dict[str, float]:
    """Loss, its terms (as `loss/NAME`), validation loss and Dice, and rate of an epoch, as far as they are finite."""
    named = {key: row[key] for key in READINGS if key in row}
    named |= {f"loss/{key.removeprefix(TERM)}": value for key, value in row.items() if key.startswith(TERM)}
    return {key: float(value) for key, value in named.items() if value is not None and math.isfinite(value)}


def timed(history: Sequence[Mapping[str, Any]], end: float) -> Iterator[tuple[float, Mapping[str, Any]]]:
    """The rows of a history with the time at which each epoch ended, if the last one ended at `end` and none paused."""
    after = sum(_spent(row) for row in history)
    for row in history:
        after -= _spent(row)
        yield end - after, row


def test_means(record: Record, policy: str) -> dict[str, float]:
    """Means over the test cases, as `test/dice/nucleus`, of the measures of a report's first tables.

    policy: for empty masks, as in the sweep file. Cases in which a measure is undefined are left out, and measures that
    are so in all.
    """
    values: dict[str, list[float]] = {}
    for row in record.scores:
        for key in [key for key in row if key not in NO_MEASURES and measure(key).headline]:
            value = apply(policy, key, row[key], row["empty"], row.get("diagonal"))
            if math.isfinite(value):
                values.setdefault(f"test/{key}/{row['class']}", []).append(value)
    return {key: sum(found) / len(found) for key, found in values.items()}


def ended(record: Record, otherwise: float) -> float:
    """When a record was made, in seconds since 1970; `otherwise` where it does not say."""
    return datetime.fromisoformat(record.finished).timestamp() if record.finished else otherwise


def _spent(row: Mapping[str, Any]) -> float:
    return float(row.get("train_s") or 0.0) + float(row.get("validate_s") or 0.0)


def _plain(value: Any) -> str | float | int:
    if isinstance(value, list | tuple):
        return "x".join(map(str, value))
    return value if isinstance(value, str | float | int) else str(value)
