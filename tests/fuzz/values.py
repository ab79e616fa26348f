"""What records, sweep files and the other files of text hold, small and whole."""

import json
from dataclasses import asdict, replace
from typing import Any

from unetbench.benchmark.records.deployments import Deployments
from unetbench.core.recipe import Recipe
from unetbench.core.record import Record
from unetbench.core.trial import Choice, Derivation, Trial

TRIAL = Trial(
    Choice("cells", {"count": 4}), {"digest": "0a1b"}, Choice("unet"), Choice("bce"), Recipe(patch=(32, 32)), 0
)
KEY = TRIAL.id

MACHINE = {"name": "desk", "cpu": "A CPU", "cores": 2, "threads": 2, "gpu": "", "system": "Linux", "digest": "ab12"}


EPOCH = {"loss": 0.5, "val_loss": 0.4, "val_dice": 0.7, "rate": 1e-3, "train_s": 8.0, "validate_s": 1.0}
"""A row of a history."""


def records() -> list[Any]:
    """A done trial, a failed one, and one that comes from another."""
    score = {"case": "a", "group": "a", "class": "cell", "tp": 9, "fp": 1, "fn": 2, "tn": 88, "empty": "none"}
    done = Record(
        TRIAL,
        "done",
        started="2026-01-02T03:04:05+00:00",
        finished="2026-01-02T03:05:05+00:00",
        machine=MACHINE,
        versions={"python": "3.12.1", "keras": "3.15.0", "backend": "tensorflow"},
        git={"commit": "0123456789abcdef", "dirty": False},
        task={"rank": 2, "channels": 1, "classes": ["cell"], "kind": "binary", "spacing_mm": None, "ignore": None},
        data={"train": 2, "validation": 1, "test": 1, "licence": "CC0", "citation": "", "notes": ["one"]},
        model={"trainable": 99, "total": 99, "macs": 10**6, "size": "32×32"},
        selection={"epoch": 1, "score": 0.8, "monitor": "dice", "threshold": 0.5},
        history=[{**EPOCH, "epoch": 1}],
        scores=[{**score, "dice": 0.86, "iou": None, "diagonal": 14.1, "objects": [1, 1], "matched": [1] * 10}],
        latency=[{"runtime": "keras", "device": "cpu", "batch": 1, "size": [32, 32], "samples_s": [0.01, 0.02]}],
        timing={"train_s": 9.0, "predict_s": 1.0, "peak_bytes": 1e9},
        prediction={"windows": [{"window": [32, 32], "cases": 1}]},
        training={"device": "cpu", "device_name": "A CPU", "batch": 8, "steps_s": [0.1, 0.1]},
    )
    child = replace(TRIAL, derivation=Derivation("channels", KEY, TRIAL.model, {"share": 0.5}))
    failed = Record(child, "failed", "out of memory", traceback="Traceback\n  here", machine=MACHINE)
    return [json.loads(record.to_json()) for record in (done, failed)]


def deployments() -> list[Any]:
    """A trial on two runtimes."""
    row = {
        "runtime": "keras", "status": "done", "device": "A CPU", "instructions": ["avx2"], "batch": 1, "size": [32, 32],
        "channels": 1, "threads": 2, "precision": "float32", "file_bytes": 999, "load_s": 0.1, "first_call_s": 0.1,
        "session": {}, "difference": 1e-6, "own_difference": 1e-6, "gate": 1e-4, "samples_s": [0.01, 0.02],
        "rounds": [2], "warmup": 3, "steady": True, "reference_s": [0.02, 0.02], "peak_bytes": 2**20,
        "scores": [{"case": "a", "group": "a", "class": "cell", "tp": 9, "fp": 1, "fn": 2, "tn": 88}],
    }  # fmt: skip
    rows = [row, {**row, "runtime": "onnx", "status": "failed", "problem": "no file"}]
    return [json.loads(Deployments(KEY, "a trial", "2026-01-02", MACHINE, {"keras": "3.15.0"}, rows).to_json())]


