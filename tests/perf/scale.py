"""What a sweep costs beside its trainings: planning many trials, handing them out, starting them, and many in a row.

    python tests/perf/scale.py [--parts planning,command,records,starting,sweep,workers] [--folder DIR] [--json FILE]
                               [--planned 100000] [--recorded 10000] [--trials 1000] [--pair 100] [--rounds 3]

planning: from a sweep file of so many trials, and of a tenth, to the order in which eight workers get them; the
    seconds of each step, and the peak memory of the process beyond what it had before.
command: `unetbench plan` of so many trials, of a tenth, and of one of each compiled model: seconds and peak memory.
records: the same sweep with so many records that are there already: to find them, to tell what they lack, `status`.
starting: on one warm worker, from handing over a trial to the end of its first epoch less what that epoch took, by what
    the worker had done before, with the time of the first step, which traces, beside it. Networks of usual depth.
sweep: so many trainings of a second or less (a network of one level and two channels on generated cells, one epoch,
    varying seeds) by one worker, in ten bins: seconds a trial, of the driver between two trials, from handing over to
    the first epoch, the resident memory of worker and driver, and processor time, since others may use the machine too.
workers: wall time of a sweep of such trials with two workers as a share of that with one, in turns, the start of the
    workers included. None of these times runtimes.

Runs of the parts are processes of their own. Memory is MiB.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import mean, median
from typing import Any

BINS = 10
COLUMNS: dict[str, Callable[[list[Any]], str]] = {
    "s a trial": lambda rows: f"{mean(row['wall_s'] for row in rows):.3f}",
    "processor, s": lambda rows: f"{mean(row['worker_cpu_s'] for row in rows):.3f}",
    "driver, ms": lambda rows: f"{1000 * median(row['driver_s'] for row in rows):.1f}",
    "starting, ms": lambda rows: f"{1000 * median(row['starting_s'] for row in rows):.0f}",
    "worker, MiB": lambda rows: f"{rows[-1]['worker_mib']:.0f}",
    "driver, MiB": lambda rows: f"{rows[-1]['driver_mib']:.0f}",
    "workers": lambda rows: f"{rows[-1]['workers']}",
}
"""Of a bin of a sweep; the last one counts those that have run."""

PARTS = Path(__file__).with_name("scale_parts.py")


def main() -> None:
    """Run the parts and print."""
    options = _options()
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    found: dict[str, Any] = {}
    try:
        for part in options.parts.split(","):
            print(f"\n{part}", flush=True)
            found[part] = SHOWN[part](folder, options)
    finally:
        shutil.rmtree(folder)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2), "utf-8")


def _show_planning(folder: Path, options: argparse.Namespace) -> Any:
    runs = [_in_process("planning", folder, {"count": count}) for count in (options.planned // 10, options.planned)]
    print(f"{'':34}" + "".join(f"{run['trials']:>14,}" for run in runs))
    for step in runs[0]["seconds"]:
        print(f"{step:34}" + "".join(f"{run['seconds'][step]:12.2f} s" for run in runs))
    print(f"{'all':34}" + "".join(f"{sum(run['seconds'].values()):12.2f} s" for run in runs))
    print(f"{'processor time':34}" + "".join(f"{run['cpu_s']:12.2f} s" for run in runs))
    print(f"{'peak memory beyond that before':34}" + "".join(f"{run['mib']:10.0f} MiB" for run in runs))
    return runs


def _show_command(folder: Path, options: argparse.Namespace) -> Any:
    counts = (100, options.planned // 10, options.planned)
    runs = [_in_process("command", folder, {"count": count}) for count in counts]
    print(f"{'trials':>12}{'seconds':>10}{'processor':>12}{'peak, MiB':>12}")
    for run in runs:
        print(f"{run['trials']:12,}{run['seconds']:10.1f}{run['cpu_s']:12.1f}{run['mib']:12.0f}")
    return runs


def _show_records(folder: Path, options: argparse.Namespace) -> Any:
    run = _in_process("records", folder, {"count": options.planned, "recorded": options.recorded})
    for step, seconds in run["seconds"].items():
        print(f"{step:34}{seconds:12.2f} s, {1000 * seconds / options.recorded:.3f} ms a record")
    return run


def _show_starting(folder: Path, options: argparse.Namespace) -> Any:
    run = _in_process("starting", folder, {"seeds": 3})
    kinds: dict[str, list[Any]] = {}
    for row in run["trials"]:
        kinds.setdefault(row["after"], []).append(row)
    print(f"{'after':18}{'trials':>8}{'starting, median':>20}{'longest':>12}{'of it building':>18}{'first step':>14}")
    for kind, rows in kinds.items():
        taken = [row["starting_s"] for row in rows]
        built, first = (median(row[key] for row in rows) for key in ("build_s", "first_step_s"))
        print(f"{kind:18}{len(rows):8}{median(taken):18.2f} s{max(taken):10.2f} s{built:16.2f} s{first:12.2f} s")
    return run


def _show_sweep(folder: Path, options: argparse.Namespace) -> Any:
    run = _in_process("sweep", folder, {"count": options.trials})
    print("  ".join(f"{name:>12}" for name in ("trials", *COLUMNS)))
    rows = run["trials"]
    for first in range(0, len(rows), len(rows) // BINS):
        part = rows[first : first + len(rows) // BINS]
        values = (f"{first + 1}-{first + len(part)}", *(show(part) for show in COLUMNS.values()))
        print("  ".join(f"{value:>12}" for value in values))
    cpu_ms = 1000 * run["driver_cpu_s"] / len(rows)
    size = len(rows) // BINS
    for name, key in (("wall time", "wall_s"), ("processor time of the worker", "worker_cpu_s")):
        first, last = (mean(row[key] for row in part) for part in (rows[1:size], rows[-size:]))
        print(f"{name} of the last {size} trials over that of the first, less the very first: {last / first:.3f}")
    print(f"processor time of the driver: {cpu_ms:.1f} ms a trial; all done: {run['done']}")
    return run


def _show_workers(folder: Path, options: argparse.Namespace) -> Any:
    walls: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(options.rounds):
        for workers, seconds in walls.items():
            seconds.append(_in_process("workers", folder, {"count": options.pair, "workers": workers})["wall_s"])
    for workers, seconds in walls.items():
        print(
            f"{workers} worker{'s' if workers > 1 else ' '}: " + ", ".join(f"{spent:.1f}" for spent in seconds) + " s"
        )
    ratios = sorted(two / one for one, two in zip(walls[1], walls[2], strict=True))
    print(
        f"two of one: {median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}); load of the machine {os.getloadavg()}"
    )
    return walls


def _in_process(part: str, folder: Path, arguments: dict[str, Any]) -> Any:
    words = [sys.executable, str(PARTS), part, str(folder), json.dumps(arguments)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


SHOWN = {
    "planning": _show_planning,
    "command": _show_command,
    "records": _show_records,
    "starting": _show_starting,
    "sweep": _show_sweep,
    "workers": _show_workers,
}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", default=",".join(SHOWN))
    parser.add_argument("--planned", type=int, default=100_000)
    parser.add_argument("--recorded", type=int, default=10_000)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--pair", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where results lie meanwhile; what is made there is removed")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
