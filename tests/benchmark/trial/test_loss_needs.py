"""Losses that need maps or a schedule get them from the input pipeline."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from unetbench.benchmark.trial import train as training
from unetbench.benchmark.trial.compiled_model import CompiledModel
from unetbench.benchmark.trial.context import Context, open_dataset
from unetbench.benchmark.trial.validate import ValidationCases
from unetbench.core.recipe import Recipe
from unetbench.core.registry import load_plugin
from unetbench.core.trial import Choice, Trial
from unetbench.datasets.patches import PatchSampler
from unetbench.datasets.source import Source

RECIPE = Recipe(patch=(32, 32), batch=4, epochs=3, steps=2, rate=1e-12, schedule="constant", monitor="loss")
TRIAL = Trial(Choice("cells", {"count": 12, "size": [64, 64]}), {}, Choice("tiny"), Choice("dice"), RECIPE, 5)
MIXED = {"parts": [{"name": "border_weighted_ce", "weight": 0.5}, {"name": "hausdorff", "weight": 0.01}]}


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    load_plugin(Path(__file__).parents[1] / "faulty_parts.py")
    folder = tmp_path_factory.mktemp("needs")
    opened = open_dataset(TRIAL.dataset, {}, Context(Source(None, folder / "cache"), folder, folder, "test"))
    prepared = {role: [opened.prepare(case) for case in opened.split.cases(role)] for role in ("train", "validation")}
    names = [case.name for case in opened.split.cases("train")]
    return opened.task, PatchSampler(prepared["train"], names, (32, 32), 4, steps=2, seed=5), prepared["validation"]


@pytest.fixture
def history(parts):
    """Train with weights that do not move: the losses of two trainings differ by their formula only."""
    task, sampler, validation = parts

    def train(name, recipe=RECIPE, **options):
        graph = CompiledModel(replace(TRIAL, loss=Choice(name, options), recipe=recipe), task)
        cases = ValidationCases.of(validation, RECIPE, 8, None)
        return training.train(graph, sampler, cases, recipe, on_progress=lambda event: None)[1]

    return train


def test_a_schedule_goes_from_the_first_epoch_to_the_last_and_not_over_validation(history):
    region, edge, both = history("dice"), history("boundary"), history("dice_boundary", start=0.0, end=1.0)
    shares = [0.0, 0.5, 1.0]
    expected = [(1 - a) * r["loss"] + a * e["loss"] for a, r, e in zip(shares, region, edge, strict=True)]
    assert [row["loss"] for row in both] == pytest.approx(expected, rel=1e-5)
    assert [row["val_loss"] for row in both] == pytest.approx([row["val_loss"] for row in edge], rel=1e-5)


@pytest.mark.parametrize(("name", "options"), [("weighted_sum", MIXED), ("dice_boundary", {"end": 0.01})])
def test_losses_with_maps_train(history, name, options):
    rows = history(name, replace(RECIPE, rate=1e-2, epochs=4, steps=2), **options)
    assert np.isfinite([[row["loss"], row["val_loss"]] for row in rows]).all()
    assert rows[-1]["loss"] < rows[0]["loss"]


def test_the_pipeline_hands_over_what_the_loss_needs(parts):
    task, sampler, _ = parts
    graph = CompiledModel(replace(TRIAL, loss=Choice("dice_boundary")), task)
    assert graph.requires_targets == ("signed_distance", "progress")
    batches = training.PatchDataset(sampler, lambda images, truths, epoch: graph.targets(images, truths, epoch / 2))
    batches.epoch = 1
    _, targets = batches[0]
    assert targets.shape == (4, 32, 32, 3)
    np.testing.assert_array_equal(targets[..., :1], sampler.batch(1, 0)[1])
    assert (targets[..., 2] == 0.5).all()
