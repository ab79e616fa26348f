"""Channels whose weights are zero can be taken out of every recipe that is not refused, and nothing changes."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest

import unetbench
from unetbench.core.errors import Unfit
from unetbench.core.task import Task
from unetbench.models import MODELS
from unetbench.models.anatomy.cost import cost
from unetbench.models.lighter.follow import follow, kept_places
from unetbench.models.lighter.importance import least
from unetbench.models.lighter.narrow import narrowed
from unetbench.models.parts.fit import divisor
from unetbench.models.parts.gates import ChannelSummary

ops = keras.ops

QUICK = (("unet", 2), ("unet_3d", 3), ("unet_light", 2), ("attention_unet", 2), ("sa_unet", 2), ("swin_unet", 2))
"""Recipes and ranks looked at each time; the others are marked slow."""

REFUSED = ("malunet", "resunet_a", "swin_unet", "trans_unet", "unetr", "unext", "unext_s")
"""Recipes with attention, shifts or reshaped channels."""


def _cases():
    for name in MODELS:
        for rank in (2, 3):
            marks = [] if (name, rank) in QUICK else [pytest.mark.slow]
            yield pytest.param(name, rank, id=f"{name}-{rank}d", marks=marks)


def _build(name: str, rank: int, reduced) -> keras.Model:
    try:
        return reduced(name, Task(rank, 2, ("background", "a", "b"), "exclusive"), width=8)
    except Unfit as error:
        pytest.skip(str(error))


def _randomise(model: keras.Model) -> None:
    """Let no weight stand at a start value that hides an error, as factors of one and offsets of zero would."""
    rng = np.random.default_rng(1)
    for weight in model.weights:
        spread = rng.uniform(0.5, 1.5, weight.shape) if "variance" in weight.name or "gamma" in weight.name else None
        if len(weight.shape) < 2 and weight.dtype == "float32":
            weight.assign(spread if spread is not None else rng.normal(0, 0.3, weight.shape))


def _restricted(layer, kept):
    """The layer over the channels that remain, by its formula; zero in the others."""

    def call(x, *arguments, **options):
        part = ops.take(x, kept, axis=-1)
        if isinstance(layer, ChannelSummary):
            return ops.concatenate([ops.mean(part, -1, keepdims=True), ops.max(part, -1, keepdims=True)], -1)
        axes = (-1,) if isinstance(layer, keras.layers.LayerNormalization) else tuple(range(1, len(x.shape)))
        centred = part - ops.mean(part, axes, keepdims=True)
        made = centred / ops.sqrt(ops.mean(centred**2, axes, keepdims=True) + layer.epsilon)
        for weight, join in ((layer.gamma, ops.multiply), (layer.beta, ops.add)):
            made = made if weight is None else join(made, ops.take(weight, kept))
        return ops.matmul(made, ops.one_hot(kept, x.shape[-1]))

    return call


def _silence(channels, removed: set[int]) -> None:
    """Set to zero all that makes or reads these channels."""
    for axes in channels.weights.values():
        for axis in axes:
            value = np.array(axis.variable)
            gone = np.setdiff1d(np.arange(len(axis.ids)), kept_places(channels, axis.ids, removed))
            value[(slice(None),) * axis.axis + (gone,)] = 0
            axis.variable.assign(value)


def _first(outputs):
    return np.array(outputs[0] if isinstance(outputs, list) else outputs)


@pytest.mark.parametrize(("name", "rank"), list(_cases()))
def test_taking_out_silent_channels_changes_no_logit(name, rank, reduced, tmp_path):
    model = _build(name, rank, reduced)
    _randomise(model)
    if name in REFUSED:
        with pytest.raises(Unfit, match="cannot follow channels through layer '") as error:
            follow(model)
        assert "\n" not in str(error.value)
        return
    channels = follow(model)
    removed = set(least(channels, 0.5))
    assert len(removed) >= len(channels.movable()) // 3
    _silence(channels, removed)
    lighter = narrowed(model, channels, removed)
    for layer, ids in channels.pooling:
        layer.call = _restricted(layer, kept_places(channels, ids, removed))
    size = tuple(max(16, 2 * edge) for edge in divisor(model))
    image = np.random.default_rng(0).normal(size=(2, *size, 2)).astype("float32")
    expected = _first(model(image, training=False))
    made = _first(lighter(image, training=False))
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(made, expected, atol=1e-5 * max(1.0, float(np.abs(expected).max())))
    before, after = cost(model, size), cost(lighter, size)
    assert after.total < 0.75 * before.total
    assert after.macs < 0.8 * before.macs
    lighter.save(tmp_path / "lighter.keras")
    loaded = keras.saving.load_model(tmp_path / "lighter.keras")
    np.testing.assert_array_equal(made, _first(loaded(image, training=False)))
    assert divisor(loaded) == divisor(model)


def test_the_page_says_of_every_recipe_whether_its_channels_can_be_pruned():
    page = (Path(unetbench.__file__).parent / "docs" / "lighter.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (yes|no)\b", page, re.MULTILINE))
    named = {name: answer for name, answer in rows.items() if name in MODELS}
    ours = [part.name for part in MODELS.parts().values() if part.module.startswith("unetbench.models")]
    assert named == {name: "no" if name in REFUSED else "yes" for name in ours}


def test_the_model_that_was_narrowed_stays_as_it_was(reduced):
    model = _build("attention_unet", 2, reduced)
    before = [np.array(weight) for weight in model.weights]
    channels = follow(model)
    narrowed(model, channels, least(channels, 0.5))
    for old, weight in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(old, np.array(weight))


def test_a_narrowed_model_learns_and_can_be_narrowed_again(reduced):
    model = _build("unet", 2, reduced)
    channels = follow(model)
    once = narrowed(model, channels, least(channels, 0.5))
    again = follow(once)
    twice = narrowed(once, again, least(again, 0.5))
    assert cost(twice, (32, 32)).total < cost(once, (32, 32)).total
    twice.compile("sgd", "mse")
    rng = np.random.default_rng(0)
    before = [np.array(weight) for weight in twice.trainable_weights]
    twice.fit(rng.normal(size=(2, 32, 32, 2)), rng.normal(size=(2, 32, 32, 3)), verbose=0)
    assert all(np.any(np.array(weight) != old) for weight, old in zip(twice.trainable_weights, before, strict=True))


def test_a_layer_is_not_left_without_channels(reduced):
    model = _build("unet", 2, reduced)
    channels = follow(model)
    with pytest.raises(Unfit, match="all 8 channels of a layer"):
        narrowed(model, channels, channels.movable())
