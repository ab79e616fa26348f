"""Which function reads which files, by their suffix."""

from collections.abc import Callable, Mapping
from pathlib import Path

from ...core.errors import DataError, SpecError
from ...core.printable import printable
from .pages import Page
from .picture import Picture, Reading

Reader = Callable[[Path, Reading], Picture]
"""Decodes a file; raises DataError naming it, or what its decoder raises for one that is damaged (`read.decoding`)."""

Parts = Callable[[Path], tuple[Path, ...]]
"""The files that an image is read from; raises DataError."""

READERS: dict[str, Reader] = {}
"""By suffix in small letters, with its dot."""

FOLDER = "/"
"""In the place of a suffix: a folder that is an image and whose name may be any, as one of a DICOM series."""

FOLDERS: set[str] = set()
"""Suffixes of folders that are images."""

PageReader = Callable[[Path, Reading, Page], Picture]
"""Decodes one page of a file, cut; raises as a `Reader` does."""

PAGE_READERS: dict[str, PageReader] = {}
"""By suffix, of formats of which a page can be read without the rest."""

PARTS: dict[str, Parts] = {}
"""By suffix, of images that are read from other files than the one of their name."""

DESKTOP_FILES = ("thumbs.db", "desktop.ini")
"""What Windows writes into folders of images, in small letters."""


def reads(*endings: str, parts: Mapping[str, Parts] | None = None, folders: bool = False) -> Callable[[Reader], Reader]:
    """Decorate a function to read the files of these suffixes. Raises SpecError for one that another reads.

    parts: by suffix, which files an image is read from, where that is not the one of its name alone. folders: whether
    images are folders of these suffixes.
    """

    def register(function: Reader) -> Reader:
        for ending in endings:
            earlier = READERS.setdefault(ending, function)
            if earlier.__module__ != function.__module__:
                raise SpecError(f"{ending} files are read twice: by {earlier.__module__} and {function.__module__}")
        PARTS.update(parts or {})
        FOLDERS.update(endings if folders else ())
        return function

    return register


def reads_pages(*endings: str) -> Callable[[PageReader], PageReader]:
    """Decorate a function that reads one page of files of these suffixes without the rest."""

    def register(function: PageReader) -> PageReader:
        PAGE_READERS.update(dict.fromkeys(endings, function))
        return function

    return register


def files_of(file: Path) -> tuple[Path, ...]:
    """The files that an image is read from: its own, the data beside a header, those of a folder. Raises DataError."""
    parts = PARTS.get(kind_of(file))
    return (file,) if parts is None else parts(file)


def suffixes() -> tuple[str, ...]:
    """Every suffix that can be read, sorted."""
    return tuple(sorted(READERS.keys() - {FOLDER}))


def suffix(file: Path) -> str:
    """The suffix in small letters; one of two dots, as `.nii.gz`, counts as one where it is registered."""
    _, *endings = file.name.lower().lstrip(".").split(".")
    if not endings or not endings[-1]:
        return ""
    double = f".{'.'.join(endings[-2:])}"
    return double if double in READERS else f".{endings[-1]}"


def kind_of(file: Path) -> str:
    """The suffix, or `FOLDER` for a folder that has none which is read."""
    own = suffix(file)
    return FOLDER if own not in READERS and file.is_dir() else own


def stem(file: Path) -> str:
    """The file's name without its suffix."""
    return file.name[: len(file.name) - len(suffix(file))]


def hidden(file: Path) -> bool:
    """Whether a file is one that systems leave beside images: `._a.png`, `.DS_Store`, `Thumbs.db`, `desktop.ini`."""
    return file.name.startswith(".") or file.name.lower() in DESKTOP_FILES


def visible(folder: Path, pattern: str) -> list[Path]:
    """What a glob finds in a folder, sorted, without hidden files. Raises DataError for a name that is no text."""
    found = sorted(file for file in folder.glob(pattern) if not hidden(file))
    for file in found:
        require_text(file)
    return found


def require_text(file: Path | str) -> None:
    """Raise DataError for a file whose name is not UTF-8, for names of cases go into records and tables."""
    try:
        str(file).encode()
    except UnicodeEncodeError:
        raise DataError(f"{printable(str(file))}: its name is not UTF-8; rename it") from None
