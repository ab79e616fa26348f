import keras
import numpy as np
import pytest
from keras import ops

from unetbench.core.errors import Unfit
from unetbench.core.task import Task
from unetbench.models import MODELS
from unetbench.models.ege_unet import LearnedMap
from unetbench.models.malunet import DoubleSoftmax
from unetbench.models.parts.dropblock import DropBlock
from unetbench.models.parts.gates import ChannelSummary, concurrent_excite, squeeze_excite
from unetbench.models.resunet_a import CellMax
from unetbench.models.unext import ChannelShift

FLAT = Task(2, 1, ("cell",))
SOLID = Task(3, 1, ("cell",))
CLASSES = Task(2, 1, ("background", "nucleus", "cytoplasm"), "exclusive")


def _image(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype("float32")


SUPERVISED = [
    ("unet_plus_plus", {"width": 4, "depth": 2}, 2),
    ("unet_3plus", {"width": 4, "depth": 2}, 3),
    ("unet_3plus", {"width": 4, "depth": 2, "guided": True}, 3),
    ("u2_net_p", {"width": 4}, 7),
    ("ege_unet", {"widths": (4, 8, 8, 12, 12, 16)}, 6),
]


@pytest.mark.parametrize(("name", "options", "count"), SUPERVISED)
def test_deep_supervision_gives_a_list_of_logits_of_the_images_size(name, options, count):
    heads = MODELS[name](FLAT, **options, deep_supervision=True).output
    assert [head.shape for head in heads] == [(None, None, None, 1)] * count
    assert {head.dtype for head in heads} == {"float32"}


@pytest.mark.parametrize("name", ["unet_plus_plus", "unet_3plus"])
def test_the_first_of_deeply_supervised_logits_are_those_of_the_network_without(name):
    plain, supervised = (MODELS[name](FLAT, width=4, depth=2, deep_supervision=deep) for deep in (False, True))
    trunk = [(mine, theirs) for mine, theirs in zip(plain.weights, supervised.weights, strict=False)][:-2]
    for mine, theirs in trunk:
        theirs.assign(mine)
    heads = {tuple(weight.shape): weight for weight in plain.weights[-2:]}
    image = _image(1, 8, 8, 1)
    first = keras.Model(supervised.input, supervised.output[0])
    for weight in first.weights[-2:]:
        weight.assign(heads[tuple(weight.shape)])
    np.testing.assert_allclose(first(image), plain(image), atol=1e-6)


def test_a_guided_network_gives_its_logits_or_minus_ten_as_the_classifier_decides():
    model = MODELS["unet_3plus"](FLAT, width=4, depth=1, guided=True)
    image = _image(2, 8, 8, 1)
    classifier = next(layer for layer in model.layers if layer.name == "presence").input._keras_history.operation
    unguided = keras.Model(model.input, next(layer for layer in model.layers if "guided" in layer.name).input[0])
    classifier.kernel.assign(ops.zeros_like(classifier.kernel))
    classifier.bias.assign([0.0, 1.0])
    np.testing.assert_allclose(model(image), unguided(image), atol=1e-6)
    classifier.bias.assign([1.0, 0.0])
    np.testing.assert_array_equal(model(image), np.full((2, 8, 8, 1), -10.0))


def test_a_guided_classifier_learns_from_the_segmentation_alone():
    import tensorflow as tf

    model = MODELS["unet_3plus"](FLAT, width=4, depth=1, guided=True)
    classifier = next(layer for layer in model.layers if layer.name == "presence").input._keras_history.operation
    classifier.bias.assign([1.0, 0.0])
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.math.softplus(-model(_image(2, 8, 8, 1))))
    absent, present = tape.gradient(loss, classifier.bias.value).numpy()
    # All is foreground, all is called absent: descending the loss raises the score of presence.
    assert present < 0 < absent


def test_recurrences_cost_no_parameters():
    counts = {t: MODELS["r2_unet"](FLAT, width=4, depth=2, recurrences=t).count_params() for t in (1, 3)}
    assert counts[1] == counts[3]


def test_rank_free_variants_build_in_3d_and_flat_ones_say_why_not():
    for name in ("attention_unet", "unet_plus_plus", "unet_3plus", "multires_unet", "resunet", "sa_unet"):
        assert len(MODELS[name](SOLID, width=8, depth=1).output.shape) == 5
    for name in ("u_lite", "unext", "malunet", "ege_unet"):
        with pytest.raises(Unfit, match=f"{name} needs rank 2, the task has rank 3"):
            MODELS[name](SOLID)


IMPOSSIBLE = [
    ("r2_unet", {"recurrences": 0}, "recurrences is 0"),
    ("unet_3plus", {"guided": True}, "guided decides on one class"),
    ("multires_unet", {"width": 2}, "without filters"),
    ("u2_net", {"width": 6}, "multiple of 4"),
    ("u2_net_p", {"width": "wide"}, "width is 'wide'"),
    ("sa_unet", {"dropblock": 1.0}, "dropblock is 1.0"),
    ("dense_unet", {"layers": (4,)}, "two levels"),
    ("cmunext", {"kernels": (3, 3, 7, 7, 8)}, "kernels odd"),
    ("cmunext", {"depths": (1, 1)}, "one entry a level"),
    ("resunet_a", {"width": 2}, "width is 2; the pyramid"),
    ("scse_unet", {"gate": "sce"}, "did you mean 'scse'"),
    ("scse_unet", {"ratio": 0}, "ratio is 0"),
    ("tiny_unet", {"width": 24}, "multiple of 16"),
    ("unext", {"widths": (8, 16)}, "five levels"),
    ("ege_unet", {"widths": (8, 16, 24, 32, 48, 63)}, "six multiples of 4"),
    ("malunet", {"widths": (8, 16)}, "six multiples of 4"),
]


