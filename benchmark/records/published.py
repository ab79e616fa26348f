"""Results of published tables as files of a sweep's folder; they were not run here, and are no records."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_type_hints

from ...core.errors import StoreError
from ...core.files import write
from ...core.json_text import read_json
from ...core.structure import TEXT, check, kind_of, list_of

FOLDER = "published"
"""In a sweep's folder: a file for each imported table."""

SCHEMA = 1


@dataclass(frozen=True)
class PublishedResult:
    """One number of a table.

    value: in the measure's own unit, a fraction for scores; decimals: printed ones of that. title, better: of the
    measure. cases: how many it is over, if known. interval: `stated` by the table, `reconstructed` here, or `none`;
    how: the formula where it was reconstructed; low, high: its ends.
    """

    model: str
    dataset: str
    measure: str
    title: str
    better: Literal["higher", "lower", "none"]
    value: float
    decimals: int
    cases: int | None
    interval: Literal["stated", "reconstructed", "none"]
    low: float | None
    high: float | None
    how: str


@dataclass(frozen=True)
class Published:
    """What one table gave. source: its citation; file, sha256: what was read; doubts: what `lint` found in it."""

    source: str
    doi: str
    file: str
    sha256: str
    doubts: tuple[str, ...]
    results: tuple[PublishedResult, ...]


_KINDS = {
    name: kind_of(hint)
    for name, hint in get_type_hints(PublishedResult).items()
    if name not in ("cases", "low", "high")
}
_KINDS |= {"cases": kind_of(int).or_null(), "low": kind_of(float).or_null(), "high": kind_of(float).or_null()}
_WHOLE = {**dict.fromkeys(("source", "doi", "file", "sha256"), TEXT), "doubts": list_of(TEXT)}


def write_published(sweep: Path, name: str, published: Published) -> Path:
    """Write the results of a table into a sweep's folder and return the file. Raises OSError."""
    file = sweep / FOLDER / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    write(file, (json.dumps({"schema": SCHEMA, **asdict(published)}, ensure_ascii=False, indent=1) + "\n").encode())
    return file


def read_published(sweep: Path) -> list[Published]:
    """Every imported table of a sweep's folder, by the names of its files. Raises StoreError naming a damaged one."""
    return [_read(file) for file in sorted((sweep / FOLDER).glob("*.json"))]


def _read(file: Path) -> Published:
    try:
        content = read_json(file)
        check(content, "it", _WHOLE, "schema", *_WHOLE, "results")
        if content["schema"] != SCHEMA:
            raise ValueError(f"its schema is {content['schema']!r}, and this version reads {SCHEMA}")
        return Published(
            **{name: content[name] for name in ("source", "doi", "file", "sha256")},
            doubts=tuple(content["doubts"]),
            results=tuple(map(_result, _listed(content["results"]))),
        )
    except (OSError, ValueError) as error:
        text = " ".join(str(error).split())
        raise StoreError(f"{file}: cannot be read: {text}; import its table anew, or delete it") from None


def _listed(value: Any) -> Sequence[Any]:
    if not isinstance(value, list):
        raise ValueError("its results are no list")
    return value


def _result(value: Any) -> PublishedResult:
    names = [field.name for field in fields(PublishedResult)]
    check(value, "a result", _KINDS, *names)
    return PublishedResult(**{name: value[name] for name in names})
