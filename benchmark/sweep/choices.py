"""The parts that a sweep file chooses, each with options of the right type."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...core.errors import SpecError
from ...core.registry import Registry
from ...core.sources import DIGITS, source_digest
from ...core.trial import Choice
from ...datasets import DATASETS
from ...losses import LOSSES
from ...losses.nested import check as check_nested
from ...losses.nested import names
from ...models import MODELS

Entry = str | dict[str, Any]
"""A part as the file has it: its name, or a mapping of `name` and options."""


def choices(registry: Registry, entries: Sequence[Entry], where: str, *, indexed: bool = True) -> tuple[Choice, ...]:
    """Return the parts of that registry as chosen, less the options that equal the defaults.

    Where a part has an option `X_sha256` beside `X`, the digest of the file that X names is put there, so that another
    content makes another trial. Raises SpecError that begins with `where`.
    """
    found: list[Choice] = []
    for index, entry in enumerate(entries):
        place = f"{where}[{index}]" if indexed else where
        options = {} if isinstance(entry, str) else dict(entry)
        options.pop("label", None)  # names the part and is none of its options: see `naming.labels`
        name = entry if isinstance(entry, str) else options.pop("name", None)
        if not isinstance(name, str):
            raise SpecError(f"{place}: {entry} has no `name`")
        try:
            registry.check(name, options)
        except SpecError as error:
            raise SpecError(f"{place}: {error}") from None
        defaults = registry.part(name).options
        for key, value in options.items():
            _check_type(f"{place}.{key}", value, defaults[key])
        for key, default in defaults.items():
            if default is ... and key not in options:
                raise SpecError(f"{place}: {name} needs the option {key!r}")
        options.update(_digests(options, defaults))
        choice = Choice(name, {key: value for key, value in sorted(options.items()) if value != defaults[key]})
        if choice in found:
            raise SpecError(f"{place}: {choice.label} is there twice")
        found.append(choice)
    return tuple(found)


def losses(entries: Sequence[Entry], where: str) -> tuple[Choice, ...]:
    """Return the losses as chosen; those named inside options are checked too. Raises SpecError."""
    found = choices(LOSSES, entries, where)
    for index, choice in enumerate(found):
        try:
            check_nested(choice.name, choice.options)
        except SpecError as error:
            raise SpecError(f"{where}[{index}]: {error}") from None
    return found


def mapping(value: Any, where: str) -> Mapping[str, Any]:
    """Return the value if it is a mapping. Raises SpecError."""
    if not isinstance(value, Mapping):
        raise SpecError(f"{where}: {value!r} is not a mapping of options")
    return value


def part_sources(data: Choice, model: Choice, loss: Choice) -> dict[str, str]:
    """Digests of the sources of those parts, and of the losses named inside the loss, that are the user's own."""
    parts = [(DATASETS, data.name), (MODELS, model.name), *((LOSSES, name) for name in names(loss.name, loss.options))]
    digests = {f"{registry.name} {name}": source_digest(registry.part(name)) for registry, name in parts}
    return {name: digest for name, digest in sorted(digests.items()) if digest}


def _digests(options: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, str]:
    digests: dict[str, str] = {}
    for key, value in options.items():
        beside = f"{key}_sha256"
        if beside in defaults and beside not in options and isinstance(value, str) and Path(value).is_file():
            digests[beside] = hashlib.sha256(Path(value).read_bytes()).hexdigest()[:DIGITS]
    return digests


def _check_type(place: str, value: Any, default: Any) -> None:
    number = isinstance(default, int | float) and not isinstance(default, bool)
    right = (
        isinstance(value, int | float) and not isinstance(value, bool)
        if number
        else isinstance(value, type(default)) or (isinstance(default, tuple) and isinstance(value, list))
    )
    if default is not None and default is not ... and not right:
        raise SpecError(f"{place}: {value!r} has the wrong type; the default is {default!r}")
    if isinstance(default, int) and number and isinstance(value, float) and not value.is_integer():
        raise SpecError(f"{place}: {value!r} is not a whole number; the default is {default!r}")
    if isinstance(default, tuple) and default and isinstance(value, list | tuple):
        for index, entry in enumerate(value):
            _check_type(f"{place}[{index}]", entry, default[0])
