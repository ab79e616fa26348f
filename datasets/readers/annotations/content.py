"""Annotation files as plain values: JSON, XML, CSV and ROIs, none of which is run or unpacked to a disk."""

import csv
import zipfile
import zlib
from pathlib import Path
from typing import Any, NoReturn
from xml.etree.ElementTree import TreeBuilder
from xml.parsers import expat

from ....core.errors import DataError
from ....core.json_text import parsed

csv.field_size_limit(2**27)  # a large object on Kaggle has more than the 131,072 letters of the default


_DAMAGED = (
    OSError, ValueError, csv.Error, expat.ExpatError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError,
    RuntimeError,
)  # fmt: skip

_MOST_BYTES = 2**28  # of all ROIs of an image


def content_of(file: Path) -> Any:
    """The value of a `.json` file, the root of an `.xml` file, the rows of a `.csv` file as mappings; else None.

    Of a `.zip` or `.roi` file the contents of the ROIs by their names.
    Raises DataError that names the file.
    """
    kind = file.suffix.lower()
    try:
        if kind == ".json":
            return parsed(file.read_text("utf-8-sig"))
        if kind == ".xml":
            return _xml(file)
        if kind == ".csv":
            with file.open(newline="", encoding="utf-8-sig") as text:
                return list(csv.DictReader(text))
        if kind == ".roi":
            return {file.name: file.read_bytes()}
        if kind == ".zip":
            return _rois(file)
    except FileNotFoundError:
        raise DataError(f"{file}: there is no such file") from None
    except _DAMAGED as error:
        text = " ".join(str(error).split())[:200]
        raise DataError(f"{file}: is no readable {kind[1:].upper()}; it is damaged or cut short ({text})") from None
    return None


def _rois(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        members = [one for one in archive.infolist() if one.filename.lower().endswith(".roi")]
        if (total := sum(one.file_size for one in members)) > _MOST_BYTES:
            raise DataError(f"{file}: its ROIs are {total:,} bytes unpacked, more than {_MOST_BYTES:,}; it is damaged")
        return {one.filename: archive.read(one) for one in members}


def _xml(file: Path) -> Any:
    """The root element. A document type, and with it every entity that a file can define, is refused."""
    builder, parser = TreeBuilder(), expat.ParserCreate()

    def refuse(*_: object) -> NoReturn:
        raise DataError(f"{file}: declares a document type (DOCTYPE), which CVAT never writes; it is not read")

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    with file.open("rb") as stream:
        parser.ParseFile(stream)
    return builder.close()
