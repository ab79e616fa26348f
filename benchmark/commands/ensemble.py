"""`unetbench ensemble`."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...core.errors import SpecError
from ...core.measure import measure
from ...core.record import Record
from ...core.trial import Trial
from ..records.store import Store
from ..sweep.ensembles import check_copies, derived
from .derived_trial import run_derived, trained_record


def ensemble(options: argparse.Namespace) -> int:
    """Make one network of trained trials, score and time it, and keep record and weights beside theirs; 0 when done."""
    trial = _trial([trained_record(place, "it can be no member").trial for place in options.trials], options)
    record, store = run_derived(trial, options.trials[0], options)
    print(_json(record, store) if options.json else _text(record, store))
    return 0 if record.status == "done" else 1


def _trial(members: Sequence[Trial], options: argparse.Namespace) -> Trial:
    """The trial that the command line asks for, as a step of a sweep file makes it. Raises SpecError."""
    ids = [one.id for one in members]
    twice = next((one for index, one in enumerate(members) if one.id in ids[:index]), None)
    if twice is not None:
        raise SpecError(f"ensemble: {twice.label} is there twice; its weight is chosen by --choose greedy")
    if len(members) == 1 and not options.copies:
        raise SpecError("ensemble: one trial is no ensemble; give two or more, or --copies mirror")
    untrained = next((one for one in members if one.is_untrained), None)
    if untrained is not None:
        raise SpecError(f"ensemble: {untrained.label} is an ensemble itself; give the trials that it is made of")
    if options.choose != "greedy" and (options.rounds is not None or options.most is not None):
        raise SpecError("ensemble: --rounds and --most go with --choose greedy")
    if options.copies:
        check_copies(options.copies, members[0].recipe, "ensemble: --copies")
    chosen: dict[str, Any] = {"copies": options.copies, "rounds": options.rounds, "most": options.most}
    chosen |= {"mean": options.mean if options.mean != "probabilities" else None}
    chosen |= {"choose": options.choose if options.choose != "all" else None}
    axes = {
        "seeds": {one.seed for one in members},
        "models": {one.model.canonical for one in members},
        "losses": {one.loss.canonical for one in members},
    }
    over = [axis for axis, values in axes.items() if len(values) > 1]
    told = {name: value for name, value in chosen.items() if value is not None}
    return derived(members, "ensemble", {**told, **({"over": over} if over else {})})


def _text(record: Record, store: Store) -> str:
    if record.status != "done":
        return f"{record.trial.label}: {record.status}: {record.reason}"
    text = measure("dice").text
    lines = [f"{record.trial.label}: validation {measure('dice').title} {text(record.selection['score'])}"]
    members = record.trial.derivation.members if record.trial.derivation else ()
    for member, row in zip(members, record.selection["members"], strict=True):
        named = f"{member.model.label} · {member.loss.label} · seed {member.seed}"
        lines.append(f"  {named}: weight {row['weight']:.3g}, by itself {text(row['dice'])}")
    lines += [f"parameters: {record.model['total']:,}", f"MACs: {record.model['macs']:,}"]
    return "\n".join([*lines, *map(str, _files(record, store))])


def _json(record: Record, store: Store) -> str:
    file, weights = map(str, _files(record, store))
    told = {"id": record.trial.id, "status": record.status, "reason": record.reason, "record": file}
    told |= {"weights": weights if record.status == "done" else "", "validation_dice": record.selection.get("score")}
    told |= {"members": record.selection.get("members", []), "total": record.model.get("total")}
    return json.dumps({**told, "macs": record.model.get("macs")}, indent=2)


def _files(record: Record, store: Store) -> tuple[Path, Path]:
    return store.records / f"{record.trial.id}.json", store.path("weights", record.trial, ".keras")
