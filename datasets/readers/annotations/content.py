"""Annotation files as plain values: JSON, XML and CSV, of which none can name another file to be read, or run code."""

import csv
from pathlib import Path
from typing import Any, NoReturn
from xml.etree.ElementTree import TreeBuilder
from xml.parsers import expat

from ....core.errors import DataError
from ....core.json_text import parsed

csv.field_size_limit(2**27)  # a large object on Kaggle has more than the 131,072 letters of the default


def content_of(file: Path) -> Any:
    """The value of a `.json` file, the root of an `.xml` file, the rows of a `.csv` file as mappings; else None.

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
    except FileNotFoundError:
        raise DataError(f"{file}: there is no such file") from None
    except (OSError, ValueError, csv.Error, expat.ExpatError) as error:
        text = " ".join(str(error).split())[:200]
        raise DataError(f"{file}: is no readable {kind[1:].upper()}; it is damaged or cut short ({text})") from None
    return None


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
