"""A comparison table in the width of a terminal: what differs, rank, Dice, cost, what is not done, and what matters."""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from ....core.measure import measure
from ..frame import PRIMARY
from .columns import padded, shortened, shortened_apart, width, wrapped
from .micro_batches import micro_batch_remarks
from .notes import data_notes, older_remarks, rank_remarks, seed_remarks, shared_facts, undefined_remarks
from .row import Row
from .summary import ComparisonTable
from .table import NO_SCORE, STATUS_WORDS, UNDEFINED, digits, interval_text, prefix, rank_text, score_text

USUAL, NARROWEST = 80, 40
"""Columns where there is no terminal, and the fewest that are drawn for."""

GAP = "  "
COMFORTABLE, SHORTEST = (24, 18), 8
"""Columns that names of models and losses should have before cost is left out for them, and those they must have."""

MOST = 6
"""Reasons of trials that are not done at most; the page has all."""


@dataclass(frozen=True)
class _Column:
    """A column of texts. name: words on the left, which may be shortened. spare: left out when room is short."""

    header: str
    cells: list[str]
    name: bool = False
    spare: bool = False

    @property
    def width(self) -> int:
        return max(width(text) for text in (self.header, *self.cells))


def columns_of(stream: TextIO) -> int:
    """Columns of the terminal behind a stream, those of $COLUMNS where it is set, 80 where there is none."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return int(given)
    try:
        return os.get_terminal_size(stream.fileno()).columns or USUAL
    except (OSError, ValueError):
        return USUAL


def terminal_text(tables: Sequence[ComparisonTable], columns: int) -> str:
    """The tables of a sweep, each with the notes that matter, and once what holds for all; no line over `columns`."""
    columns = max(columns, NARROWEST)
    notes = [_notes(table) for table in tables]
    machines = len({table.machine for table in tables})
    common = [note for note in notes[0] if all(note in others for others in notes)] if len(tables) > 1 else []
    parts = [
        "\n".join(
            [*_drawn(table, columns, machines > 1), *_wrapped([note for note in own if note not in common], columns)]
        )
        for table, own in zip(tables, notes, strict=True)
    ]
    return "\n\n".join([*parts, *(["\n".join(_wrapped(common, columns))] if common else [])]) + "\n"


def _drawn(table: ComparisonTable, columns: int, several: bool) -> list[str]:
    natural = _columns(table)
    fitted = _fitted(natural, columns)
    if any(one.width < min(other.width, SHORTEST) for one, other in zip(fitted, natural, strict=False) if one.name):
        fitted = _fitted(_columns(table, narrow=True), columns)
    widths = [column.width for column in fitted]
    lines = [
        GAP.join(padded(cell, wide, left=c.name) for cell, wide, c in zip(line, widths, fitted, strict=True)).rstrip()
        for line in zip(*([column.header, *column.cells] for column in fitted), strict=True)
    ]
    rule = "─" * (sum(widths) + len(GAP) * (len(widths) - 1))
    return [_title(table, columns, several), rule, lines[0], rule, *lines[1:], rule]


def _wrapped(notes: Sequence[str], columns: int) -> list[str]:
    return [line for note in notes for line in wrapped(note, columns, indent=GAP)]


def _title(table: ComparisonTable, columns: int, several: bool) -> str:
    """Name, what all rows share, numbers, machine, as far as there is room; of several machines that comes second."""
    models, losses = ({getattr(row, part) for row in table.rows} for part in ("model", "loss"))
    same = [*(models if len(models) == 1 and len(table.rows) > 1 else ()), *(losses if len(losses) == 1 else ())]
    cases, seeds = (max(getattr(row, part) for row in table.rows) for part in ("cases", "seeds"))
    scored = [_count(cases, "test case"), _count(seeds, "seed")] if table.compared else []
    parts = [table.subject, table.machine] if several else [table.subject]
    parts += [*same, *scored] if several else [*same, *scored, table.machine]
    while len(parts) > 1 and width(" · ".join(parts)) > columns:
        parts.pop()
    return shortened(" · ".join(parts), columns)


def _columns(table: ComparisonTable, *, narrow: bool = False) -> list[_Column]:
    """All that there is to show; `narrow`: Dice without its spread, counts as `1/3`."""
    rows, dice = table.rows, measure(PRIMARY)
    found = []
    if len({row.model for row in rows}) > 1 or len(rows) == 1:
        found.append(_Column("Model", [row.model for row in rows], name=True))
    if len({row.loss for row in rows}) > 1:
        found.append(_Column("Loss", [row.loss for row in rows], name=True))
    if any(row.rank for row in rows):
        found.append(_Column("Rank", [rank_text(row.rank) for row in rows]))
    blank = " " if any(row.collapsed for row in rows) else ""
    marks = ["†" if row.collapsed else blank for row in rows]
    means = [score_text(row) for row in rows]
    if narrow:
        means = [text if text == NO_SCORE else dice.text(row.dice.mean) for text, row in zip(means, rows, strict=True)]
    found.append(_Column(dice.title, [mean + mark for mean, mark in zip(means, marks, strict=True)]))
    if any(row.done < row.statuses.total() for row in rows):
        found.append(_Column("Status", [_status(row, "/" if narrow else " of ") for row in rows]))
    latencies = [row.latency(table.setting) for row in rows]
    spare = [
        _Column("95 % CI", [interval_text(row.dice, dice) for row in rows], spare=True),
        _Column("Latency", _with_unit([entry.median_s if entry else math.nan for entry in latencies], "s"), spare=True),
        _Column("Params", _with_unit([row.trainable for row in rows], ""), spare=True),
    ]
    return found + [column for column in spare if set(column.cells) != {UNDEFINED}]


def _fitted(columns: list[_Column], room: int) -> list[_Column]:
    """Without the last spare columns and with shorter names, as far as the room demands."""
    named = [column for column in columns if column.name]
    wanted = sum(min(column.width, most) for column, most in zip(named, COMFORTABLE, strict=False))
    while columns[-1].spare and wanted + _taken(columns) > room:
        columns = columns[:-1]
    left = room - _taken(columns)
    cut = dict(zip((column.header for column in named), _shares([c.width for c in named], left), strict=True))
    return [
        _Column(column.header, shortened_apart(column.cells, cut[column.header]), name=True) if column.name else column
        for column in columns
    ]


def _taken(columns: Sequence[_Column]) -> int:
    """What all but the names take."""
    return sum(column.width for column in columns if not column.name) + len(GAP) * (len(columns) - 1)


def _shares(widths: Sequence[int], room: int) -> list[int]:
    """Columns of each name; of two that do not fit, the second has two fifths or what the first leaves."""
    if len(widths) < 2 or sum(widths) <= room:
        return [min(wide, max(room, 4)) for wide in widths]
    second = min(widths[1], max(2 * room // 5, room - widths[0], 4))
    return [max(min(widths[0], room - second), 4), second]


def _status(row: Row, of: str) -> str:
    """`done`, `unfit`, `1 of 3 failed`."""
    missing = {name: count for name, count in row.statuses.items() if name != "done" and count}
    if not missing:
        return STATUS_WORDS["done"]
    what = STATUS_WORDS[next(iter(missing))] if len(missing) == 1 else "not done"
    return f"{sum(missing.values())}{of}{row.statuses.total()} {what}" if row.statuses.total() > 1 else what


def _with_unit(values: Sequence[float], unit: str) -> list[str]:
    factor, sign = prefix(values)
    return [UNDEFINED if math.isnan(value) else f"{digits(value / factor)} {sign}{unit}".rstrip() for value in values]


def _notes(table: ComparisonTable) -> list[str]:
    notes = [f"{name}: {text}" for name, text in shared_facts(table)]
    notes += [*rank_remarks(table, brief=True), *seed_remarks(table, brief=True)]
    notes += [
        f"† {row.label}: {row.collapsed_text}; the mean contains {'it' if len(row.collapsed) == 1 else 'them'}."
        for row in table.rows
        if row.collapsed
    ]
    notes += [
        *undefined_remarks(table),
        *_missing(table),
        *micro_batch_remarks(table, brief=True),
        *older_remarks(table),
    ]
    return [*notes, *(f"Data: {note}" for note in data_notes(table))]


def _missing(table: ComparisonTable) -> list[str]:
    """What is not done and why, one line a reason."""
    found: dict[tuple[str, str], list[str]] = {}
    for key, record in table.records.items():
        if record.status != "done":
            reason = record.reason or "no reason was recorded"
            found.setdefault((STATUS_WORDS[record.status], reason), []).append(table.row_of[key].label)
    lines = [
        f"{_count(len(labels), 'trial')} {status} ({_some(list(dict.fromkeys(labels)))}): {reason}"
        for (status, reason), labels in found.items()
    ]
    more = [f"{len(lines) - MOST} more reasons stand on the page."] if len(lines) > MOST else []
    return lines[:MOST] + more


def _some(labels: Sequence[str], most: int = 3) -> str:
    more = f" and {len(labels) - most} more" if len(labels) > most else ""
    return ", ".join(labels[:most]) + more


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("s" if number != 1 else "")
