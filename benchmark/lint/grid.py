"""What the readers give: a grid of printed cells with its header rows, before anybody knows what a column means."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Printed:
    """A cell as it is printed, without its markup. span, rows: columns and rows that it covers."""

    text: str
    line: int
    bold: bool = False
    underlined: bool = False
    span: int = 1
    rows: int = 1


@dataclass
class GridRow:
    """One row. block: which part of the table, between two rules or headings, it stands in; section: that heading."""

    cells: list[Printed]
    block: int = 0
    section: str = ""


@dataclass
class PrintedTable:
    """A table as it is printed. line: where it begins; title: its caption or the heading above it."""

    line: int
    title: str
    header: list[list[Printed]]
    rows: list[GridRow] = field(default_factory=list)

    @property
    def headers(self) -> list[str]:
        """Each column's words, those of several header rows from the top down."""
        width = max(len(row) for row in [*self.header, *(row.cells for row in self.rows)])
        levels = [[*row, *([Printed("", 0)] * (width - len(row)))] for row in self.header]
        return [_joined([row[place].text for row in levels]) for place in range(width)]


def _joined(levels: Sequence[str]) -> str:
    """`Kvasir / Dice`; a unit alone, `(M)`, stands behind what is above it."""
    found = ""
    for text in dict.fromkeys(filter(None, levels)):
        found += (" " if text.startswith(("(", "[")) else " / ") * bool(found) + text
    return found


def spread_out(cells: Sequence[Printed], *, repeat: bool) -> list[Printed]:
    """One cell a column: what covers several is repeated in each, or stands in the first, with empty ones after it."""
    found = []
    for cell in cells:
        rest = replace(cell, span=1) if repeat else Printed("", cell.line)
        found += [cell, *([rest] * (cell.span - 1))]
    return found


def fill_down(rows: Sequence[GridRow]) -> None:
    """Write what covers several rows into the empty cells below it."""
    for top, row in enumerate(rows):
        for place, cell in enumerate(row.cells):
            for below in rows[top + 1 : top + cell.rows]:
                if place < len(below.cells) and not below.cells[place].text:
                    below.cells[place] = replace(cell, line=below.cells[place].line, rows=1)


def sectioned(rows: Sequence[GridRow], width: int) -> list[GridRow]:
    """The rows without the headings between them, which become their section and begin a block."""
    found, section, more = [], "", 0
    for row in rows:
        words = [cell for cell in row.cells if cell.text.strip()]
        alone = len(words) == 1 and width > 2 and words[0] is row.cells[0] and not words[0].text[:1].isdecimal()
        if alone:
            section, more = words[0].text, more + 1
        elif words:
            found.append(GridRow(row.cells, row.block + more, section))
    return found
