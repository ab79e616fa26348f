"""A table whose columns are understood, as the rules see it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from statistics import median
from typing import Literal

from ...core.errors import SpecError, unknown
from ...core.measure import Measure
from .cell import Cell, Number, has_decimal_commas, read_cell
from .grid import GridRow, PrintedTable
from .meanings import QUANTITIES, Meaning, understand

PERCENT = 0.01


@dataclass(frozen=True)
class Options:
    """What a user says of tables.

    n: cases. aggregate: how scores were averaged. unit: of shares, told from the numbers by default. size: of the image
    that costs are of. columns: quantity by header.
    """

    n: int | None = None
    aggregate: str = "unknown"
    unit: str = "auto"
    size: tuple[int, ...] = ()
    columns: dict[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Column:
    """A column that was understood.

    place: in the row. meaning: what its header says. scales: factors that its numbers may have to be shares, one unless
    nobody can know whether they are percentages.
    """

    place: int
    header: str
    meaning: Meaning
    scales: tuple[float, ...] = (1.0,)

    @property
    def quantity(self) -> Measure:
        """The measure that it holds."""
        return QUANTITIES[self.meaning.quantity]

    @property
    def share(self) -> bool:
        """Whether it holds numbers within a range of at most 2, which are often printed as percentages."""
        low, high = self.quantity.bounds
        return self.quantity.unit == "" and math.isfinite(low) and math.isfinite(high) and high - low <= 2

    @property
    def certain(self) -> bool:
        """Whether it is known what its numbers are to be multiplied by."""
        return len(self.scales) == 1

    @property
    def better(self) -> Literal["higher", "lower", "none"]:
        """`higher`, `lower` or `none`: by an arrow in the header, else that of the measure."""
        return self.meaning.arrow or self.quantity.better


@dataclass(frozen=True)
class Row:
    """A row. key: what names it, the cells of the columns that hold no quantity, and its section."""

    cells: tuple[Cell, ...]
    block: int
    section: str
    key: tuple[str, ...]

    @property
    def line(self) -> int:
        """Of the file."""
        return next((cell.line for cell in self.cells if cell.line), 0)

    @property
    def label(self) -> str:
        """How findings name it."""
        words = [text for text in self.key if text.strip(" –—-") and not read_cell(text)]
        return " · ".join(filter(None, (self.section, *words[:3]))) or f"line {self.line}"


@dataclass(frozen=True)
class Table:
    """columns: those understood; ignored: headers of those with numbers that were not."""

    file: str
    line: int
    title: str
    headers: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    ignored: tuple[str, ...] = ()

    def of(self, *quantities: str, role: str = "mean") -> Iterator[Column]:
        """The columns of these quantities, those of means unless said otherwise."""
        yield from (c for c in self.columns if c.meaning.quantity in quantities and c.meaning.role == role)

    def cell(self, row: Row, column: Column) -> Cell:
        """The cell; an empty one where the row is short."""
        return row.cells[column.place] if column.place < len(row.cells) else Cell()

    def cases(self, row: Row, options: Options) -> int | None:
        """How many cases the row's numbers are of: by its column, else as the user said."""
        for column in self.of("n"):
            number = self.cell(row, column).number
            if number and number.value >= 1 and number.value == round(number.value):
                return int(number.value)
        return options.n


def read_table(printed: PrintedTable, file: str, options: Options) -> Table:
    """The table with its columns understood; one with quantities in its rows is turned first.

    Raises SpecError where `options.columns` names a quantity that there is not.
    """
    headers, rows = printed.headers, printed.rows
    if _lies(headers, rows):
        headers, rows = _turned(headers, rows)
    comma = has_decimal_commas([cell.text for row in rows for cell in row.cells])
    cells = [_cells(row, comma) for row in rows]
    columns, ignored = [], []
    for place, header in enumerate(headers):
        meaning = _meaning(header, options)
        if not any(_numeric(row, place) for row in cells):
            continue
        if meaning.quantity or meaning.role == "interval":
            columns.append(Column(place, header, meaning))
        else:
            ignored.append(header or f"column {place + 1}")
    cells = _folded(columns, cells)
    taken = {column.place for column in columns}
    columns = [column for column in columns if column.meaning.role in ("mean", "other")]
    columns = _with_scales(columns, cells, options.unit)
    built = [
        Row(tuple(line), row.block, row.section, tuple(c.text for place, c in enumerate(line) if place not in taken))
        for line, row in zip(cells, rows, strict=True)
    ]
    shown = tuple(headers)
    return Table(file, printed.line, printed.title, shown, tuple(columns), tuple(built), tuple(ignored))


def _lies(headers: Sequence[str], rows: Sequence[GridRow]) -> bool:
    """Whether the quantities stand in the first column and not in the header."""
    across = sum(bool(understand(header).quantity) for header in headers[1:])
    names = [row.cells[0].text for row in rows if row.cells]
    return not across and sum(bool(understand(name).quantity) for name in names) >= 2


