"""`unetbench tune`."""

import argparse
import json
import signal
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from threading import Event
from typing import Any

from ...core.errors import SpecError
from ...core.trial import Trial
from ..naming.trial_names import TrialNames
from ..records.planned import write_planned
from ..records.store import SETTLED, Store
from ..report.statistics.intervals import MINIMUM_GROUPS
from ..run.runner import Runner
from ..sweep import plan, room
from ..sweep.decode import decoded
from ..sweep.file import Sweep
from ..sweep.plan import Planned
from ..sweep.tuning import Tuning
from ..trial.context import Context
from ..tune.attempt import Attempt
from ..tune.oracle import versions
from ..tune.progress import RetrainProgress, SearchProgress
from ..tune.results import new_search
from ..tune.runner import SearchRunner
from ..tune.search import AllFailed, Search
from ..tune.store import FOLDER, SearchStore
from .run import context_of, read, stopped


def tune(options: argparse.Namespace) -> int:
    """Search, train the winners and the defaults, write the report; 0 when every model has both, done or unfit."""
    wanted = read(options)
    tuning = _section(wanted)
    asked = Event()
    if hasattr(signal, "SIGUSR1"):  # a scheduler says in time that it will end the job
        signal.signal(signal.SIGUSR1, lambda *_: asked.set())
    context = context_of(wanted, options)
    store = Store.here(context.results, context.sweep)
    for line in store.check():
        print(f"unetbench: {line}", file=sys.stderr)
    planned = plan.trials(replace(wanted, seeds=wanted.seeds[:1], lighter=(), ensembles=()), context)
    planned = decoded(planned, context.source.cache / "decoded", ())
    kept = SearchStore.below(store.folder)
    sound = [entry for entry in planned if not entry.problem]
    searches = [_begun(entry, tuning, kept, options.workers) for entry in sound]
    store.put_sweep(wanted.resolved)
    fine = _tell_problems(planned)
    for line in room.warnings(sound, context, options.workers):
        print(f"unetbench: {line}", file=sys.stderr)
    found = _searched(searches, wanted, context, kept, options, asked)
    if found is None:
        return stopped()
    called = _called(searches, wanted)
    winners = [(search, winner) for search in found if (winner := _winner(search, called[search.key])) is not None]
    fine &= len(winners) == len(searches)
    trials = _retrained(winners, tuning.retrain, called)
    trained = _trained(trials, wanted, context, options, asked) if trials else True
    if trained is None:
        return stopped()
    if not options.no_report and found:
        _report(store, options)
    if options.json:
        print(json.dumps([_brief(search, winner, called[search.key]) for search, winner in winners], indent=2))
    return 0 if fine and trained else 1


def _section(wanted: Sweep) -> Tuning:
    """The sweep's `tune` section. Raises SpecError where it has none, or several kinds of hardware."""
    if wanted.tune is None:
        raise SpecError(f"{wanted.name}: has no section `tune`; give engine, budget and space, see docs/tuning.md")
    hardware = wanted.hardware
    for name in ("backends", "devices", "precisions"):
        if len(getattr(hardware, name)) > 1:
            raise SpecError(f"{wanted.name}: {name}: a tuning runs on one of them; leave the others out")
    return wanted.tune


def _begun(entry: Planned, tuning: Tuning, kept: SearchStore, workers: int) -> Search:
    """The search of a default trial, with what an earlier run has of it. Raises SpecError for one of another space."""
    if tuning.stop_after and entry.opened is not None:
        groups = len({case.group for case in entry.opened.split.cases("validation")})
        smallest = 2.0 ** (1 - groups)
        if smallest >= tuning.stop_level:
            raise SpecError(
                f"{entry.trial.dataset.label}: {groups} groups of validation cases cannot give a p below "
                f"{smallest:.3g}, so that nothing would be stopped at {tuning.stop_level:g}; leave tune.stop out, or "
                f"give validation more groups ({MINIMUM_GROUPS} reach 0.05)"
            )
    proposals = kept.search(entry.trial.id)
    search = new_search(entry.trial, tuning, proposals, width=workers)
    proposals.begin(entry.trial, tuning, search.space, versions)
    return search


def _tell_problems(planned: Sequence[Planned]) -> bool:
    """Say which data cannot be used; whether all can."""
    problems = Counter(entry.problem for entry in planned if entry.problem)
    for problem, count in problems.items():
        print(f"unetbench: {problem} ({count} searches not begun)", file=sys.stderr)
    return not problems


