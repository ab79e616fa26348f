"""Channels are followed through every way in which layers hand them on; what cannot be followed is refused by name."""

import keras
import numpy as np
import pytest

from unetbench.core.errors import Unfit
from unetbench.models.lighter.follow import follow
from unetbench.models.lighter.narrow import narrowed
from unetbench.models.parts.biased import Conv2D
from unetbench.models.parts.group_norm import GroupNorm

layers = keras.layers


def _sets(model, *convolutions):
    """For each convolution, which of its filters are coupled: equal numbers for one set, by first appearance."""
    channels = follow(model)
    roots = [channels.roots(channels.outputs[id(layer)][0]) for layer in convolutions]
    order = {number: place for place, number in enumerate(dict.fromkeys(np.concatenate(roots).tolist()))}
    return [[order[number] for number in row.tolist()] for row in roots], channels


def _check_zeroed(model, channels, removed):
    """Silence the channels of these sets, take them out, compare."""
    for axes in channels.weights.values():
        for axis in axes:
            value = np.array(axis.variable)
            gone = np.isin(channels.roots(axis.ids), list(removed))
            value[(slice(None),) * axis.axis + (gone,)] = 0
            axis.variable.assign(value)
    image = np.random.default_rng(0).normal(size=(1, 8, 8, model.input.shape[-1])).astype("float32")
    made = narrowed(model, channels, removed)
    np.testing.assert_allclose(np.array(made(image)), np.array(model(image)), atol=1e-5)
    return made


def test_a_sum_couples_its_terms_one_by_one_and_a_concatenation_does_not():
    image = keras.Input((None, None, 1))
    one, other, third = (Conv2D(2, 3, padding="same") for _ in range(3))
    joined = layers.Concatenate()([layers.Add()([one(image), other(image)]), third(image)])
    model = keras.Model(image, Conv2D(1, 1)(joined))
    sets, channels = _sets(model, one, other, third)
    assert sets == [[0, 1], [0, 1], [2, 3]]
    made = _check_zeroed(model, channels, [channels.movable()[0], channels.movable()[3]])
    assert [layer.filters for layer in made.layers if isinstance(layer, Conv2D)][:3] == [1, 1, 1]


def test_the_channels_of_image_and_logits_stay():
    image = keras.Input((None, None, 2))
    hidden, last = Conv2D(2, 1), Conv2D(2, 1)
    model = keras.Model(image, last(layers.Add()([image, hidden(image)])))
    _, channels = _sets(model, hidden, last)
    assert channels.movable() == []


def test_a_convolution_in_groups_loses_the_same_places_of_each():
    image = keras.Input((None, None, 1))
    first, grouped = Conv2D(6, 1), Conv2D(4, 3, padding="same", groups=2)
    model = keras.Model(image, Conv2D(1, 1)(layers.ReLU()(grouped(first(image)))))
    sets, channels = _sets(model, first, grouped)
    assert sets == [[0, 1, 2, 0, 1, 2], [3, 4, 3, 4]]
    first_set, last_set = channels.movable()[0], channels.movable()[-1]
    made = _check_zeroed(model, channels, [first_set, last_set])
    assert next(layer for layer in made.layers if getattr(layer, "groups", 1) == 2).kernel.shape == (3, 3, 2, 2)


def test_groups_of_one_channel_go_whole_and_take_their_filters_along():
    image = keras.Input((None, None, 1))
    first, grouped = Conv2D(3, 1), Conv2D(6, 3, padding="same", groups=3)
    model = keras.Model(image, Conv2D(1, 1)(grouped(first(image))))
    sets, channels = _sets(model, first, grouped)
    assert sets == [[0, 1, 2], [0, 0, 1, 1, 2, 2]]
    made = _check_zeroed(model, channels, channels.movable()[1:2])
    assert next(layer for layer in made.layers if getattr(layer, "groups", 1) > 1).groups == 2


def test_a_depthwise_convolution_takes_all_its_multiples_along():
    image = keras.Input((None, None, 1))
    first, deep = Conv2D(3, 1), layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2)
    separable = layers.SeparableConv2D(4, 3, padding="same", depth_multiplier=2)
    model = keras.Model(image, Conv2D(1, 1)(separable(deep(first(image)))))
    sets, channels = _sets(model, first, deep, separable)
    assert sets == [[0, 1, 2], [0, 0, 1, 1, 2, 2], [3, 4, 5, 6]]
    _check_zeroed(model, channels, [channels.movable()[1], channels.movable()[4]])


def test_groups_of_a_normalisation_go_whole_so_that_the_others_keep_their_statistics():
    image = keras.Input((None, None, 1))
    first, norm = Conv2D(6, 1), GroupNorm(3)
    model = keras.Model(image, Conv2D(1, 1)(layers.ReLU()(norm(first(image)))))
    sets, channels = _sets(model, first)
    assert sets == [[0, 0, 1, 1, 2, 2]]
    made = _check_zeroed(model, channels, channels.movable()[:1])
    assert next(layer for layer in made.layers if isinstance(layer, GroupNorm)).groups == 2


