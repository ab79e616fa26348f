"""What the files of searches must hold, as far as their readers rely on it; they may come from others."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...core.errors import StoreError
from ...core.json_text import read_json
from ...core.record import Record
from ...core.record_checks import check_trial
from ...core.structure import COUNT, MAPPING, NUMBER, ROWS, TEXT, TEXTS, TRUTH, WHOLE, Kind, check, list_of, one_of
from ..sweep.space import MOST_STEPS

_ANYTHING = Kind("anything", lambda value: True)
_FACTOR = Kind("a whole number from 2 on", lambda value: COUNT.holds(value) and value > 1)

_SEARCH = {
    "default": MAPPING,
    "engine": one_of("random", "bayesian", "hyperband"),
    **dict.fromkeys(("seed", "initial"), COUNT),
    "factor": _FACTOR,
    "stop_after": list_of(COUNT),
    "stop_level": NUMBER,
    "space": ROWS,
    "versions": TEXTS,
}
_DIMENSION = {
    **dict.fromkeys(("key", "option", "only"), TEXT),
    "kind": one_of("recipe", "augment", "loss", "loss option", "model option"),
    "values": list_of(_ANYTHING),
    **dict.fromkeys(("low", "high"), NUMBER),
    **dict.fromkeys(("log", "integer"), TRUTH),
    "step": NUMBER.or_null(),
}
_PROPOSAL = {"values": MAPPING, "source": one_of("random", "model"), "bracket": WHOLE}
_EPOCH: dict[str, Kind] = {"epoch": COUNT, "train_s": NUMBER, "validate_s": NUMBER}
_CASE = {"case": TEXT, "group": TEXT, "dice": NUMBER.or_null()}
_BUDGET: dict[str, Kind] = dict.fromkeys(("trials", "epochs", "seconds"), NUMBER.or_null())


def read_search(file: Path) -> dict[str, Any]:
    """What a search is. Raises StoreError, as the others here, in one line with the file and the mend."""
    fields = _read(file, _SEARCH, f"delete {file.parent}")
    try:
        check_trial(fields["default"])
        for row in fields["space"]:
            check_dimension(row)
    except ValueError as error:
        raise StoreError(f"{file}: {error}; delete {file.parent}") from None
    return fields


def read_proposal(file: Path) -> dict[str, Any]:
    """A proposal."""
    return _read(file, _PROPOSAL, f"delete {file.parent}")


def read_budget(file: Path) -> dict[str, Any]:
    """A budget."""
    fields = _read(file, _BUDGET, "delete it")
    return {name: fields[name] for name in _BUDGET}


def check_dimension(row: Mapping[str, Any]) -> None:
    """Raise ValueError for what is no dimension, or one of a range that cannot be."""
    check(row, "a dimension", _DIMENSION, *_DIMENSION)
    low, high, step = row["low"], row["high"], row["step"]
    if row["values"]:
        return
    if not low < high or (row["log"] and low <= 0):
        raise ValueError(f"{row['key']}: from {low:g} to {high:g} is no range")
    if step is not None and not (high - low) / MOST_STEPS <= step <= high - low:
        raise ValueError(f"{row['key']}: step {step:g} does not belong to the range from {low:g} to {high:g}")


def check_outcome(record: Record) -> None:
    """Raise ValueError where a record of a search lacks what is read of it."""
    check(record.selection, "selection", {"dice": NUMBER.or_null(), "cases": ROWS})
    for row in record.selection.get("cases", ()):
        check(row, "a case", _CASE, *_CASE)
    for row in record.history:
        check(row, "an epoch", _EPOCH, *_EPOCH)


def budget_of(sweep: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """Trials, epochs and seconds of the section `tune` of a sweep that was run, None for those without a limit."""
    section = sweep.get("tune", {})
    try:
        check(section, "tune", _BUDGET)
    except ValueError as error:
        raise StoreError(f"{file}: {error}") from None
    return {name: section.get(name) for name in _BUDGET}


def _read(file: Path, kinds: Mapping[str, Kind], mend: str) -> dict[str, Any]:
    try:
        fields = read_json(file)
        check(fields, "it", kinds, *kinds)
    except OSError as error:
        raise StoreError(f"{file}: cannot be read: {error.strerror}; {mend}") from None
    except ValueError as error:
        raise StoreError(f"{file}: is no part of a search ({' '.join(str(error).split())}); {mend}") from None
    return fields
