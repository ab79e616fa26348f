"""Registries of parts.

A part is one decorated function: its name is its name, its keyword-only arguments are its options, its docstring is
its listing. A registry is listed by reading the sources with `ast`, so that listing loads neither Keras nor TensorFlow;
only the file that defines a part is imported, when the part is asked for.
"""

import ast
import hashlib
import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeVar

from .errors import SpecError, one_line, unknown

F = TypeVar("F", bound=Callable[..., Any])

PLUGIN = "unetbench_plugin_"
"""Begins the module name of a user's own file."""

SINGULAR = {"models": "model", "losses": "loss", "datasets": "dataset", "metrics": "metric", "runtimes": "runtime"}


@dataclass(frozen=True)
class Part:
    """What a registry knows of a part without importing it: options maps each keyword to its default value."""

    name: str
    doc: str
    options: dict[str, Any] = field(hash=False)
    file: Path
    module: str

    @property
    def summary(self) -> str:
        """First line of the docstring."""
        return self.doc.split("\n", 1)[0]


class Registry:
    """Parts by name.

    name: plural noun, for instance `models`; files register parts with `@MODELS.add`, and installed packages join
        through the entry point group `unetbench.models`, each entry naming a module.
    """

    def __init__(self, name: str, package: str, file: str) -> None:
        self.name = name
        self._package, self._folder = package, Path(file).parent
        self._parts: dict[str, Part] | None = None
        self._functions: dict[str, Callable[..., Any]] = {}

    def add(self, function: F) -> F:
        """Decorate a function to register it. Raises SpecError when the name is taken by another file."""
        name, file = function.__name__, _file(function)
        earlier = self._functions.get(name)
        if earlier is not None and _file(earlier) != file:
            raise SpecError(f"{self.name}: {name!r} is registered twice: {_file(earlier)} and {file}")
        self._functions[name] = function
        if self._parts is not None:
            self._join(_describe(function))
        return function

    def __getitem__(self, name: str) -> Callable[..., Any]:
        """Return the function, importing its file if need be. Raises SpecError for a name that is not there."""
        part = self.part(name)
        if name not in self._functions:
            importlib.import_module(part.module)
        return self._functions[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.parts()))

    def __contains__(self, name: object) -> bool:
        return name in self.parts()

    def __len__(self) -> int:
        return len(self.parts())

    def part(self, name: str) -> Part:
        """Return the listing of one part. Raises SpecError naming the nearest ones."""
        parts = self.parts()
        if name not in parts:
            raise SpecError(unknown(SINGULAR[self.name], name, parts))
        return parts[name]

    def parts(self) -> dict[str, Part]:
        """Every part by name. Raises SpecError when two files have a part of the same name."""
        if self._parts is None:
            self._parts = {}
            for file in sorted(self._folder.rglob("*.py")):
                dotted = ".".join(file.relative_to(self._folder).with_suffix("").parts)
                self._scan(file, f"{self._package}.{dotted}".removesuffix(".__init__"))
            for entry in entry_points(group=f"unetbench.{self.name}"):
                spec = importlib.util.find_spec(entry.module)
                if spec is None or spec.origin is None:
                    raise SpecError(f"{self.name}: entry point {entry.name!r} names {entry.module}, which is missing")
                self._scan(Path(spec.origin), entry.module)
            for function in self._functions.values():
                self._join(_describe(function))
        return self._parts

    def check(self, name: str, options: dict[str, Any]) -> None:
        """Raise SpecError when the part or one of the options is unknown, or a switch is neither true nor false."""
        part = self.part(name)
        for key, value in options.items():
            if key not in part.options:
                raise SpecError(unknown(f"{name}: option", key, part.options))
            if isinstance(part.options[key], bool) and not isinstance(value, bool):
                raise SpecError(f"{name}: option {key!r} is {value!r}; true and false are possible")

    def _scan(self, file: Path, module: str) -> None:
        for part in _read(file, module, self.name.upper()):
            self._join(part)

    def _join(self, part: Part) -> None:
        parts = self.parts()
        present = parts.get(part.name)
        if present is not None and present.file != part.file:
            raise SpecError(f"{self.name}: {part.name!r} is registered twice: {present.file} and {part.file}")
        parts[part.name] = present or part


def load_plugin(file: str | Path) -> None:
    """Import a user's own file of parts; its decorators register them.

    Modules beside it can be imported by their bare names, as by a script. Two files of one name are two plugins. Raises
    SpecError, in one line with the place, when it is missing or cannot be imported.
    """
    path = Path(file).resolve()
    name = f"{PLUGIN}{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, path) if path.is_file() else None
    if spec is None or spec.loader is None:
        raise SpecError(f"plugin {file} is not a Python file; give the path of one that decorates its parts")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # last, so that it hides nothing
    try:
        spec.loader.exec_module(module)
    except SpecError:
        del sys.modules[name]
        raise
    except Exception as error:
        del sys.modules[name]
        raise SpecError(f"plugin {file}{_place(error, path)}: {one_line(error)}") from error


def _place(error: Exception, path: Path) -> str:
    if isinstance(error, SyntaxError):
        return f", line {error.lineno}" if error.filename == str(path) else f", {error.filename}, line {error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f", line {lines[-1]}" if lines else ""


def _describe(function: Callable[..., Any]) -> Part:
    keywords = inspect.signature(function).parameters.values()
    options = {
        keyword.name: ... if keyword.default is keyword.empty else keyword.default
        for keyword in keywords
        if keyword.kind is keyword.KEYWORD_ONLY
    }
    return Part(function.__name__, inspect.getdoc(function) or "", options, _file(function), function.__module__)


def _file(function: Callable[..., Any]) -> Path:
    """Where a part is written; a decorator of another file that wraps it (`functools.wraps`) is not the part."""
    return Path(inspect.unwrap(function).__code__.co_filename).resolve()


def _read(file: Path, module: str, variable: str) -> Iterator[Part]:
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef) and any(_adds(d, variable) for d in node.decorator_list):
            yield Part(node.name, ast.get_docstring(node) or "", _options(node.args), file.resolve(), module)


def _adds(decorator: ast.expr, variable: str) -> bool:
    return (
        isinstance(decorator, ast.Attribute)
        and decorator.attr == "add"
        and isinstance(decorator.value, ast.Name)
        and decorator.value.id == variable
    )


def _options(arguments: ast.arguments) -> dict[str, Any]:
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return {argument.arg: _value(default) for argument, default in pairs}


def _value(default: ast.expr | None) -> Any:
    if default is None:
        return ...  # no default: the option must be given
    try:
        return ast.literal_eval(default)
    except ValueError:
        return ast.unparse(default)
