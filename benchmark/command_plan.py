"""`unetbench plan`: what a sweep would do and cost."""

import argparse
import json
import os
from dataclasses import asdict

from . import plan as planning
from .command_run import context_of, read
from .machine import machine
from .store import Store, records


def plan(options: argparse.Namespace) -> int:
    """Print the sweep's trials by graph with parameters, MACs and time expected; trains nothing."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    wanted = read(options)
    context = context_of(wanted, options)
    planned = planning.trials(wanted, context)
    store = Store(context.results, context.sweep, machine()["name"])
    earlier = [record for folder in sorted(context.results.glob("*")) for record in records(folder)]
    costs = planning.costs(planned, [record for record in earlier if record.machine.get("name") == store.machine])
    settled = sum(not entry.problem and store.settled(entry.trial) for entry in planned)
    if options.json:
        rows = [{**asdict(cost), "trial": cost.trial.label, "graph": cost.trial.graph} for cost in costs]
        print(json.dumps({"trials": len(planned), "settled": settled, "graphs": rows}, indent=2))
    else:
        _print(costs, len(planned), settled)
    return 0


def _print(costs: list[planning.Cost], trials: int, settled: int) -> None:
    head = ("data set", "model", "loss", "trials", "parameters", "MACs", "time a trial")
    rows: list[tuple[str, ...]] = [head]
    for cost in costs:
        names = (cost.trial.dataset.label, cost.trial.model.label, cost.trial.loss.label, str(cost.seeds))
        facts = (f"{cost.parameters:,}", f"{cost.macs / 1e9:.2f} G", _time(cost.seconds))
        rows.append(names + (facts if not cost.unfit else ("unfit:", cost.unfit, "")))
    widths = [max(len(row[column]) for row in rows if column < 5 or row[4] != "unfit:") for column in range(len(head))]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    for cost in (cost for cost in costs if cost.warning):
        print(f"warning: {cost.trial.model.label}: {cost.warning}; it starts at random")
    known = [cost.seconds * cost.seeds for cost in costs if cost.seconds is not None]
    fit = [cost for cost in costs if not cost.unfit]
    total = _time(sum(known)) if len(known) == len(fit) and fit else "unknown until a trial was run on this machine"
    print(f"\n{trials} trials, {settled} settled already; training time expected for all: {total}")


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
