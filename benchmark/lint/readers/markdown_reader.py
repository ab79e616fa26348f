"""Tables of Markdown with pipes, as GitHub has them."""

import html
import re

from ..grid import GridRow, Printed, PrintedTable, sectioned
from .latex_text import latex_text

_DELIMITER = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_BAR = re.compile(r"(?<!\\)\|")
_BOLD = re.compile(r"\*\*(?=\S).+?\*\*|__(?=\S).+?__|<(?:b|strong)>.*?</(?:b|strong)>", re.IGNORECASE)
_UNDERLINED = re.compile(r"<(?:u|ins)>.*?</(?:u|ins)>", re.IGNORECASE)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_RAISED = re.compile(r"<sup>.*?</sup>", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^>]*>")
_MATH = re.compile(r"\$([^$]+)\$")
_EMPHASIS = re.compile(r"(?<!\\)(?:\*\*|__|`)|(?<![\\\w])[*_](?=\S)|(?<=\S)(?<!\\)[*_](?!\w)")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")


def read_markdown(text: str, title: str) -> list[PrintedTable]:
    """Every table of the text, titled by the heading or line above it. What stands in a code block is no table."""
    lines = _without_code(text.splitlines())
    found, start = [], 0
    while start < len(lines) - 1:
        if _begins(lines[start], lines[start + 1]):
            end = start + 2
            while end < len(lines) and "|" in lines[end] and lines[end].strip():
                end += 1
            found.append(_table(lines, start, end, title))
            start = end
        else:
            start += 1
    return [table for table in found if table.rows]


def _without_code(lines: list[str]) -> list[str]:
    """The lines, those of fenced code blocks empty."""
    fence, kept = "", []
    for line in lines:
        mark = _FENCE.match(line)
        closes = mark is not None and mark[1] == fence
        kept.append("" if fence or mark else line)
        if mark and (not fence or closes):
            fence = "" if fence else mark[1]
    return kept


def _begins(header: str, delimiter: str) -> bool:
    if "|" not in header or "-" not in delimiter or not _DELIMITER.fullmatch(delimiter):
        return False
    return len(_cells(header, 0)) == len(_cells(delimiter, 0)) > 1


def _table(lines: list[str], start: int, end: int, title: str) -> PrintedTable:
    above = next((line.strip("#* ") for line in reversed(lines[:start]) if line.strip()), "")
    header = _cells(lines[start], start + 1)
    rows = [GridRow(_cells(lines[k], k + 1)) for k in range(start + 2, end)]
    return PrintedTable(start + 1, above or title, [header], sectioned(rows, len(header)))


def _cells(line: str, number: int) -> list[Printed]:
    inside = line.strip()
    inside = inside.removeprefix("|")
    if inside.endswith("|") and not inside.endswith("\\|"):
        inside = inside[:-1]
    return [_printed(text, number) for text in _BAR.split(inside)]


def _printed(source: str, line: int) -> Printed:
    bold, underlined = bool(_BOLD.search(source)), bool(_UNDERLINED.search(source))
    source = _LINK.sub(r"\1", _RAISED.sub("", source))
    maths = [latex_text(inside) for inside in _MATH.findall(source)]
    text = _MATH.sub(lambda found: latex_text(found[1]).text, source)
    text = _ESCAPE.sub(r"\1", _EMPHASIS.sub("", _TAG.sub(" ", text)))
    text = " ".join(html.unescape(text).split())
    return Printed(text, line, bold or any(part.bold for part in maths), underlined or any(m.underlined for m in maths))
