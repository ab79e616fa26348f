"""`unetbench plan`: what a sweep would do and cost."""

import argparse
import contextlib
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...core.counted import counted
from ...core.memory import told
from ..naming.trial_names import TrialNames, shared_options
from ..records.sample import sample
from ..records.store import Store
from ..sweep import estimates as estimating
from ..sweep import plan as planning
from ..sweep import room
from ..sweep.estimates import TrialEstimate
from ..sweep.throughput import Quality, Throughput
from ..trial.places import slots
from .run import context_of, read

UNFIT, FAILED = "unfit:", "failed:"

MANY = 30
"""Rows of a table from which the losses of one model share one."""


def plan(options: argparse.Namespace) -> int:
    """Print the sweep's trials by graph with parameters, MACs and time expected; trains nothing."""
    wanted = read(options)
    context = context_of(wanted, options)
    planned = planning.trials(wanted, context)
    store = Store.here(context.results, context.sweep)
    throughput = Throughput(filter(store.is_own, sample(context.results)))
    threads = estimating.threads_of(options.workers)
    with contextlib.redirect_stdout(sys.stderr):  # what the user's own parts print is no part of the plan
        estimates = estimating.estimates(planned, throughput, context, threads)
    trials = [entry.trial for entry in planned]
    names = TrialNames(trials, wanted.labels)
    settled = store.settled((entry.trial for entry in planned if not entry.problem), rows=False)
    left = Counter(estimating.kind(trial) for trial in trials if trial.id not in settled)
    places = {device: len(slots(device, context.gpus, options.workers)) for device in {t.device for t in trials}}
    total = _total(estimates, left, places)
    opened = {names[entry.trial].dataset: entry.opened for entry in planned}
    notes = {name: found.dataset.notes for name, found in opened.items() if found is not None and found.dataset.notes}
    lacking = room.warnings([entry for entry in planned if entry.trial.id not in settled], context, options.workers)
    if options.json:
        rows = [
            {**asdict(cost), "trial": str(names[cost.trial]), "graph": cost.trial.compile_key} for cost in estimates
        ]
        noted = {name: list(lines) for name, lines in notes.items()}
        facts: dict[str, Any] = {"trials": len(planned), "settled": len(settled), "graphs": rows, "notes": noted}
        facts |= {"room": lacking, "workers": options.workers, "expected_s": total}
        judged = {basis: _facts(quality) for basis, quality in throughput.quality().items()}
        print(json.dumps({**facts, "judged": judged}, indent=2))
        return 0
    _print_table(estimates, names)
    for kind, text in shared_options(trials):
        print(f"{kind}: {text}")
    for cost in (cost for cost in estimates if cost.warning):
        print(f"warning: {names[cost.trial].model}: {cost.warning}; it starts at random")
    workers = f" with {options.workers} workers" if options.workers > 1 else ""
    told_s = "unknown" if total is None else _time(total)
    print(
        f"\n{counted(len(trials), 'trial')}, {len(settled)} settled already; expected for the others{workers}: {told_s}"
    )
    for line in _judgement(throughput, estimates, options.results):
        print(line)
    for name, lines in notes.items():
        for line in lines:
            print(f"{name}: {line}")
    if context.cases is not None:
        print(f"training sets are kept on disk, in {context.cases}; memory holds what is looked at")
    for line in lacking:
        print(line)
    return 0


def _total(
    estimates: Sequence[TrialEstimate], left: Mapping[tuple[object, ...], int], places: Mapping[str, int]
) -> float | None:
    """Seconds for the trials that are left, devices one after another; None where those of one are not known."""
    seconds: dict[str, list[float]] = {}
    for cost in estimates:
        count = left.get(estimating.kind(cost.trial), 0) if cost.fits else 0
        if count and cost.seconds is None:
            return None
        seconds.setdefault(cost.trial.device, []).extend([cost.seconds or 0.0] * count)
    return sum(estimating.makespan(all_s, places[device]) for device, all_s in seconds.items())


def _judgement(throughput: Throughput, estimates: Sequence[TrialEstimate], results: Path) -> list[str]:
    """By what times are judged, and how good that is; or why they are not."""
    unknown = [cost.trial for cost in estimates if cost.fits and cost.seconds is None]
    if not len(throughput):
        return [f"times are unknown until {results} has a trial of this machine; `unetbench run quick` makes some"]
    lines = []
    quality = throughput.quality()
    used = {cost.basis for cost in estimates}
    for basis, found in ((basis, found) for basis, found in quality.items() if basis in used):
        lines.append(
            f"  by {basis}: they took {found.median:.2f} times as long as the others of them let expect (median of "
            f"{len(found.ratios)}), nine of ten within a factor of {found.within:.1f}"
        )
    lines = [f"times are judged by {len(throughput)} trials of this machine", *lines] if lines else []
    for setting in dict.fromkeys(
        f"{len(trial.recipe.patch)}D, {trial.backend}, {trial.recipe.precision}" for trial in unknown
    ):
        lines.append(f"unknown: nothing of such a size was run here in {setting} that tells")
    return lines


def _facts(quality: Quality) -> dict[str, float]:
    return {"trials": len(quality.ratios), "median_ratio": quality.median, "nine_of_ten_within": quality.within}


def _print_table(estimates: Sequence[TrialEstimate], names: TrialNames) -> None:
    head = ("data set", "model", "loss", "trials", "parameters", "MACs", "time a trial", "judged by", "training set")
    rows: list[tuple[str, ...]] = [head]
    for costs in _rows(estimates, names):
        cost, name = costs[0], names[costs[0].trial]
        losses = list(dict.fromkeys(names[one.trial].loss for one in costs))
        loss = losses[0] if len(losses) == 1 else f"{len(losses)} losses"
        parts = (name.dataset, name.model, loss, str(sum(one.seeds for one in costs)))
        if not cost.fits:
            rows.append((*parts, *((UNFIT, cost.unfit) if cost.unfit else (FAILED, cost.failed)), "", "", ""))
            continue
        taken = sorted(one.seconds for one in costs if one.seconds is not None)
        ends = list(dict.fromkeys(_time(seconds) for seconds in (taken[:1] + taken[-1:])))
        bases = " / ".join(dict.fromkeys(one.basis for one in costs if one.basis is not None))
        facts = (f"{cost.parameters:,}", f"{cost.macs / 1e9:.2f} G", " to ".join(ends) or "unknown", bases)
        rows.append((*parts, *facts, _size(cost.training_bytes)))
    reasons = (UNFIT, FAILED)  # these are longer than any column
    widths = [max(len(row[column]) for row in rows if column < 5 or row[4] not in reasons) for column in range(9)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def _rows(estimates: Sequence[TrialEstimate], names: TrialNames) -> list[list[TrialEstimate]]:
    """The estimates of each row of the table."""
    if len(estimates) <= MANY:
        return [[cost] for cost in estimates]
    found: dict[tuple[object, ...], list[TrialEstimate]] = {}
    for cost in estimates:
        name = names[cost.trial]
        found.setdefault((name.dataset, name.model, cost.parameters, cost.unfit, cost.failed), []).append(cost)
    return list(found.values())


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _size(count: int | None) -> str:
    return "unknown" if count is None else told(count)
