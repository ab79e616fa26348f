"""The folder that predictions go to: what lies where, what is finished, and its two tables."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ...core.errors import SpecError, StoreError
from ...core.files import write
from ...core.json_text import read_json
from ...core.printable import csv_cell
from ...core.structure import NUMBER, ROWS, TEXT, check, list_of
from .inputs import Input

SETTINGS = "predict.json"

_RESULTS = "measures"
_RESULT = {"source": list_of(NUMBER), "files": list_of(TEXT), "classes": ROWS, "objects": ROWS}
_KEYS = ("image", "frame", "slice")


@dataclass(frozen=True)
class Wanted:
    """What is written beside label masks and measures."""

    probabilities: bool = False
    instances: bool = False
    overlays: bool = False


class Outputs:
    """`labels/`, `probabilities/`, `instances/` and `overlays/`, with sub-folders as images have them, and two tables.

    measures/: a JSON file an image, written last, which says what was made of it: with it the image is finished.
    `predict.json`: the model and its settings; a folder holds predictions of one model with one setting, that of the
    last run as long as no image is finished.
    """

    def __init__(self, folder: Path, wanted: Wanted) -> None:
        self.folder, self.wanted = folder, wanted

    def begin(self, settings: dict[str, Any]) -> None:
        """Make the folder. Raises StoreError when it cannot be written, SpecError when it is another model's."""
        file, text = self.folder / SETTINGS, json.dumps(settings, indent=2) + "\n"
        try:
            former = read_json(file) if file.is_file() else None
            if former is not None:
                check(former, "it", {})
            if former != json.loads(text):
                if former is not None and any((self.folder / _RESULTS).rglob("*.json")):
                    differing = [key for key in settings if former.get(key) != settings[key]]
                    raise SpecError(
                        f"{self.folder}: holds predictions of other settings ({_told(former, settings, differing)}); "
                        "give another --out"
                    )
                write(file, text.encode())
        except OSError as error:
            raise StoreError(f"{self.folder}: cannot be written: {error.strerror}; give another --out") from None
        except ValueError:
            raise StoreError(f"{file}: is damaged; remove it, and what it stands for, or give another --out") from None

    def file(self, what: str, entry: Input, suffix: str, part: str = "") -> Path:
        """Where an output of an image lies. part: the class, where there is a file for each."""
        folder = self.folder / what / folder_name(part) if part else self.folder / what
        return folder / f"{entry.name}{suffix}"

    def finished(self, entry: Input) -> bool:
        """Whether everything that is wanted of an image is there, and the image as it was then."""
        try:
            found = _result_of(self._result(entry))
        except (OSError, ValueError):
            return False
        made = {file.split("/", 1)[0] for file in found["files"]}
        return (
            found["source"] == _state(entry)
            and {what for what, wanted in asdict(self.wanted).items() if wanted} <= made
            and all((self.folder / file).exists() for file in found["files"])
        )

    def finish(self, entry: Input, files: Sequence[Path], classes: Sequence[Any], objects: Sequence[Any]) -> None:
        """Say that an image is finished, with these files and rows of the tables. Raises StoreError."""
        names = [file.relative_to(self.folder).as_posix() for file in files]
        found = {"source": _state(entry), "files": names, "classes": classes, "objects": objects}
        self._write(self._result(entry), json.dumps(found))

    def write_tables(self) -> list[Path]:
        """Write classes.csv and objects.csv of all images that are finished, whichever run they are from.

        Another run that ends meanwhile finds what this one has missed, or is found by it. Raises StoreError.
        """
        while True:
            results = sorted((self.folder / _RESULTS).rglob("*.json"))
            tables = [self.folder / f"{name}.csv" for name in ("classes", "objects")]
            for table in tables:
                self._write(table, _csv(self._rows(results, table.stem)))
            if sorted((self.folder / _RESULTS).rglob("*.json")) == results:
                return tables

    def _rows(self, results: Sequence[Path], kind: str) -> Iterator[dict[str, Any]]:
        for file in results:
            name = file.relative_to(self.folder / _RESULTS).as_posix().removesuffix(".json")
            try:
                rows = _result_of(file)[kind]
            except (OSError, ValueError) as error:
                raise StoreError(f"{file}: cannot be read ({error}); remove it and run again") from None
            for row in rows:
                yield {"image": name, **row}

    def _result(self, entry: Input) -> Path:
        return self.folder / _RESULTS / f"{entry.name}.json"

    def _write(self, file: Path, text: str) -> None:
        try:
            write(file, text.encode())
        except OSError as error:
            raise StoreError(f"{file}: cannot be written: {error.strerror}") from None


def folder_name(part: str) -> str:
    """A class as the name of one folder: what would lead elsewhere is written as in addresses, `G1/S` as `G1%2FS`."""
    plain = quote(part, safe=" ,;()[]{}'&+=@!#$^~") if any(mark in part for mark in "/\\:\0%") else part
    return plain.replace(".", "%2E") if not plain.strip(". ") else plain


def _result_of(file: Path) -> dict[str, Any]:
    """What the file of a finished image says. Raises OSError and ValueError."""
    found = read_json(file)
    check(found, "it", _RESULT, *_RESULT)
    return found


def _state(entry: Input) -> list[int]:
    """Size and time of change of a file; of an OME-Zarr those of its description."""
    described = [entry.file / name for name in ("zarr.json", ".zattrs")] if entry.is_zarr else [entry.file]
    found = next((file for file in described if file.exists()), entry.file).stat()
    return [found.st_size, found.st_mtime_ns]


def _csv(rows: Iterator[dict[str, Any]]) -> str:
    held = list(rows)
    columns = dict.fromkeys(_KEYS)
    for row in held:
        columns |= dict.fromkeys(row)
    used = [column for column in columns if any(row.get(column) is not None for row in held)] or list(_KEYS[:1])
    text = io.StringIO()
    table = csv.DictWriter(text, used, extrasaction="ignore", lineterminator="\n")
    table.writerow({column: csv_cell(column) for column in used})
    table.writerows({key: csv_cell(value) for key, value in row.items()} for row in held)
    return text.getvalue()


def _told(former: dict[str, Any], settings: dict[str, Any], keys: Sequence[str]) -> str:
    return ", ".join(f"{key} {former.get(key)}, now {settings[key]}" for key in keys) or "other keys"
