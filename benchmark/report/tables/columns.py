"""How many columns a text takes where letters stand in columns, and how it is shortened to fewer."""

import re
import unicodedata
from collections.abc import Sequence

MORE = "…"

TAILS = (0.5, 0.35, 0.65, 0.2, 0.8)
"""Shares of a shortened name that its end may take, the first that keeps all names apart."""


def width(text: str) -> int:
    """Columns of a text: two for a wide letter (Chinese, Japanese, Korean), none for an accent of its own."""
    return sum(_width(mark) for mark in text)


def padded(text: str, columns: int, *, left: bool = True) -> str:
    """The text with blanks up to so many columns, behind it (`left`) or before it."""
    blanks = " " * max(0, columns - width(text))
    return text + blanks if left else blanks + text


def shortened(text: str, columns: int, tail: float = TAILS[0]) -> str:
    """The text in at most so many columns, its middle replaced by `…`; `tail` is the share that the end keeps."""
    if width(text) <= columns:
        return text
    room = max(0, columns - 1)
    end = _taken(text[::-1], int(tail * room))[::-1]
    start = _taken(text, room - width(end))
    return f"{start.rstrip()}{MORE}{end.lstrip()}"


def shortened_apart(names: Sequence[str], columns: int) -> list[str]:
    """Each name in at most so many columns, without its first options, else without its middle.

    Names that differ still do, by a number where nothing else is left.
    """
    wanted = len(set(names))
    short = [_by_options(name, columns) for name in names]
    if len(set(short)) == wanted:
        return short
    for tail in TAILS:
        short = [shortened(name, columns, tail) for name in names]
        if len(set(short)) == wanted:
            return short
    numbers = {name: index for index, name in enumerate(dict.fromkeys(names), 1)}
    return [f"{shortened(name, columns - width(f' {numbers[name]}'), 0.0)} {numbers[name]}" for name in names]


def wrapped(text: str, columns: int, indent: str = "") -> list[str]:
    """The text in lines of at most so many columns, broken between words; further lines are indented."""
    lines = [""]
    for word in re.split(r"[ \n\t]+", text.strip()):  # not at the blank that holds 5 and % together
        while True:
            blank = " " if lines[-1].strip() else ""
            if width(lines[-1] + blank + word) <= columns:
                lines[-1] += blank + word
                break
            if lines[-1].strip():
                lines.append(indent)
                continue
            start = _taken(word, columns - width(lines[-1]))  # a word longer than a line
            lines[-1] += start
            word = word[len(start) :]
    return lines


def _by_options(name: str, columns: int) -> str:
    """`unet(…, width=16)` or `encoder_unet(…mobilenet_v2)`: the last options that fit, else no middle."""
    base, bracket, inside = name.partition("(")
    options = inside.removesuffix(")").split(", ")
    shorter = [f"{base}({MORE}, {', '.join(options[at:])})" for at in range(1, len(options))]
    shorter.append(f"{base}({MORE}{options[-1].rpartition('=')[2]})")
    fitting = [text for text in shorter if width(text) <= columns] if bracket and name.endswith(")") else []
    return name if width(name) <= columns else fitting[0] if fitting else shortened(name, columns)


def _width(mark: str) -> int:
    if unicodedata.combining(mark):
        return 0
    return 2 if unicodedata.east_asian_width(mark) in "WF" else 1


def _taken(text: str, columns: int) -> str:
    """The longest beginning of the text in at most so many columns."""
    used = 0
    for index, mark in enumerate(text):
        used += _width(mark)
        if used > columns:
            return text[:index]
    return text
