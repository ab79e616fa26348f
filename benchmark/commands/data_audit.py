"""`unetbench data audit`: suspect annotations, ranked, from models that never saw the case they judge."""

import argparse
import signal
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

from tqdm import tqdm

from ...core.errors import DataError, SpecError
from ...core.files import write
from ...core.printable import csv_cell
from ...core.trial import Trial
from ...datasets import DATASETS
from ..audit.accuracy import Verdict, estimate
from ..audit.annotators import agreement, annotators
from ..audit.cases import audit_cases
from ..audit.folds import AuditOptions, complete, in_folds
from ..audit.write import (
    AuditedSet,
    described,
    json_text,
    read_verdicts,
    summary_lines,
    write_agreement,
    write_gallery,
    write_tables,
)
from ..naming.trial_names import TrialNames
from ..records.planned import write_planned
from ..records.store import SETTLED, Store
from ..run.crew import Processes
from ..run.progress import Progress
from ..run.runner import Runner
from ..sweep import file as sweep_file
from ..sweep import plan
from ..sweep.file import Sweep
from ..sweep.plan import Planned
from ..trial.context import Context
from .data import dataset_names
from .run import context_of, read, stopped

SHOWN = 10
"""Cases that the terminal names; the tables have all."""

FOLDER = "audit"
"""Of tables and gallery, in the folder of the audit's results."""


@dataclass(frozen=True)
class _Audit:
    """What an audit is done with. sets: the trials of each data set, by its name."""

    wanted: Sweep
    context: Context
    store: Store
    sets: Mapping[str, list[Planned]]


def audit(options: argparse.Namespace) -> int:
    """Train what is missing, score every case, write tables and gallery; 0 when every trial is done."""
    if options.show is not None:
        raise SpecError("--show is for `data check`; the gallery of `data audit` draws what is suspect")
    verdicts = read_verdicts(options.reviewed) if options.reviewed is not None else {}
    asked = Event()
    if hasattr(signal, "SIGUSR1"):  # a scheduler says in time that it will end the job
        signal.signal(signal.SIGUSR1, lambda *_: asked.set())
    made = _planned(options)
    for line in made.store.check():
        print(f"unetbench: {line}", file=sys.stderr)
    fine = _trained(made, options, asked)
    if fine is None:
        return stopped()
    told: dict[str, Any] = {}
    sets = _audited(made, verdicts, options)
    folder = made.store.folder / FOLDER
    for one, place in zip(sets, _places([one.name for one in sets]), strict=True):
        write_tables(folder / place, one)
        told[one.name] = described(one)
    told |= _agreements(made, folder, options)
    write_gallery(folder / "index.html", f"{made.wanted.name}: annotations", sets, made.store, options.pictures)
    write(folder / "audit.json", json_text(told).encode())
    if options.json:
        print(json_text(told))
    else:
        _print(sets, told)
        print(f"All cases, regions and pictures: {folder / 'index.html'}")
    return 0 if fine and len(sets) == len(made.sets) else 1


def _planned(options: argparse.Namespace) -> _Audit:
    """The trials of the audit. Raises SpecError and DataError for what cannot be audited."""
    if options.sweep in DATASETS and not Path(options.sweep).exists():
        wanted = sweep_file.of_dataset(options.sweep, options.set)
    else:
        wanted = read(options)
    context = replace(
        context_of(wanted, options),
        sweep=f"{wanted.name}-audit",
        runtimes=(),
        latency=None,
        previews=0,
        weights=False,
        probabilities=True,
    )
    models = tuple(options.models.split(",")) if options.models else ()
    folds = in_folds(wanted, AuditOptions(options.folds, models, options.seeds), context)
    planned = plan.trials(folds, context)
    store, sets = Store.here(context.results, context.sweep), {}
    size = len(planned) // len(wanted.datasets)
    for place, name in enumerate(dataset_names(wanted)):
        sets[name] = planned[place * size : (place + 1) * size]
    return _Audit(wanted, context, store, sets)


