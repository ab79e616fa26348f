"""A step in parts of its batch is the step on all of it; a trial that does not fit into memory is run again so."""

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from unetbench.benchmark.trial import train as training
from unetbench.benchmark.trial.compiled_model import CompiledModel
from unetbench.benchmark.trial.context import Context, open_dataset
from unetbench.benchmark.trial.micro_batches import Again, fewest_parts, lacks_memory, mend, once_more
from unetbench.benchmark.trial.step_clock import StepClock
from unetbench.benchmark.trial.training_set import training_set
from unetbench.core.errors import DataError, Diverged, PartError
from unetbench.core.recipe import Recipe
from unetbench.core.record import Record
from unetbench.core.registry import load_plugin
from unetbench.core.trial import Choice, Trial
from unetbench.datasets.source import Source

SCRIPT = Path(__file__).with_name("micro_batch_steps.py")
FAULTY = Path(__file__).parents[1] / "faulty_parts.py"

RECIPE = Recipe(patch=(32, 32), batch=4, epochs=3, steps=3, validation="full")
TRIAL = Trial(Choice("cells", {"count": 12, "size": [64, 64]}), {}, Choice("plain"), Choice("bce_dice"), RECIPE, 5)

ROUNDING = {"sgd": 1e-5, "clipped": 1e-5, "adam": 1e-3, "adamw": 1e-3}
"""As a share of a weight's way. Adam divides by the gradient's size, which gives rounding of small ones more weight."""


