"""Which mask files belong to which image of a folder: by a CSV table of pairs."""

import csv
import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from ..core.errors import DataError
from .case import Role
from .pairing import Pair, bare
from .readers import FOLDER, kind_of, suffixes

_COLUMNS = ("image", "mask", "name", "group", "stratum", "split")


def by_table(
    home: Path, table: str, masks: Mapping[str, str], *, empty: bool, images: Sequence[str] = ("image",)
) -> list[Pair]:
    """Pairs from a CSV file with a head: image, mask, and name, group, stratum, split where wanted.

    masks: the column of each plane of the truth, by the class it shows. A cell may name several masks, apart by `;`.
    Files are below the folder. empty: whether an empty cell is an empty mask. images: the columns of the modalities.
    Raises SpecError, DataError.
    """
    file = home / table
    try:
        with file.open(newline="", encoding="utf-8-sig") as text:
            reader = csv.DictReader(text)
            columns, rows = list(reader.fieldnames or ()), list(reader)
    except FileNotFoundError:
        raise DataError(f"{file}: there is no such file; `pairs` names a CSV file below the folder") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file}: cannot be read as CSV in UTF-8: {' '.join(str(error).split())}") from None
    _check_columns(file, columns, images, masks)
    pairs = [
        _row(home, f"{file}, line {number}", row, images=images, masks=masks, empty=empty)
        for number, row in enumerate(rows, 2)
    ]
    if not pairs:
        raise DataError(f"{file}: has no row; give one for each image")
    seen: dict[str, int] = {}
    for number, pair in enumerate(pairs, 2):
        if pair.name in seen:
            raise DataError(
                f"{file}: lines {seen[pair.name]} and {number} are both {pair.name!r}; give them a column `name`"
            )
        seen[pair.name] = number
    return sorted(pairs, key=lambda pair: pair.name)


def _check_columns(file: Path, columns: Sequence[str], images: Sequence[str], masks: Mapping[str, str]) -> None:
    needed = [*images, *masks.values()]
    lacking = [column for column in needed if column not in columns]
    if lacking:
        raise DataError(
            f"{file}: has no column {lacking[0]!r}; its head is {', '.join(columns) or 'empty'}, and it needs "
            f"{', '.join(needed)}; name, group, stratum and split are possible"
        )
    known = [*_COLUMNS, *needed]
    for column in columns:
        near = difflib.get_close_matches(column.lower().strip(), known, 1, 0.75)
        if column not in known and near and near[0] not in columns:
            raise DataError(f"{file}: its column {column!r} is unknown; did you mean {near[0]!r}? Rename it")


def _row(
    home: Path, where: str, row: Mapping[Any, Any], *, images: Sequence[str], masks: Mapping[str, str], empty: bool
) -> Pair:
    cells = {key: (value or "").strip() for key, value in row.items() if isinstance(key, str)}
    if None in row:
        raise DataError(f"{where}: has more cells than the head; write texts with commas in quotes")
    for column in images:
        if not cells[column]:
            raise DataError(f"{where}: names no {column}")
    image, *further = (_there(home, cells[column], where) for column in images)
    planes = []
    for column in masks.values():
        names = [name.strip() for name in cells[column].split(";") if name.strip()]
        if not names and not empty:
            raise DataError(f"{where}: {cells[images[0]]} has no {column}; add it, or say `missing: empty`")
        planes.append(tuple(_there(home, name, where) for name in names))
    role = cells.get("split", "")
    if role and role not in get_args(Role):
        raise DataError(f"{where}: split is {role!r}; use {', '.join(get_args(Role))}, or leave it empty to be drawn")
    name = cells.get("name") or bare(image.relative_to(home) if image.is_relative_to(home) else image)
    group, stratum = cells.get("group", ""), cells.get("stratum", "")
    given: Any = role or None
    return Pair(name, image, tuple(planes), "", group, stratum, given, tuple(further))


def _there(home: Path, name: str, where: str) -> Path:
    file = home / name
    try:
        there = file.exists()
    except OSError:  # a name that no file can have
        there = False
    if not there:
        raise DataError(f"{where}: {str(file)[:300]} is no file; names are below the folder")
    if kind_of(file) not in (*suffixes(), FOLDER):
        raise DataError(f"{where}: {file} is no image file; it may be {', '.join(suffixes())}")
    return file
