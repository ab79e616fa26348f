"""The L1 norm of all that goes with a channel decides which go, in each layer or over all."""

import keras
import numpy as np
import pytest

from unetbench.models.lighter.follow import follow
from unetbench.models.lighter.importance import importance, least
from unetbench.models.parts.biased import Conv2D


def _chain(*widths):
    image = keras.Input((None, None, 1))
    layers, x = [Conv2D(width, 1) for width in widths], image
    for layer in layers:
        x = layer(x)
    return keras.Model(image, Conv2D(1, 1)(x)), layers


def _set(layer, values):
    layer.kernel.assign(np.array(values, "float32").reshape(layer.kernel.shape))


def test_importance_is_the_mean_over_kernels_of_the_norm_over_the_kernels_own_mean():
    model, (layer,) = _chain(2)
    _set(layer, [1.0, -3.0])
    _set(model.layers[-1], [4.0, 4.0])
    channels = follow(model)
    scores = importance(channels)
    # makes: |1|, |-3| over their mean 2: 0.5, 1.5; reads: 4, 4 over 4: 1, 1; means 0.75, 1.25
    assert list(scores.importance.values()) == pytest.approx([0.75, 1.25])
    assert list(scores.width.values()) == [1, 1]


def test_each_layer_loses_its_share_or_the_least_of_all_go():
    model, (first, second) = _chain(4, 4)
    # The first layer's filters differ little, two of the second's are nearly nothing; all others read evenly.
    _set(first, [1.0, 1.1, 1.2, 1.3])
    _set(second, np.tile([0.01, 0.02, 1.0, 1.1], (4, 1)))
    _set(model.layers[-1], np.ones(4))
    channels = follow(model)
    made = [channels.roots(channels.outputs[id(layer)][0]).tolist() for layer in (first, second)]
    assert sorted(least(channels, 0.5)) == [*made[0][:2], *made[1][:2]]
    assert sorted(least(channels, 0.25, "global")) == made[1][:2]


def test_a_share_is_rounded_so_that_multiples_stay():
    model, _ = _chain(20)
    channels = follow(model)
    assert len(least(channels, 0.5)) == 10
    assert len(least(channels, 0.5, multiple=8)) == 20 - 16
    assert len(least(channels, 0.7, multiple=8)) == 20 - 8
    assert least(channels, 0.5, multiple=32) == []


def test_every_layer_keeps_a_tenth_and_at_least_one_channel():
    model, (first, second) = _chain(20, 2)
    _set(first, np.full(20, 1e-6))
    _set(second, np.vstack([np.ones((20, 2))]))
    channels = follow(model)
    removed = set(least(channels, 0.99, "global"))
    left = [len(set(channels.roots(channels.outputs[id(layer)][0]).tolist()) - removed) for layer in (first, second)]
    assert left == [2, 1]


def test_what_is_coupled_goes_together_and_counts_in_every_layer_that_makes_it():
    image = keras.Input((None, None, 1))
    one, other = Conv2D(2, 1), Conv2D(2, 1)
    model = keras.Model(image, Conv2D(1, 1)(keras.layers.Add()([one(image), other(image)])))
    _set(one, [1.0, 2.0])
    _set(other, [8.0, 1.0])
    _set(model.layers[-1], [1.0, 1.0])
    channels = follow(model)
    scores = importance(channels)
    # 2/3, 16/9 and 1 of the first: 1.148; 4/3, 2/9 and 1 of the second: 0.852
    assert list(scores.importance.values()) == pytest.approx([1.148148, 0.851852])
    assert list(scores.width.values()) == [2, 2]
    assert least(channels, 0.5) == [channels.movable()[1]]
