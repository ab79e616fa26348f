"""`unetbench update`."""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...core.errors import SpecError, StoreError
from ...core.record import Record, finite
from ..deploy.trained_trial import WEIGHTS, find_record
from ..records.claims import Claims
from ..records.machine import now, provenance
from ..records.store import Store, read
from ..records.updates import UNDO, UPDATE, Decision, Line, is_pointer, line_of, lines_at, name_of, pointed
from ..sweep.continual import method
from ..trial.later import FIRST
from ..update.compared import compared, frozen
from ..update.derive import update_trial
from ..update.gate import LEVEL, both, checked_margin, checked_measure, judged
from ..update.new_data import new_data
from .derived_trial import run_derived, trained_record
from .trials import context_of, keyed
from .update_text import decided, listed

CLAIM = "decision"
"""The claim on a line of updates; whoever has it decides next."""

NAME = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""Of a line, which becomes a folder."""


def update(options: argparse.Namespace) -> int:
    """Train a model further on new data and put it in place if it passes the gate; 0 when it is in place.

    With --undo the model before is in place again, with --list nothing is done.
    """
    if (options.new_data is None) != (options.undo or options.list) or (options.undo and options.list):
        raise SpecError("update: give one of NEW_DATA, the data set to learn, --undo and --list")
    if options.reason and not options.undo:
        raise SpecError("update: --reason goes with --undo")
    record, _ = find_record(options.model)
    place = _record_file(options.model, record)
    line = _line(place, options)
    if options.list:
        return _list(line, options)
    return _undo(line, options) if options.undo else _update(line, place, options)


def _update(line: Line, place: Path, options: argparse.Namespace) -> int:
    parent = trained_record(place, "it cannot be updated")
    _check_current(line, place)
    _check_here(parent, line)
    reading = checked_measure(options.metric, parent.scores)
    margin = checked_margin(options.margin, reading)
    wanted, method_of = new_data(options.new_data, parent.trial), _method(options)
    trial, opened, arrived = update_trial(parent.trial, wanted, method_of, context_of(line.sweep, options))
    with _claimed(line):
        line.mend()
        _check_current(line, place)
        record, store = run_derived(trial, place, options)
        if record.status != "done":
            print(f"{trial.label}: {record.status}: {record.reason}", file=sys.stderr)
            return 1
        parts = compared((parent, find_record(place)[1]), record, opened, arrived, reading)
        verdict = judged(parts[FIRST], margin)
        gate: dict[str, Any] = {"metric": reading.name, "better": reading.better, "margin": margin, "level": LEVEL}
        gate |= {"parts": {name: asdict(part) for name, part in parts.items()}}
        models = line.models()
        if len(models) > 1:  # else the margins of several updates would add up
            first = frozen(read(line.sweep / models[0]), record, opened, reading)
            gate["first_model"] = asdict(first)
            verdict = both(verdict, judged(first, margin, "the first model"))
        made = store.records / f"{trial.id}.json"
        decision = _decision(line, UPDATE, place, made, replaced=verdict.replaces, reason=verdict.reason, gate=gate)
    return _tell(line, decision, options)


def _undo(line: Line, options: argparse.Namespace) -> int:
    _last_two(line)  # before a folder is made for the claim
    with _claimed(line):
        line.mend()
        before, current = _last_two(line)
        trained_record(before, "it cannot be put in place again")
        decision = _decision(line, UNDO, current, before, replaced=True, reason=options.reason or "asked for")
    return _tell(line, decision, options)


def _last_two(line: Line) -> tuple[Path, Path]:
    """The records of the model before the current one, and of the current one. Raises SpecError without the former."""
    models = line.models()
    if len(models) < 2:
        raise SpecError(f"update --undo: nothing to take back; the first model of line {line.name} is in place")
    return line.sweep / models[-2], line.sweep / models[-1]


def _list(line: Line, options: argparse.Namespace) -> int:
    models, decisions = line.models(), line.decisions()
    if options.json:
        told = {"line": line.name, "current": models[-1] if models else None, "pointer": str(line.pointer)}
        print(json.dumps(finite({**told, "decisions": [asdict(one) for one in decisions]}), indent=2))
    else:
        print("\n".join(listed(line, models, decisions)))
    return 0


def _decision(
    line: Line, act: str, before: Path, model: Path, *, replaced: bool, reason: str, gate: dict[str, Any] | None = None
) -> Decision:
    """Write the next decision of a line and the pointer."""
    names = [name_of(before), name_of(model)]
    about = provenance()
    by = {"machine": about["machine"].get("name", ""), "versions": about["versions"], "git": about["git"]}
    number = len(line.decisions()) + 1
    decision = Decision(
        number, act, replaced, now(), reason, *names, current=names[int(replaced)], gate=gate or {}, by=by
    )
    line.add(decision)
    return decision


def _tell(line: Line, decision: Decision, options: argparse.Namespace) -> int:
    if options.json:
        told = {"line": line.name, "pointer": str(line.pointer), **asdict(decision)}
        print(json.dumps(finite(told), indent=2))
    else:
        print("\n".join(decided(line, decision)))
    return 0 if decision.replaced else 1


def _method(options: argparse.Namespace) -> dict[str, Any]:
    """How the new data are learnt, as `sweep.continual` has it. Raises SpecError."""
    given: dict[str, Any] = {"name": options.method, **keyed(options.set)}
    given |= {name: value for name in ("keep", "epochs", "rate") if (value := getattr(options, name)) is not None}
    return method(given, "update")


def _record_file(place: Path, record: Record) -> Path:
    """The file of the record that a record, weights or a pointer stand for."""
    if is_pointer(place):
        line = line_of(place)
        models = line.models()  # a pointer may be behind them, after a crash
        return line.sweep / models[-1] if models else pointed(place).resolve()
    place = place.resolve()
    if place.suffix == WEIGHTS:
        return place.parents[2] / "records" / place.parent.name / f"{record.trial.id}.json"
    return place


def _line(place: Path, options: argparse.Namespace) -> Line:
    """The line that a command line means. Raises SpecError where that is not one."""
    if is_pointer(options.model):
        line = line_of(options.model)
        if options.name and options.name != line.name:
            raise SpecError(f"update: --name {options.name}: {options.model} is of line {line.name}; leave --name out")
        return line
    if options.name:
        if not NAME.fullmatch(options.name):
            raise SpecError(f"update: --name {options.name!r}: use letters, digits and ._-, a letter or digit first")
        return line_of(place, options.name)
    found = lines_at(place)
    if len(found) > 1:
        raise SpecError(
            f"{options.model}: is in the lines {', '.join(line.name for line in found)}; say which one with --name, or "
            "give its current.json"
        )
    return found[0] if found else line_of(place, place.stem)


def _check_current(line: Line, place: Path) -> None:
    models = line.models()
    if models and models[-1] != name_of(place):
        raise SpecError(
            f"update: in line {line.name} {models[-1]} is in place, not {place.name}; give {line.pointer} to update "
            "that one, or --name for a line of its own"
        )


def _check_here(parent: Record, line: Line) -> None:
    store = Store.here(line.sweep.parent, line.sweep.name)
    if store.record_of(parent.trial.id, rows=False) is None:
        raise StoreError(
            f"update: {parent.trial.label} was trained on {parent.machine.get('name', 'another machine')}, this is "
            f"{store.machine}; run the update where the model was trained, or set UNETBENCH_MACHINE"
        )


@contextmanager
def _claimed(line: Line) -> Iterator[None]:
    """Let no other command decide for a line meanwhile. Raises StoreError where one does."""
    with Claims(line.folder / "claims") as claims:
        if not claims.take(CLAIM):
            other = claims.others().get(CLAIM)
            who = f" by process {other.process} on {other.host} since {other.since}" if other is not None else ""
            raise StoreError(f"update: line {line.name} is being updated{who}; wait for it")
        yield