def _called(searches: Sequence[Search], wanted: Sweep) -> dict[str, str]:
    """What each search is called, by the id of its default trial."""
    names = TrialNames([search.default for search in searches], wanted.labels)
    found = {search.key: names[search.default] for search in searches}
    return {key: f"{name.dataset} · {name.model} · {name.loss}" for key, name in found.items()}


def _searched(
    searches: list[Search],
    wanted: Sweep,
    context: Context,
    kept: SearchStore,
    options: argparse.Namespace,
    asked: Event,
) -> list[Search] | None:
    """The searches that could be run, at their end; None where they were asked to stop before."""
    own = replace(context, results=kept.results, sweep=FOLDER, runtimes=(), latency=None, previews=0, weights=False)
    called = _called(searches, wanted)
    progress = SearchProgress(called, wanted.labels, quiet=options.quiet)
    runner = SearchRunner(
        own, searches, kept, workers=options.workers, limit_s=options.limit, progress=progress, stop=asked
    )
    spoiled = runner.check_parts([search.default for search in searches])
    for key, record in spoiled.items():
        print(f"unetbench: {called[key]}: {record.reason} (search not begun)", file=sys.stderr)
    runner.searches = [search for search in searches if search.key not in spoiled]
    outcome = runner.search()
    for search in runner.searches:
        if search.exhausted and not outcome.stopped:
            count = len(search.attempts)
            print(f"unetbench: {called[search.key]}: the space holds no more than {count} settings", file=sys.stderr)
    return None if outcome.stopped else list(runner.searches)


def _winner(search: Search, called: str) -> Attempt | None:
    try:
        return search.winner()
    except AllFailed as error:
        print(f"unetbench: {called}: {error}", file=sys.stderr)
        return None


def _retrained(
    winners: Sequence[tuple[Search, Attempt]], seeds: Sequence[int], called: Mapping[str, str]
) -> dict[str, tuple[Trial, str]]:
    """The defaults and winners with new seeds by id, and what each is called: settings are in no trial's name."""
    found: dict[str, tuple[Trial, str]] = {}
    for search, winner in winners:
        for trial, role in ((search.default, "default"), (winner.trial, "tuned")):
            for seed in seeds:
                seeded = replace(trial, seed=seed)
                found.setdefault(seeded.id, (seeded, f"{called[search.key]} · {role} · seed {seed}"))
    return found


def _trained(
    trials: Mapping[str, tuple[Trial, str]],
    wanted: Sweep,
    context: Context,
    options: argparse.Namespace,
    asked: Event,
) -> bool | None:
    """Train winners and defaults with new seeds and score them on test cases; None where asked to stop before."""
    store = Store.here(context.results, context.sweep)
    listed, names = [trial for trial, _ in trials.values()], {key: name for key, (_, name) in trials.items()}
    known = store.found(listed)
    settled = {key: record for key, record in known.items() if record.status in SETTLED}
    write_planned(store.folder, names)
    progress = RetrainProgress(names, wanted.labels, quiet=options.quiet, policy=wanted.empty)
    runner = Runner(context, workers=options.workers, limit_s=options.limit, progress=progress, stop=asked)
    outcome = runner.run(listed, settled=settled, known=known)
    return None if outcome.stopped else outcome.fine


def _report(store: Store, options: argparse.Namespace) -> None:
    from ..report.write import write_reports
    from ..tune.write import write_tuning

    stream = sys.stderr if options.json else sys.stdout
    notes = [note for report in write_reports(store.folder) for note in report.notes] if _has_records(store) else []
    written = write_tuning(store.folder)
    if written is None:
        return
    for table in written.tables:
        print(f"\n{table}", file=stream)
    for note in (*notes, *written.notes):
        print(f"unetbench: {note}", file=sys.stderr)
    print(f"All tables and plots: {written.page}", file=stream)


def _has_records(store: Store) -> bool:
    return any(store.folder.glob("records/*/*.json"))


def _brief(search: Search, winner: Attempt, called: str) -> dict[str, Any]:
    return {
        "search": search.key,
        "name": called,
        "trials": len(search.attempts),
        "epochs": search.epochs,
        "seconds": round(search.seconds, 3),
        "default": search.attempts[0].score,
        "best": winner.score,
        "winner": winner.values if winner.number else "default",
    }
