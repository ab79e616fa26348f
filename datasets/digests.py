"""SHA-256 of the files of a data set, remembered by path, size and times so that files are read once."""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..core.errors import DataError
from ..core.files import write
from ..core.json_text import read_json

THREADS = 8
"""Files read at once; hashing releases Python's lock."""

CHUNK = 64
"""Files that a thread is handed at a time: handing over a small one takes longer than hashing it."""

SETTLED_NS = 2_000_000_000
"""A file that changed this shortly ago may change again within one tick of its file system's clock: not remembered."""

_BLOCK = 2**16

Facts = tuple[int, int, int]
"""Size, time of the last change of the content, time of the last change of anything, both in nanoseconds."""


class FileDigests:
    """Digests of files' contents.

    folder: where they are remembered between runs, one JSON file for each place that data lies in; None: in this
    process alone. A file counts as the one remembered while its path, size and both times are the same, so that one
    which was replaced with its old time of change put back (as rsync and cp -p do) is read again. A folder that cannot
    be written is no error: files are read again the next time.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._known: dict[str, tuple[Facts, str]] = {}
        self._loaded: set[Path] = set()

    def of(self, files: Sequence[Path]) -> dict[Path, str]:
        """The digest of each file. Raises DataError naming one that cannot be read."""
        facts = {file: _facts(file) for file in dict.fromkeys(files)}
        if not facts:
            return {}
        memory = self._memory(facts)
        self._load(memory)
        unknown = [file for file, found in facts.items() if self._known.get(str(file), (None, ""))[0] != found]
        with ThreadPoolExecutor(THREADS) as pool:
            chunks = [unknown[start : start + CHUNK] for start in range(0, len(unknown), CHUNK)]
            digests = [digest for part in pool.map(_digests, chunks) for digest in part]
        found = dict(zip(unknown, digests, strict=True))
        self._known |= {str(file): (facts[file], digest) for file, digest in found.items()}
        if found and memory is not None:
            self._save(memory, facts)
        return {file: self._known[str(file)][1] for file in facts}

    def _memory(self, files: Iterable[Path]) -> Path | None:
        if self._folder is None:
            return None
        folders = {os.path.dirname(file) for file in files}  # noqa: PTH120 Path.parent of 100,000 files takes a second
        place = os.path.commonpath([Path(folder).absolute() for folder in folders])
        return self._folder / f"{hashlib.sha256(place.encode()).hexdigest()[:16]}.json"

    def _load(self, memory: Path | None) -> None:
        if memory is None or memory in self._loaded:
            return
        self._loaded.add(memory)
        try:
            entries = read_json(memory)
            remembered = {path: ((size, made, moved), digest) for path, (size, made, moved, digest) in entries.items()}
        except (OSError, ValueError, AttributeError, TypeError):  # none yet, or damaged: the files themselves tell
            return
        self._known = {**remembered, **self._known}

    def _save(self, memory: Path, facts: dict[Path, Facts]) -> None:
        settled = time.time_ns() - SETTLED_NS
        entries = {
            str(file): [*found, self._known[str(file)][1]] for file, found in facts.items() if max(found[1:]) < settled
        }
        with contextlib.suppress(OSError):  # read-only or full: the next run reads the files again
            write(memory, json.dumps(entries).encode())


def _facts(file: Path) -> Facts:
    try:
        stat = file.stat()
    except OSError:
        raise DataError(f"{file} is not there any more; put it back or list the data set anew") from None
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def _digests(files: Sequence[Path]) -> list[str]:
    return [_digest(file) for file in files]


def _digest(file: Path) -> str:
    try:
        with file.open("rb", buffering=0) as stream:
            start = stream.read(_BLOCK)
            if len(start) < _BLOCK:  # most files are small, and `file_digest` clears a buffer of 256 KiB for each
                return hashlib.sha256(start).hexdigest()
            stream.seek(0)
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror}") from None
