"""Tables of LaTeX: tabular and its kin, with booktabs, multicolumn and multirow."""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from ..cell import read_cell
from ..grid import GridRow, Printed, PrintedTable, fill_down, sectioned, spread_out
from .latex_text import Macro, group_end, latex_text

_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%[^\n]*")
_BEGIN = re.compile(
    r"\\begin\{(tabular\*?|tabularx|tabulary|longtable|array|tblr|NiceTabular|xltabular|supertabular)\}"
)
_FLOAT = re.compile(r"\\begin\{(?:side)?(?:wrap)?(?:long)?table\*?\}|\\end\{(?:side)?(?:wrap)?(?:long)?table\*?\}")
_DEFINITION = re.compile(
    r"\\(?:(?:re|provide)?newcommand\*?|providecommand\*?|DeclareRobustCommand\*?)\s*\{?\\([A-Za-z]+)\}?\s*(?:\[(\d)\])?\s*"
    r"|\\def\s*\\([A-Za-z]+)((?:#\d)*)\s*"
)
_RULE = re.compile(
    r"\s*\\(toprule|midrule|bottomrule|hline|Xhline|specialrule|hdashline)(?![A-Za-z])(?:\s*[\[{][^\]}]*[\]}])*"
)
_NOISE = re.compile(
    r"\s*\\(?:cline|cmidrule|addlinespace|rowcolor|arrayrulecolor|noalign|morecmidrules|endhead|endfirsthead|endfoot|"
    r"endlastfoot|centering|small|footnotesize|scriptsize|setlength|label|caption|cdashline)(?![A-Za-z])"
    r"(?:\s*[\[({][^\])}]*[\])}])*"
)
_TWO_ARGUMENTS = {"tabular*", "tabularx", "tabulary", "xltabular"}


def read_latex(text: str, title: str) -> list[PrintedTable]:
    """Every tabular of the text, titled by its caption. Commands that the file defines are expanded in the cells."""
    text = _COMMENT.sub(r"\1", text)
    macros = _macros(text)
    found, place = [], 0
    while begin := _BEGIN.search(text, place):
        start, end = _inside(text, begin)
        place = max(end, begin.end())
        if table := _table(text, start, end, _caption(text, begin.start(), macros) or title, macros):
            found.append(table)
    return found


def _macros(text: str) -> dict[str, Macro]:
    found = {}
    for defined in _DEFINITION.finditer(text):
        start = defined.end()
        if text[start : start + 1] == "{":
            count = int(defined[2] or 0) if defined[1] else (defined[4] or "").count("#")
            found[defined[1] or defined[3]] = Macro(count, text[start + 1 : group_end(text, start) - 1])
    return found


def _inside(text: str, begin: re.Match[str]) -> tuple[int, int]:
    """Where the rows begin, after the description of the columns, and where the environment ends."""
    place = begin.end()
    for _ in range(2 if begin[1] in _TWO_ARGUMENTS else 1):
        place = _after_options(text, place)
        if text[place : place + 1] == "{":
            place = group_end(text, place)
    depth = 1
    for mark in re.finditer(rf"\\(begin|end)\{{{re.escape(begin[1])}\}}", text[place:]):
        depth += 1 if mark[1] == "begin" else -1
        if not depth:
            return place, place + mark.start()
    return place, len(text)


def _after_options(text: str, place: int) -> int:
    options = re.compile(r"\s*(?:\[[^\]]*\]\s*)*").match(text, place)
    return options.end() if options else place


def _caption(text: str, place: int, macros: Mapping[str, Macro]) -> str:
    """The caption of the float around the place."""
    marks = [(0, "", 0), *((m.start(), m[0], m.end()) for m in _FLOAT.finditer(text)), (len(text), "", len(text))]
    for (start, name, _), (end, _, _) in pairwise(marks):
        if start <= place < end and name.startswith(r"\begin"):
            found = re.compile(r"\\caption\*?(?:\[[^\]]*\])?\{").search(text, start, end)
            if found:
                stop = group_end(text, found.end() - 1)
                return latex_text(text[found.end() : stop - 1], macros).text
    return ""


