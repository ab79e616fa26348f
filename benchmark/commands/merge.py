"""`unetbench merge`: results of several machines in one folder; nothing that is there is overwritten."""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.counted import counted
from ...core.errors import SpecError, StoreError
from ...core.printable import one_line_printable
from ...core.record import Record
from ..records.merge import Conflict, Merge, Plan, join
from ..records.runs import RUNS, score_differences
from ..records.store import read
from ..records.units import Left

SHOWN = 20
"""Lines about files that are left, at most."""


@dataclass(frozen=True)
class Machines:
    """The trials that two machines both have. same: how many have the same scores to the last bit.

    measure, value, trial, case: the largest difference of a case, of Dice where it has one. mean: of mean Dice.
    """

    first: str
    second: str
    trials: int
    same: int
    measure: str
    value: float
    trial: str
    case: str
    mean: float


def merge(options: argparse.Namespace) -> int:
    """Join folders of results and say what became of each file; 1 where there are conflicts or something is missing."""
    sources = [options.into, *options.others] if options.out else list(options.others)
    target: Path = options.out or options.into
    _refuse_same([options.into, *options.others], target)
    merges: dict[Path, Merge] = {}
    plans: list[Plan] = []
    for source in sources:
        for sweep, into in _sweeps(source, target, options.into):
            link = next((one for one in (sweep, into) if one.is_symlink() and one not in (source, target)), None)
            if link is not None:
                plans.append(Plan(sweep, into, left=[Left(link, "a symbolic link, which is not followed", lost=True)]))
                continue
            if into not in merges:
                merges[into] = Merge(into)
            plans.append(merges[into].plan(sweep))
    machines = {into: _machines(merging) for into, merging in merges.items()}
    if not options.dry_run:
        join([plan for plan in plans if plan.target in merges])
    if options.json:
        print(json.dumps(_as_json(plans, machines, dry_run=options.dry_run), indent=1))
    else:
        print("\n".join(_lines(plans, machines, dry_run=options.dry_run)))
        for line in _problems(plans):
            print(f"unetbench: {one_line_printable(line)}", file=sys.stderr)
    return 1 if any(plan.conflicts or any(left.lost for left in plan.left) for plan in plans) else 0


def _sweeps(source: Path, target: Path, first: Path) -> list[tuple[Path, Path]]:
    """The sweeps of a folder of results, each with the folder that it is joined into."""
    if _is_sweep(source) != _is_sweep(first):
        kinds = {True: "one sweep", False: "a folder of sweeps"}
        raise SpecError(
            f"{source}: is {kinds[_is_sweep(source)]}, {first} {kinds[_is_sweep(first)]}; give the same kind of folder"
        )
    if _is_sweep(source):
        return [(source, target)]
    return [
        (folder, target / folder.name) for folder in sorted(source.iterdir()) if folder.is_dir() and _is_sweep(folder)
    ]


def _is_sweep(folder: Path) -> bool:
    """Whether it is a sweep's folder; a folder of sweeps has some inside. Raises StoreError for neither."""
    if _has_results(folder):
        return True
    if folder.is_dir() and any(_has_results(inner) for inner in folder.iterdir()):
        return False
    raise StoreError(f"{folder}: no results here; give the folder of a sweep, as in results/SWEEP, or of several")


def _has_results(folder: Path) -> bool:
    return (folder / "records").is_dir() or (folder / "sweep.yaml").is_file() or (folder / "tune").is_dir()


def _refuse_same(folders: Sequence[Path], target: Path) -> None:
    """Raise SpecError for folders that are the same or one inside the other."""
    places = [folder.resolve() for folder in folders]
    others = [*places, *([] if target.resolve() in places else [target.resolve()])]
    for index, one in enumerate(others):
        for other in others[index + 1 :]:
            if one.is_relative_to(other) or other.is_relative_to(one):
                raise SpecError(
                    f"{one} and {other}: are one folder, or one is inside the other; give two that are apart"
                )


def _machines(merging: Merge) -> list[Machines]:
    return [_two(*names, pairs) for names, pairs in merging.on_several_machines().items()]


