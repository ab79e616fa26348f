"""Losses that are named inside the options of a loss; reads no loss's file, so that a sweep is checked at once."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..core.errors import SpecError, unknown
from . import LOSSES

_KEYS = ("name", "weight", "options")


def check(name: str, options: Mapping[str, Any]) -> None:
    """Raise SpecError when a loss, one named inside its options, or an option of either is unknown.

    An option `loss`, with `options` beside it, names one; an option `parts` lists mappings of `name`, `weight` and
    `options`.
    """
    LOSSES.check(name, dict(options))
    for inner, inner_options in _inside(name, options):
        check(inner, inner_options)


def names(name: str, options: Mapping[str, Any]) -> Iterator[str]:
    """A loss and every loss that is named inside its options. Raises SpecError for options that `check` refuses."""
    yield name
    for inner, inner_options in _inside(name, options):
        yield from names(inner, inner_options)


def _inside(name: str, options: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if "loss" in options:
        yield _text(name, "loss", options["loss"]), _mapping(name, "options", options.get("options") or {})
    if "parts" not in options:
        return
    if not options["parts"] or not isinstance(options["parts"], list | tuple):
        raise SpecError(f"{name}: no parts; give a list of {{name, weight, options}}")
    for part in options["parts"]:
        for key in _mapping(name, "parts", part):
            if key not in _KEYS:
                raise SpecError(unknown(f"{name}: key", key, _KEYS))
        if "name" not in part:
            raise SpecError(f"{name}: {dict(part)} has no `name`")
        weight = part.get("weight", 1.0)
        if isinstance(weight, bool) or not isinstance(weight, int | float):
            raise SpecError(f"{name}: weight of {part['name']} is {weight!r}, which is no number")
        yield _text(name, "parts", part["name"]), _mapping(name, "options", part.get("options") or {})


def _text(name: str, option: str, value: Any) -> str:
    if not isinstance(value, str):
        raise SpecError(f"{name}: {value!r} in {option} is no name of a loss")
    return value


def _mapping(name: str, option: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SpecError(f"{name}: {value!r} in {option} is not a mapping")
    return value
