"""What a report costs, by the number of records.

    python tests/perf/report_scale.py [--sizes 200,1000,10000] [--beside DIR] [--rounds 1] [--json FILE]

Records are generated: one data set, cases of groups of their own, scores that rise with the model and scatter with case
and seed, two epochs of history and five samples of latency. `SIZES` says how many of what. Each report is made in a
process of its own; printed are its seconds by the clock, its processor time and its peak memory. `--beside` names
another checkout of the repository, which makes each report in turns with this one.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

SIZES: dict[int, tuple[int, int, int, int, int]] = {
    20: (10, 2, 8, 2, 4),
    200: (139, 2, 32, 1, 4),
    1000: (200, 5, 32, 1, 4),
    10_000: (200, 50, 60, 3, 10),
}
"""By number of records: configurations, seeds at most, cases, classes, metrics."""

ROOT = Path(__file__).resolve().parents[2]

LOSSES = ("bce", "dice", "bce_dice", "tversky")
METRICS = ("dice", "iou", "precision", "recall", "specificity", "nsd", "boundary_iou", "cldice", "hd95", "assd")

RUN = """
import json, resource, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
begun = time.perf_counter()
from unetbench.benchmark.report.write import write_report
files = write_report(Path(sys.argv[2]), Path(sys.argv[3]))
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"wall_s": time.perf_counter() - begun, "processor_s": used.ru_utime + used.ru_stime,
                  "peak_mib": used.ru_maxrss / 1024, "files": len(files), "page_mb": files[0].stat().st_size / 1e6}))
"""


def generate(folder: Path, count: int) -> Path:
    """Write `count` records below the folder and return the sweep's; the same bytes each time."""
    configurations, seeds, cases, classes, metrics = SIZES[count]
    generator = np.random.default_rng(count)
    level = generator.normal(0.8, 0.03, configurations)
    hard = generator.normal(0, 0.06, (cases, classes))
    written = 0
    for seed in range(seeds):
        for index in range(configurations):
            if written == count:
                break
            shift = level[index] + generator.normal(0, 0.005)
            dice = np.clip(shift + hard + generator.normal(0, 0.03, hard.shape), 0.02, 0.999)
            _write(folder, _trial(index, seed), dice, METRICS[:metrics])
            written += 1
    (folder / "sweep.yaml").write_text("name: generated\nempty: nan_worst\n", "utf-8")
    return folder


def _trial(index: int, seed: int) -> Any:
    from unetbench.core.recipe import Recipe
    from unetbench.core.trial import Choice, Trial

    model = Choice("unet", {"width": 4 + index // len(LOSSES)})
    loss = Choice(LOSSES[index % len(LOSSES)])
    return Trial(Choice("dsb2018"), {"digest": "0a1b"}, model, loss, Recipe(patch=(32, 32), epochs=2), seed)


def _write(folder: Path, trial: Any, dice: np.ndarray, metrics: tuple[str, ...]) -> None:
    from unetbench.core.record import Record

    scores = [
        {"case": f"c{case:03d}", "group": f"c{case:03d}", "class": f"class {kind}", **_score(float(value), metrics)}
        for (case, kind), value in np.ndenumerate(dice)
    ]
    samples = {"runtime": "keras", "device": "cpu", "batch": 1, "size": [32, 32], "channels": 1, "dtype": "float32"}
    record = Record(
        trial,
        "done",
        scores=scores,
        machine={"name": "desk", "cpu": "A CPU", "cores": 2, "memory_bytes": 2**34, "gpu": "", "system": "Linux"},
        versions={"python": "3.12.1", "keras": "3.15.0"},
        task={"rank": 2, "channels": 1, "classes": [f"class {k}" for k in range(dice.shape[1])], "kind": "binary"},
        data={"train": 100, "validation": 10, "test": len(dice), "licence": "CC0", "citation": "none", "notes": []},
        selection={"epoch": 2, "score": 0.8, "monitor": "dice", "threshold": 0.5},
        history=[{"epoch": k, "loss": 1 / k, "val_loss": 1 / k, "val_dice": 0.4 * k, "rate": 1e-3} for k in (1, 2)],
        model={"trainable": 10_000 * trial.model.options["width"], "total": 10**6, "macs": 10**8, "size": "32×32"},
        latency=[{**samples, "warmup": 3, "samples_s": [0.001 * (10 + k) for k in range(5)]}],
        timing={"train_s": 100.0, "peak_bytes": 2e9},
    )
    file = folder / "records" / "desk" / f"{trial.id}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(record.to_json(), "utf-8")


def _score(dice: float, metrics: tuple[str, ...]) -> dict[str, Any]:
    hit = round(100 * dice)
    counts = {"tp": hit, "fp": 100 - hit, "fn": 100 - hit, "tn": 800 + hit, "empty": "none", "diagonal": 45.0}
    values = {name: dice / (2 - dice) if name == "iou" else dice for name in metrics}
    return {**counts, **values, **{name: 20 * (1 - dice) for name in ("hd95", "assd") if name in metrics}}


def measured(package: Path, sweep: Path, out: Path) -> dict[str, float]:
    """Make the report with the package that lies in the folder; what it took."""
    words = [sys.executable, "-W", "ignore", "-c", RUN, str(package), str(sweep), str(out)]
    environment = {**os.environ, "PYTHONPATH": "", "MPLBACKEND": "agg"}
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def _package(folder: Path, checkout: Path) -> Path:
    """A folder in which the checkout is called as it is imported."""
    folder.mkdir(exist_ok=True)
    if not (folder / "unetbench").exists():
        (folder / "unetbench").symlink_to(checkout)
    return folder


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="What a report costs, by the number of records.")
    parser.add_argument("--sizes", default="200,1000,10000")
    parser.add_argument("--beside", type=Path)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    checkouts = {"this": ROOT, **({"beside": options.beside.resolve()} if options.beside else {})}
    found: list[dict[str, Any]] = []
    for count in map(int, options.sizes.split(",")):
        folder = Path(tempfile.mkdtemp())
        try:
            sweep = generate(folder / "generated", count)
            for turn in range(options.rounds):
                for name, checkout in checkouts.items():
                    took = measured(_package(folder / f"package-{name}", checkout), sweep, folder / name)
                    found.append({"records": count, "round": turn, "package": name, **took})
                    print(json.dumps(found[-1]), flush=True)
        finally:
            shutil.rmtree(folder)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2), "utf-8")


if __name__ == "__main__":
    main()
