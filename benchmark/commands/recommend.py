"""`unetbench recommend`: which trained file to deploy on a machine, why, and the command that exports it."""

import argparse
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...core.errors import SpecError, StoreError, unknown
from ..records.machine import describe, machine, same_machine
from ..records.store import read_sweep
from ..report.frame import frames
from ..report.recommend import Limits, Recommendation, configuration, recommend, values
from ..report.recommended import (
    export_command,
    front_grid,
    nearest_lines,
    numbers,
    place_text,
    reason,
    remarks,
)
from ..report.tables.deployed import Deployed, Group, groups
from ..report.write import STANDARD_POLICY


def recommended(options: argparse.Namespace) -> int:
    """Print the recommendation for each data set and setting; 1 when nothing qualifies for some of them."""
    sweeps = sweeps_of(options.results)
    found = [(sweep, group) for sweep in sweeps for group in _groups(sweep)]
    if not found:
        trained = next((sweep for sweep in sweeps if any(sweep.glob("records/*/*.json"))), None)
        if trained is None:
            raise StoreError(f"{options.results}: holds no records; `unetbench run` makes them")
        raise StoreError(
            f"{options.results}: no deployments yet; `unetbench time {shlex.quote(str(trained))}` measures its trained "
            "trials on every runtime of this machine"
        )
    chosen = chosen_machine(options.device, [row for _, group in found for row in group.rows])
    limits = Limits(
        options.min_dice,
        None if options.max_latency_ms is None else options.max_latency_ms / 1e3,
        None if options.max_mb is None else options.max_mb * 1e6,
    )
    made = [
        (sweep, group, recommend(group, place, limits))
        for sweep, group in found
        for place in group.places
        if place[0] == chosen
    ]
    if options.json:
        print(json.dumps([_as_json(*entry) for entry in made], indent=1))
    else:
        print("\n\n".join(_text(*entry) for entry in made))
    return 0 if all(entry.chosen is not None for _, _, entry in made) else 1


def sweeps_of(results: Path) -> list[Path]:
    """The folder of a sweep, or those of a folder of sweeps. Raises StoreError where there is none."""
    if (results / "records").is_dir():
        return [results]
    found = sorted(folder.parent for folder in results.glob("*/records"))
    if not found:
        raise StoreError(f"{results}: no sweep here; give a folder with `records` inside, which `unetbench run` makes")
    return found


def chosen_machine(device: str | None, rows: Sequence[Deployed]) -> str:
    """The name of the machine: the one that `device` names, by a part of its name or of its hardware.

    Without a device this one where it was timed, else the only one. Raises SpecError.
    """
    hardware: dict[str, str] = {}
    for row in rows:
        hardware[row.machine] = f"{describe(row.facts)} {row.deployment.row['device']}"
    here = machine()
    own = next((row.machine for row in rows if same_machine(row.facts, here)), "")
    if device is None:
        if own or len(hardware) == 1:
            return own or next(iter(hardware))
        names = ", ".join(hardware)
        raise SpecError(f"--device: this machine was not timed; choose one of {names}, or run `unetbench time` here")
    if device in hardware:
        return device
    fitting = [name for name, text in hardware.items() if device.lower() in f"{name} {text}".lower()]
    if len(fitting) > 1:
        raise SpecError(f"--device {device}: fits {', '.join(fitting)}; give more of one name")
    if not fitting:
        raise SpecError(unknown("--device: machine", device, hardware))
    return fitting[0]


def _groups(sweep: Path) -> list[Group]:
    if not any(sweep.glob("deployments/*/*.json")):
        return []
    return groups(frames(sweep, read_sweep(sweep).get("empty") or STANDARD_POLICY))[0]


def _text(sweep: Path, group: Group, found: Recommendation) -> str:
    lines = [f"{group.subject} on {place_text(group, found.place)}", ""]
    notes = remarks(group, found)
    if found.chosen is None:
        lines += [reason(found)[0].upper() + reason(found)[1:] + ".", ""]
        lines += [f"- {line}" for line in nearest_lines(group, found)]
        return "\n".join([*lines, *(f"- {note}" for note in notes)])
    lines += [
        f"Recommended: {found.chosen.label}",
        f"  {numbers(found.chosen)}",
        f"  {reason(found)}",
        f"  {export_command(found.chosen, sweep)}",
        "",
        front_grid(group, found).markdown(),
    ]
    others = [row for row in found.front if row is not found.chosen]
    lines += [f"- {row.label}: {export_command(row, sweep)}" for row in others]
    return "\n".join([*lines, *(f"- {note}" for note in notes)])


def _as_json(sweep: Path, group: Group, found: Recommendation) -> dict[str, Any]:
    return {
        "data_set": group.subject,
        "machine": found.place[0],
        "batch": group.batch,
        "size": list(group.size),
        "threads": found.place[1],
        "reason": reason(found),
        "recommended": None if found.chosen is None else _row_json(sweep, group, found.chosen),
        "front": [_row_json(sweep, group, row) for row in found.front],
        "nearest": {
            name: {**_row_json(sweep, group, row), "beyond": found.limits.excess(row)}
            for name, row in found.nearest.items()
        },
        "left_out": dict(found.left_out),
        "notes": remarks(group, found),
    }


def _row_json(sweep: Path, group: Group, row: Deployed) -> dict[str, Any]:
    dice, latency, size = values(row)
    one = row.deployment
    return {
        "record": row.key,
        "model": row.model,
        "loss": row.loss,
        "seed": row.seed,
        "runtime": one.runtime,
        "verdict": one.verdict,
        "chosen_on": one.chosen_on,
        "choosing_dice": dice,
        "dice_of_seeds": configuration(group, row),
        "test_dice": _known(one.dice),
        "dice_lost": None if one.lost is None else one.lost.mean,
        "latency_s": latency,
        "latency_p95_s": one.latency_s(95),
        "first_call_s": one.row.get("first_call_s"),
        "load_s": one.row.get("load_s"),
        "file_bytes": size,
        "export": export_command(row, sweep),
    }


def _known(value: float) -> float | None:
    return None if value != value else value
