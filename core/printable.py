"""Text of files of others, as a terminal and a spreadsheet may be given it."""

import re
from typing import Any, TextIO

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def printable(text: str) -> str:
    """The text with escapes in the place of what steers a terminal or turns the direction of what follows.

    Line ends and tabs stay. Halves of characters (surrogates), as names of files may hold them, are escaped too.
    """
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def one_line_printable(text: str) -> str:
    """The same without line ends."""
    return printable(text.replace("\n", "\\n"))


def csv_cell(value: Any) -> Any:
    """A value for a cell of a CSV file: a text that a spreadsheet would compute has an apostrophe before it.

    Those are texts that begin with `=`, `+`, `-`, `@`, a tab or a carriage return (OWASP, CSV injection). Other values,
    numbers too, are given back as they are.
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


class PrintableStream:
    """A text stream that writes `printable` texts; all else is the stream's own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text; returns the number of its characters."""
        self._stream.write(printable(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
