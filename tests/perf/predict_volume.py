"""What memory `unetbench predict` takes for an OME-Zarr larger than memory, with overlays and objects.

    python tests/perf/predict_volume.py [--gb 8.6] [--edge 1024] [--memory-mib 2048] [--folder DIR]

An OME-Zarr 0.5 of 16-bit voxels with slices of edge × edge, generated cells side by side, is segmented by a small 3D
U-Net on TensorFlow. Printed are the most resident memory of the process, as the system counts it, the time and the
number of objects. --folder: where images and labels lie; what is made there is removed at the end.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import zarr

from unetbench.benchmark.records.store import Store
from unetbench.benchmark.trial.context import Context
from unetbench.benchmark.trial.run_trial import WorkerCache, run_trial
from unetbench.core.recipe import Recipe
from unetbench.core.trial import Choice, Trial
from unetbench.datasets import DATASETS
from unetbench.datasets.source import Source

BLOCK = (16, 128, 128)
"""A generated volume, which the image repeats."""

PROGRAM = """
import sys
from pathlib import Path
from unetbench.benchmark.cli import main
status = main(sys.argv[1:])
lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
print("PEAK", int(lines["VmHWM"].split()[0]) << 10)
sys.exit(status)
"""


def main() -> None:
    """Make the image, segment it, print."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--gb", type=float, default=8.6)
    words.add_argument("--edge", type=int, default=1024)
    words.add_argument("--memory-mib", type=int, default=2048)
    words.add_argument("--folder", type=Path)
    options = words.parse_args()
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        record, image = _trained(folder), folder / "image.ome.zarr"
        slices = _write(image, options.gb, options.edge)
        out, started = folder / "out", time.perf_counter()
        call = [sys.executable, "-c", PROGRAM, "predict", record, image, "--out", out, "--overlays", "--instances"]
        call += ["--memory-mib", options.memory_mib]
        process = subprocess.run(list(map(str, call)), stdout=subprocess.PIPE, text=True, check=True)
        peak = int(next(line for line in process.stdout.splitlines() if line.startswith("PEAK")).split()[1])
        objects = len(pd.read_csv(out / "objects.csv"))
        size = slices * options.edge**2 * 2
        print(f"{slices}×{options.edge}×{options.edge} voxels of 16 bits, {size / 1e9:.1f} GB, {objects} objects")
        print(f"most resident memory {peak / 2**20:.0f} MiB, {time.perf_counter() - started:.0f} s")
    finally:
        shutil.rmtree(folder)


def _trained(folder: Path) -> Path:
    context = Context(Source(None, folder / "cache"), folder, folder / "results", "perf", weights=True)
    dataset = Choice("cells", {"form": "volume", "count": 12, "size": [16, 64, 64]})
    model = Choice("unet_3d", {"width": 4, "depth": 1})
    recipe = Recipe(patch=(16, 64, 64), batch=2, epochs=4, steps=30, rate=0.005, overlap=0.25)
    trial = Trial(dataset, {}, model, Choice("bce_dice"), recipe, 0)
    record = run_trial(trial, context, WorkerCache(), lambda event: None)
    if record.status != "done":
        raise SystemExit(record.reason)
    return Store.here(context.results, context.sweep).put(record)


def _write(image: Path, gigabytes: float, edge: int) -> int:
    """Write the image slab by slab; returns the number of its slices."""
    found = DATASETS["cells"](Source(None, image.parent / "cache"), form="volume", count=1, size=list(BLOCK), seed=7)
    (case,) = found.cases
    block = np.clip(case.read().image[..., 0], 0, 65535).astype("uint16")
    slab = np.tile(block, (1, -(-edge // BLOCK[1]), -(-edge // BLOCK[2])))[:, :edge, :edge]
    slices = round(gigabytes * 1e9 / 2 / edge**2 / BLOCK[0]) * BLOCK[0]
    group = zarr.open_group(image, mode="w", zarr_format=3)
    names = ("z", "y", "x")
    array = group.create_array(
        "0", shape=(slices, edge, edge), chunks=(BLOCK[0], 256, 256), dtype="uint16", dimension_names=names
    )
    scale = [{"type": "scale", "scale": [2.0, 0.5, 0.5]}]
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in names]
    levels = [{"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": scale}]}]
    group.attrs["ome"] = {"version": "0.5", "multiscales": levels}
    for start in range(0, slices, BLOCK[0]):
        array[start : start + BLOCK[0]] = slab
    return slices


if __name__ == "__main__":
    main()
