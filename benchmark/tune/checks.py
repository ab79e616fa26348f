"""Whether the files of a search hold what it takes them for; whatever does not is a ValueError that names it."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_args

from ...core.errors import unknown
from ...core.recipe import Augmentation, Recipe
from ...core.record import Record
from ...core.record_checks import check_trial
from ...core.structure import COUNT, MAPPING, NUMBER, ROWS, TEXT, TRUTH, WHOLE, Kind, check, is_number, list_of, one_of
from ..sweep import space
from ..sweep.tuning import Engine

MOST_STEPS = 1_000_000
"""Of a range; they are made one by one."""

FIELDS = {"recipe": [field.name for field in fields(Recipe)], "augment": [field.name for field in fields(Augmentation)]}
"""What dimensions of these kinds may vary."""

_FINITE = Kind("a finite number", lambda value: is_number(value) and abs(value) < float("inf"))
_STEP = Kind("a number above 0 or null", lambda value: value is None or (_FINITE.holds(value) and value > 0))
_SEARCH = {
    "default": MAPPING,
    "space": ROWS,
    "engine": one_of(*get_args(Engine)),
    **dict.fromkeys(("seed", "initial"), COUNT),
    "factor": Kind("a whole number from 2 on", lambda value: COUNT.holds(value) and value >= 2),
    "stop_after": list_of(COUNT),
    "stop_level": _FINITE,
}
_DIMENSION = {
    **dict.fromkeys(("key", "option", "only"), TEXT),
    "kind": one_of(*get_args(space.Kind)),
    "values": Kind("a list", lambda value: isinstance(value, list)),
    **dict.fromkeys(("low", "high"), _FINITE),
    **dict.fromkeys(("log", "integer"), TRUTH),
    "step": _STEP,
}
_PROPOSAL = {"values": MAPPING, "source": TEXT, "bracket": WHOLE}
_BUDGET = {"trials": COUNT.or_null(), "epochs": COUNT.or_null(), "seconds": NUMBER.or_null()}
_EPOCH = dict.fromkeys(("epoch", "train_s", "validate_s"), NUMBER)
_CASE = {**dict.fromkeys(("case", "group"), TEXT), "dice": NUMBER.or_null()}


def check_search(about: Mapping[str, Any]) -> None:
    """Of what `Proposals.begin` writes."""
    check(about, "it", _SEARCH, *_SEARCH)
    check_trial(about["default"])
    for index, dimension in enumerate(about["space"]):
        check(dimension, f"space[{index}]", _DIMENSION, *_DIMENSION)
        possible = FIELDS.get(dimension["kind"])
        if possible is not None and dimension["option"] not in possible:
            raise ValueError(f"space[{index}]: {unknown(dimension['kind'], dimension['option'], possible)}")
        if not dimension["values"]:
            _check_range(f"space[{index}]", dimension)


def _check_range(where: str, dimension: Mapping[str, Any]) -> None:
    low, high, step = (dimension[key] for key in ("low", "high", "step"))
    if not low < high:
        raise ValueError(f"{where}: from {low} to {high} is empty")
    if dimension["log"] and low <= 0:
        raise ValueError(f"{where}: from {low} has no logarithm")
    if step is not None and (high - low) / step > MOST_STEPS:
        raise ValueError(f"{where}: more than {MOST_STEPS:,} steps")


def check_proposal(told: Mapping[str, Any]) -> None:
    """Of one numbered file."""
    check(told, "it", _PROPOSAL, *_PROPOSAL)


def check_outcome(record: Record) -> None:
    """Of what a search takes from the record of one of its trials."""
    for index, row in enumerate(record.history):
        check(row, f"history[{index}]", _EPOCH, *_EPOCH)
    check(record.selection, "selection", {"dice": NUMBER.or_null(), "cases": ROWS.or_null()})
    for index, row in enumerate(record.selection.get("cases") or ()):
        check(row, f"selection: cases[{index}]", _CASE, *_CASE)


def check_budget(keys: Any) -> None:
    """Of the section `tune` of a sweep that is resumed or reported."""
    check(keys, "tune", _BUDGET)