@pytest.fixture(scope="module")
def steps():
    spec = importlib.util.spec_from_file_location("micro_batch_steps", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    load_plugin(FAULTY)
    folder = tmp_path_factory.mktemp("parts")
    return Context(Source(None, folder / "cache"), folder, folder / "results", "test")


def _trained(context, **options):
    """Weights, history, what the clock read and what was told of a training."""
    recipe = replace(RECIPE, **options)
    trial, opened = replace(TRIAL, recipe=recipe), open_dataset(TRIAL.dataset, {}, context)
    roles = [[opened.hold(case) for case in opened.split.cases(role)] for role in ("train", "validation")]
    sampler, cases = training_set(trial, opened, *roles, None)
    compiled, clock, told = CompiledModel(trial, opened.task), StepClock(recipe.batch, recipe.micro_batches), []
    _, history = training.train(compiled, sampler, cases, recipe, on_progress=told.append, clock=clock)
    return compiled.get_weights(), history, clock.reading(), told


@pytest.mark.parametrize("name", ROUNDING)
@pytest.mark.parametrize("parts", [2, 4])
def test_steps_in_parts_are_those_of_the_whole_batch(steps, name, parts):
    assert steps.difference(name, parts, "bce_dice") < ROUNDING[name]


@pytest.mark.parametrize("loss", ["dice", "tversky", "lovasz_hinge", "focal"])
def test_losses_of_regions_too_are_means_over_cases_and_so_add_up(steps, loss):
    assert steps.difference("sgd", 2, loss) < ROUNDING["sgd"]


def test_batch_normalisation_makes_another_network_of_parts(steps):
    assert steps.difference("sgd", 2, "bce", normalisation="batch") > 1e-2


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_steps_in_parts_are_those_of_the_whole_batch_on(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    environment = {**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"}
    process = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, check=False, env=environment)
    assert process.returncode == 0, process.stderr
    found = json.loads(process.stdout)
    assert set(found) == {"sgd 2", "adamw 4"}
    assert all(share < ROUNDING[name.split()[0]] for name, share in found.items()), found


def test_a_training_in_parts_sees_the_same_patches_and_counts_steps_and_not_parts(context):
    weights, history, clock, told = _trained(context)
    split, history_split, clock_split, told_split = _trained(context, accumulate=2)
    for one, other in zip(weights, split, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose([row[name] for row in history], [row[name] for row in history_split], rtol=1e-4)
    assert "micro_batch" not in clock
    assert (clock_split["batch"], clock_split["micro_batch"]) == (4, 2)
    assert len(clock_split["steps_s"]) == len(clock["steps_s"]) == 3 * 3 - 1
    assert {event["of"] for event in (*told, *told_split) if event["phase"] == "train"} == {3}


def test_a_training_in_parts_broken_off_goes_on_bit_for_bit(context, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "SAVE_EVERY_S", 0.0)
    recipe = replace(RECIPE, accumulate=2)
    trial, opened = replace(TRIAL, recipe=recipe, model=Choice("tiny")), open_dataset(TRIAL.dataset, {}, context)
    roles = [[opened.hold(case) for case in opened.split.cases(role)] for role in ("train", "validation")]
    sampler, cases = training_set(trial, opened, *roles, None)
    whole, file = CompiledModel(trial, opened.task), tmp_path / "checkpoint.npz"
    selection, history = training.train(whole, sampler, cases, recipe, on_progress=lambda _: None)

    def break_off(event):
        if event.get("phase") == "epoch" and event["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training.train(
            CompiledModel(trial, opened.task), sampler, cases, recipe, on_progress=break_off, checkpoint=file
        )
    resumed = CompiledModel(trial, opened.task)
    again, rest = training.train(resumed, sampler, cases, recipe, on_progress=lambda _: None, checkpoint=file)
    assert again == selection
    assert [row["loss"] for row in rest] == [row["loss"] for row in history]
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_loss_that_is_not_finite_names_the_step_and_the_cases_of_its_part(context):
    several = replace(TRIAL, loss=Choice("turns_nan"), recipe=replace(RECIPE, batch=8, accumulate=2))
    opened = open_dataset(TRIAL.dataset, {}, context)
    roles = [[opened.hold(case) for case in opened.split.cases(role)] for role in ("train", "validation")]
    sampler, cases = training_set(several, opened, *roles, None)
    compiled = CompiledModel(several, opened.task)
    with pytest.raises(Diverged, match=r"at step 1 \(epoch 1\); the batch holds (\S+, ){3}\S+$"):
        training.train(compiled, sampler, cases, several.recipe, on_progress=lambda _: None)


@pytest.mark.parametrize(("normalisation", "takes"), [("none", False), ("instance", False), ("batch", True)])
def test_which_networks_take_statistics_of_a_batch_is_known(steps, normalisation, takes):
    model = Choice("unet", {"width": 4, "depth": 1, "normalisation": normalisation})
    assert CompiledModel(replace(TRIAL, model=model), steps.TASK).takes_batch_statistics is takes


def _raised_from(cause):
    try:
        raise PartError("model mine: failed") from cause
    except PartError as error:
        return error


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor with shape[8,4]"),
        RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 1099511627776 bytes."),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        tf.errors.InternalError(None, None, "Dst tensor is not initialized."),
        _raised_from(MemoryError()),
    ],
    ids=lambda error: f"{type(error).__name__} {error}"[:40],
)
def test_an_error_for_want_of_memory_is_known(error):
    assert lacks_memory(error)


@pytest.mark.parametrize("error", [ValueError("shapes"), DataError("x: out of memory, says its name"), OSError(28, "")])
def test_other_errors_are_none_for_want_of_memory(error):
    assert not lacks_memory(error)


@pytest.mark.parametrize(("batch", "parts"), [(8, 2), (9, 3), (7, 7), (2, 2), (1, 1)])
def test_the_fewest_equal_parts(batch, parts):
    assert fewest_parts(batch) == parts


def _lacking(batch, patches, **options):
    trial = replace(TRIAL, recipe=replace(RECIPE, batch=batch, **options))
    return Record(trial, "failed", "too large", training={"out_of_memory": patches})


def test_only_a_whole_batch_is_tried_again_and_only_where_the_recipe_leaves_it_open():
    record = _lacking(8, 8)
    assert once_more(record) == Again(record.trial, 2, "too large")
    assert once_more(_lacking(8, 4)) is None
    assert once_more(_lacking(8, 8, accumulate=1)) is None
    assert once_more(_lacking(1, 1)) is None
    assert once_more(Record(record.trial, "failed", "another reason")) is None


def test_the_mend_names_the_next_smaller_parts():
    assert mend(_lacking(8, 4)).startswith("set recipe.accumulate: 4, or a smaller recipe.batch")
    assert mend(_lacking(9, 3)).startswith("set recipe.accumulate: 9,")
    assert mend(_lacking(8, 1)).startswith("set a smaller recipe.patch, or take")
