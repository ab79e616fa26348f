"""An encoder a modality: counts by arithmetic, whose channels an encoder sees, and one modality."""

import keras
import numpy as np
import pytest

from unetbench.core.errors import Unfit
from unetbench.core.task import Task
from unetbench.models import MODELS
from unetbench.models.anatomy.cost import cost
from unetbench.models.anatomy.locality import is_local
from unetbench.models.anatomy.trace import trace
from unetbench.models.lighter.follow import follow

PAIR = Task(2, 3, ("cell",), modalities=(("stain", 2), ("phase", 1)))
SMALL = {"width": 4, "depth": 2}


def _encoder(channels: int) -> int:
    """Two 3×3 convolutions with bias a level."""
    widths = [4, 8, 16]
    given = [channels, *widths[:-1]]
    return sum(9 * g * w + w + 9 * w * w + w for g, w in zip(given, widths, strict=True))


@pytest.mark.parametrize(
    ("fusion", "more"),
    [("concatenate", sum(2 * w * w + w for w in (4, 8, 16))), ("mean", 0), ("max", 0)],
)
def test_parameters_are_those_of_a_unet_a_second_encoder_and_the_fusions(fusion, more):
    model = MODELS["late_fusion_unet"](PAIR, fusion=fusion, **SMALL)
    unet = MODELS["unet"](Task(2, 2, ("cell",)), **SMALL).count_params()
    assert model.count_params() == unet + _encoder(1) + more


def test_with_one_modality_it_is_the_plain_unet_to_the_last_weight():
    logits = []
    image = np.random.default_rng(0).normal(size=(1, 8, 8, 2)).astype("float32")
    for name in ("late_fusion_unet", "unet"):
        keras.utils.set_random_seed(0)
        logits.append(np.asarray(MODELS[name](Task(2, 2, ("cell",)), **SMALL)(image)))
    np.testing.assert_array_equal(*logits)


@pytest.mark.parametrize("fusion", ["concatenate", "mean", "max"])
def test_it_is_saved_followed_and_traced(fusion, tmp_path):
    model = MODELS["late_fusion_unet"](PAIR, fusion=fusion, **SMALL)
    image = np.random.default_rng(0).normal(size=(1, 8, 8, 3)).astype("float32")
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(np.asarray(model(image)), np.asarray(loaded(image)))
    assert is_local(trace(model, (8, 8)))
    assert cost(model, (8, 8)).macs > cost(MODELS["unet"](Task(2, 3, ("cell",)), **SMALL), (8, 8)).macs
    follow(model)


def test_an_encoder_sees_its_own_channels_alone():
    """With the mean of features and no decoder in between, what one encoder gives does not depend on the other."""
    model = MODELS["late_fusion_unet"](PAIR, fusion="mean", **SMALL)
    first = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)][:2]
    assert [layer.kernel.shape[-2] for layer in first if layer.kernel.shape[-1] == 4][:1] == [2]
    features = keras.Model(model.input, first[0].output)
    image = np.random.default_rng(0).normal(size=(1, 8, 8, 3)).astype("float32")
    changed = image.copy()
    changed[..., 2] += 1
    np.testing.assert_array_equal(np.asarray(features(image)), np.asarray(features(changed)))
    assert not np.array_equal(np.asarray(model(image)), np.asarray(model(changed)))


def test_it_serves_volumes_and_refuses_an_unknown_fusion():
    task = Task(3, 2, ("cell",), modalities=(("a", 1), ("b", 1)))
    assert MODELS["late_fusion_unet"](task, **SMALL)(np.zeros((1, 8, 8, 8, 2), "float32")).shape == (1, 8, 8, 8, 1)
    with pytest.raises(Unfit, match=r"late_fusion_unet: fusion 'sum' is unknown; there are"):
        MODELS["late_fusion_unet"](PAIR, fusion="sum")
