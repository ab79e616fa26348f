from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml

from unetbench.benchmark.records.deployments import Deployments
from unetbench.core.recipe import Recipe
from unetbench.core.record import Record
from unetbench.core.trial import Choice, Trial

MACHINE = "desk-8-cores"
INSTRUCTIONS = ["avx2", "avx512"]


def make_trial(model: str = "unet", loss: str = "bce", seed: int = 0, **split: Any) -> Trial:
    recipe = Recipe(patch=(32, 32), epochs=3)
    return Trial(Choice("dsb2018"), {"digest": "0a1b", **split}, Choice(model), Choice(loss), recipe, seed)


def make_score(case: str, dice: float | None, *, empty: str = "none", group: str = "", name: str = "nucleus") -> dict:
    """A score row of a case with 100 truth pixels out of 1,000, whose prediction has 100 pixels too."""
    hit = round(100 * (dice or 0))
    counts = {"tp": hit, "fp": 100 - hit, "fn": 100 - hit, "tn": 800 + hit}
    if empty == "prediction":
        counts = {"tp": 0, "fp": 0, "fn": 100, "tn": 900}
    rates = {"dice": dice, "iou": None if dice is None else dice / (2 - dice), "precision": dice, "recall": dice}
    return {"case": case, "group": group or case, "class": name, **counts, "empty": empty, **rates}


def make_record(trial: Trial, scores: list[dict] | None = None, status: str = "done", **fields: Any) -> Record:
    """A record; with scores it also has two epochs of history, a selection, costs and latency samples."""
    done: dict[str, Any] = {}
    if scores is not None:
        done = {
            "scores": scores,
            "selection": {"epoch": 2, "score": 0.8, "monitor": "dice", "threshold": 0.5},
            "history": [
                {"epoch": 1, "loss": 0.9, "val_loss": 0.8, "val_dice": 0.4, "rate": 1e-3},
                {"epoch": 2, "loss": 0.5, "val_loss": 0.6, "val_dice": 0.8, "rate": 1e-3},
            ],
            "model": {"trainable": 1_941_105, "total": 1_941_105, "macs": 3_000_000_000, "size": "32×32"},
            "latency": [make_latency("keras", [0.010, 0.012, 0.014, 0.016, 0.018])],
            "timing": {"train_s": 100.0, "peak_bytes": 2e9},
        }
    common = {
        "machine": {"name": MACHINE, "cpu": "A CPU", "cores": 8, "memory_bytes": 2**34, "gpu": "", "system": "Linux"},
        "versions": {"python": "3.12.1", "keras": "3.15.0"},
        "git": {"commit": "0123456789abcdef", "dirty": False},
        "task": {"rank": 2, "channels": 1, "classes": ["nucleus"], "kind": "binary"},
        "data": {
            "train": 7,
            "validation": 1,
            "test": 2,
            "licence": "CC0",
            "citation": "Caicedo et al. 2019",
            "notes": [],
        },
    }
    return Record(trial, status, **{**common, **done, **fields})  # pyright: ignore[reportArgumentType]


def make_latency(runtime: str, samples: list[float]) -> dict[str, Any]:
    setting = {"runtime": runtime, "device": "cpu", "batch": 1, "size": [32, 32], "channels": 1, "dtype": "float32"}
    return {**setting, "warmup": 3, "samples_s": samples}


def make_counts(dice: Mapping[str, float | None], name: str = "nucleus") -> list[dict[str, Any]]:
    """Counts of each case with 1,000 truth and 1,000 predicted pixels out of 10,000: TP = 1,000 Dice.

    A case with None has neither truth nor prediction. Each case is a group of its own.
    """
    rows = []
    for case, value in dice.items():
        hit = round(1000 * (value or 0))
        counts = {"tp": hit, "fp": 1000 - hit, "fn": 1000 - hit, "tn": 8000 + hit}
        counts = {"tp": 0, "fp": 0, "fn": 0, "tn": 10_000} if value is None else counts
        rows.append({"case": case, "group": case, "class": name, **counts})
    return rows


def make_row(runtime: str = "keras", ms: float = 10.0, **fields: Any) -> dict[str, Any]:
    """A row that is done, exact and timed: five calls of so many milliseconds at the median."""
    kept = {
        "runtime": runtime,
        "status": "done",
        "device": "A CPU",
        "instructions": INSTRUCTIONS,
        "batch": 1,
        "size": [32, 32],
        "channels": 1,
        "threads": 8,
        "precision": "float32",
        "file_bytes": 2_000_000,
        "load_s": 0.5,
        "first_call_s": 0.1,
        "session": {},
        "difference": 1e-6,
        "own_difference": 1e-6,
        "gate": 1e-4,
        "samples_s": [ms * share / 1e3 for share in (0.8, 0.9, 1.0, 1.1, 1.2)],
        "reference_s": [0.02, 0.02],
        "peak_bytes": 100 * 2**20,
        "steady": True,
    }
    return {**kept, **fields}


@pytest.fixture
def make() -> SimpleNamespace:
    return SimpleNamespace(
        trial=make_trial,
        score=make_score,
        record=make_record,
        latency=make_latency,
        counts=make_counts,
        row=make_row,
    )


@pytest.fixture
def deploy() -> Callable[..., Path]:
    """Writes the deployments of a trial on a machine into a sweep's folder."""

    def put(folder: Path, trial: Trial, rows: list[dict[str, Any]], machine: str = MACHINE, **facts: Any) -> Path:
        about = {"name": machine, "cpu": "A CPU", "cores": 8, "threads": 8, "instructions": INSTRUCTIONS, **facts}
        found = Deployments(trial.id, trial.label, "2026-01-02T03:04:05+00:00", about, {"keras": "3.15.0"}, rows)
        file = folder / "deployments" / machine / f"{trial.id}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(found.to_json(), "utf-8")
        return file

    return put


@pytest.fixture
def sweep(tmp_path: Path) -> Callable[..., Path]:
    """Writes records, under a machine each, into a sweep's folder and returns it."""

    def put(*records: Record, machine: str = MACHINE, name: str = "nuclei", **keys: Any) -> Path:
        folder = tmp_path / "results" / name
        for record in records:
            file = folder / "records" / machine / f"{record.trial.id}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(record.to_json(), "utf-8")
        (folder / "sweep.yaml").write_text(yaml.safe_dump({"name": name, **keys}), "utf-8")
        return folder

    return put


@pytest.fixture
def previews() -> Callable[..., Path]:
    """Stores two previewed cases, one colour and not square, beside a record."""

    def put(folder: Path, trial: Trial, names: tuple[str, str]) -> Path:
        truth = np.zeros((24, 32), np.uint8)
        truth[4:12, 4:12] = 1
        found = np.roll(truth, 2, axis=1)
        file = folder / "previews" / MACHINE / f"{trial.id}.npz"
        file.parent.mkdir(parents=True, exist_ok=True)
        arrays = {"image_0": 100 * truth + 50, "image_1": np.repeat((100 * truth + 50)[..., None], 3, axis=-1)}
        for index, name in enumerate(names):
            arrays |= {f"truth_{index}": truth, f"prediction_{index}": found, f"case_{index}": np.array(name)}
        np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]
        return file

    return put
