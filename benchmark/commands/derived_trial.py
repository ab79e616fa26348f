"""A trial that comes from trained ones, run beside them."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from ...core.errors import StoreError
from ...core.record import Record
from ...core.trial import Choice, Trial
from ..deploy.trained_trial import find_record
from ..naming.labels import Labels
from ..records.store import Store, read_sweep
from ..run.progress import Progress
from ..run.runner import Runner
from ..timing.options import LatencyOptions
from .trials import context_of


def trained_record(place: Path, without: str) -> Record:
    """The record of a file. Raises StoreError where its trial is not done or left no weights, and says so."""
    record, weights = find_record(place)
    if record.status != "done" or not weights.is_file():
        why = "its weights were not kept" if record.status == "done" else f"it is {record.status}"
        raise StoreError(f"{place}: {why}, so {without}; run its sweep with `weights: true`")
    return record


def run_derived(trial: Trial, beside: Path, options: argparse.Namespace) -> tuple[Record, Store]:
    """Run a trial and keep record and weights in the sweep of a record, unless they are there.

    beside: the record's file.
    """
    folder = beside.resolve().parents[2]
    context = replace(
        context_of(folder, options), weights=True, runtimes=(Choice("keras"),), latency=LatencyOptions(), previews=0
    )
    store = Store.here(context.results, context.sweep)
    for line in store.check():
        print(f"unetbench: {line}", file=sys.stderr)
    progress = Progress(Labels(read_sweep(folder), str(folder / "sweep.yaml")), quiet=options.quiet)
    kept = store.settled([trial]) if store.kept("weights", trial, ".keras") else {}
    outcome = Runner(context, progress=progress).run([trial], settled=kept)
    made = [*outcome.made, *outcome.others]
    return made[0] if made else kept[trial.id], store