def test_a_normalisation_in_one_group_has_the_statistics_of_what_remains():
    image = keras.Input((None, None, 1))
    first, norm = Conv2D(4, 1), GroupNorm(1)
    model = keras.Model(image, Conv2D(1, 1)(norm(first(image))))
    sets, channels = _sets(model, first)
    assert sets == [[0, 1, 2, 3]]
    assert [layer for layer, _ in channels.pooling] == [norm]
    made = narrowed(model, channels, channels.movable()[:1])
    assert next(layer for layer in made.layers if isinstance(layer, GroupNorm)).groups == 1


def test_a_layer_that_is_called_twice_couples_what_it_takes_and_gives():
    image = keras.Input((None, None, 1))
    first, shared = Conv2D(3, 1), Conv2D(3, 3, padding="same")
    model = keras.Model(image, Conv2D(1, 1)(shared(layers.ReLU()(shared(first(image))))))
    sets, channels = _sets(model, first, shared)
    assert sets == [[0, 1, 2], [0, 1, 2]]
    made = _check_zeroed(model, channels, channels.movable()[:1])
    assert sum(isinstance(layer, Conv2D) for layer in made.layers) == 3


def test_models_inside_a_model_are_followed_and_laid_open():
    inner_image = keras.Input((None, None, 2))
    inner = keras.Model(inner_image, Conv2D(4, 1, name="same")(inner_image), name="inner")
    image = keras.Input((None, None, 1))
    model = keras.Model(image, Conv2D(1, 1, name="last")(inner(Conv2D(2, 1, name="same")(image))))
    channels = follow(model)
    made = _check_zeroed(model, channels, [channels.movable()[0], channels.movable()[-1]])
    assert not any(isinstance(layer, keras.Model) for layer in made.layers)


def test_a_split_is_made_anew_for_unequal_parts():
    image = keras.Input((None, None, 1))
    first, second = Conv2D(4, 1), Conv2D(4, 1)
    left, right = keras.ops.split(first(image), 2, axis=-1)
    model = keras.Model(image, Conv2D(1, 1)(layers.Concatenate()([layers.ReLU()(right), left, second(image)])))
    sets, channels = _sets(model, first, second)
    assert sets == [[0, 1, 2, 3], [4, 5, 6, 7]]
    _check_zeroed(model, channels, channels.movable()[:1])


def test_what_is_cut_out_of_channels_stays():
    image = keras.Input((None, None, 1))
    first = Conv2D(4, 1)
    model = keras.Model(image, Conv2D(1, 1)(first(image)[..., 1:3]))
    _, channels = _sets(model, first)
    assert channels.movable() == []


def test_channels_that_meet_an_array_of_constants_stay():
    image = keras.Input((None, None, 1))
    first, second = Conv2D(3, 1), Conv2D(3, 1)
    x = second(keras.ops.multiply(first(image), np.array([1.0, 2.0, 3.0], "float32")))
    model = keras.Model(image, Conv2D(1, 1)(keras.ops.multiply(x, 2.0)))
    sets, channels = _sets(model, first, second)
    assert sets == [[0, 1, 2], [3, 4, 5]]
    assert channels.movable() == channels.roots(channels.outputs[id(second)][0]).tolist()


def test_a_model_of_several_images_is_refused():
    images = [keras.Input((None, None, 1)) for _ in range(2)]
    with pytest.raises(Unfit, match="takes 2 images; one is possible"):
        follow(keras.Model(images, layers.Add()(images)))


class _Mixing(layers.Layer):
    def call(self, x):
        return x[..., ::-1]

    def compute_output_shape(self, input_shape):
        return input_shape


class _Scaled(layers.Layer):
    channelwise = True

    def build(self, input_shape):
        self.factor = self.add_weight(shape=(1, input_shape[-1]), name="factor")

    def call(self, x):
        return x * self.factor

    def compute_output_shape(self, input_shape):
        return input_shape


class _Child(_Scaled):
    pass


def _with(layer):
    image = keras.Input((None, None, 1))
    return keras.Model(image, Conv2D(1, 1)(layer(Conv2D(3, 1)(image))))


def test_a_layer_of_ones_own_is_refused_by_name_unless_it_says_that_it_is_channelwise():
    with pytest.raises(Unfit, match=r"layer 'turn' \(_Mixing\): no rule"):
        follow(_with(_Mixing(name="turn")))
    model = _with(_Scaled())
    channels = follow(model)
    _check_zeroed(model, channels, channels.movable()[:1])
    with pytest.raises(Unfit, match="_Child"):  # a child may do anything else
        follow(_with(_Child()))


@pytest.mark.parametrize(
    ("layer", "why"),
    [
        (layers.Activation("softmax"), "softmax"),
        (layers.MultiHeadAttention(1, 2, name="heads"), "'heads'"),
        (layers.Reshape((-1, 3, 1)), "moves channels"),
        (layers.LayerNormalization(axis=(1, 2)), "other axes"),
    ],
)
def test_layers_that_look_across_channels_are_refused(layer, why):
    image = keras.Input((16, 16, 1))
    x = Conv2D(3, 1)(image)
    model = keras.Model(image, layer(x, x) if isinstance(layer, layers.MultiHeadAttention) else layer(x))
    with pytest.raises(Unfit, match=why):
        follow(model)


def test_a_model_that_is_not_functional_is_refused():
    with pytest.raises(Unfit, match="Sequential is no functional model"):
        follow(keras.Sequential([layers.Conv2D(1, 1)]))
