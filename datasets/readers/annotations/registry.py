"""Which function reads which annotation files: a format claims a file by its name or by what it holds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ....core.errors import DataError, SpecError
from .content import content_of
from .regions import Annotations, Corners
from .run_lengths import Order


@dataclass(frozen=True)
class DescribedCase:
    """A case whose masks are image files. images: one, or one a channel. role: fixed by the publisher, or ""."""

    name: str
    images: tuple[Path, ...]
    mask: Path
    role: str = ""


@dataclass(frozen=True)
class Described:
    """A data set whose file says which images and masks there are and what their values mean.

    channels: their names, one image file each, or all in one file. classes: the values of each by name, the background
    with value 0 first; None for numbers of objects. regions: whether classes share values, so that they may overlap.
    ignore: the value of ignored pixels, or None. lacking: files that should be there and are not.
    """

    channels: tuple[str, ...]
    classes: Mapping[str, tuple[int, ...]] | None
    cases: tuple[DescribedCase, ...]
    regions: bool = False
    ignore: int | None = None
    lacking: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


class Asked(NamedTuple):
    """What the sweep file says beside the files.

    run_order: which pixel follows the first one in a table of runs. corners: what those of polygons are.
    """

    run_order: Order = "columns"
    corners: Corners = "edges"


Claims = Callable[[Path, Any], bool]
"""Whether a format is that of a file, by its path and its value as `content_of` gives it."""

ReadAnnotations = Callable[[Path, Any, Asked], Annotations | Described]
"""Reads a file that was claimed, from its value; raises DataError naming it."""


class Format(NamedTuple):
    """What the registry knows of a format."""

    claims: Claims
    read: ReadAnnotations


FORMATS: dict[str, Format] = {}
"""By name, as notes and errors call it."""


def annotates(name: str, claims: Claims) -> Callable[[ReadAnnotations], ReadAnnotations]:
    """Decorate a function to read the annotation files of a format. Raises SpecError for a name that is taken."""

    def register(function: ReadAnnotations) -> ReadAnnotations:
        earlier = FORMATS.setdefault(name, Format(claims, function))
        if earlier.read.__module__ != function.__module__:
            raise SpecError(f"{name} is registered twice: by {earlier.read.__module__} and {function.__module__}")
        return function

    return register


def read_annotations(files: Sequence[Path], asked: Asked) -> tuple[str, list[Annotations | Described]]:
    """The format of annotation files, and what each of them says.

    Raises DataError for a file of no known format, for one that two formats claim, and for files of different formats.
    """
    found, first = [], ""
    for file in files:
        value = content_of(file)
        names = [name for name, known in FORMATS.items() if known.claims(file, value)]
        if len(names) != 1:
            claimed = f"could be {' or '.join(names)}" if names else f"is none of {', '.join(sorted(FORMATS))}"
            raise DataError(f"{file}: {claimed}; `annotations` names files that say which objects the images show")
        if first and names[0] != first:
            raise DataError(f"{file} is {names[0]} and {files[0]} {first}; give a data set of each")
        first = names[0]
        found.append(FORMATS[first].read(file, value, asked))
    return first, found
