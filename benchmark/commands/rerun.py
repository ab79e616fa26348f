"""`unetbench rerun`."""

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...core.errors import StoreError
from ...core.record import Record, finite
from ..deploy.trained_trial import find_record
from ..naming.labels import Labels
from ..records.machine import machine
from ..run.progress import Progress
from ..run.runner import Runner
from .trials import context_of

CLOCK = ("train_s", "validate_s")
"""What no two epochs share."""


def rerun(options: argparse.Namespace) -> int:
    """Run the trial of a record once more and compare; 0 when history, selection and scores are the same."""
    record, _ = find_record(options.record)
    if record.status != "done":
        raise StoreError(f"{options.record}: is {record.status}, so there are no numbers to compare with")
    sweep, threads = options.record.resolve().parents[2], record.machine.get("threads", 0)
    with tempfile.TemporaryDirectory(prefix="unetbench-rerun-") as folder:
        (Path(folder) / "recorded").symlink_to(sweep)  # in which the weights of a trial's parent are found
        share = 0 if threads == machine()["threads"] else threads  # of several workers each has its part
        context = replace(context_of(sweep, options), results=Path(folder), sweep="again", previews=0, threads=share)
        runner = Runner(context, progress=Progress(Labels({}), quiet=options.quiet))
        (again,) = runner.run([record.trial], settled=()).made
    if again.status != "done":
        raise StoreError(f"{options.record}: could not be run again: {again.reason}")
    apart = differences(record, again)
    found = {"same": not apart, "differences": apart, "setting": settings(record, again)}
    print(json.dumps(found, indent=2) if options.json else _text(record, found))
    return 0 if found["same"] else 1


def differences(record: Record, again: Record) -> list[str]:
    """What the second run gave otherwise, a sentence each; numbers count as the same to the last bit only."""
    found: list[str] = []
    epochs = [[_without_clock(row) for row in one.history] for one in (record, again)]
    first = next((k for k, (before, after) in enumerate(zip(*epochs, strict=False)) if before != after), None)
    if len(epochs[0]) != len(epochs[1]):
        found.append(f"{len(epochs[0])} epochs, now {len(epochs[1])}")
    if first is not None:
        before, after = epochs[0][first], epochs[1][first]
        name = next(name for name in {**before, **after} if before.get(name) != after.get(name))
        found.append(
            f"epoch {first + 1} is the first that differs: {name} {before.get(name)!r}, now {after.get(name)!r}"
        )
    if record.selection != again.selection:
        found.append(f"selection {_chosen(record)}, now {_chosen(again)}")
    if record.scores != again.scores:
        found.append(_scores(record, again))
    tested = [one.prediction.get("conditions") for one in (record, again)]
    if finite(tested[0]) != finite(tested[1]):
        found.append("scores of test cases that have some modalities alone")
    return found


def settings(record: Record, again: Record) -> list[str]:
    """What was otherwise when the record was made: machine, versions and code, where they tell."""
    found = [
        f"{name} {record.versions.get(name, 'none')}, now {again.versions.get(name, 'none')}"
        for name in {**record.versions, **again.versions}
        if record.versions.get(name) != again.versions.get(name)
    ]
    if record.machine.get("digest") != again.machine.get("digest"):
        found.append(f"machine {record.machine.get('name')}, now {again.machine.get('name')}")
    parts = [one.training.get("micro_batch", one.trial.recipe.batch) for one in (record, again)]
    if parts[0] != parts[1]:
        found.append(f"{parts[0]} patches computed at once, now {parts[1]}")
    commits = [_commit(one) for one in (record, again)]
    if commits[0] != commits[1]:
        found.append(f"code {commits[0] or 'unknown'}, now {commits[1] or 'unknown'}")
    return found


def _commit(record: Record) -> str:
    return record.git.get("commit", "")[:12] + (" with changes" if record.git.get("dirty") else "")


def _without_clock(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in CLOCK}


def _chosen(record: Record) -> str:
    return f"epoch {record.selection.get('epoch')} with threshold {record.selection.get('threshold')}"


def _scores(record: Record, again: Record) -> str:
    rows = [{(row["case"], row["class"]): row for row in one.scores} for one in (record, again)]
    differ = [key for key, row in rows[0].items() if row != rows[1].get(key)]
    means = [_dice(row.values()) for row in rows]
    return f"scores of {len(differ)} of {len(rows[0])} cases and classes; mean Dice {means[0]}, now {means[1]}"


def _dice(rows: Any) -> str:
    values = [row["dice"] for row in rows if row.get("dice") is not None]
    return f"{sum(values) / len(values):.6f}" if values else "undefined"


def _text(record: Record, found: dict[str, Any]) -> str:
    setting: Sequence[str] = found["setting"]
    if found["same"]:
        what = f"{len(record.history)} epochs, selection, {len(record.scores)} scores"
        lines = [f"{record.trial.label}: the same to the last bit: {what}"]
    else:
        lines = [f"{record.trial.label}: not the same", *(f"  {line}" for line in found["differences"])]
    lines += ["made in another setting:", *(f"  {line}" for line in setting)] if setting else []
    return "\n".join(lines)
