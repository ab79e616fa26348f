"""Training from memory beside training from disk (`cache: disk`): seconds an epoch, and memory.

    python tests/perf/cache_disk.py --data DIR [--gib 2] [--rounds 3] [--folder DIR]

A U-Net of two levels and four channels, so that the input pipeline counts, is trained on DSB 2018 (with --data) and on
generated 1024² images that take so many GiB. Each training has a process of its own; the three ways take turns:
`memory`; `disk`; and `disk, cold`, whose files are first dropped from the system's page cache (Linux). The first epoch
traces the graph and is left out. Resident memory is the peak of all (which includes pages of files that the system may
take back) and the peak of what is the process's own. --folder: where images and cache lie; it is removed at the end.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

WAYS = ("memory", "disk", "disk, cold")
SIDE = 1024


def main() -> None:
    """Make the data, train, print."""
    options = _options()
    if options.worker:
        print(json.dumps(_trained(json.loads(options.worker))))
        return
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        sets: dict[str, dict[str, Any]] = {}
        if options.data:
            sets["dsb2018"] = {"name": "dsb2018", "options": {}, "data": str(options.data.resolve())}
        if options.gib:
            _generate(folder / "images", options.gib)
            globs = {"path": str(folder / "images"), "images": "img/*.tif", "masks": "lab/*.tif", "classes": ["cell"]}
            sets[f"{options.gib:g} GiB of images"] = {"name": "folder", "options": globs, "data": None}
        for name, chosen in sets.items():
            print(name, flush=True)
            found: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
            for _ in range(options.rounds):
                for way in WAYS:
                    found[way].append(_in_process({**chosen, "way": way, "folder": str(folder)}))
            base = median(second for run in found["memory"] for second in run["epochs_s"])
            for way, runs in found.items():
                seconds = sorted(second for run in runs for second in run["epochs_s"])
                print(
                    f"  {way:10}  epoch {median(seconds):6.2f} s ({seconds[0]:.2f} to {seconds[-1]:.2f}), "
                    f"{median(seconds) / base:.2f} of memory's; loading {runs[0]['load_s']:.1f} s, then "
                    f"{median(run['load_s'] for run in runs[1:] or runs):.1f} s; peak of memory "
                    f"{max(run['peak_bytes'] for run in runs) / 2**30:.2f} GiB, own "
                    f"{max(run['own_bytes'] for run in runs) / 2**30:.2f} GiB; Dice {runs[0]['dice']:.6f}",
                    flush=True,
                )
    finally:
        shutil.rmtree(folder)


def _generate(folder: Path, gib: float) -> None:
    import numpy as np
    import tifffile

    rng = np.random.default_rng(0)
    for name in ("img", "lab"):
        (folder / name).mkdir(parents=True)
    for k in range(round(gib * 2**30 / (4 * SIDE**2))):
        mask = np.kron(rng.random((16, 16)) < 0.3, np.ones((SIDE // 16, SIDE // 16))).astype(np.uint8)
        image = rng.integers(0, 120, (SIDE, SIDE, 3), np.uint8) + 100 * mask[..., None]
        tifffile.imwrite(folder / "lab" / f"{k:05}.tif", 255 * mask)
        tifffile.imwrite(folder / "img" / f"{k:05}.tif", image, photometric="rgb")


def _in_process(job: dict[str, Any]) -> dict[str, Any]:
    words = [sys.executable, __file__, "--worker", json.dumps(job)]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _trained(job: dict[str, Any]) -> dict[str, Any]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from unetbench.benchmark.trial.context import Context
    from unetbench.benchmark.trial.run_trial import WorkerCache, run_trial
    from unetbench.core.recipe import Recipe
    from unetbench.core.trial import Choice, Trial
    from unetbench.datasets.source import Source

    folder = Path(job["folder"])
    if job["way"] == "disk, cold":
        for file in folder.glob("cache/cases/*/??/*"):
            with file.open("rb") as stream:
                os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    recipe = Recipe(patch=(128, 128), batch=8, epochs=5, steps=100, schedule="constant")
    model = Choice("unet", {"width": 4, "depth": 2})
    split = {"train": 0.88, "validation": 0.1, "test": 0.02}
    trial = Trial(Choice(job["name"], job["options"]), split, model, Choice("bce"), recipe, 0)
    own = [0]

    def progress(event: dict[str, Any]) -> None:
        own[0] = max(own[0], _own_bytes())

    data = Path(job["data"]) if job["data"] else None
    source = Source(data, folder / "cache", False)
    place = "memory" if job["way"] == "memory" else "disk"
    context = Context(source, folder, Path(tempfile.mkdtemp(dir=folder)), "speed", previews=0, cache=place)
    record = run_trial(trial, context, WorkerCache(), progress)
    if record.status != "done":
        raise SystemExit(record.reason)
    scores = [row["dice"] for row in record.scores]
    return {
        "epochs_s": [epoch["train_s"] for epoch in record.history[1:]], "load_s": record.timing["load_s"],
        "peak_bytes": record.timing["peak_bytes"], "own_bytes": own[0], "dice": sum(scores) / len(scores),
    }  # fmt: skip


def _own_bytes() -> int:
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with dsb2018 in it")
    parser.add_argument("--gib", type=float, default=2.0, help="size of the generated images, 0 for none")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="a folder on the disk to be measured")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
