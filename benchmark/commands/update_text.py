"""What `unetbench update` prints."""

import math
from collections.abc import Sequence
from typing import Any

from ...core.measure import Measure, measure
from ..records.updates import UNDO, Decision, Line
from ..trial.later import FIRST
from ..update.gate import Difference

FROZEN = "frozen test set"
"""What the test cases of the first data set are called."""


def decided(line: Line, decision: Decision) -> list[str]:
    """What was decided and why, and which model is in place."""
    undone = decision.act == UNDO
    lines = [f"taken back: {decision.before}"] if undone else [*_table(decision.gate), _verdict(decision)]
    return [*lines, f"in place: {decision.current}", f"which {line.pointer} stands for"]


def listed(line: Line, models: Sequence[str], decisions: Sequence[Decision]) -> list[str]:
    """Every decision of a line, and which model is in place."""
    if not models:
        return [f"line {line.name}: nothing was decided yet"]
    lines = [f"first model: {models[0]}"]
    for one in decisions:
        what = "taken back" if one.act == UNDO else "replaced" if one.replaced else "not replaced"
        model = one.before if one.act == UNDO else one.model
        lines.append(f"{one.number} · {one.time} · {what} · {model} · {one.reason}")
    return [*lines, f"in place: {models[-1]}", f"which {line.pointer} stands for"]


def _verdict(decision: Decision) -> str:
    return f"{'replaced' if decision.replaced else 'not replaced'}: {decision.reason}"


def _table(gate: dict[str, Any]) -> list[str]:
    """Old and new model on each part of the test cases, a line each."""
    reading = measure(gate["metric"])
    parts = {name: _of_json(told) for name, told in gate["parts"].items()}
    newest = list(parts)[-1]
    titles = {name: f"{name}, new data" if name == newest else name for name in parts} | {FIRST: FROZEN}
    rows = [["", "cases", "groups", "old", "new", f"gain in {reading.title} [95 %]"]]
    rows += [_row(titles[name], part, reading) for name, part in parts.items()]
    if "first_model" in gate:
        rows.append(_row(f"{FROZEN}, first model", _of_json(gate["first_model"]), reading))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [_line(row, widths) for row in rows]


def _row(title: str, part: Difference, reading: Measure) -> list[str]:
    return [title, str(part.cases), str(part.groups), reading.text(part.old), reading.text(part.new), part.brief]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    numbers = [cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1], strict=True)]
    return "  ".join([row[0].ljust(widths[0]), *numbers, row[-1]]).rstrip()


def _of_json(told: dict[str, Any]) -> Difference:
    known = {name: math.nan if value is None else value for name, value in told.items()}
    return Difference(**{**known, "missing": tuple(told["missing"])})
