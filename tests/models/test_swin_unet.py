import itertools

import keras
import numpy as np
import pytest
from keras import ops

from unetbench.core.errors import Unfit
from unetbench.core.task import Task
from unetbench.models import MODELS
from unetbench.models.anatomy.receptive_field import receptive_field
from unetbench.models.anatomy.trace import trace
from unetbench.models.parts.swin import DepthToSpace, SpaceToDepth, WindowAttention
from unetbench.models.parts.transformer import transformer_block

FLAT = Task(2, 1, ("cell",))
SMALL = {"width": 4, "blocks": (2, 2), "heads": 2, "window": 3}


def _image(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def _lively(layer: keras.Layer, image: np.ndarray) -> keras.Layer:
    """Give the layer weights of which every one tells."""
    layer(image)
    generator = np.random.default_rng(1)
    layer.set_weights([generator.normal(size=weight.shape) for weight in layer.weights])
    return layer


@pytest.mark.parametrize("space", [(6, 9), (3, 6, 6)])
def test_unshifted_windows_are_images_of_their_own(space):
    image = _image(2, *space, 4)
    layer = _lively(WindowAttention(2, 3), image)
    whole = layer(image).numpy()
    for corner in itertools.product(*(range(0, edge, 3) for edge in space)):
        window = (slice(None), *(slice(start, start + 3) for start in corner))
        np.testing.assert_allclose(whole[window], layer(image[window]), atol=1e-5)


def test_shifted_windows_are_images_of_their_own_and_the_borders_smaller_ones():
    image = _image(1, 8, 12, 4)
    layer = _lively(WindowAttention(2, 4, shifted=True), image)
    whole = layer(image).numpy()
    # Windows of 4 that begin at 2: of 8 pixels the parts are 2, 4 and 2, of 12 they are 2, 4, 4 and 2.
    for rows, columns in itertools.product([(0, 2), (2, 6), (6, 8)], [(0, 2), (2, 6), (6, 10), (10, 12)]):
        part = (slice(None), slice(*rows), slice(*columns))
        np.testing.assert_allclose(whole[part], layer(image[part]), atol=1e-5)


@pytest.mark.parametrize(
    ("shifted", "parts"), [(False, [(0, 4), (4, 8), (8, 9)]), (True, [(0, 2), (2, 6), (6, 9)])], ids=["even", "shifted"]
)
def test_no_pixel_sees_what_fills_the_last_window_up(shifted, parts):
    image = _image(1, 9, 9, 4)
    layer = _lively(WindowAttention(2, 4, shifted=shifted), image)
    whole = layer(image).numpy()
    for rows, columns in itertools.product(parts, parts):
        part = (slice(None), slice(*rows), slice(*columns))
        np.testing.assert_allclose(whole[part], layer(image[part]), atol=1e-5)


def test_attention_falls_with_the_distance_that_the_table_states():
    image = np.arange(3, dtype="float32").reshape(1, 1, 3, 1)
    layer = WindowAttention(1, 3)
    layer(image)
    # Queries and keys are zero, values and output the pixels; the table is -inf but for i - j = 1 along the row.
    table = np.full((5, 5, 1), -1e4)
    table[2, 3] = 0.0
    layer.set_weights([np.array([[0.0, 0.0, 1.0]]), np.zeros(3), np.ones((1, 1)), np.zeros(1), table])
    # Pixels 1 and 2 see what is left of them; pixel 0 sees nothing it prefers, thus all.
    np.testing.assert_allclose(layer(image).numpy().ravel(), [1.0, 0.0, 1.0])


@pytest.mark.parametrize("size", [(1, 8, 24), (2, 16, 16), (1, 56, 40)])
def test_a_graph_of_unknown_size_gives_the_values_of_the_known_size(size):
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    model = MODELS["swin_unet"](FLAT, **SMALL)
    image = _image(*size, 1)
    unknown = tf.function(model, input_signature=[tf.TensorSpec((None, None, None, 1))], jit_compile=False)
    np.testing.assert_allclose(unknown(image), model(image), atol=1e-5)


@pytest.mark.slow
def test_a_step_of_training_in_a_graph_is_finite():
    model = MODELS["swin_unet"](FLAT, **SMALL, dropout=0.1)
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True), jit_compile=False)
    image = _image(2, 24, 24, 1)
    assert np.isfinite(model.train_on_batch(image, (image > 0).astype("float32")))


def test_fold_lays_columns_of_pixels_into_channels_and_unfold_lays_rows_out():
    image = np.array([[1.0, 2.0], [3.0, 4.0]], "float32").reshape(1, 2, 2, 1)
    np.testing.assert_array_equal(np.ravel(SpaceToDepth(2)(image)), [1, 3, 2, 4])
    np.testing.assert_array_equal(DepthToSpace(2)(image.reshape(1, 1, 1, 4)), image)
    deep = _image(2, 4, 6, 2, 3)
    assert SpaceToDepth(2)(deep).shape == (2, 2, 3, 1, 24)
    # In 3D the offsets along the first axis are side by side, those along the last far apart.
    np.testing.assert_array_equal(SpaceToDepth(2)(deep)[0, 0, 0, 0, 3:6], deep[0, 1, 0, 0])
    np.testing.assert_array_equal(SpaceToDepth(2)(deep)[0, 0, 0, 0, 12:15], deep[0, 0, 0, 1])


