"""What the parts of a JSON value must be, as far as a reader relies on them."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

LARGEST = 1e300
"""Of a number in a file; a float holds it, and its double too."""


@dataclass(frozen=True)
class Kind:
    """A kind of value: how a message calls it, and whether a value is one."""

    name: str
    holds: Callable[[Any], bool]

    def or_null(self) -> "Kind":
        """The kind with null, for what may be unknown."""
        return Kind(f"{self.name} or null", lambda value: value is None or self.holds(value))


def is_number(value: Any) -> bool:
    """Whether it is a number, NaN and infinities too, and no truth value."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < LARGEST or (isinstance(value, float) and not math.isfinite(value))


def kind_of(hint: Any) -> Kind:
    """The kind of values that a type hint of plain values names: int, float, bool, str, tuples, Literal and unions."""
    parts = get_args(hint)
    if get_origin(hint) is Literal:
        return one_of(*parts)
    if get_origin(hint) is tuple:
        return list_of(kind_of(parts[0]))
    if parts:
        kinds = [kind_of(part) for part in parts]
        name = " or ".join(kind.name for kind in kinds)
        return Kind(name, lambda value: any(kind.holds(value) for kind in kinds))
    return {int: WHOLE, float: NUMBER, bool: TRUTH, str: TEXT}[hint]


def list_of(kind: Kind, *, least: int = 0) -> Kind:
    """A list of values of one kind, of so many at least."""
    few = f", {least} at least" if least else ""

    def holds(value: Any) -> bool:
        return isinstance(value, list | tuple) and len(value) >= least and all(map(kind.holds, value))

    return Kind(f"a list of {kind.name}{few}", holds)


def one_of(*values: str) -> Kind:
    """One of these texts."""
    return Kind(" or ".join(map(repr, values)), lambda value: isinstance(value, str) and value in values)


TEXT = Kind("text", lambda value: isinstance(value, str))
NUMBER = Kind("a number", is_number)
WHOLE = Kind("a whole number", lambda value: isinstance(value, int) and is_number(value))
COUNT = Kind("a whole number from 0 on", lambda value: WHOLE.holds(value) and value >= 0)
TRUTH = Kind("true or false", lambda value: isinstance(value, bool))
MAPPING = Kind("a mapping", lambda value: isinstance(value, dict))
ROWS = list_of(MAPPING)
TEXTS = Kind("a mapping of texts", lambda value: isinstance(value, dict) and all(map(TEXT.holds, value.values())))
NUMBERS = Kind("a mapping of numbers", lambda value: isinstance(value, dict) and all(map(NUMBER.holds, value.values())))


def check(value: Any, where: str, kinds: Mapping[str, Kind], *needed: str) -> None:
    """Raise ValueError, which begins with `where`, for what is no mapping or has a value that is not of its kind.

    kinds: by key; other keys may hold anything. needed: keys that must be there.
    """
    if not isinstance(value, dict):
        raise ValueError(f"{where} is {_told(value)}, not a mapping")
    for key in needed:
        if key not in value:
            raise ValueError(f"{where} has no {key!r}")
    for key, kind in kinds.items():
        if key in value and not kind.holds(value[key]):
            raise ValueError(f"{where}: {key} is {_told(value[key])}, not {kind.name}")


def _told(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
