"""What `unetbench predict` takes beside the network: files read, predicted and written against the bare loop.

    python tests/perf/predict_files.py [--model unet_half] [--images 200] [--rounds 3] [--size 256]

Both run the same forward with batch 1 in one process, in turns, so that a drift of the machine meets both: the bare
loop calls it on prepared arrays that are in memory; the other reads PNG files, prepares, stitches, finds objects,
measures and writes. Printed are the medians of the rounds and their quotients, of wall time and of the CPU time of all
threads, which other processes disturb less.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from unetbench.benchmark.predict.inputs import inputs
from unetbench.benchmark.predict.open_trial import open_trial
from unetbench.benchmark.predict.outputs import Wanted
from unetbench.benchmark.predict.progress import Progress
from unetbench.benchmark.predict.segment_files import segment_files
from unetbench.benchmark.records.machine import machine
from unetbench.benchmark.records.store import Store
from unetbench.benchmark.trial.context import Context
from unetbench.benchmark.trial.run_trial import WorkerCache, run_trial
from unetbench.core.recipe import Recipe
from unetbench.core.trial import Choice, Trial
from unetbench.datasets import DATASETS
from unetbench.datasets.prepare import prepare_image
from unetbench.datasets.source import Source

KINDS = {"masks and measures": Wanted(), "everything": Wanted(probabilities=True, instances=True, overlays=True)}


def main() -> None:
    """Measure and print."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--model", default="unet_half")
    words.add_argument("--images", type=int, default=200)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--size", type=int, default=256)
    options = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _measure(Path(folder), options)


def _measure(folder: Path, options: argparse.Namespace) -> None:
    segmenter = open_trial(_trained(folder, options.model, options.size))
    images = _images(folder, options.images, options.size)
    prepared = [prepare_image("", image, segmenter.source, segmenter.preprocess).image[None] for image in images]
    entries = inputs([str(folder / "images")], folder / "out")
    for array in prepared[:3]:
        segmenter.forward(array)
    seconds: dict[str, list[float]] = {name: [] for name in ("bare loop", *KINDS)}
    cpu: dict[str, list[float]] = {name: [] for name in seconds}
    for turn in range(options.rounds):
        started, used = time.perf_counter(), time.process_time()
        for array in prepared:
            segmenter.forward(array)
        seconds["bare loop"].append(time.perf_counter() - started)
        cpu["bare loop"].append(time.process_time() - used)
        for name, wanted in KINDS.items():
            started, used = time.perf_counter(), time.process_time()
            outcome = segment_files(
                entries,
                segmenter,
                folder / f"out {name} {turn}",
                wanted=wanted,
                reading=segmenter.reading,
                progress=Progress(quiet=True),
            )
            seconds[name].append(time.perf_counter() - started)
            cpu[name].append(time.process_time() - used)
            if outcome.done != len(images):
                raise SystemExit(f"{outcome.done} of {len(images)} images were segmented")
    about = machine()
    print(f"{about['name']}: {options.model}, {options.images} images of {options.size}², {options.rounds} rounds")
    bare, bare_cpu = (statistics.median(kind["bare loop"]) for kind in (seconds, cpu))
    for name, own in seconds.items():
        taken = statistics.median(own)
        spread = (max(own) - min(own)) / taken
        print(
            f"{name:<20} {1000 * taken / len(images):7.1f} ms an image   × {taken / bare:.3f}   spread {spread:.0%}   "
            f"CPU × {statistics.median(cpu[name]) / bare_cpu:.3f}"
        )


def _trained(folder: Path, model: str, size: int) -> Path:
    """The record of a trial of one epoch over a few images, its weights kept."""
    context = Context(Source(None, folder / "cache"), folder, folder / "results", "perf", weights=True)
    dataset = Choice("cells", {"count": 12, "size": [size, size]})
    recipe = Recipe(patch=(size, size), batch=4, epochs=1, steps=25)
    trial = Trial(dataset, {}, Choice(model), Choice("bce_dice"), recipe, 0)
    record = run_trial(trial, context, WorkerCache(), lambda event: None)
    if record.status != "done":
        raise SystemExit(record.reason)
    return Store.here(context.results, context.sweep).put(record)


def _images(folder: Path, count: int, size: int) -> list[np.ndarray]:
    """Generated cells, as PNG files and as they are read from these."""
    (folder / "images").mkdir()
    found = DATASETS["cells"](Source(None, folder / "cache"), count=count, size=[size, size], seed=1)
    images = [case.read().image for case in found.cases]
    for number, image in enumerate(images):
        cv2.imwrite(str(folder / "images" / f"{number:04}.png"), image[..., 0])
    return images


if __name__ == "__main__":
    main()
