"""What the source of a part that does not ship with unetbench is, as a digest: another source makes another trial."""

import ast
import hashlib
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from .errors import SpecError
from .registry import PLUGIN, Part

DIGITS = 16
"""Of a SHA-256 in hexadecimal; enough to tell files apart, short enough for a table."""


def source_digest(part: Part) -> str:
    """Digest of the source of a part, empty for one of unetbench's own, which the record's version and commit name.

    A part in a file of the user's: that file and the modules and packages beside it that it imports, directly or
    through another of them. A part of an installed package: every Python file of the package. Installed packages that
    these import are not read. Raises SpecError for a file that cannot be read or is no Python, and where a plugin of
    another folder was imported before with a module of the same name, which Python then gives to both.
    """
    package = part.module.partition(".")[0]
    if package == __name__.partition(".")[0]:
        return ""
    return _digest(part.file, "" if part.module.startswith(PLUGIN) else package)


@cache
def _digest(file: Path, package: str) -> str:
    found = find_spec(package) if package else None
    places = list(found.submodule_search_locations or ()) if found else []
    home = Path(places[0]) if places else file.parent
    files = sorted(home.rglob("*.py")) if places else sorted(_imported_beside(file))
    if not places:
        _refuse_mixed(file, {source.relative_to(home).parts[0].removesuffix(".py") for source in files})
    digest = hashlib.sha256()
    for source in files:
        content = hashlib.sha256(_read(source)).hexdigest()
        digest.update(f"{source.relative_to(home).as_posix()} {content}\n".encode())
    return digest.hexdigest()[:DIGITS]


def _refuse_mixed(file: Path, names: set[str]) -> None:
    """Raise SpecError when one of the modules beside the file was imported from beside another plugin."""
    others = {_home(module) for name, module in list(sys.modules.items()) if name.startswith(PLUGIN)} - {file.parent}
    for name in sorted(names - {file.stem}):
        home = _home(sys.modules.get(name))
        if home in others:
            raise SpecError(f"plugin {file} imports {name}, which came from {home} before; rename one of them")


def _home(module: ModuleType | None) -> Path | None:
    """The folder beside whose files a module or package is imported."""
    file = getattr(module, "__file__", None)
    folder = Path(file).resolve().parent if file else None
    return folder.parent if folder and hasattr(module, "__path__") else folder


def _imported_beside(file: Path) -> set[Path]:
    """The file and what it imports from its own folder, to the end of the chain."""
    found, open_ = {file}, [file]
    while open_:
        for name in _imports(open_.pop()):
            module, package = file.parent / f"{name}.py", file.parent / name
            new = {module} if module.is_file() else set(package.rglob("*.py")) if package.is_dir() else set()
            open_ += new - found
            found |= new
    return found


def _imports(file: Path) -> Iterator[str]:
    """First names of the modules that a file imports."""
    try:
        tree = ast.parse(_read(file), str(file))
    except SyntaxError as error:
        raise SpecError(f"{file}, line {error.lineno}: {error.msg}") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise SpecError(f"{file}: its source cannot be read: {error.strerror}") from None
