"""An ensemble's network is the mean of its members', whichever mean, and of the copies of an image."""

import keras
import numpy as np
import pytest

from unetbench.benchmark.trial.predict import window_probabilities
from unetbench.core.errors import Unfit
from unetbench.core.task import Task
from unetbench.models import MODELS
from unetbench.models.anatomy.cost import cost
from unetbench.models.anatomy.locality import is_local
from unetbench.models.anatomy.trace import trace
from unetbench.models.parts.ensemble import ensemble
from unetbench.models.parts.fit import divisor
from unetbench.models.parts.means import MeanOfLogits, MeanOfProbabilities
from unetbench.models.parts.orientations import Oriented, orientations
from unetbench.runtimes import RUNTIMES

BINARY = Task(rank=2, channels=1, classes=("nucleus",), kind="binary")
EXCLUSIVE = Task(rank=2, channels=1, classes=("nucleus", "cytoplasm"), kind="exclusive")
VOLUME = Task(rank=3, channels=1, classes=("nucleus",), kind="binary")


def _unet(task, depth=1, seed=0):
    keras.utils.set_random_seed(seed)
    name = "unet_3d" if task.rank == 3 else "unet"
    return MODELS[name](task, width=4, depth=depth)


def _images(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def _sigmoid(z):
    return 1 / (1 + np.exp(-np.asarray(z, float)))


def _mean(layer, *logits):
    return np.array(layer([np.array([[one]], "float32") for one in logits]))[0, 0]


def test_the_mean_of_probabilities_of_a_pixel_by_hand():
    # logits ln 9 and 0 are probabilities 0.9 and 0.5; their mean is 0.7, whose logit is ln(7 / 3) = 0.8473
    made = _mean(MeanOfProbabilities([1, 1], exclusive=False), [2.1972246], [0.0])
    assert made == pytest.approx(0.8472979, abs=1e-6)
    # with weights 3 and 1: (3 · 0.9 + 0.5) / 4 = 0.8, whose logit is ln 4
    assert _mean(MeanOfProbabilities([3, 1], exclusive=False), [2.1972246], [0.0]) == pytest.approx(np.log(4), abs=1e-6)


def test_the_mean_of_logits_of_the_same_pixel_is_another_one():
    # (ln 9 + 0) / 2 = ln 3 = 1.0986, a probability of 0.75 and not 0.7
    made = _mean(MeanOfLogits([1, 1]), [2.1972246], [0.0])
    assert made == pytest.approx(1.0986123, abs=1e-6)
    assert _sigmoid(made) == pytest.approx(0.75)


def test_the_two_means_of_exclusive_classes_by_hand():
    one, other = np.log([0.7, 0.2, 0.1]) + 5, np.log([0.1, 0.6, 0.3]) - 2  # a constant changes no softmax
    arithmetic = _mean(MeanOfProbabilities([1, 1], exclusive=True), one, other)
    assert np.exp(arithmetic) == pytest.approx([0.4, 0.4, 0.2], abs=1e-6)
    geometric = np.exp(_mean(MeanOfLogits([1, 1]), one, other))
    # sqrt(0.07), sqrt(0.12), sqrt(0.03) = 0.26458, 0.34641, 0.17321, which add up to 0.78419
    assert geometric / geometric.sum() == pytest.approx([0.33739, 0.44174, 0.22087], abs=1e-4)


def test_sure_members_overflow_nothing():
    layer = MeanOfProbabilities([1, 1], exclusive=False)
    assert _mean(layer, [300.0], [-300.0]) == pytest.approx(0.0)  # probabilities 1 and 0
    assert _mean(layer, [300.0], [300.0]) == pytest.approx(300.0)
    made = _mean(MeanOfProbabilities([1, 1], exclusive=True), [300.0, 0.0], [0.0, 300.0])
    assert np.exp(made) == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("task", [BINARY, EXCLUSIVE], ids=lambda task: task.kind)
@pytest.mark.parametrize("mean", ["probabilities", "logits"])
def test_the_network_says_the_mean_of_what_its_members_say(task, mean):
    members, images = [_unet(task, seed=seed) for seed in (0, 1, 2)], _images(2, 16, 16, 1)
    made = np.array(ensemble(members, task, mean=mean, weights=[2, 1, 1])(images), float)
    said = [np.array(member(images), float) for member in members]
    if mean == "logits":
        assert made == pytest.approx(0.5 * said[0] + 0.25 * said[1] + 0.25 * said[2], abs=1e-5)
        return
    activation = _sigmoid if task.kind == "binary" else lambda z: np.exp(z) / np.exp(z).sum(-1, keepdims=True)
    wanted = 0.5 * activation(said[0]) + 0.25 * activation(said[1]) + 0.25 * activation(said[2])
    assert activation(made) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("task", [BINARY, VOLUME], ids=["plane", "volume"])
def test_mirrored_copies_in_the_network_are_those_that_a_prediction_averages(task):
    member, images = _unet(task), _images(2, *(8, 16, 8)[: task.rank], 1)
    wanted = window_probabilities(RUNTIMES["keras"](member), images, task, mirror=True)
    found = _sigmoid(np.array(ensemble([member], task, copies="mirror")(images)))
    assert found == pytest.approx(wanted, abs=1e-6)
    assert np.abs(wanted - window_probabilities(RUNTIMES["keras"](member), images, task, mirror=False)).max() > 1e-3


def test_turned_copies_are_the_eight_of_a_square():
    images = _images(1, 4, 6, 1)
    seen = [np.array(Oriented(axes, turns)(images)) for axes, turns in orientations("turns", 2)]
    wanted = [np.rot90(flipped, k, (1, 2)) for flipped in (images, images[:, ::-1]) for k in range(4)]
    for one, other in zip(seen, wanted, strict=True):
        np.testing.assert_array_equal(one, other)
    for (axes, turns), one in zip(orientations("turns", 2), seen, strict=True):
        np.testing.assert_array_equal(np.array(Oriented(axes, turns, back=True)(one)), images)
    made = ensemble([_unet(BINARY)], BINARY, copies="turns")
    image = _images(1, 8, 12, 1)
    turned = np.array(made(np.ascontiguousarray(np.rot90(image, 1, (1, 2)))))
    assert turned == pytest.approx(np.rot90(np.array(made(image)), 1, (1, 2)), abs=1e-5)  # it does not care any more


def test_weights_are_counted_once_and_calls_each():
    one, other = _unet(BINARY), _unet(BINARY, depth=2)
    alone = [cost(member, (16, 16)) for member in (one, other)]
    both, copies = (
        cost(ensemble([one, other], BINARY), (16, 16)),
        cost(ensemble([one], BINARY, copies="mirror"), (16, 16)),
    )
    assert (both.trainable, both.macs) == (sum(c.trainable for c in alone), sum(c.macs for c in alone))
    assert (copies.trainable, copies.macs) == (alone[0].trainable, 4 * alone[0].macs)


def test_it_takes_sizes_that_suit_every_member_and_is_as_local_as_they_are():
    made = ensemble([_unet(BINARY, depth=1), _unet(BINARY, depth=3)], BINARY, copies="mirror")
    assert divisor(made) == (8, 8)
    assert is_local(trace(made, (16, 16)))
    with pytest.raises(Unfit, match="multiples of 8×8"):
        made(_images(1, 12, 16, 1))


def test_members_of_other_channels_are_refused():
    colour = Task(rank=2, channels=3, classes=("nucleus",), kind="binary")
    with pytest.raises(Unfit, match=r"images of \[1, 3\] channels"):
        ensemble([_unet(BINARY), _unet(colour)], BINARY)


def test_it_survives_saving(tmp_path):
    made, images = ensemble([_unet(BINARY), _unet(BINARY, seed=1)], BINARY, copies="turns"), _images(1, 8, 8, 1)
    made.save(tmp_path / "made.keras")
    again = keras.saving.load_model(tmp_path / "made.keras", compile=False)
    np.testing.assert_array_equal(np.array(made(images)), np.array(again(images)))
