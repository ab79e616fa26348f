"""TensorFlow's log lines about the machine are kept off the terminal; what it says when it cannot start is not."""

import importlib.util
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

LEVEL = "TF_CPP_MIN_LOG_LEVEL"

LINE = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog|[IWE]\d{4} \d\d:\d\d:\d\d"
    rb"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWE] |To enable the following instructions: "
)
"""How a line of the log begins; F, which is fatal, is no such line."""

FATAL = b"Fatal Python error"
"""How Python's `faulthandler` begins to tell where a signal met it."""

LINES, LETTERS = 20, 300
"""Of a process's last output that a record keeps."""


def quiet_tensorflow() -> None:
    """Silence the log of TensorFlow in this process and in those that it starts; call it before TensorFlow is imported.

    LEVEL = 3 leaves fatal lines only, but TensorFlow does not heed it while it is being imported, so stderr is held
    back for so long. When the import fails all of it is shown, else what is no line of the log. A user who sets a lower
    LEVEL sees everything.
    """
    if os.environ.setdefault(LEVEL, "3") < "3" or any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, _Finder())


def last_lines(printed: bytes) -> list[str]:
    """The last lines of a process's output, without empty ones and those of TensorFlow's log.

    At most LINES, each of at most LETTERS. Where Python was ended by a signal it prints where, innermost call first:
    then the line before, which says why if anything does, and the first ones of that.
    """
    lines = [line.rstrip() for line in printed.splitlines() if line.strip() and not LINE.match(line)]
    fatal = next((place for place, line in enumerate(lines) if line.startswith(FATAL)), None)
    kept = lines[-LINES:] if fatal is None else lines[max(0, fatal - 1) :][:LINES]
    return [line.decode("utf-8", "replace")[:LETTERS] for line in kept]


def last_words(lines: Sequence[str]) -> str:
    """Of the last lines of a process that died the one that says most, "" where there is none."""
    fatal = next((place for place, line in enumerate(lines) if line.startswith(FATAL.decode())), len(lines))
    return next((line.strip() for line in (*lines[:fatal][-1:], *lines[fatal:])), "")


class _Finder:
    """Finds `tensorflow` as Python would, with a loader that holds stderr back."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        loader: Any = spec.loader if spec else None
        if loader is not None:
            loader.exec_module = _held_back(loader.exec_module)
        return spec


def _held_back(execute: Any) -> Any:
    def run(module: ModuleType) -> None:
        with holding_stderr_back():
            execute(module)

    return run


@contextmanager
def holding_stderr_back() -> Iterator[None]:
    """Collect what is written to file descriptor 2, also by C++; afterwards write what is no line of the log.

    All of it after an exception. Nothing is held back where stderr is closed or no temporary file can be made.
    """
    try:
        stderr, kept = os.dup(2), tempfile.TemporaryFile()  # noqa: SIM115  # closed below
    except OSError:
        yield
        return
    wanted = re.compile(b"")  # shows everything, should the import fail
    try:
        os.dup2(kept.fileno(), 2)
        yield
        wanted = re.compile(rb"(?!%s)" % LINE.pattern)
    finally:
        if sys.stderr is not None:
            sys.stderr.flush()
        os.dup2(stderr, 2)
        os.close(stderr)
        kept.seek(0)
        shown = b"".join(line for line in kept if wanted.match(line))
        kept.close()
        if shown:
            os.write(2, shown)
