"""Large images under the two standard recipes, at equal wall time of training: share of validation, and test Dice.

    python tests/perf/large_images.py --data DIR [--sets hrf,usiigaci,sstem_vnc] [--seeds 3] [--json FILE]

Each set is trained with a quarter-width U-Net on patches of 256² first under version 2 (epochs by area, sampled
validation, large windows), then under version 1 (every image once an epoch, whole validation after each, windows of the
patch) for as many epochs as take the same time. The last table predicts one 1030×1349 image both ways.
"""

import argparse
import json
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

SETS: dict[str, dict[str, Any]] = {
    "hrf": {
        "data": {"folder": "hrf", "images": "images/*.*", "masks": "manual1/*.tif", "classes": ["vessel"]},
        "epochs": 6,
        "split": {"train": 0.5, "validation": 0.17, "test": 0.33},
    },
    "usiigaci": {
        "data": {"folder": "usiigaci/train", "images": "*/raw.tif", "masks": "*/instances_ids.png", "instances": True},
        "epochs": 24,
        "split": {"train": 0.5, "validation": 0.25, "test": 0.25},
    },
    "sstem_vnc": {
        "data": {"name": "sstem_vnc"},
        "epochs": 3,
        "split": {"train": 0.6, "validation": 0.2, "test": 0.2},
    },
}
SETS["usiigaci"]["data"]["classes"] = ["cell"]

RECIPE = {
    "patch": [256, 256], "batch": 8, "rate": 0.002, "schedule": "cosine", "stop_patience": 0,
    "precision": "mixed_bfloat16", "overlap": 0.5,
}  # fmt: skip


def main() -> None:
    """Train, measure, print."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    options = _options()
    rows = []
    for name in filter(None, options.sets.split(",")):
        second = _trained(name, options, standard=2, epochs=SETS[name]["epochs"])
        wanted = mean(row["train_s"] for row in second)
        probe = _trained(name, options, standard=1, epochs=3, seeds=1)[0]
        epoch_s = mean(probe["epochs_s"][1:])
        epochs = max(3, round((wanted - probe["train_s"]) / epoch_s) + 3)
        first = _trained(name, options, standard=1, epochs=epochs)
        rows += [*first, *second]
        for standard, found in ((1, first), (2, second)):
            scores = ", ".join(f"{row['dice']:.3f}" for row in found)
            share = mean(row["validation_share"] for row in found)
            seconds = mean(row["train_s"] for row in found)
            print(
                f"{name:10} v{standard}  {found[0]['epochs']:3d} epochs  {found[0]['steps']:5d} steps  "
                f"training {seconds:6.1f} s, {share:4.0%} of it validation  Dice {mean(r['dice'] for r in found):.3f} "
                f"({scores})  prediction {mean(row['predict_s'] for row in found):.1f} s",
                flush=True,
            )
    prediction = _prediction()
    print("\n".join(f"{key}: {value}" for key, value in prediction.items()))
    if options.json:
        options.json.write_text(json.dumps({"trainings": rows, "prediction": prediction}, indent=2))


def _trained(
    name: str, options: argparse.Namespace, *, standard: int, epochs: int, seeds: int | None = None
) -> list[dict[str, Any]]:
    import yaml

    from unetbench.benchmark.sweep import file as sweep
    from unetbench.benchmark.sweep import plan
    from unetbench.benchmark.trial.context import Context
    from unetbench.benchmark.trial.run_trial import WorkerCache, run_trial
    from unetbench.datasets.source import Source

    folder = Path(tempfile.mkdtemp())
    file = folder / f"{name}.yaml"
    data = dict(SETS[name]["data"])
    if "folder" in data:
        data["folder"] = str(options.data.resolve() / data["folder"])
    spec = {
        "standard": standard,
        "datasets": [{**data, "split": SETS[name]["split"]}],
        "models": [{"name": "unet_quarter", "normalisation": "batch"}],
        "losses": ["bce_dice"],
        "seeds": seeds or options.seeds,
        "recipe": {**RECIPE, "epochs": epochs},
    }
    file.write_text(yaml.safe_dump(spec))
    wanted = sweep.read(file)
    context = Context(
        Source(options.data.resolve(), folder / "cache", False), folder, folder / "results", name, previews=0
    )
    cache, rows = WorkerCache(), []
    for entry in plan.trials(wanted, context):
        record = run_trial(entry.trial, context, cache, lambda event: None)
        if record.status != "done":
            raise SystemExit(f"{record.trial.id}: {record.reason}")
        training = sum(epoch["train_s"] for epoch in record.history)
        scores = [row["dice"] for row in record.scores if row["dice"] is not None]
        rows.append({
            "set": name, "standard": standard, "seed": entry.trial.seed, "epochs": epochs,
            "steps": record.data["epoch_patches"] // entry.trial.recipe.batch * epochs,
            "train_s": record.timing["train_s"], "validation_share": 1 - training / record.timing["train_s"],
            "epochs_s": [epoch["train_s"] + epoch["validate_s"] for epoch in record.history],
            "dice": mean(scores), "predict_s": record.timing["predict_s"], "selection": record.selection,
        })  # fmt: skip
    return rows


def _prediction() -> dict[str, Any]:
    """Seconds for one 1030×1349 image, patch 128², in windows of the patch and in the largest that memory allows."""
    import numpy as np

    from unetbench.benchmark.trial.predict import predict
    from unetbench.benchmark.trial.windows import Windows
    from unetbench.core.recipe import Recipe
    from unetbench.core.task import Task
    from unetbench.models import MODELS
    from unetbench.runtimes import RUNTIMES

    task = Task(2, 1, ("cell",))
    model = MODELS["unet_quarter"](task, normalisation="batch")
    forward = RUNTIMES["keras"](model)
    image = np.random.default_rng(0).standard_normal((1030, 1349, 1)).astype(np.float32)
    found: dict[str, Any] = {}
    recipe = Recipe(patch=(128, 128))
    large = Windows.of(model, recipe)
    ways = {"patches": Windows.of(model, replace(recipe, predict_mib=0)), "largest window": large}
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(5):
        for name, windows in ways.items():
            begun = time.perf_counter(), time.process_time()
            predict(forward, image, task, **windows.options(image.shape[:-1]))
            ended = time.perf_counter(), time.process_time()
            taken[name].append((ended[0] - begun[0], ended[1] - begun[1]))
    for name, seconds in taken.items():
        window = "×".join(map(str, ways[name].window(image.shape[:-1])))
        wall, processor = map(min, zip(*seconds[1:], strict=True))
        found[f"1030×1349, windows of {window}"] = f"{wall:.2f} s, {processor:.2f} s of processor time"
    return found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--sets", default=",".join(SETS), help="'' predicts only")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