def _two(first: str, second: str, pairs: Sequence[tuple[Record, Record]]) -> Machines:
    same, means, worst = 0, [0.0], ("dice", 0.0, "", "")
    for one, other in pairs:
        found = score_differences(one, other)
        same += found.same
        if "dice" in found.largest and found.largest["dice"].value >= worst[1]:
            largest = found.largest["dice"]
            worst = "dice", largest.value, one.trial.label, largest.case
        means.append(abs(_mean_dice(one) - _mean_dice(other)))
    return Machines(first, second, len(pairs), same, *worst, max(means))


def _mean_dice(record: Record) -> float:
    values = [row["dice"] for row in record.scores if row.get("dice") is not None]
    return sum(values) / len(values) if values else 0.0


def _lines(plans: Iterable[Plan], machines: dict[Path, list[Machines]], *, dry_run: bool) -> list[str]:
    """What was, or would be, joined."""
    act = "would join" if dry_run else "joined"
    lines: list[str] = []
    for plan in plans:
        new = (
            f"{counted(len(plan.copies), 'file')} ({plan.bytes / 2**20:.1f} MiB), {counted(plan.trials, 'new record')}"
        )
        same = f"; {counted(plan.same, 'file')} the same" if plan.same else ""
        again = f"; not joined: {', '.join(plan.made_anew)}" if plan.made_anew else ""
        lines.append(f"{act} {plan.source} into {plan.target}: {new}{same}{again}")
    for into, found in machines.items():
        lines += [_machines_line(into, one) for one in found]
    return lines


def _machines_line(into: Path, one: Machines) -> str:
    told = f"{into.name}: {counted(one.trials, 'trial')} on both {one.first} and {one.second}: {one.same} the same"
    told += " to the last bit"
    if one.trial:
        told += (
            f"; Dice of a case differs by up to {one.value:.4f} ({one.case} of {one.trial}), a mean by {one.mean:.4f}"
        )
    return f"{told}. The report has a table of each machine and ranks in it"


def _problems(plans: Iterable[Plan]) -> list[str]:
    """Conflicts, and the files that are left."""
    lines = [_conflict_line(plan, one) for plan in plans for one in plan.conflicts]
    left = [one for plan in plans for one in plan.left]
    lines += [f"left {one.file}: {one.why}" for one in left[:SHOWN]]
    return lines + ([f"left {len(left) - SHOWN} more: --json names all"] if len(left) > SHOWN else [])


def _conflict_line(plan: Plan, one: Conflict) -> str:
    if not one.run:
        return f"conflict: {plan.source}: {one.unit.name.rstrip('/')}: {one.text}"
    label = f" ({read(one.unit.files[one.unit.record], rows=False).trial.label})" if one.unit.record else ""
    where = f"both are kept, that of {plan.source} as run {one.run} in {plan.target / RUNS / str(one.run)}"
    statuses = one.compared.statuses if one.compared else ("", "")
    mend = f"; to have that one counted, merge {plan.source} first, with --out" if statuses[1] == "done" else ""
    return f"conflict: {one.unit.name}{label}: {one.text}; {where}{mend * (statuses[0] != 'done')}"


def _as_json(plans: Iterable[Plan], machines: dict[Path, list[Machines]], *, dry_run: bool) -> dict[str, Any]:
    def left(one: Left) -> dict[str, Any]:
        return {"file": str(one.file), "why": one.why, "lost": one.lost}

    def conflict(one: Conflict) -> dict[str, Any]:
        largest = {} if one.compared is None else {name: vars(at) for name, at in one.compared.largest.items()}
        about = {"what": one.unit.kind, "name": one.unit.name, "run": one.run or None, "difference": one.text}
        return {**about, "same": one.compared is not None and one.compared.same, "largest": largest}

    return {
        "dry_run": dry_run,
        "merges": [
            {
                "source": str(plan.source),
                "target": str(plan.target),
                "files": [str(copy.target) for copy in plan.copies],
                "bytes": plan.bytes,
                "new_records": plan.trials,
                "same": plan.same,
                "conflicts": [conflict(one) for one in plan.conflicts],
                "left": [left(one) for one in plan.left],
                "not_joined": plan.made_anew,
            }
            for plan in plans
        ],
        "machines": [{"sweep": into.name, **vars(one)} for into, found in machines.items() for one in found],
    }
