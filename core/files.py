"""Files that are there whole or not at all."""

import os
from pathlib import Path


def write(file: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, after a power cut too. Raises OSError.

    Its folder is made.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with aside.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)
