"""A recipe trained twice, each time in a fresh process: whether the numbers are the same on this device."""

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ...core.errors import SpecError, UnetbenchError
from ...core.record import Record
from ..run.progress import Progress
from ..run.runner import Runner
from ..sweep import file as sweep
from ..sweep import plan
from .run import context_of

FORMS: dict[str, dict[str, Any]] = {
    "2D": {"dataset": {"name": "cells", "count": 16, "size": [64, 64]}, "patch": [64, 64]},
    "3D": {"dataset": {"name": "cells", "form": "volume", "count": 10}, "patch": [16, 32, 32]},
}
"""Generated images on which a recipe is tried, the first that it fits."""

DETERMINISTIC = {
    "tensorflow": ("TF_DETERMINISTIC_OPS", "1"),
    "jax": ("XLA_FLAGS", "--xla_gpu_exclude_nondeterministic_ops=true"),
}
"""The environment in which a backend refuses operations that have no deterministic kernel here, and names them."""


def repeated(name: str, options: argparse.Namespace) -> str:
    """Train a recipe for two short epochs twice and say by how much losses and Dice of the two runs differ.

    Where they differ it is run once more with the backend refusing operations without a deterministic kernel, which
    names the first one. Raises UnetbenchError for a recipe that fits none of the generated images.
    """
    reasons: list[str] = []
    for rank, form in FORMS.items():
        with tempfile.TemporaryDirectory(prefix="unetbench-doctor-") as folder:
            first = _trained(name, form, Path(folder) / "first", options)
            if first.status == "unfit":
                reasons.append(f"{rank}: {first.reason}")
                continue
            again = _trained(name, form, Path(folder) / "again", options)
            for record in (first, again):
                if record.status != "done":
                    raise UnetbenchError(f"could not be trained in {rank}: {record.reason}")
            apart = _apart(first, again)
            where = f"{first.training['device_name']}, {first.versions['backend']}, {rank}"
            if not apart:
                return f"two runs give the same bits ({where})"
            told = ", ".join(f"{what} by up to {value:.2g}" for what, value in apart.items())
            return f"two runs differ ({where}): {told}{_culprit(name, form, Path(folder) / 'refusing', options, first)}"
    raise SpecError("; ".join(reasons))


def _trained(name: str, form: dict[str, Any], folder: Path, options: argparse.Namespace) -> Record:
    folder.mkdir()
    content = {
        "name": "doctor",
        "datasets": [form["dataset"]],
        "models": [name],
        "losses": ["bce_dice"],
        "recipe": {"patch": form["patch"], "batch": 2, "epochs": 2, "steps": 4},
        "latency": {"peaks": False},
        "runtimes": [],
        "previews": 0,
    }
    file = folder / "doctor.yaml"
    file.write_text(yaml.safe_dump(content), "utf-8")
    wanted = sweep.read(file, [])
    where = argparse.Namespace(**{**vars(options), "results": folder, "cache": None, "no_download": True})
    context = context_of(wanted, where)
    (entry,) = plan.trials(wanted, context)
    if entry.problem:
        return Record(entry.trial, "failed", entry.problem)
    (record,) = Runner(context, progress=Progress(quiet=True)).run([entry.trial], settled=()).made
    return record


def _apart(first: Record, again: Record) -> dict[str, float]:
    """The largest differences of losses over the epochs, and of Dice over the test cases; those that are not 0."""
    losses = [np.array([row[name] for row in one.history for name in ("loss", "val_loss")]) for one in (first, again)]
    dice = [np.array([row["dice"] or 0.0 for row in one.scores]) for one in (first, again)]
    found = {"losses": float(np.abs(losses[0] - losses[1]).max()), "Dice": float(np.abs(dice[0] - dice[1]).max())}
    return {what: value for what, value in found.items() if value}


def _culprit(name: str, form: dict[str, Any], folder: Path, options: argparse.Namespace, first: Record) -> str:
    setting = DETERMINISTIC.get(first.versions["backend"])
    if setting is None:
        return ""
    key, value = setting
    before = os.environ.get(key)
    os.environ[key] = f"{before} {value}" if before and key == "XLA_FLAGS" else value
    try:
        record = _trained(name, form, folder, options)
    finally:
        os.environ.pop(key)
        if before is not None:
            os.environ[key] = before
    if record.status == "done":
        return f"; {key}={value} takes only operations with a deterministic kernel, and all have one"
    return f"; with {key}={value}: {record.reason}"
