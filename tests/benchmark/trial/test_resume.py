"""What Keras' own callbacks and layers forget when a training goes on later is not forgotten here."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from unetbench.benchmark.trial import checkpoint as checkpoints
from unetbench.benchmark.trial import train as training
from unetbench.benchmark.trial.compiled_model import CompiledModel
from unetbench.benchmark.trial.context import Context, open_dataset
from unetbench.benchmark.trial.validate import Validation, ValidationCases
from unetbench.core.recipe import Recipe
from unetbench.core.registry import load_plugin
from unetbench.core.trial import Choice, Trial
from unetbench.datasets.patches import PatchSampler
from unetbench.datasets.source import Source

FAULTY = Path(__file__).parents[1] / "faulty_parts.py"

RECIPE = Recipe(patch=(32, 32), batch=4, epochs=4, steps=3, validation="full")
TRIAL = Trial(Choice("cells", {"count": 12, "size": [64, 64]}), {}, Choice("tiny"), Choice("bce_dice"), RECIPE, 5)


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    load_plugin(FAULTY)
    folder = tmp_path_factory.mktemp("resume")
    opened = open_dataset(TRIAL.dataset, {}, Context(Source(None, folder), folder, folder, "test"))
    prepared = {role: [opened.prepare(case) for case in opened.split.cases(role)] for role in ("train", "validation")}
    names = [case.name for case in opened.split.cases("train")]

    def sampler():
        return PatchSampler(prepared["train"], names, (32, 32), 4, steps=3, seed=5)

    return opened.task, sampler, ValidationCases.of(prepared["validation"], RECIPE, 12, None)


def _silent(event):
    pass


def _dropout(compiled):
    (state,) = (variable for variable in compiled.model.variables if "seed_generator" in variable.path)
    return state.numpy()


@pytest.mark.parametrize("at", [2, 3, 4, 5])
def test_early_stopping_and_plateau_count_on_after_a_resume(parts, tmp_path, monkeypatch, at):
    """The best score is epoch 1's; BackupAndRestore of Keras forgets such a best score and how long ago it was."""
    task, sampler, cases = parts
    monkeypatch.setattr(training, "SAVE_EVERY_S", 0.0)
    recipe = replace(RECIPE, rate=1e-12, factor=0.5, epochs=20, patience=2, stop_patience=5)
    scores = [(0.9, 1.0), *[(0.5, 2.0)] * 19]
    trial, file = replace(TRIAL, recipe=recipe), tmp_path / "checkpoint.npz"

    def run(begun, on_progress, checkpoint=None):
        said = iter(scores[begun:])
        monkeypatch.setattr(training, "validate", lambda *_, **__: Validation(*reversed(next(said))))
        compiled = CompiledModel(trial, task)
        return training.train(compiled, sampler(), cases, recipe, on_progress=on_progress, checkpoint=checkpoint)

    def break_off(event):
        if event.get("phase") == "epoch" and event["epoch"] == at:
            raise KeyboardInterrupt

    selection, history = run(0, _silent)
    assert len(history) == 1 + 5
    with pytest.raises(KeyboardInterrupt):
        run(0, break_off, file)
    again, rest = run(at - 1, _silent, file)  # the checkpoint of an epoch is written after it was told
    assert again == selection
    assert [row["rate"] for row in rest] == [row["rate"] for row in history]


def test_the_state_of_dropout_is_in_the_checkpoint(parts, tmp_path):
    task, sampler, _ = parts
    begun, other = (CompiledModel(TRIAL, task) for _ in range(2))
    images, truths = sampler().batch(0, 0)
    for _ in range(2):
        begun.model.train_on_batch(images, truths)
    checkpoints.save(tmp_path / "c.npz", begun, checkpoints.TrainingState(), [])
    checkpoints.load(tmp_path / "c.npz", other)
    assert np.array_equal(_dropout(begun), _dropout(other))
    assert not np.array_equal(_dropout(begun), _dropout(CompiledModel(TRIAL, task)))
    assert begun.model.train_on_batch(images, truths) == other.model.train_on_batch(images, truths)


def test_every_epoch_draws_other_versions_of_an_image_and_the_same_ones_after_a_resume(parts):
    _, sampler, _ = parts
    shown = {}
    for epoch in range(6):
        for index in range(3):
            for name, image in zip(sampler().names(epoch, index), sampler().batch(epoch, index)[0], strict=True):
                shown.setdefault(name, []).append(image.tobytes())
    assert min(len(images) for images in shown.values()) > 3
    assert all(len(set(images)) == len(images) for images in shown.values())
    resumed = training.PatchDataset(sampler())
    resumed.epoch = 4
    assert np.array_equal(resumed[1][0], sampler().batch(4, 1)[0])
