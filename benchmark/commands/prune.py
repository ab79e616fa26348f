"""`unetbench prune`."""

import argparse
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import SpecError
from ...core.measure import measure
from ...core.record import Record
from ...core.trial import Choice, Trial
from ..naming.labels import Labels
from ..records.store import Store
from ..sweep.steps import steps
from .derived_trial import run_derived, trained_record


def prune(options: argparse.Namespace) -> int:
    """Prune one trained trial, train what remains, and write record and weights beside its own; 0 when it is done."""
    record = trained_record(options.trial, "there is nothing to prune")
    child, store = run_derived(_pruned(record.trial, options), options.trial, options)
    print(_json(record, child, store) if options.json else _text(record, child, store))
    return 0 if child.status == "done" else 1


def _pruned(parent: Trial, options: argparse.Namespace) -> Trial:
    """The trial that the command line asks for, as the step of a sweep file makes it. Raises SpecError."""
    entry: dict[str, Any] = {"ranking": options.ranking, "epochs": options.epochs, "rate": options.rate}
    if options.channels is not None:
        entry |= {"prune": "channels", "share": options.channels, "multiple": options.multiple}
    elif options.multiple > 1:
        raise SpecError("prune: --multiple is of --channels; --sparsity takes no channel out")
    else:
        entry |= {"prune": "magnitude", "sparsity": options.sparsity}
    try:
        (step,) = steps([entry], [parent.model], Labels({}), "prune")
    except SpecError as error:
        raise SpecError(str(error).replace("prune[0]", "prune", 1)) from None
    (trial,) = step.trials([parent])
    if parent.derivation is None or trial.derivation is None:
        return trial
    # Of a network that was pruned or taught before, the name tells that too.
    before = Choice(f"{parent.model.label}, {parent.derivation.label}")
    return replace(trial, derivation=replace(trial.derivation, of=before))


def _text(parent: Record, child: Record, store: Store) -> str:
    if child.status != "done":
        return f"{child.trial.label}: {child.status}: {child.reason}"
    before, after = _dice(parent), _dice(child)
    title, text = measure("dice").title, measure("dice").text
    lines = [f"{child.trial.label}: {title} {text(before)} → {text(after)} on the test cases"]
    sparsity = child.model.get("sparsity")
    if sparsity:
        packed = child.model["compressed_bytes"] / 1e6
        lines.append(f"{100 * sparsity['total']:.1f} % of the kernels' weights are zero; {packed:.2f} MB compressed")
    names = {"total": "parameters", "macs": "MACs"}
    lines += [f"{name}: {parent.model[key]:,} → {child.model[key]:,}" for key, name in names.items()]
    own, theirs = _latency(child), _latency(parent)
    if not math.isnan(own):
        lines.append(f"latency: {theirs * 1e3:.2f} → {own * 1e3:.2f} ms" if theirs == theirs else f"{own * 1e3:.2f} ms")
    return "\n".join([*lines, str(_files(child, store)[0]), str(_files(child, store)[1])])


def _json(parent: Record, child: Record, store: Store) -> str:
    record, weights = map(str, _files(child, store))
    told = {"id": child.trial.id, "parent": parent.trial.id, "status": child.status, "reason": child.reason}
    told |= {"record": record, "weights": weights if child.status == "done" else ""}
    for name, one in (("parent_", parent), ("", child)):
        told |= {f"{name}dice": _known(_dice(one)), f"{name}latency_median_s": _known(_latency(one))}
        told |= {f"{name}total": one.model.get("total"), f"{name}macs": one.model.get("macs")}
    return json.dumps(told, indent=2)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _files(child: Record, store: Store) -> tuple[Path, Path]:
    record = store.records / f"{child.trial.id}.json"
    return record, store.path("weights", child.trial, ".keras")


def _dice(record: Record) -> float:
    """Mean over cases and classes that have a Dice; NaN where none has."""
    values = [row["dice"] for row in record.scores if row.get("dice") is not None]
    return float(np.mean(values)) if values else math.nan


def _latency(record: Record) -> float:
    samples = next((row["samples_s"] for row in record.latency if row["runtime"] == "keras"), [])
    return float(np.median(samples)) if samples else math.nan
