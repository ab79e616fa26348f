"""`unetbench plan`: what a sweep would do and cost."""

import argparse
import contextlib
import json
import sys
from dataclasses import asdict

from ...core.memory import told
from ...core.trial import Trial
from ..naming.trial_names import TrialNames, shared_options
from ..records.store import Store, records
from ..sweep import plan as planning
from ..sweep import room
from .run import context_of, read

UNFIT, FAILED = "unfit:", "failed:"


def plan(options: argparse.Namespace) -> int:
    """Print the sweep's trials by graph with parameters, MACs and time expected; trains nothing."""
    wanted = read(options)
    context = context_of(wanted, options)
    planned = planning.trials(wanted, context)
    store = Store.here(context.results, context.sweep)
    earlier = [record for folder in sorted(context.results.glob("*")) for record in records(folder)]
    own = [record for record in earlier if store.is_own(record)]
    with contextlib.redirect_stdout(sys.stderr):  # what the user's own parts print is no part of the plan
        estimates = planning.estimates(planned, own, context)
    trials = [entry.trial for entry in planned]
    names = TrialNames(trials, wanted.labels)
    settled = store.settled(entry.trial for entry in planned if not entry.problem)
    opened = {names[entry.trial].dataset: entry.opened for entry in planned}
    notes = {name: found.dataset.notes for name, found in opened.items() if found is not None and found.dataset.notes}
    lacking = room.warnings([entry for entry in planned if entry.trial.id not in settled], context)
    if options.json:
        rows = [
            {**asdict(cost), "trial": str(names[cost.trial]), "graph": cost.trial.compile_key} for cost in estimates
        ]
        noted = {name: list(lines) for name, lines in notes.items()}
        facts = {"trials": len(planned), "settled": len(settled), "graphs": rows, "notes": noted, "room": lacking}
        print(json.dumps(facts, indent=2))
    else:
        _print(estimates, names, trials, len(settled))
        for name, lines in notes.items():
            for line in lines:
                print(f"{name}: {line}")
        if context.cases is not None:
            print(f"training sets are kept on disk, in {context.cases}; memory holds what is looked at")
        for line in lacking:
            print(line)
    return 0


def _print(estimates: list[planning.TrialEstimate], names: TrialNames, trials: list[Trial], settled: int) -> None:
    head = ("data set", "model", "loss", "trials", "parameters", "MACs", "time a trial", "training set")
    rows: list[tuple[str, ...]] = [head]
    for cost in estimates:
        name = names[cost.trial]
        parts = (name.dataset, name.model, name.loss, str(cost.seeds))
        facts = (f"{cost.parameters:,}", f"{cost.macs / 1e9:.2f} G", _time(cost.seconds), _size(cost.training_bytes))
        rows.append(
            parts
            + (facts if cost.fits else (UNFIT, cost.unfit, "", "") if cost.unfit else (FAILED, cost.failed, "", ""))
        )
    told = (UNFIT, FAILED)  # their reasons are longer than any column
    widths = [max(len(row[column]) for row in rows if column < 5 or row[4] not in told) for column in range(len(head))]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    for kind, options in shared_options(trials):
        print(f"{kind}: {options}")
    for cost in (cost for cost in estimates if cost.warning):
        print(f"warning: {names[cost.trial].model}: {cost.warning}; it starts at random")
    known = [cost.seconds * cost.seeds for cost in estimates if cost.seconds is not None]
    fit = [cost for cost in estimates if cost.fits]
    total = _time(sum(known)) if len(known) == len(fit) and fit else "unknown until a trial was run on this machine"
    print(f"\n{len(trials)} trials, {settled} settled already; training time expected for all: {total}")


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "unknown"
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )


def _size(count: int | None) -> str:
    return "unknown" if count is None else told(count)
