"""`unetbench run`."""

import argparse
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event

from ...core.record import Record
from ...core.trial import Trial
from ...datasets.source import Source
from ..naming.trial_names import TrialNames
from ..records.claims import Claims
from ..records.machine import now, provenance
from ..records.planned import write_planned
from ..records.sample import sample
from ..records.store import SETTLED, Store
from ..run.crew import Crew
from ..run.progress import Progress
from ..run.progress_text import elsewhere
from ..run.runner import Runner
from ..sweep import file as sweep
from ..sweep import plan, room
from ..sweep.decode import decoded
from ..sweep.estimates import expected_seconds, threads_of
from ..sweep.incomplete import incomplete
from ..sweep.throughput import Throughput
from ..trial.context import Context
from . import crews
from .deploy_trials import apart, deploy_trials
from .run_logs import check_stdout, logs, takes_stdout
from .slurm import check_alone, slurm_script

STOPPED = 75
"""Exit status of a run that ended early because it was asked to: the same command goes on (EX_TEMPFAIL)."""


def run(options: argparse.Namespace) -> int:
    """Run a sweep and write its report; 0 when every trial is done or declared unfit, else 1."""
    check_stdout(options)
    wanted = read(options)
    if options.print_slurm is not None:
        check_alone(options)
        print(slurm_script(options.words, wanted.name, options.print_slurm))
        return 0
    if options.print_job:
        crews.print_job(options, wanted.name)
        return 0
    asked = Event()
    if hasattr(signal, "SIGUSR1"):  # a scheduler says in time that it will end the job
        signal.signal(signal.SIGUSR1, lambda *_: asked.set())
    context = context_of(wanted, options)
    planned = plan.trials(wanted, context)
    with crews.opened(options, context, planned, asked) as crew:
        if crew is None:
            return stopped()
        return _run(options, wanted, crews.for_workers(planned, context, crew), crew, asked)


def _run(
    options: argparse.Namespace, wanted: sweep.Sweep, planned: list[plan.Planned], crew: Crew, asked: Event
) -> int:
    context, store = crew.context, crew.store
    sinks = logs(options, wanted, store)
    for line in store.check():
        print(f"unetbench: {line}", file=sys.stderr)
    store.put_sweep(wanted.resolved)
    known = store.found((entry.trial for entry in planned), rows=False)
    settled = {key: record for key, record in known.items() if record.status in SETTLED}
    names = TrialNames([entry.trial for entry in planned], wanted.labels)
    planned = decoded(planned, context.source.cache / "decoded", settled)
    write_planned(store.folder, {entry.trial.id: str(names[entry.trial]) for entry in planned})
    devices = {record.trial.device for record in settled.values()}
    lacking = incomplete(settled, store, {device: crew.context_on(device) for device in devices})
    if lacking and options.retrain_incomplete:
        settled = {key: record for key, record in settled.items() if key not in lacking}
    elif lacking:
        counts = Counter(what for lacks in lacking.values() for what in lacks)
        text = ", ".join(f"{count} without {what}" for what, count in counts.items())
        print(f"unetbench: settled trials: {text}; --retrain-incomplete trains them anew", file=sys.stderr)
    pending = [entry for entry in planned if entry.trial.id not in settled]
    seconds, ours = _expected(pending, store, options.workers or 1)
    expected = seconds if ours else None
    progress = Progress(wanted.labels, quiet=options.quiet, expected=expected, logs=sinks, policy=wanted.empty)
    runner = Runner(
        context,
        crew=crew,
        limit_s=options.limit if not crew.claims else 0.0,
        progress=progress,
        wait=not options.no_wait,
        stop=asked,
        seconds=seconds,
    )
    for line in room.warnings(pending, context, len(crew.seats(""))) if crews.is_here(store) else ():
        print(f"unetbench: {line}", file=sys.stderr)
    listed = [entry.trial for entry in planned if not entry.problem]
    spoiled = runner.check_parts([trial for trial in listed if trial.id not in settled])
    missing = _put_failed(planned, spoiled, store)
    sound = [trial for trial in listed if trial.id not in spoiled]
    outcome = runner.run(sound, settled=settled, known=known, rejected=missing)
    made = [*missing, *outcome.made]
    if outcome.stopped:
        return stopped()
    if outcome.elsewhere:
        count = len(outcome.elsewhere)
        print(f"unetbench: {elsewhere(count)}; `unetbench status {store.folder}`", file=sys.stderr)
    runtimes = apart(wanted.runtimes)
    if runtimes and not crews.is_here(store):
        crews.tell_not_timed([runtime.label for runtime in runtimes], store)
        runtimes = []
    deployed = deploy_trials(
        sound,
        runtimes,
        context,
        wanted.latency,
        quiet=options.quiet,
        wait=not options.no_wait,
        stop=asked,
    )
    if asked.is_set():
        return stopped()
    if not options.no_report:
        _report(store, options)
    if options.json:
        print(json.dumps({"settled": outcome.settled, "made": [_brief(record, names) for record in made]}, indent=2))
    return 0 if outcome.fine and not missing and deployed else 1


