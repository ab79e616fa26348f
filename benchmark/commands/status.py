"""`unetbench status`."""

import argparse
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...core.counted import counted
from ...core.errors import StoreError
from ...core.record import Record
from ..records.claims import Claim, Claims
from ..records.planned import read_planned
from ..records.store import SETTLED, read
from ..tune.store import FOLDER
from .status_tuning import tuning_state, tuning_text

LAST_LINES = 3
"""Of a failed trial's traceback that are shown, and of what libraries printed."""


def status(options: argparse.Namespace) -> int:
    """Print how far a sweep is on each machine; 0 when every trial is settled, else 1."""
    folder: Path = options.results
    if not (folder / "sweep.yaml").is_file():
        raise StoreError(f"{folder}: no sweep.yaml inside; give the folder of one sweep, as in results/SWEEP")
    names = read_planned(folder)
    places = ("records", "claims", f"{FOLDER}/searches")
    machines = sorted({name for place in places for name in _names(folder / place)}) or ["no machine yet"]
    made: dict[str, dict[str, Record]] = {machine: {} for machine in machines}
    for file in sorted(folder.glob("records/*/*.json")):
        record = read(file, rows=False)
        made.setdefault(file.parent.name, {})[record.trial.id] = record
    found = [
        _of_machine(machine, names, made[machine], Claims(folder / "claims" / machine).all()) for machine in machines
    ]
    if (folder / FOLDER).is_dir():
        tuning = tuning_state(folder)
        found = [{**entry, "tuning": tuning.get(entry["machine"], [])} for entry in found]
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        print("\n\n".join(_text(folder.name, entry) for entry in found))
    over = all(row["over"] == row["trials"] for entry in found for row in entry.get("tuning", []))
    return 0 if over and all(entry["settled"] == entry["trials"] for entry in found) else 1


def _names(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir() if entry.is_dir()] if folder.is_dir() else []


def _of_machine(
    machine: str, names: Mapping[str, str], made: Mapping[str, Record], claims: Sequence[Claim]
) -> dict[str, Any]:
    """What `--json` gives of a machine: counts, and the trials that run, are stale or failed."""
    wanted = {**{key: record.trial.label for key, record in made.items() if not names}, **names}
    found = {key: record for key, record in made.items() if key in wanted}
    counts = Counter(record.status for record in found.values())
    running = [_running(claim, wanted) for claim in claims if claim.alive]
    begun = {claim.key for claim in claims if claim.alive}
    return {
        "machine": machine,
        "trials": len(wanted),
        "settled": sum(counts[status] for status in SETTLED),
        "counts": dict(counts),
        "to_come": len([key for key in wanted if key not in found and key not in begun]),
        "running": running,
        "stale": [_running(claim, wanted) for claim in claims if not claim.alive],
        "failed": [
            {
                "trial": wanted[key],
                "status": record.status,
                "reason": record.reason,
                "last_lines": _last_lines(record),
                "log": record.log,
            }
            for key, record in found.items()
            if record.status not in SETTLED and key not in begun
        ],
    }


def _running(claim: Claim, names: Mapping[str, str]) -> dict[str, Any]:
    key, _, runtimes = claim.key.partition("-")
    where = f"{claim.host}{f', job {claim.job}' if claim.job else ''}, process {claim.process}"
    where = where if claim.host else "its claim is damaged and does not say where"
    doing = claim.progress or ("on its runtimes" if runtimes else "begun")
    quiet = round(claim.quiet_s, 1)
    return {"trial": names.get(key, key), "where": where, "since": claim.since, "doing": doing, "quiet_s": quiet}


def _last_lines(record: Record) -> list[str]:
    lines = [line.strip() for line in record.traceback.splitlines() if line.strip()]
    return lines[-LAST_LINES:]


def _text(sweep: str, entry: Mapping[str, Any]) -> str:
    counts = [f"{count} {name.replace('_', ' ')}" for name, count in sorted(entry["counts"].items())]
    counts += [f"{len(entry['running'])} under way"] if entry["running"] else []
    counts += [f"{entry['to_come']} to come"] if entry["to_come"] else []
    count = counted(entry["trials"], "trial")
    lines = [f"{sweep} on {entry['machine']}: {count}: {', '.join(counts) or 'none'}"]
    for title, what in (("under way", "running"), ("stale, whoever runs next takes them", "stale")):
        lines += [title] if entry[what] else []
        for row in entry[what]:
            sign = f"last sign of life {row['quiet_s']:.0f} s ago"
            since = f"since {row['since']}, " if row["since"] else ""
            lines.append(f"  {row['trial']}: {row['doing']}; {row['where']}, {since}{sign}")
    lines += ["failed"] if entry["failed"] else []
    for row in entry["failed"]:
        lines.append(f"  {row['trial']}: {row['status'].replace('_', ' ')}: {row['reason']}")
        lines += [f"      {line}" for line in row["last_lines"]]
        lines += [f"      printed: {line}" for line in row["log"][-LAST_LINES:]]
    lines += tuning_text(entry.get("tuning", []))
    return "\n".join(lines)
