"""The numbers of a published table, with the intervals that it states or that can be reconstructed."""

import hashlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from ...core.errors import DataError, SpecError, unknown
from ..lint.cell import Cell
from ..lint.check import lint_table
from ..lint.meanings import QUANTITIES
from ..lint.readers.read import read_tables
from ..lint.table import Column, Options, Row, Table, read_table, scaled
from ..lint.typical import DEVIATIONS, typical_deviation
from ..records.published import Published, PublishedResult
from .mapping import ColumnKeys, Mapping

Interval = tuple[Literal["stated", "reconstructed", "none"], float | None, float | None, str]

BY_SPREAD = "mean ± 1.96 sd / √n with the stated sd over cases"
BY_TYPICAL = "mean ± 1.96 sd / √n with a usual sd, 0.25 √(m (1 - m))"


def published_results(file: Path, mapping: Mapping) -> Published:
    """Read the table that the mapping describes.

    An interval that a cell states is kept. Else it is reconstructed as mean ± 1.96 sd / √n where n is known: with the
    stated standard deviation where the mapping says that ± is over cases, for Dice and IoU without one with a usual
    one (see `lint.typical`); it ends where the score's range does. Cells without a number are left out. Raises
    DataError for a table that is not there or has none of its numbers, SpecError for a header or measure that is not.
    """
    said = {header: keys.measure for header, keys in mapping.columns.items()}
    for header, measure in said.items():
        if measure not in QUANTITIES:
            raise SpecError(f"columns.{header}.measure: {unknown('measure', measure, QUANTITIES)}")
    printed = read_tables(str(file))
    if len(printed) < mapping.table:
        raise DataError(f"{file.name}: table {mapping.table} is not there; it has {len(printed)}")
    options = Options(unit=mapping.unit, columns=said)
    table = read_table(printed[mapping.table - 1], file.name, options)
    results = tuple(_results(table, mapping))
    if not results:
        raise DataError(f"{file.name}: no number under {', '.join(said)}")
    doubts = tuple(found.text() for found in lint_table(table, options))
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Published(mapping.source, mapping.doi, file.name, digest, doubts, results)


def _results(table: Table, mapping: Mapping) -> Iterator[PublishedResult]:
    model = _place(table, mapping.model, "model")
    dataset = None if mapping.dataset_column is None else _place(table, mapping.dataset_column, "dataset_column")
    for header, keys in mapping.columns.items():
        place = _place(table, header, "columns")
        for column in (column for column in table.columns if column.place == place):
            for row in table.rows:
                if table.cell(row, column).number and row.cells[model].text:
                    named = row.cells[model].text, _dataset(row, mapping, keys, dataset)
                    yield _result(table.cell(row, column), column, named, keys, mapping)


def _place(table: Table, header: str, key: str) -> int:
    if header not in table.headers:
        raise SpecError(f"{key}: {unknown('column', header, table.headers)}")
    return table.headers.index(header)


def _dataset(row: Row, mapping: Mapping, keys: ColumnKeys, place: int | None) -> str:
    found = keys.dataset or (row.section if mapping.headings else "")
    found = found or ("" if place is None else row.cells[place].text) or mapping.dataset or ""
    if not found:
        raise SpecError(f"no data set for {row.label}: say dataset, dataset_column, headings: true, or one a column")
    return found


def _result(cell: Cell, column: Column, named: tuple[str, str], keys: ColumnKeys, mapping: Mapping) -> PublishedResult:
    model, dataset = named
    number, cases = scaled(cell, column), mapping.cases_of(dataset, keys)
    interval, low, high, how = _interval(cell, column, cases, mapping)
    return PublishedResult(
        model=model,
        dataset=dataset,
        measure=column.quantity.name,
        title=column.quantity.title,
        better=column.better,
        value=number.value,
        decimals=max(0, min(9, round(-math.log10(2 * number.half)))),
        cases=cases,
        interval=interval,
        low=low,
        high=high,
        how=how,
    )


def _interval(cell: Cell, column: Column, cases: int | None, mapping: Mapping) -> Interval:
    scale, mean = column.scales[0] * cell.factor, scaled(cell, column).value
    if cell.low and cell.high:
        return "stated", cell.low.value * scale, cell.high.value * scale, ""
    if cell.spread and mapping.spread is None:
        raise SpecError(f"spread is missing: say what the ± of {cell.text} is over: cases, seeds, folds or other")
    if cell.spread and mapping.spread == "cases" and cases:
        return "reconstructed", *_ends(mean, cell.spread.value * scale, cases, column), BY_SPREAD
    known = column.meaning.quantity in DEVIATIONS and 0 < mean < 1
    if cases and known:
        return "reconstructed", *_ends(mean, typical_deviation(mean), cases, column), BY_TYPICAL
    return "none", None, None, ""


def _ends(mean: float, deviation: float, cases: int, column: Column) -> tuple[float, float]:
    half = 1.96 * deviation / math.sqrt(cases)
    low, high = column.quantity.bounds
    low, high = (low, high) if low == low and high == high else (-math.inf, math.inf)
    return max(low, mean - half), min(high, mean + half)