def peaks() -> list[Any]:
    """What a machine computes and moves at best."""
    about = {"backend": "tensorflow", "device": "cpu", "precision": "float32", "measured": "2026-01-02"}
    readings = [
        {"what": "conv2d", "operations": 1e9, "samples_s": [0.1]},
        {"what": "copy", "bytes": 1e9, "samples_s": [0.1]},
    ]
    return [{**about, "machine": MACHINE, "versions": {"keras": "3.15.0"}, "readings": readings}]


def planned() -> list[Any]:
    """Names of trials by id."""
    return [{KEY: "cells · unet · bce · seed 0", "0" * 16: "cells · vnet · bce · seed 0"}]


def claims() -> list[Any]:
    """What a driver writes of itself."""
    return [
        {
            "host": "desk", "world": "boot pid 0", "process": 4242, "begun": "99", "job": "7_1", "token": "ab" * 16,
            "since": "2026-01-02T03:04:05+00:00", "progress": "epoch 3 of 9",
        }
    ]  # fmt: skip


def about() -> list[Any]:
    """The model.json of an export folder, without digests."""
    task = {"rank": 2, "channels": 1, "classes": ["cell"], "kind": "binary", "spacing_mm": None, "ignore": None}
    preprocess = {"colour": "keep", "clahe": 0.0, "normalise": "percentile", "resize": None, "pad": 0}
    reading = {"channels": "", "exif": "apply", "array": "", "pages": "volume", "mask": False, "colours": False}
    return [
        {
            "format": 1, "runtime": "onnx", "session": "onnx", "file": "network.onnx", "options": {}, "source": task,
            "precision": "float32", "task": task, "preprocess": preprocess, "window": [32, 32], "overlap": 0.5,
            "threshold": 0.5, "mirror": False, "mirrored_axes": True, "objects": "components", "network": "ab12",
            "reading": {**reading, "threshold": None, "outline": False}, "trial": {"id": KEY},
        }
    ]  # fmt: skip


def sweeps() -> list[Any]:
    """Sweep files that use what there is."""
    folder = {"folder": ".", "images": "*.png", "masks": "lab/*.png", "classes": {"background": 0, "cell": [1, 2]}}
    own = {
        "split": {"folds": 5},
        "recipe": {"epochs": 2},
        "preprocess": {"normalise": "zscore"},
        "objects": "watershed",
    }
    planes = {"folder": ".", "images": "a/**/*.tif", "masks": {"a": "b/*.tif", "c": "d/*.tif"}, "pages": "cases"}
    return [
        {
            "name": "small", "datasets": ["cells"], "models": ["unet", {"name": "unet", "width": 8, "label": "narrow"}],
            "losses": ["bce", {"name": "bce_dice", "weight": 0.3}], "seeds": 2,
            "recipe": {"patch": [32, 32], "epochs": 1},
        },
        {
            "datasets": [{**folder, **own}, {"name": "cells", "count": 4, "size": [32, 32], "label": "few"}],
            "models": ["unet", {"name": "vnet"}],
            "losses": [{"name": "weighted_sum", "parts": [{"name": "dice", "weight": 0.5}]}],
            "seeds": [0, 3], "split": {"train": 0.6, "validation": 0.2, "test": 0.2, "seed": 1}, "standard": 1,
            "runtimes": ["keras", "onnx"], "latency": {"samples": 3, "peaks": False}, "empty": "nan_worst",
            "lighter": [{"prune": "channels", "share": 0.5}, {"distil": "vnet", "models": ["unet"]}],
            "devices": ["cpu"], "backends": ["tensorflow"], "cache": "disk", "weights": True,
        },
        {
            "datasets": [planes], "previews": 0,
            "models": ["encoder_unet"], "losses": ["dice"], "recipe": {**asdict(Recipe()), "patch": [16, 32, 32]},
        },
    ]  # fmt: skip


def measures() -> list[Any]:
    """What `predict` writes of an image that is finished."""
    rows = [{"class": "cell", "area": 9.0, "frame": None}]
    return [{"source": [9, 9], "files": ["labels/a.png"], "classes": rows, "objects": rows}]


TABLE = (
    b"image,mask,name,group,stratum,split\na.png,b.png,one,g,s,train\nb.png,a.png;b.png,two,g,s,test\n",
    b'\xef\xbb\xbfimage,mask\n"a.png",b.png\r\nb.png,a.png\r\n',
)
"""CSV files of pairs."""