def _turned(headers: list[str], rows: list[GridRow]) -> tuple[list[str], list[GridRow]]:
    width = min(len(row.cells) for row in rows)
    found = []
    for place in range(1, min(width, len(headers))):
        name = replace(rows[0].cells[place], text=headers[place], bold=False, underlined=False)
        found.append(GridRow([name, *(row.cells[place] for row in rows)]))
    names = [f"{row.section} / {row.cells[0].text}" if row.section else row.cells[0].text for row in rows]
    return [headers[0], *names], found


def _cells(row: GridRow, comma: bool) -> list[Cell]:
    return [Cell(c.text, c.line, c.bold, c.underlined, **read_cell(c.text, decimal_comma=comma)) for c in row.cells]


def _numeric(row: Sequence[Cell], place: int) -> bool:
    return place < len(row) and bool(row[place].number or row[place].low or row[place].of)


def _meaning(header: str, options: Options) -> Meaning:
    """By the user's word, else by the header."""
    said = options.columns.get(header)
    if said is None:
        return understand(header)
    if said in ("", "-"):
        return Meaning()
    if said not in QUANTITIES:
        raise SpecError(f"lint: {unknown('quantity', said, QUANTITIES)}")
    return replace(understand(header), quantity=said, role="mean")


def _folded(columns: Sequence[Column], rows: Sequence[list[Cell]]) -> list[list[Cell]]:
    """The rows, whose means have the spreads and interval ends that stand in columns of their own."""
    rows = [list(row) for row in rows]
    for place, column in enumerate(columns):
        mean = _mean_of(columns, place)
        if mean is None:
            continue
        for row in rows:
            if max(mean.place, column.place) < len(row):
                row[mean.place] = _with(row[mean.place], row[column.place], column.meaning.role)
    return rows


def _mean_of(columns: Sequence[Column], place: int) -> Column | None:
    """The column of means that a column of spreads or of interval ends belongs to."""
    column = columns[place]
    if column.meaning.role == "interval":
        before = columns[place - 1] if place else None
        near = before is not None and before.place == column.place - 1 and before.meaning.role == "mean"
        return before if near else None
    if column.meaning.role not in ("sd", "low", "high"):
        return None
    same = (column.meaning.quantity, column.meaning.apart)
    found = [c for c in columns if c.meaning.role == "mean" and (c.meaning.quantity, c.meaning.apart) == same]
    return found[0] if len(found) == 1 else None


def _with(cell: Cell, other: Cell, role: str) -> Cell:
    if role == "interval":
        return replace(cell, low=other.low or cell.low, high=other.high or cell.high)
    name = {"sd": "spread", "low": "low", "high": "high"}[role]
    return replace(cell, **{name: other.number or getattr(cell, name)})


def _with_scales(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], unit: str) -> list[Column]:
    """The columns with what their numbers are to be multiplied by.

    A column of shares is of percentages where a % stands in its header or its cells, or where the median of its numbers
    is above 1. One without either is of fractions, unless another of the table is of percentages without saying so.
    """
    plain = {c.place: _scale(c, rows, unit) for c in columns}
    silent = any(scale == PERCENT and not said for c in columns if c.share for scale, said in [plain[c.place]])
    found = []
    for column in columns:
        scale, said = plain[column.place]
        doubtful = column.share and silent and scale == 1 and not said and column.meaning.quantity != "p"
        found.append(replace(column, scales=(scale, PERCENT) if doubtful else (scale,)))
    return found


def _scale(column: Column, rows: Sequence[Sequence[Cell]], unit: str) -> tuple[float, bool]:
    """The factor, and whether it was said and not only told from the numbers."""
    if not column.share:
        return column.meaning.factor, True
    if column.meaning.quantity == "p":
        return 1.0, True
    if unit != "auto":
        return PERCENT if unit == "percent" else 1.0, True
    cells = [row[column.place] for row in rows if column.place < len(row) and row[column.place].number]
    if column.meaning.percent or any(cell.percent for cell in cells):
        return PERCENT, True
    values = [abs(cell.number.value) for cell in cells]
    return (PERCENT, False) if values and median(values) > 1 else (1.0, False)


def readings(cells: Sequence[Cell], columns: Sequence[Column]) -> list[tuple[float, ...]]:
    """What the numbers of some columns in one row may have to be multiplied by, together.

    That is as their columns are read, or with every number up to 1 that has two decimals or more taken for a fraction.
    """
    found = list(product(*(column.scales for column in columns)))
    small = [abs(cell.number.value) <= 1 and cell.number.half < 0.01 and not cell.percent for cell in cells]
    mixed = [tuple(1.0 if low else scale for scale, low in zip(scales, small, strict=True)) for scales in found]
    return list(dict.fromkeys([*found, *mixed]))


def scaled(cell: Cell, column: Column, scale: float | None = None) -> Number:
    """The cell's number in the unit of the quantity."""
    return cell.number.scaled((scale or column.scales[0]) * cell.factor)