def _table(text: str, start: int, end: int, title: str, macros: Mapping[str, Macro]) -> PrintedTable | None:
    rows: list[list[Printed]] = []
    rules: list[int] = []
    for offset, source in _rows(text[start:end]):
        line = text.count("\n", 0, start + offset) + 1
        count, rest, skipped = _rules(source)
        if count:
            rules.append(len(rows))
        line += source.count("\n", 0, skipped)
        if rest.strip():
            rows.append([_printed(piece, line + rest.count("\n", 0, at), macros) for at, piece in _cells(rest)])
    if len(rows) < 2 or max(map(len, rows)) < 2:
        return None
    top = _header_rows(rows, rules)
    width = max(sum(cell.span for cell in row) for row in rows)
    header = [spread_out(row, repeat=True) for row in rows[:top]]
    body = [GridRow(spread_out(row, repeat=False), block) for row, block in _blocks(rows, rules, top)]
    fill_down(body)
    return PrintedTable(rows[0][0].line, title, header, sectioned(body, width))


def _rules(source: str) -> tuple[int, str, int]:
    """How many full rules stand before the row, the row without them, and how many letters were passed over."""
    count, place = 0, 0
    while True:
        rule, noise = _RULE.match(source, place), _NOISE.match(source, place)
        if rule is None and noise is None:
            return count, source[place:], place
        count += rule is not None
        place = (rule or noise).end()  # pyright: ignore[reportOptionalMemberAccess]


def _rows(source: str) -> Iterator[tuple[int, str]]:
    r"""The rows, split at `\\` outside of braces and inner environments, with their places."""
    for start, end in _split(source, r"\\"):
        piece = source[start:end]
        option = re.match(r"\s*\*?\s*\[\s*-?[\d.]+\s*[a-z\\]+\s*\]|\*", piece) if start else None
        skip = option.end() if option else 0
        yield start + skip, piece[skip:]


def _cells(row: str) -> Iterator[tuple[int, str]]:
    for start, end in _split(row, "&"):
        yield start, row[start:end]


def _split(source: str, mark: str) -> Iterator[tuple[int, int]]:
    depth, start, place = 0, 0, 0
    while place < len(source):
        step = 1
        if source.startswith(mark, place) and not depth:
            yield start, place
            start = place + len(mark)
            step = len(mark)
        elif source[place] == "\\":
            inner = re.compile(r"\\(begin|end)\{").match(source, place)
            depth += {"begin": 1, "end": -1}[inner[1]] if inner else 0
            step = 2
        elif source[place] in "{}":
            depth = max(0, depth + (1 if source[place] == "{" else -1))
        place += step
    yield start, len(source)


def _printed(source: str, line: int, macros: Mapping[str, Macro]) -> Printed:
    line += source[: len(source) - len(source.lstrip())].count("\n")
    found = latex_text(source, macros)
    return Printed(found.text, line, found.bold, found.underlined, found.span, found.rows)


def _header_rows(rows: list[list[Printed]], rules: list[int]) -> int:
    """How many rows are header: up to the first rule below one, and as long as columns are still divided."""
    top = next((place for place in rules if 0 < place < len(rows)), 1)
    while (
        top < len(rows) - 1
        and any(cell.span > 1 for cell in rows[top - 1])
        and not any(read_cell(cell.text) for cell in rows[top])
    ):
        top += 1
    return top


def _blocks(rows: list[list[Printed]], rules: list[int], top: int) -> Iterator[tuple[list[Printed], int]]:
    """The rows below the header with their blocks; rules after nearly every row divide nothing."""
    inner = [place for place in rules if top < place < len(rows)]
    divided = len(inner) < 0.6 * (len(rows) - top - 1) if len(rows) - top > 2 else False
    for place in range(top, len(rows)):
        yield rows[place], sum(rule <= place for rule in inner) if divided else 0
