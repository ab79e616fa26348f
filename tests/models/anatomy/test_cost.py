import keras
import pytest

from unetbench.core.errors import SpecError, Unfit
from unetbench.core.task import Task
from unetbench.models import MODELS
from unetbench.models.anatomy.cost import cost


def test_the_original_unet_costs_48_17_giga_macs_at_256():
    spent = cost(MODELS["unet"](Task(2, 3, ("cell",))), (256, 256))
    assert round(spent.macs / 1e9, 2) == 48.17
    assert spent.flops == 2 * spent.macs
    assert spent.trainable == spent.total == 31_031_745


def test_macs_of_a_network_counted_by_hand():
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(8, 3, strides=2, padding="same")(image)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.DepthwiseConv2D(3, padding="same")(x)
    x = keras.layers.Conv2D(8, 3, groups=4, padding="same")(x)
    x = keras.layers.Conv2DTranspose(4, 2, strides=2)(x)
    spent = cost(keras.Model(image, keras.layers.Dense(5)(x)), (16, 32))
    # Half size is 8·16 = 128 pixels: 9·3·8 + 9·8 + 9·2·8 + 4·8·4 each; then 512 pixels of 4·5.
    assert spent.macs == 128 * (216 + 72 + 144 + 128) + 512 * 20
    assert spent.total - spent.trainable == 16


def test_a_layer_called_twice_costs_twice_and_a_model_inside_counts():
    image, inner = keras.Input((None, None, 4)), keras.Input((None, None, 4))
    once = keras.layers.Conv2D(4, 1)
    block = keras.Model(inner, keras.layers.Conv2D(4, 3, padding="same")(inner))
    spent = cost(keras.Model(image, block(once(once(image)))), (10, 10))
    assert spent.macs == 100 * (16 + 16 + 9 * 16)
    assert spent.trainable == 16 + 4 + 9 * 16 + 4


def test_a_depthwise_3d_network_costs_the_same_as_its_formula():
    model = MODELS["unet_light"](Task(3, 1, ("cell",)), width=2, depth=1)
    # Levels of 64 and 8 voxels: depthwise 27 a channel, pointwise in·out, up-convolution 8·4·2 a coarse voxel, head 2.
    fine = (27 * 1 + 1 * 2) + (27 * 2 + 2 * 2) + (27 * 4 + 4 * 2) + (27 * 2 + 2 * 2) + 2
    coarse = (27 * 2 + 2 * 4) + (27 * 4 + 4 * 4) + 8 * 4 * 2
    assert cost(model, (4, 4, 4)).macs == 64 * fine + 8 * coarse


def test_a_size_the_model_does_not_take_is_unfit():
    with pytest.raises(Unfit, match="multiples of 4×4"):
        cost(MODELS["unet"](Task(2, 1, ("cell",)), width=4, depth=2), (30, 32))


def test_a_layer_whose_count_nobody_states_is_an_error():
    class Mystery(keras.layers.Layer):
        def build(self, input_shape):
            self.matrix = self.add_weight(shape=(4, 4))

        def call(self, x):
            return x @ self.matrix

    image = keras.Input((None, None, 4))
    with pytest.raises(SpecError, match="MACs of layer Mystery"):
        cost(keras.Model(image, Mystery()(image)), (8, 8))
