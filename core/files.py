"""Files that are there whole or not at all."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROCESS = uuid.uuid4().hex[:8]
"""In names of what is being written; numbers of processes repeat on the hosts that share a file system."""


def write(file: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, after a power cut too. Raises OSError.

    Its folder is made. Until it is whole it has another suffix, so that nobody takes it for one of its kind.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{file.name}.{PROCESS}.part")
    try:
        with aside.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)


@contextmanager
def written_aside(target: Path) -> Iterator[Path]:
    """Give a hidden path beside the target, with its suffixes, at which a file or folder is to be written.

    It becomes the target, in the place of a former one, when the block ends without an error; else it is removed. A
    file is on the disk before it has its name. The target's folder is made. Raises OSError.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{PROCESS}.part.{target.name}")
    _remove(aside)
    try:
        yield aside
        if aside.is_file():
            with aside.open("rb+") as stream:
                os.fsync(stream.fileno())
        if target.is_dir():
            _remove(target)
        aside.replace(target)
    finally:
        _remove(aside)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
