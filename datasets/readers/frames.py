"""An axis that is neither space nor, for certain, time or channels."""

from pathlib import Path

from ...core.errors import DataError
from .picture import Reading


def last_is_time(length: int, kind: str, file: Path, reading: Reading, *, note: str) -> tuple[bool, tuple[str, ...]]:
    """Whether an axis is points of time, and what to note where nobody said it. Raises DataError for time that is.

    kind: `time`, `channels`, or "" where the file does not say it: then they are channels, noted, unless frames are
    asked for.
    """
    if length == 1 or kind == "channels" or reading.channels == "last":
        return False, ()
    if kind == "time" and reading.pages == "volume":
        raise DataError(
            f"{file}: has an axis of time ({length} frames); say `pages: frames` to make a case of each, or "
            "`channels: last` if they are channels"
        )
    if kind == "time" or reading.pages == "frames":
        return True, ()
    return False, (note,)