def stopped() -> int:
    """Say that a run ended because it was asked to, and return its exit status."""
    print("unetbench: stopped as asked, with checkpoints; the same command goes on", file=sys.stderr)
    return STOPPED


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
        runtimes=tuple(runtime for runtime in wanted.runtimes if runtime not in apart(wanted.runtimes)),
        latency=wanted.latency,
        previews=wanted.previews,
        weights=wanted.weights
        or bool(wanted.lighter or wanted.ensembles or wanted.continual or apart(wanted.runtimes)),
        gpus=wanted.hardware.gpus,
        cache=options.cache or wanted.cache,
        averagings=tuple(step.averaging for step in wanted.ensembles if step.averaging is not None),
    )


def cache_folder() -> Path:
    """Where downloads go: $UNETBENCH_CACHE, or unetbench in the user's cache folder."""
    given = os.environ.get("UNETBENCH_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(given) if given else Path(base) / "unetbench"


def _put_failed(planned: list[plan.Planned], spoiled: dict[str, Record], store: Store) -> list[Record]:
    """Write a record of each trial whose data or own part cannot be used, in place of those of the run before.

    None where another driver, which may lack nothing, has the trial or has settled it.
    """
    for file, record in store.own_records():
        if str(record.trial.split.get("digest", "")).startswith(plan.UNLISTED):
            file.unlink(missing_ok=True)
    about, kept = provenance(), []
    about["machine"] = {**about["machine"], **store.hardware}
    found = [
        Record(entry.trial, "failed", entry.problem, finished=now(), **about) for entry in planned if entry.problem
    ]
    with Claims.of(store) as claims:
        for record in (*found, *spoiled.values()):
            if claims.take(record.trial.id):
                if not store.settled([record.trial]):
                    store.put(record)
                    kept.append(record)
                claims.drop(record.trial.id)
    for problem, count in Counter(record.reason for record in kept).items():
        print(f"unetbench: {problem} ({count} trials failed)", file=sys.stderr)
    return kept


def _expected(planned: Sequence[plan.Planned], store: Store, workers: int) -> tuple[Mapping[str, float], bool]:
    """Seconds by id as trials of this machine tell, and True; where none does, as others tell, for their ratios."""
    earlier, threads = sample(store.results), threads_of(workers)
    own = expected_seconds(planned, Throughput(filter(store.is_own, earlier)), threads)
    return (own, True) if own else (expected_seconds(planned, Throughput(earlier), threads), False)


def _report(store: Store, options: argparse.Namespace) -> None:
    from ..report.tables.columns import wrapped
    from ..report.tables.terminal import columns_of, terminal_text
    from ..report.write import write_reports

    stream = sys.stderr if takes_stdout(options) else sys.stdout
    for report in write_reports(store.folder):
        print(f"\n{terminal_text(report.tables, columns_of(stream))}", file=stream)
        for line in report.recommended:
            print("\n".join(wrapped(f"To deploy: {line}", columns_of(stream), indent="  ")), file=stream)
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