def _trained(made: _Audit, options: argparse.Namespace, asked: Event) -> bool | None:
    """Run the trials whose probabilities are not there; whether all are done, None where asked to stop before."""
    wanted, context, store = made.wanted, made.context, made.store
    planned = [entry for entries in made.sets.values() for entry in entries]
    problems = Counter(entry.problem for entry in planned if entry.problem)
    for problem, count in problems.items():
        print(f"unetbench: {problem} ({count} trials not begun)", file=sys.stderr)
    sound = [entry for entry in planned if not entry.problem]
    trials = [entry.trial for entry in sound]
    store.put_sweep({**wanted.resolved, "name": context.sweep})
    names = TrialNames(trials, wanted.labels)
    write_planned(store.folder, {trial.id: str(names[trial]) for trial in trials})
    known = store.found(trials, rows=False)
    settled = {
        entry.trial.id: record
        for entry in sound
        if (record := known.get(entry.trial.id)) is not None
        and record.status in SETTLED
        and (record.status == "unfit" or complete(entry, store, record.data.get("unscored", 0)))
    }
    progress = Progress(wanted.labels, quiet=options.quiet, policy=wanted.empty)
    crew = Processes(context, options.workers)
    runner = Runner(context, crew=crew, limit_s=options.limit, progress=progress, stop=asked)
    spoiled = runner.check_parts([trial for trial in trials if trial.id not in settled])
    for reason, count in Counter(record.reason for record in spoiled.values()).items():
        print(f"unetbench: {reason} ({count} trials not begun)", file=sys.stderr)
    outcome = runner.run(_sound(trials, spoiled), settled=settled, known=known)
    return None if outcome.stopped else outcome.fine and not spoiled and not problems


def _sound(trials: Sequence[Trial], spoiled: Mapping[str, object]) -> list[Trial]:
    return [trial for trial in trials if trial.id not in spoiled]


def _audited(made: _Audit, verdicts: Mapping[str, Verdict], options: argparse.Namespace) -> list[AuditedSet]:
    """The data sets with their cases scored; those of which no trial is done are told, and left out."""
    found: list[AuditedSet] = []
    unknown = dict(verdicts)
    for name, entries in made.sets.items():
        done = made.store.found([entry.trial for entry in entries], rows=False)
        judges = [e for e in entries if (record := done.get(e.trial.id)) is not None and record.status == "done"]
        total = 2 * len({case.name for e in judges if e.opened for case in e.opened.split.cases("test")})
        try:
            with tqdm(total=total, desc=name, leave=False, disable=options.quiet or None) as bar:
                scored = audit_cases(judges, made.store, bar.update)
        except DataError as error:
            print(f"unetbench: {name}: {error}", file=sys.stderr)
            continue
        cells = {csv_cell(row.name): row.name for row in scored.rows}
        twice = next((cell for cell in verdicts if cell in cells and cell not in unknown), None)
        if twice is not None:
            raise DataError(f"--reviewed: {twice} is a case of several data sets; audit one of them at a time")
        own: dict[str, Verdict] = {cells[cell]: verdict for cell, verdict in verdicts.items() if cell in cells}
        unknown = {cell: verdict for cell, verdict in unknown.items() if cell not in cells}
        accuracy = estimate([row.name for row in scored.rows], own, options.threshold)
        found.append(AuditedSet(name, judges, scored, accuracy))
    if unknown and found:
        raise DataError(
            f"--reviewed: there is no case {next(iter(unknown))!r}; names are those of the column `case` of cases.csv"
        )
    return found


def _agreements(made: _Audit, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Agreement of annotators, where several data sets are the same images with other masks."""
    listed = {
        name: opened.dataset
        for name, entries in made.sets.items()
        if (opened := next((entry.opened for entry in entries if entry.opened is not None), None)) is not None
    }
    told: dict[str, Any] = {}
    for names in annotators(listed):
        title = "agreement of " + ", ".join(names)
        with tqdm(total=len(listed[names[0]].cases), desc=title, leave=False, disable=options.quiet or None) as bar:
            found = list(agreement([listed[name] for name in names], bar.update))
        write_agreement(folder / f"{_place(title)}.csv", names, found)
        dice = [one.dice for one in found if one.dice == one.dice]
        lowest = sorted((one for one in found if one.dice == one.dice), key=lambda one: one.dice)[:5]
        told[title] = {
            "annotators": names,
            "dice": sum(dice) / len(dice) if dice else None,
            "first": [{"case": one.case, "dice": one.dice} for one in lowest],
        }
    return told


def _print(sets: Sequence[AuditedSet], told: Mapping[str, Any]) -> None:
    for one in sets:
        print(f"{one.name}: {summary_lines(one)[0]}")
        for line in summary_lines(one)[1:]:
            print(f"  {line}")
        for place, row in enumerate(one.found.rows[:SHOWN], 1):
            reasons = row.reasons or ["nothing in particular"]
            print(f"  {place:3} {row.score:5.2f}  {row.name}  {reasons[0]}")
    for title, entry in told.items():
        if "annotators" in entry:
            worst = ", ".join(f"{one['case']} ({one['dice']:.2f})" for one in entry["first"])
            print(f"{title}: mean Dice {entry['dice']:.3f}; least in {worst}" if entry["dice"] is not None else title)


def _places(names: Sequence[str]) -> list[str]:
    """Names as those of folders, each another one."""
    places = [_place(name) for name in names]
    return [place if places.count(place) == 1 else f"{number}_{place}" for number, place in enumerate(places, 1)]


def _place(name: str) -> str:
    """A name as one of a folder."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name)[:100].lstrip(".") or "_"
