"""Headers that stand apart from their data: which file they name, never one of another folder."""

from pathlib import Path

from ...core.errors import DataError


def beside(header: Path, named: str) -> Path:
    """The file that a header names as its data. Raises DataError for one that does not lie beside it."""
    words = named.split()
    if words and (words[0] == "LIST" or "%" in named):
        raise DataError(f"{header}: its data are in several files, which is not read; save it as one file")
    if not named or named != Path(named).name or "\\" in named or named in (".", ".."):
        raise DataError(f"{header}: names {named!r} as its data, which must be a file beside it; save it as one file")
    file = header.with_name(named)
    if not file.is_file():
        raise DataError(f"{header}: its data, {named}, are not beside it; put them there")
    return file
