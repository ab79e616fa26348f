"""`unetbench run`."""

import argparse
import json
import os
import sys
from collections import Counter
from pathlib import Path

from ...core.record import Record
from ...core.trial import Trial
from ...datasets.source import Source
from ..naming.trial_names import TrialNames
from ..records.machine import provenance
from ..records.store import Store
from ..records.store import read as read_record
from ..run.progress import Progress
from ..run.runner import Runner
from ..sweep import file as sweep
from ..sweep import plan, room
from ..sweep.decode import decoded
from ..sweep.incomplete import lacking
from ..trial.context import Context


def run(options: argparse.Namespace) -> int:
    """Run a sweep and write its report; 0 when every trial is done or declared unfit, else 1."""
    wanted = read(options)
    context = context_of(wanted, options)
    planned = plan.trials(wanted, context)
    store = Store.here(context.results, context.sweep)
    store.check()
    store.put_sweep(wanted.resolved)
    planned = decoded(planned, context.source.cache / "decoded", store.is_complete)
    missing = _without_data(planned, store)
    unsettled = [entry for entry in planned if not store.is_complete(entry.trial)]
    for line in room.warnings(unsettled, context, options.workers):
        print(f"unetbench: {line}", file=sys.stderr)
    progress = Progress(wanted.labels, quiet=options.quiet)
    runner = Runner(context, workers=options.workers, limit_s=options.limit, progress=progress)
    listed, others = ([entry.trial for entry in planned if bool(entry.problem) is lost] for lost in (False, True))
    incomplete = _incomplete(listed, store, runner.context)
    if incomplete and not options.retrain_incomplete:
        counts = Counter(what for lacks in incomplete.values() for what in lacks)
        text = ", ".join(f"{count} without {what}" for what, count in counts.items())
        print(f"unetbench: settled trials: {text}; --retrain-incomplete trains them anew", file=sys.stderr)
    outcome = runner.run(listed, beside=others, again=incomplete if options.retrain_incomplete else ())
    made = [*missing, *outcome.made]
    if not options.no_report:
        _report(store, options)
    if options.json:
        names = TrialNames([entry.trial for entry in planned], wanted.labels)
        print(json.dumps({"settled": outcome.settled, "made": [_brief(record, names) for record in made]}, indent=2))
    return 0 if outcome.fine and not missing else 1


def read(options: argparse.Namespace) -> sweep.Sweep:
    """The sweep that the command line names, as it was begun where its records were made by an earlier version."""
    file = sweep.find(options.sweep)
    found = sweep.read(file, options.set)
    begun = options.results / found.name / "sweep.yaml"
    wanted = sweep.read(file, options.set, begun)
    if wanted.standard != found.standard:
        print(
            f"unetbench: {wanted.name} was begun by an earlier version and goes on as {begun} has it, with the "
            "standard recipe v1; for the present one give another --results or name, or --set standard=2",
            file=sys.stderr,
        )
    return wanted


def context_of(wanted: sweep.Sweep, options: argparse.Namespace) -> Context:
    """The run settings of the command line."""
    given = options.data or os.environ.get("UNETBENCH_DATA")
    data = Path(given).resolve() if given else None
    return Context(
        source=Source(data=data, cache=cache_folder(), download=not options.no_download),
        folder=Path.cwd() if wanted.folder == sweep.SHIPPED else wanted.folder,
        results=options.results.resolve(),
        sweep=wanted.name,
        plugins=tuple(str(Path(plugin).resolve()) for plugin in options.plugin),
        runtimes=wanted.runtimes,
        latency=wanted.latency,
        previews=wanted.previews,
        weights=wanted.weights,
        cache=options.cache or wanted.cache,
    )


def cache_folder() -> Path:
    """Where downloads go: $UNETBENCH_CACHE, or unetbench in the user's cache folder."""
    given = os.environ.get("UNETBENCH_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(given) if given else Path(base) / "unetbench"


def _without_data(planned: list[plan.Planned], store: Store) -> list[Record]:
    """Write a failed record for each trial without sound data, in place of those of the run before."""
    for file in list(store.own_files()):
        if str(read_record(file).trial.split.get("digest", "")).startswith(plan.UNLISTED):
            file.unlink()
    about = provenance()
    records = [Record(entry.trial, "failed", entry.problem, **about) for entry in planned if entry.problem]
    for record in records:
        store.put(record)
    for problem in dict.fromkeys(record.reason for record in records):
        count = sum(record.reason == problem for record in records)
        print(f"unetbench: {problem} ({count} trials failed)", file=sys.stderr)
    return records


def _incomplete(trials: list[Trial], store: Store, context: Context) -> dict[str, list[str]]:
    """By id, what the records of settled trials lack of what the sweep wants kept."""
    found = {trial.id: store.find(trial) for trial in trials}
    lacks = {key: lacking(record, store, context) for key, record in found.items() if record is not None}
    return {key: entries for key, entries in lacks.items() if entries}


def _report(store: Store, options: argparse.Namespace) -> None:
    from ..report.tables.terminal import columns_of, terminal_text
    from ..report.write import write_reports

    stream = sys.stderr if options.json else sys.stdout
    for report in write_reports(store.folder):
        print(f"\n{terminal_text(report.tables, columns_of(stream))}", file=stream)
        for note in report.notes:
            print(f"unetbench: {note}", file=sys.stderr)
        print(f"All columns and plots: {_nearest(report.page)}", file=stream)


def _nearest(file: Path) -> Path:
    """The path from here where the file is below, else the whole one."""
    here = Path.cwd()
    return file.relative_to(here) if file.is_relative_to(here) else file


def _brief(record: Record, names: TrialNames) -> dict[str, str]:
    trial: Trial = record.trial
    return {"id": trial.id, "trial": str(names[trial]), "status": record.status, "reason": record.reason}