@pytest.mark.parametrize(("name", "options", "message"), IMPOSSIBLE)
def test_an_impossible_variant_is_unfit_in_one_line(name, options, message):
    with pytest.raises(Unfit, match=message) as error:
        MODELS[name](CLASSES, **options)
    assert "\n" not in str(error.value)


def test_channel_shift_moves_groups_by_their_own_distance():
    # Five channels of a row 1 2 3 4: shifted by -2 … 2, zeros moving in.
    row = np.repeat(np.arange(1.0, 5.0, dtype="float32").reshape(1, 1, 4, 1), 5, axis=-1)
    expected = [[3, 4, 0, 0], [2, 3, 4, 0], [1, 2, 3, 4], [0, 1, 2, 3], [0, 0, 1, 2]]
    np.testing.assert_array_equal(ops.convert_to_numpy(ChannelShift(2)(row))[0, 0].T, expected)
    column = row.transpose(0, 2, 1, 3)
    np.testing.assert_array_equal(ops.convert_to_numpy(ChannelShift(1)(column))[0, :, 0].T, expected)


def test_double_softmax_of_hand_checked_values():
    # Two pixels of two channels, log 1, log 3 and log 1, log 1: over space ¼ ¾ and ½ ½, then over channels.
    scores = np.log(np.array([[[[1.0, 1.0], [3.0, 1.0]]]], "float32"))
    np.testing.assert_allclose(DoubleSoftmax()(scores)[0, 0], [[1 / 3, 2 / 3], [3 / 5, 2 / 5]], rtol=1e-6)


def test_channel_summary_is_mean_and_maximum():
    np.testing.assert_array_equal(ChannelSummary()(np.array([[[[1.0, 2.0, 6.0]]]], "float32"))[0, 0, 0], [3.0, 6.0])


def test_squeeze_excite_halves_everything_while_its_weights_are_zero():
    image = keras.Input((4, 4, 8))
    model = keras.Model(image, squeeze_excite(image, 4))
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    pixels = _image(1, 4, 4, 8)
    np.testing.assert_allclose(model(pixels), pixels / 2)


def test_concurrent_excitation_is_the_larger_of_both():
    image = keras.Input((4, 4, 8))
    model = keras.Model(image, concurrent_excite(image, 2))
    for weight in model.weights:
        weight.assign(ops.zeros_like(weight))
    (bias,) = (weight for weight in model.weights if weight.shape == (1,))
    pixels = np.abs(_image(1, 4, 4, 8))
    # Over channels a half; over space sigmoid(log 3), three quarters, then sigmoid(-log 3), a quarter.
    for offset, larger in ((np.log(3), 0.75), (-np.log(3), 0.5)):
        bias.assign([offset])
        np.testing.assert_allclose(model(pixels), pixels * larger, rtol=1e-6)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [(1, [4, 4, 4, 4, 4]), (2, [2, 2, 2, 4, 4]), (4, [1, 1, 3, 3, 4]), (8, [0, 1, 2, 3, 4])],
)
def test_pixels_become_the_maximum_of_their_cell_whatever_the_edge(cells, expected):
    # ceil(5 / cells) pixels a cell: 5, 3, 2 and 1.
    edge = np.arange(5, dtype="float32").reshape(1, 5, 1, 1)
    np.testing.assert_array_equal(CellMax(cells)(edge)[0, :, 0, 0], expected)
    np.testing.assert_array_equal(CellMax(cells)(edge[:, None])[0, 0, :, 0, 0], expected)


def test_a_learned_map_is_enlarged_along_its_own_axes_only():
    layer = LearnedMap((2, 1))
    layer.build((None, 4, 6, 1))
    layer.map.assign(np.array([0.0, 4.0]).reshape(1, 2, 1, 1))
    np.testing.assert_allclose(ops.convert_to_numpy(layer(_image(3, 4, 6, 1)))[0, :, :, 0], [[0], [1], [3], [4]])


@pytest.mark.parametrize("space", [(64, 64), (16, 16, 16)])
def test_dropblock_drops_blocks_in_training_only_and_keeps_the_sum(space):
    layer, image = DropBlock(0.2, 3), np.ones((4, *space, 8), "float32")
    np.testing.assert_array_equal(layer(image), image)
    made = ops.convert_to_numpy(layer(image, training=True))
    share = np.mean(made == 0)
    # Blocks overlap, so that less than the rate is dropped; at a fifth the loss is about a tenth of it.
    assert 0.15 < share < 0.2
    np.testing.assert_allclose(made.sum(), image.sum(), rtol=1e-5)
    dropped = made[0, ..., 0] == 0
    centre = np.argwhere(dropped)[len(np.argwhere(dropped)) // 2]
    around = tuple(slice(max(0, c - 2), c + 3) for c in centre)
    assert dropped[around].sum() >= 3 ** len(space)


def test_dropblock_leaves_an_image_smaller_than_a_block_as_it_is():
    image = np.ones((1, 4, 4, 2), "float32")
    np.testing.assert_array_equal(DropBlock(0.5, 7)(image, training=True), image)
