import keras
import numpy as np
import pytest
from keras import ops

from unetbench.core.errors import Unfit
from unetbench.core.task import Task
from unetbench.models import MODELS
from unetbench.models.parts.fit import divisor
from unetbench.models.parts.layers import conv
from unetbench.models.parts.resampling import interpolated, strided
from unetbench.models.parts.skeleton import assemble, doubled_widths
from unetbench.models.parts.style import Style

FLAT = Task(2, 1, ("cell",))
SOLID = Task(3, 1, ("cell",))


def test_widths_double_at_each_level():
    assert doubled_widths(8, 3) == (8, 16, 32, 64)


def test_a_variant_with_a_gate_on_its_skips_is_one_function():
    def gate(features, gating, style):
        return features * ops.sigmoid(conv(gating, 1, 1))

    plain, gated = assemble(FLAT, (4, 8, 16)), assemble(FLAT, (4, 8, 16), skip=gate)
    # A gate at each of two levels: 8 and 4 weights and a bias each.
    assert gated.count_params() - plain.count_params() == 8 + 1 + 4 + 1


def test_a_head_over_all_levels_makes_a_deeply_supervised_model():
    def every_level(levels, outputs, style):
        return [conv(level, outputs, 1) for level in levels]

    outputs = assemble(FLAT, (4, 8, 16), head=every_level)(np.zeros((1, 16, 16, 1), "float32"))
    assert [tuple(output.shape) for output in outputs] == [(1, 16, 16, 1), (1, 8, 8, 1), (1, 4, 4, 1)]


def test_strides_of_one_axis_each_make_an_anisotropic_network():
    model = assemble(SOLID, (4, 8, 16), strides=[(1, 2, 2), (2, 2, 2)], down=strided, up=interpolated)
    assert divisor(model) == (2, 4, 4)
    assert model(np.zeros((1, 2, 8, 12, 1), "float32")).shape == (1, 2, 8, 12, 1)


def test_the_divisor_survives_cloning():
    model = MODELS["unet"](FLAT, width=4, depth=3)
    assert divisor(keras.models.clone_model(model)) == divisor(model) == (8, 8)


def test_a_model_of_ones_own_without_a_divisor_takes_every_size():
    image = keras.Input((None, None, 1))
    assert divisor(keras.Model(image, keras.layers.Conv2D(1, 3, padding="same")(image))) == (1, 1)


def test_dropout_is_active_in_training_only():
    model = assemble(FLAT, (4, 8), Style(dropout=0.5))
    image = np.random.default_rng(0).normal(size=(1, 8, 8, 1)).astype("float32")
    np.testing.assert_array_equal(model(image).numpy(), model(image).numpy())
    assert np.any(model(image, training=True).numpy() != model(image).numpy())


IMPOSSIBLE = [
    ({"width": 0}, "width is 0"),
    ({"width": "wide"}, "width is 'wide'"),
    ({"depth": 0}, "depth is 0"),
    ({"depth": 64}, "depth is 64"),
    ({"normalisation": "bach"}, "did you mean 'batch'"),
    ({"normalisation": "group", "width": 12}, "12 channels do not divide into 8 groups"),
    ({"normalisation": "group", "groups": 0}, "groups is 0"),
    ({"activation": "relo"}, "activation 'relo' is unknown"),
    ({"upsampling": "nearst"}, "did you mean 'nearest'"),
    ({"dropout": 1.0}, "dropout is 1.0"),
]


@pytest.mark.parametrize(("options", "message"), IMPOSSIBLE)
def test_an_impossible_option_is_unfit_in_one_line(options, message):
    with pytest.raises(Unfit, match=message) as error:
        MODELS["unet"](FLAT, **options)
    assert "\n" not in str(error.value)


def test_a_3d_recipe_refuses_2d_images_and_an_odd_width():
    with pytest.raises(Unfit, match="unet_3d needs rank 3, the task has rank 2"):
        MODELS["unet_3d"](FLAT)
    with pytest.raises(Unfit, match="even width"):
        MODELS["unet_3d"](SOLID, width=5)