def test_depth_dropout_leaves_a_summand_out_for_whole_cases():
    image = keras.Input((None, None, 2))
    attention = keras.layers.Dense(2, kernel_initializer="zeros", bias_initializer=keras.initializers.Constant(10.0))
    model = keras.Model(image, transformer_block(image, attention, depth_dropout=0.5))
    last = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)][-1]
    last.set_weights([np.zeros((8, 2)), np.ones(2)])
    batch = _image(64, 2, 2, 2)
    added = ops.convert_to_numpy(model(batch, training=True)) - batch
    # 10 and 1 for the case or not, twice as much for those that stay.
    np.testing.assert_allclose(added, np.broadcast_to(added[:, :1, :1, :1], added.shape), atol=1e-5)
    assert set(np.round(added[:, 0, 0, 0], 3)) == {0.0, 2.0, 20.0, 22.0}
    np.testing.assert_allclose(model(batch) - batch, np.full_like(batch, 11.0), atol=1e-5)


def test_later_blocks_are_left_out_more_often():
    model = MODELS["swin_unet"](FLAT, **SMALL, depth_dropout=0.3)
    shares = [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    # Four blocks of 0, 0.1, 0.2, 0.3 with two summands each; the decoder's two are those of the encoder's first level.
    np.testing.assert_allclose(shares, [0.1, 0.1, 0.2, 0.2, 0.3, 0.3, 0.1, 0.1])


def test_macs_count_whole_windows():
    # 5×6 pixels lie in 2·2 windows of 9: 36 pixels, each with 4 matrices of 4·4 and two products of 9·4.
    assert WindowAttention(2, 3).macs((1, 5, 6, 4)) == 36 * (4 * 16 + 2 * 9 * 4)


def test_a_pair_of_blocks_sees_two_windows():
    image = keras.Input((None, None, 4))
    pair = WindowAttention(2, 4, shifted=True)(WindowAttention(2, 4)(image))
    assert receptive_field(trace(keras.Model(image, pair), (16, 16))) == (8, 8)
    folded = keras.layers.Conv2D(1, 3, padding="same")(SpaceToDepth(2)(image))
    assert receptive_field(trace(keras.Model(image, DepthToSpace(1)(folded)), (16, 16))) == (6, 6)


@pytest.mark.parametrize("options", [{"blocks": (2,)}, {"blocks": (2, 0)}, {"heads": 5}, {"heads": 0}])
def test_an_impossible_network_is_unfit(options):
    with pytest.raises(Unfit, match="heads that divide the width"):
        MODELS["swin_unet"](FLAT, **{**SMALL, **options})


def test_a_window_of_one_pixel_is_unfit():
    with pytest.raises(Unfit, match="at least 2"):
        MODELS["swin_unet"](FLAT, **{**SMALL, "window": 1})


@pytest.mark.parity
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("space", [(8, 12), (8, 4, 8)])
@pytest.mark.parametrize("shifted", [False, True])
def test_a_block_gives_what_monais_gives_with_its_weights(space, shifted):
    torch = pytest.importorskip("torch", reason="the reference needs PyTorch: pip install -e '.[parity]'")
    monai = pytest.importorskip("monai.networks.nets.swin_unetr", reason="MONAI is missing")
    window, rank = (4,) * len(space), len(space)
    torch.manual_seed(0)
    shift = (2,) * rank if shifted else (0,) * rank
    theirs = monai.SwinTransformerBlock(8, 2, window, shift).eval()
    for tensor in theirs.parameters():
        torch.nn.init.normal_(tensor, 0.0, 0.3)
    mask = monai.compute_mask(space, *monai.get_window_size(space, window, shift), "cpu")
    image = keras.Input((None,) * rank + (8,))
    model = keras.Model(image, transformer_block(image, WindowAttention(2, 4, shifted=shifted)))
    arrays = {name: tensor.detach().numpy() for name, tensor in theirs.named_parameters()}
    table = arrays["attn.relative_position_bias_table"].reshape(*[7] * rank, 2)
    projections = [arrays[f"attn.{name}.{kind}"].T for name in ("qkv", "proj") for kind in ("weight", "bias")]
    inner = {"norm1": None, "attn": [*projections, table], "norm2": None, "mlp.linear1": None, "mlp.linear2": None}
    layers = [layer for layer in model.layers if layer.weights]
    for layer, (name, given) in zip(layers, inner.items(), strict=True):
        layer.set_weights(given or [arrays[f"{name}.weight"].T, arrays[f"{name}.bias"]])
    values = _image(2, *space, 8)
    with torch.no_grad():
        expected = theirs(torch.from_numpy(values), mask).numpy()
    np.testing.assert_allclose(model(values), expected, rtol=1e-4, atol=1e-4)
