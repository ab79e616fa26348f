"""Prediction windows are as large as memory allows where the model does not look across them, else the patch."""

import math

import keras
import numpy as np
import pytest

from unetbench.benchmark.trial.predict import predict
from unetbench.benchmark.trial.windows import Windows
from unetbench.core.errors import Unfit
from unetbench.core.recipe import Recipe
from unetbench.core.task import Task
from unetbench.models import MODELS
from unetbench.models.anatomy.locality import is_local
from unetbench.models.anatomy.memory import peak_activation_bytes
from unetbench.models.anatomy.receptive_field import receptive_field
from unetbench.models.anatomy.trace import trace
from unetbench.runtimes import RUNTIMES

BINARY = Task(2, 1, ("cell",))
RECIPE = Recipe(patch=(32, 32), batch=4, overlap=0.25)


def _unet(normalisation="batch", depth=2):
    keras.utils.set_random_seed(0)
    return MODELS["unet"](BINARY, width=4, depth=depth, normalisation=normalisation)


@pytest.mark.parametrize(
    ("name", "options", "local"),
    [
        ("unet", {"width": 4, "depth": 2}, True),
        ("unet", {"width": 4, "depth": 2, "normalisation": "batch"}, True),
        ("unet", {"width": 4, "depth": 2, "normalisation": "instance"}, False),
        ("unet", {"width": 8, "depth": 2, "normalisation": "group"}, False),
        ("attention_unet", {"width": 4, "depth": 2}, True),
        ("scse_unet", {"width": 16, "depth": 2}, False),  # squeezes the whole window into one value a channel
        ("unetr", {"width": 4, "hidden": 12, "layers": 4, "heads": 3}, False),
    ],
)
def test_a_model_is_local_when_nothing_of_it_sees_the_whole_window(name, options, local):
    model = MODELS[name](BINARY, **options)
    assert is_local(trace(model, (64, 64))) is local
    assert Windows.of(model, Recipe(patch=(64, 64))).grows is local


def test_an_image_that_fits_is_one_window_in_edges_of_half_a_patch():
    windows = Windows.of(_unet(), RECIPE)
    assert windows.window((100, 70)) == (112, 80)
    assert windows.window((20, 100)) == (32, 112)
    assert windows.window((10, 10)) == (16, 16)


def test_a_long_2d_image_is_two_windows_at_once_on_every_machine():
    windows = Windows.of(_unet(), RECIPE)
    assert windows.window((100, 127)) == (112, 128)
    options = windows.options((100, 128))
    assert options["window"] == (112, 80)
    assert options["batch"] >= 2
    batches = []
    image = np.zeros((100, 128, 1), np.float32)
    predict(lambda w: batches.append(len(w)) or np.zeros_like(w), image, BINARY, **options)
    assert batches == [2]


def test_where_normalisation_looks_across_the_window_or_the_recipe_says_so_it_stays_the_patch():
    assert Windows.of(_unet("instance"), RECIPE).window((100, 70)) == (32, 32)
    recipe = Recipe(patch=(32, 32), predict_mib=0)
    assert Windows.of(_unet(), recipe).window((100, 70)) == (32, 32)


def test_memory_bounds_the_window_and_the_batch():
    model = _unet()
    patch_bytes = peak_activation_bytes(trace(model, (32, 32)))
    recipe = Recipe(patch=(32, 32), batch=4, overlap=0.25, predict_mib=1)
    windows = Windows.of(model, recipe)
    for space in ((500, 70), (300, 300), (40, 900)):
        window = windows.window(space)
        assert all(edge >= 32 for edge in window)
        taken = peak_activation_bytes(trace(model, window))
        assert taken <= max(2**20, patch_bytes)
        assert 2 * taken > 2**20  # not needlessly small
        assert windows.batch_of(window) == 1
    assert windows.batch_of((32, 32)) == 4


def test_a_bound_under_one_patch_is_one_line_with_the_need():
    recipe = Recipe(patch=(512, 512), predict_mib=1)
    with pytest.raises(
        Unfit, match=r"predict_mib: 1 MiB hold no patch of 512×512, whose activations take \d+ MiB; give"
    ):
        Windows.of(_unet(), recipe)
    assert Windows.of(_unet(), Recipe(patch=(2048, 2048))).pixels >= 2048**2  # the default never refuses


@pytest.mark.parametrize("normalisation", ["none", "batch"])
@pytest.mark.parametrize("mib", [1, 2, "auto"])
def test_away_from_borders_the_window_does_not_change_a_probability(normalisation, mib):
    model = _unet(normalisation, depth=1)
    image = np.random.default_rng(0).standard_normal((150, 203, 1)).astype(np.float32)
    reach = math.ceil(receptive_field(trace(model, (64, 64)))[0] / 2)
    recipe = Recipe(patch=(64, 64), batch=2, overlap=0.125, predict_mib=mib)
    windows = Windows.of(model, recipe)
    options = windows.options(image.shape[:-1])
    assert math.prod(options["window"]) > 64 * 64
    assert (options["window"] == (160, 224)) is (mib == "auto")
    # A pixel near the border of any window that sees it becomes NaN and is left out.
    found = predict(_inside(RUNTIMES["keras"](model), reach), image, BINARY, **options).probabilities
    whole = predict(RUNTIMES["keras"](model), image, BINARY, window=(150, 204), batch=1).probabilities
    inner = (slice(reach, 150 - reach), slice(reach, 203 - reach))
    seen = ~np.isnan(found[inner])
    assert seen.mean() > 0.3
    np.testing.assert_allclose(found[inner][seen], whole[inner][seen], atol=2e-6)


def _inside(forward, reach):
    """The model's logits, NaN where a window's border is in sight."""

    def cut(windows):
        logits = forward(windows)
        inside = np.full_like(logits, np.nan)
        middle = (slice(None), slice(reach, -reach), slice(reach, -reach))
        inside[middle] = logits[middle]
        return inside

    return cut


def test_windows_that_disagree_where_they_overlap_are_noticed():
    image = np.zeros((16, 24, 1), np.float32)
    image[:, 12:] = 8.0  # the second window's mean is larger

    def forward(windows):
        return np.zeros_like(windows) + windows.mean((1, 2, 3), keepdims=True)

    found = predict(forward, image, BINARY, window=(16, 16), overlap=0.5)
    # windows at columns 0 to 15 and 8 to 23: means 2 and 6, sigmoids 0.8808 and 0.9975
    assert found.mismatch == pytest.approx(0.9975274 - 0.8807971, abs=1e-6)
    assert math.isnan(predict(forward, image, BINARY, window=(16, 24)).mismatch)
    assert predict(lambda windows: windows, image, BINARY, window=(16, 16)).mismatch == 0.0
