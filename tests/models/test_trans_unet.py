import keras
import numpy as np
import pytest
import tensorflow as tf

from unetbench.core.errors import Unfit
from unetbench.core.task import Task
from unetbench.models import MODELS
from unetbench.models.anatomy.cost import cost
from unetbench.models.parts.resnet_v2 import StandardisedConv2D, resnet_v2
from unetbench.models.parts.transformer import Attention
from unetbench.models.trans_unet import CornerUpsampling

FLAT = Task(2, 1, ("cell",))
SMALL = {"width": 8, "blocks": (1, 1, 1), "hidden": 24, "layers": 1, "heads": 3}


def _image(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def test_corners_stay_when_an_image_is_interpolated():
    # Four pixels between two at 0 and 3 are a third apart.
    image = np.array([[0.0, 3.0], [30.0, 33.0]], "float32").reshape(1, 2, 2, 1)
    rows, columns = np.meshgrid([0, 10, 20, 30], [0, 1, 2, 3], indexing="ij")
    np.testing.assert_allclose(np.squeeze(CornerUpsampling((2, 2))(image)), rows + columns, atol=1e-5)
    single = np.full((1, 1, 1, 2), 5.0, "float32")
    np.testing.assert_array_equal(CornerUpsampling((2, 2))(single), np.full((1, 2, 2, 2), 5.0))


def test_scale_and_offset_of_a_standardised_kernel_do_not_matter():
    image = _image(1, 5, 5, 3)
    layer = StandardisedConv2D(4, 3, use_bias=False)
    layer(image)
    kernel = _image(3, 3, 3, 4)
    layer.set_weights([kernel])
    before = layer(image).numpy()
    layer.set_weights([kernel * 7 + np.array([1.0, 2.0, 3.0, 4.0])])
    np.testing.assert_allclose(layer(image), before, rtol=1e-3, atol=1e-3)
    # The centre by hand: filter 0 has mean 0 and variance 1.
    filter_0 = (kernel[..., 0] - kernel[..., 0].mean()) / kernel[..., 0].std()
    np.testing.assert_allclose(before[0, 1, 1, 0], np.sum(image[0, 1:4, 1:4] * filter_0), rtol=1e-4)


@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_a_standardised_kernel_is_the_same_in_training_with_its_gradients(kernel, dtype):
    image, results = tf.constant(_image(2, 6, 5, 8)), []
    layer = StandardisedConv2D(4, kernel, use_bias=False, dtype=dtype)
    layer.build(image.shape)
    for training in (True, False):
        with tf.GradientTape() as tape:
            tape.watch(image)
            made = layer(image, training=training)
            cost = tf.reduce_sum(tf.cast(made, "float32") * _image(*made.shape))
        results.append([made, *tape.gradient(cost, [image, layer.kernel])])
    tolerance = {"float32": 1e-5, "mixed_bfloat16": 2e-2}[dtype]
    for found, right in zip(*([tf.cast(x, "float32") for x in result] for result in results), strict=True):
        np.testing.assert_allclose(found, right, rtol=tolerance, atol=tolerance * np.abs(right).max())


def test_the_resnet_gives_features_of_half_to_a_sixteenth_of_the_size_with_zeros_at_the_end_of_the_quarter():
    image = keras.Input((None, None, 3))
    levels = keras.Model(image, resnet_v2(image, 8, (2, 1, 1)))(_image(1, 32, 48, 3))
    assert [level.shape for level in levels] == [(1, 16, 24, 8), (1, 8, 12, 32), (1, 4, 6, 64), (1, 2, 3, 128)]
    assert not np.any(levels[1][:, -1]) and not np.any(levels[1][:, :, -1])
    assert np.any(levels[1][:, -2]) and np.any(levels[1][:, :, -2])


def test_a_graph_of_unknown_size_gives_the_values_of_the_known_size():
    model = MODELS["trans_unet"](FLAT, **SMALL)
    image = _image(1, 32, 48, 1)
    unknown = tf.function(model, input_signature=[tf.TensorSpec((None, None, None, 1))], jit_compile=False)
    np.testing.assert_allclose(unknown(image), model(image), atol=1e-4)


def test_attention_and_perceptron_of_a_layer_are_counted():
    one, two = (cost(MODELS["trans_unet"](FLAT, **{**SMALL, "layers": layers}), (32, 48)) for layers in (1, 2))
    # 2·3 tokens of 24: four projections, two products of all with all, a perceptron of 96 in between.
    assert two.macs - one.macs == 6 * (4 * 24 * 24 + 2 * 6 * 24 + 2 * 24 * 96)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"blocks": (1, 1)}, "three levels"),
        ({"blocks": (1, 0, 1)}, "three levels"),
        ({"width": 3}, "a width from 4"),
        ({"layers": 0}, "at least 1 layer"),
        ({"heads": 5}, "do not divide into 5 heads"),
        ({"patch": (224,)}, "one multiple of 16"),
        ({"patch": (224, 100)}, "one multiple of 16"),
        ({"dropout": 1.0}, "dropout"),
    ],
)
def test_an_impossible_network_is_unfit(options, line):
    with pytest.raises(Unfit, match=line) as error:
        MODELS["trans_unet"](FLAT, **{**SMALL, **options})
    assert "\n" not in str(error.value)


@pytest.mark.parity
def test_attention_with_bias_is_that_of_pytorch_with_its_weights():
    torch = pytest.importorskip("torch", reason="the reference needs PyTorch: pip install -e '.[parity]'")
    torch.manual_seed(0)
    theirs, tokens = torch.nn.MultiheadAttention(24, 3, batch_first=True), _image(2, 4, 5, 24)
    for tensor in theirs.parameters():
        torch.nn.init.normal_(tensor, 0.0, 0.3)
    ours = Attention(3)
    ours(tokens)
    arrays = [theirs.in_proj_weight, theirs.in_proj_bias, theirs.out_proj.weight, theirs.out_proj.bias]
    ours.set_weights([array.detach().numpy().T for array in arrays])
    flat = torch.from_numpy(tokens.reshape(2, 20, 24))
    with torch.no_grad():
        expected = theirs(flat, flat, flat)[0].numpy()
    np.testing.assert_allclose(np.reshape(ours(tokens), (2, 20, 24)), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parity
def test_interpolation_that_keeps_corners_is_that_of_pytorch():
    torch = pytest.importorskip("torch", reason="the reference needs PyTorch: pip install -e '.[parity]'")
    image = _image(2, 5, 7, 3)
    expected = torch.nn.UpsamplingBilinear2d(scale_factor=2)(torch.from_numpy(np.moveaxis(image, -1, 1)))
    np.testing.assert_allclose(CornerUpsampling((2, 2))(image), np.moveaxis(expected.numpy(), 1, -1), atol=1e-5)
