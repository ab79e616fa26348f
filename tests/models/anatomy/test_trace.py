import math

import keras
import pytest

from unetbench.core.task import Task
from unetbench.models import MODELS
from unetbench.models.anatomy.memory import peak_activation_bytes
from unetbench.models.anatomy.receptive_field import receptive_field
from unetbench.models.anatomy.trace import trace
from unetbench.models.nnunet import plan

layers = keras.layers


def _steps(build, size=(16, 16), channels=1):
    image = keras.Input((None, None, channels))
    return trace(keras.Model(image, build(image)), size)


def test_the_field_of_a_chain_counted_by_hand():
    def chain(x):
        x = layers.Conv2D(2, 3, padding="same")(x)  # 3
        x = layers.MaxPooling2D(2)(x)  # 4, pixels 2 apart
        x = layers.Conv2D(2, 3, padding="same", dilation_rate=2)(x)  # 4 + 4·2 = 12
        return layers.Conv2DTranspose(2, 3, strides=2, padding="same")(x)  # two inputs an output: 12 + 2 = 14

    assert receptive_field(_steps(chain)) == (14, 14)


def test_the_widest_path_counts_and_each_axis_its_own():
    def fork(x):
        return layers.Add()([layers.Conv2D(1, (3, 7), padding="same")(x), layers.Conv2D(1, (5, 1), padding="same")(x)])

    assert receptive_field(_steps(fork)) == (5, 7)


def test_global_pooling_sees_the_image():
    def gate(x):
        return layers.Multiply()([x, layers.GlobalAveragePooling2D(keepdims=True)(x)])

    assert receptive_field(_steps(gate)) == (math.inf, math.inf)


def test_a_layer_that_states_nothing_makes_the_field_unknown():
    class Mystery(layers.Layer):
        def call(self, x):
            return x

    assert receptive_field(_steps(lambda x: Mystery()(x))) is None


def test_the_peak_of_a_skip_counted_by_hand():
    def skip(x):
        fine = layers.Conv2D(4, 1)(x)  # 4·256
        coarse = layers.Conv2D(8, 2, strides=2)(fine)  # 8·64
        raised = layers.UpSampling2D(2)(coarse)  # 8·256
        return layers.Concatenate()([fine, raised])  # 12·256

    # The concatenation holds both its inputs and its output; the image and the coarse level are gone.
    assert peak_activation_bytes(_steps(skip)) == 4 * 256 * (4 + 8 + 12)


def test_a_called_model_is_traced_call_by_call():
    inner = keras.Input((None, None, 3))
    block = keras.Model(inner, layers.Conv2D(3, 3, padding="same")(layers.ReLU()(inner)))
    steps = _steps(lambda x: block(block(x)), channels=3)
    assert [type(step.operation).__name__ for step in steps] == ["ReLU", "Conv2D"] * 2


PLANS = [
    ((128, 128, 128), (1.0, 1.0, 1.0), [(2, 2, 2)] * 5, [(3, 3, 3)] * 6),
    ((512, 512), (1.0, 1.0), [(2, 2)] * 7, [(3, 3)] * 8),
    # Thick slices are left alone until the plane is as coarse; 40 becomes 20, 10, 5.
    (
        (40, 56, 40),
        (3.0, 1.0, 1.0),
        [(1, 2, 2), (2, 2, 2), (2, 2, 2)],
        [(1, 3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3)],
    ),
]


@pytest.mark.parametrize(("patch", "spacing", "strides", "kernels"), PLANS)
def test_a_plan_halves_what_is_finest_and_large_enough(patch, spacing, strides, kernels):
    planned = plan(patch, spacing)
    assert list(planned.strides) == strides
    assert list(planned.kernels) == kernels


def test_the_models_own_attribute_says_what_an_encoder_began_with():
    model = MODELS["encoder_unet"](Task(2, 3, ("cell",)), encoder="mobilenet_v2")
    assert model.initial_weights == "random"
