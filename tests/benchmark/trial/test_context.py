"""Where training cases are kept changes nothing but the memory: every score and weight is the same."""

from dataclasses import replace
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

from unetbench.benchmark.trial.context import Context
from unetbench.benchmark.trial.run_trial import WorkerCache, run_trial
from unetbench.core.recipe import Recipe
from unetbench.core.registry import load_plugin
from unetbench.core.task import Task
from unetbench.core.trial import Choice, Trial
from unetbench.datasets import DATASETS
from unetbench.datasets.case import Case, Dataset, Sample
from unetbench.datasets.source import Source

FAULTY = Path(__file__).parents[1] / "faulty_parts.py"

RECIPE = Recipe(patch=(32, 32), batch=4, epochs=3, foreground=0.5, threshold="tuned")
VOLUMES = Choice("cells", {"form": "volume", "count": 12, "size": [8, 32, 32]})


def _silent(event):
    pass


@pytest.fixture
def context(tmp_path):
    load_plugin(FAULTY)
    return Context(Source(None, tmp_path / "cache"), tmp_path, tmp_path / "memory", "test", weights=True)


@pytest.fixture
def own(tmp_path):
    """A folder of images of several sizes whose two-valued masks are said to be labels of objects."""
    for name in ("img", "lab"):
        (tmp_path / "own" / name).mkdir(parents=True)
    for index in range(10):
        rng = np.random.default_rng(index)
        truth = np.zeros((40 + 8 * index, 90), np.uint8)
        truth[4:22, 5:25] = truth[25:37, 40:80] = 255
        cv2.imwrite(str(tmp_path / "own" / "lab" / f"{index}.png"), truth)
        cv2.imwrite(str(tmp_path / "own" / "img" / f"{index}.png"), truth // 3 + rng.integers(0, 99, truth.shape))
    return Choice(
        "folder",
        {"path": "own", "images": "img/*.png", "masks": "lab/*.png", "classes": ["cell"], "instances": True},
    )


def _weights(context: Context, trial: Trial) -> list[np.ndarray]:
    (file,) = context.results.rglob(f"{trial.id}*.keras")
    return keras.models.load_model(file).get_weights()


def _compared(trial: Trial, context: Context, cache: WorkerCache | None = None):
    """The record of a trial, and that of the same one from disk, checked for all that is no time."""
    disk = replace(context, cache="disk", results=context.folder / "disk")
    first = run_trial(trial, context, WorkerCache(), _silent)
    other = run_trial(trial, disk, cache or WorkerCache(), _silent)
    assert (first.status, other.status) == ("done", "done"), first.reason + other.reason
    assert other.trial.id == first.trial.id
    assert (other.scores, other.selection, other.data) == (first.scores, first.selection, first.data)
    rows = [[{k: v for k, v in row.items() if not k.endswith("_s")} for row in r.history] for r in (first, other)]
    assert rows[0] == rows[1]
    for one, same in zip(_weights(context, trial), _weights(disk, trial), strict=True):
        np.testing.assert_array_equal(one, same)
    return first


def test_training_from_disk_gives_the_bits_of_training_from_memory(context, own):
    trial = Trial(own, {}, Choice("tiny"), Choice("bce_dice"), RECIPE, 3)
    record = _compared(trial, context)
    assert any("lie in several pieces" in note for note in record.data["notes"])
    assert record.data["validation_tiles"] < 20  # sampled, so that whole cases are cut from disk too


def test_volumes_and_a_worker_that_knows_the_cases_give_the_same_bits(context):
    recipe = replace(RECIPE, patch=(8, 32, 32), validation="full", epochs=1)
    trial, cache = Trial(VOLUMES, {}, Choice("tiny"), Choice("bce_dice"), recipe, 3), WorkerCache()
    _compared(trial, context)
    disk = replace(context, cache="disk", results=context.folder / "again")
    for seed in (4, 3):  # the second finds the cases of the first
        last = run_trial(replace(trial, seed=seed), disk, cache, _silent)
    assert last.scores == run_trial(trial, context, WorkerCache(), _silent).scores


def test_another_trial_and_another_worker_read_no_training_case_again(context, own, monkeypatch):
    disk, trial = replace(context, cache="disk"), Trial(own, {}, Choice("tiny"), Choice("bce"), RECIPE, 3)
    run_trial(trial, disk, WorkerCache(), _silent)
    files = sorted(context.source.cache.glob("cases/*/??/*"))
    times = [file.stat().st_mtime_ns for file in files]
    assert len(files) == 8  # training and validation; test cases are read again, after the selection
    record = run_trial(
        replace(trial, loss=Choice("dice"), recipe=replace(RECIPE, rate=0.01)), disk, WorkerCache(), _silent
    )
    assert record.status == "done"
    assert [file.stat().st_mtime_ns for file in sorted(context.source.cache.glob("cases/*/??/*"))] == times


def _enormous() -> Sample:
    image = np.zeros((1 << 30, 1 << 20, 1), np.uint8)  # a pebibyte: no machine grants it
    return Sample(image, image)


@pytest.fixture
def enormous():
    if "enormous" not in DATASETS:

        @DATASETS.add
        def enormous(source: Source) -> Dataset:
            """Cases that fit into no memory (a test's)."""
            cases = tuple(Case(f"c{k}", f"c{k}", _enormous) for k in range(10))
            return Dataset("enormous", Task(2, 1, ("cell",), "binary"), cases, "none", "")

    return Choice("enormous")


@pytest.mark.parametrize("place", ["memory", "disk"])
def test_too_little_memory_names_the_option_that_needs_less(context, enormous, place):
    trial = Trial(enormous, {}, Choice("tiny"), Choice("bce"), RECIPE, 0)
    record = run_trial(trial, replace(context, cache=place), WorkerCache(), _silent)
    assert record.status == "failed"
    if place == "memory":
        assert record.reason.startswith("enormous: its training and validation cases do not fit into memory (")
        assert record.reason.endswith("GiB here); say `cache: disk` in the sweep file, or --cache disk")
    else:
        assert "Unable to allocate 1.00 PiB" in record.reason
