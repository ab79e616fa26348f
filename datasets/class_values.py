"""The values of classes as a sweep file writes them: whole numbers, or colours."""

from collections.abc import Mapping
from typing import Any

from ..core.errors import SpecError
from .readers.colours import HOW, colour_text, colour_value

BACKGROUND = "background"


def values_of(classes: Mapping[str, Any]) -> tuple[dict[str, tuple[int, ...]], bool]:
    """The values of each class of a mapping, and whether they are colours.

    Raises SpecError for other things, for a mixture of the two, and for a value that is written twice.
    """
    kinds = {name: _written(name, value) for name, value in classes.items()}
    coloured = {name for name, (_, colours) in kinds.items() if colours}
    if coloured and len(coloured) < len(kinds):
        other = next(name for name in kinds if name not in coloured)
        raise SpecError(
            f"folder.classes: {next(iter(coloured))} has a colour and {other} a value; masks are read as one of the two"
        )
    owner: dict[int, str] = {}
    for name, (own, colours) in kinds.items():
        for value in own:
            if value in owner:
                shown = colour_text(value) if colours else value
                both = f"{owner[value]} and {name} both have" if owner[value] != name else f"{name} has twice"
                hint = f"; {HOW}" if owner[value] == name and not colours else ""
                raise SpecError(f"folder.classes: {both} the value {shown}; one can{hint}")
            owner[value] = name
    return {name: own for name, (own, _) in kinds.items()}, bool(coloured)


def background_of(classes: Mapping[str, Any], background: str = "") -> str:
    """The class of a mapping that is the background: as said, the one of that name, or the one of value 0 or black.

    Raises SpecError that asks where none is.
    """
    own, coloured = values_of(classes)
    names = list(own)
    if background:
        if background not in names:
            raise SpecError(f"folder.background: {background!r} is no class; there are {', '.join(names)}")
        return background
    named = [name for name in names if name.lower() == BACKGROUND]
    zero = [name for name in names if 0 in own[name]]
    if len(named) > 1 or not (named or zero):
        raise SpecError(
            f"folder.classes: which of {', '.join(names)} is the background? None has the "
            f"{'colour ' + colour_text(0) if coloured else 'value 0'} or is called {BACKGROUND}; say "
            "`background: NAME`, which is never scored"
        )
    return (named or zero)[0]


def ignored_value(ignore: Any, *, coloured: bool) -> int:
    """The value of ignored pixels. Raises SpecError for what is none, or not of the kind that the classes have."""
    if coloured:
        value = colour_value(ignore) if isinstance(ignore, str) else None
        if value is None:
            raise SpecError(f"folder.ignore: {ignore!r} is no colour, as the classes are; {HOW}")
        return value
    if isinstance(ignore, int) and not isinstance(ignore, bool):
        return ignore
    colour = " (colours are possible where the classes have some)" if isinstance(ignore, str) else ""
    raise SpecError(f"folder.ignore: {ignore!r} is not a whole number; give the value that ignored pixels have{colour}")


def _written(name: str, value: Any) -> tuple[tuple[int, ...], bool]:
    entries = tuple(value) if isinstance(value, list | tuple) else (value,)
    if entries and all(isinstance(entry, str) for entry in entries):
        colours = [colour_value(entry) for entry in entries]
        if None in colours:
            raise SpecError(
                f"folder.classes: {name}: {entries[colours.index(None)]!r} is not a whole number, nor a colour; {HOW}"
            )
        return tuple(colour for colour in colours if colour is not None), True
    if not entries or not all(isinstance(entry, int) and not isinstance(entry, bool) for entry in entries):
        hint = f", nor a colour; {HOW}" if None in entries or any(isinstance(entry, str) for entry in entries) else ""
        raise SpecError(f"folder.classes: {name}: {value!r} is not a whole number or a list of them{hint}")
    return entries, False
