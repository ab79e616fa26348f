"""The errors a user can meet. Each message is one line: the thing, what came, what was possible, the fix."""

import difflib
import re
from collections.abc import Iterable

LONGEST_NAME = 200
"""Letters of an unknown name in a message."""

IN_A_GRAPH = "Graph execution error:"
"""How TensorFlow begins to tell an error of a traced step."""

_AROUND = re.compile(r'^(?:Detected at node .*| *File ".*", line \d+, in .*)$|\s*\[\[\{\{node .*', re.MULTILINE)
"""What stands in it before and after what went wrong: the stack, and names that no two processes share."""


class Stopped(SystemExit):
    """A trial ended after an epoch, its checkpoint written, because it was asked to."""


class UnetbenchError(Exception):
    """Any error that is the input's fault and not the program's; shown as one line, without a traceback."""

    def __str__(self) -> str:
        """One line, whatever line ends a name in it has."""
        return " ".join(super().__str__().splitlines())


class SpecError(UnetbenchError):
    """A sweep file, an option or a command line asks for something that is not there."""


class DataError(UnetbenchError):
    """An image, a mask or a whole data set cannot be used; the message names the file or the case."""


class Unfit(UnetbenchError):
    """A model, loss or recipe that cannot serve the task; the trial becomes a record of status `unfit`."""


class PartError(UnetbenchError):
    """A model, loss, metric, data set or runtime that does not do what parts of its kind must."""


class Unavailable(UnetbenchError):
    """A runtime, device or backend that is not here; the message says what to install."""


class ConversionError(UnetbenchError):
    """A network that a format cannot hold, or a file of it that does not load; the message names the layer if known."""


class Diverged(UnetbenchError):
    """Training produced a loss that is not finite; the message names the step and the cases of the batch."""


class OutOfMemory(UnetbenchError):
    """A training step does not fit into the memory of the device or the machine."""


class StoreError(UnetbenchError):
    """A result could not be read or written."""


class DamagedRecord(StoreError):
    """A file that should be a record is none, as after a fault of the disk."""


class FallbackWarning(UserWarning):
    """Something was done in the place of what was asked for, because that could not be had; shown as one line."""


def one_line(error: BaseException) -> str:
    """The error as one line of at most 500 characters; its type too when it is not one of ours."""
    if isinstance(error, UnetbenchError):
        return " ".join(str(error).split())[:500]
    text = str(error)
    if text.startswith(IN_A_GRAPH):
        text = _AROUND.sub("", text.removeprefix(IN_A_GRAPH).partition("\nHint: ")[0]).strip() or text
    return f"{type(error).__name__}: {' '.join(text.split())[:500]}"


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Return one line saying that `name` is unknown and which known names come nearest."""
    # A key of YAML may be a number; and the nearness of long texts takes very long to find.
    name, known = str(name)[:LONGEST_NAME], sorted(known)
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if near:
        return f"{what} {name!r} is unknown; did you mean {' or '.join(map(repr, near))}?"
    return f"{what} {name!r} is unknown; there are {', '.join(known) or 'none'}"
