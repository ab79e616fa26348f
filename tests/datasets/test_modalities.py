"""Which modalities training and tests have, and patches from which some are left out."""

from pathlib import Path

import numpy as np
import pytest

from unetbench.core.errors import DataError, SpecError
from unetbench.core.recipe import Augmentation
from unetbench.core.task import Task
from unetbench.datasets import DATASETS
from unetbench.datasets.case import Sample
from unetbench.datasets.digests import FileDigests
from unetbench.datasets.disk_cache import CaseKeys, reading_text
from unetbench.datasets.modalities import ChannelsOf, Wanted, channels_of, named, only, option, seen, wanted
from unetbench.datasets.patches import PatchSampler
from unetbench.datasets.prepare import Preprocess, hold, prepare, task_after
from unetbench.datasets.regions import PreparedRegions
from unetbench.datasets.source import Source

TASK = Task(2, 4, ("cell",), modalities=(("f", 1), ("he", 3)))
SAMPLE = Sample(np.random.default_rng(0).integers(0, 256, (16, 16, 4)).astype(np.uint8), np.zeros((16, 16, 1), "uint8"))


@pytest.mark.parametrize(
    ("said", "use", "dropout"),
    [
        ("all", "all", None),
        ("each", "each", None),
        ("f", ("f",), None),
        (["f", "he"], ("f", "he"), None),
        ({"use": "all", "dropout": 0.3}, "all", 0.3),
        ({"use": ["f"]}, ("f",), None),
    ],
)
def test_what_a_sweep_file_may_say(said, use, dropout):
    assert wanted(said) == Wanted(use, dropout)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (3, "is none of all, each, a name"),
        ([], "is none of all, each, a name"),
        (["f", "f"], "names one twice"),
        (["all", "f"], "all and each stand alone"),
        ({"use": "all", "drop": 0.3}, "key 'drop' is unknown; did you mean 'dropout'"),
        ({"dropout": 0.3}, "it has no `use`"),
        ({"use": "all", "dropout": True}, "dropout: True is no number"),
    ],
)
def test_what_makes_no_sense_is_one_line(said, told):
    with pytest.raises(SpecError) as caught:
        wanted(said)
    assert told in str(caught.value)


def test_dropout_is_for_training_alone():
    with pytest.raises(SpecError, match="a name and a list of names"):
        wanted({"use": "all", "dropout": 0.3}, test=True)


def test_an_entry_stands_for_modalities_in_the_order_of_the_channels():
    assert list(Wanted("all").of(TASK, "mine")) == [("f", "he")]
    assert list(Wanted("each").of(TASK, "mine")) == [("f",), ("he",)]
    assert list(Wanted(("he", "f")).of(TASK, "mine")) == [("f", "he")]
    with pytest.raises(SpecError, match=r"modality of mine 'hee' is unknown; did you mean 'he'"):
        list(Wanted(("hee",)).of(TASK, "mine"))
    plain = Task(2, 4, ("cell",))
    assert list(Wanted("all").of(plain, "mine")) == [()]
    with pytest.raises(SpecError, match="mine names no modalities; only `all` is possible"):
        list(Wanted("each").of(plain, "mine"))


def test_names_are_an_option_and_back():
    for names in (("f",), ("f", "he")):
        assert named(option(names)) == names
    assert named(None) == ()


def test_what_a_network_gets_where_tests_lack_what_it_knows():
    f, he = (Task(2, count, ("cell",), modalities=((name, count),)) for name, count in (("f", 1), ("he", 3)))
    assert channels_of(TASK, ["he", "f"]) == (1, 2, 3, 0)
    assert seen(TASK, TASK, ["f", "he"]).how == "given"
    assert (seen(TASK, TASK, ["f"]).how, seen(TASK, TASK, ["f"]).blank) == ("missing", (1, 2, 3))
    assert seen(he, TASK, ["f", "he"]).how == "given"
    assert seen(f, TASK, ["he"]).how == "impossible"
    assert seen(f, TASK, ["he"]).reason == "trained on f (1), tested on he (3): their channels differ in number"
    pair = Task(2, 2, ("cell",), modalities=(("f", 1), ("p", 1)))
    assert seen(f, pair, ["p"]).how == "replaced"


def test_only_some_modalities_are_read():
    cells = DATASETS["cells"](Source(None, Path("nowhere")), form="two_modality", count=2, size=[16, 16])
    bright = only(cells, ["bright_field"])
    assert bright.task.modalities == (("bright_field", 1),)
    for one, whole in zip(bright.cases, cells.cases, strict=True):
        np.testing.assert_array_equal(one.read().image[..., 0], whole.read().image[..., 1])
    with pytest.raises(DataError, match="a: the image has 4 channels, its modalities 2"):
        ChannelsOf("a", lambda: SAMPLE, (0,), 2)()


@pytest.mark.parametrize("clahe", [0.0, 2.0])
def test_each_modality_is_scaled_as_if_it_were_alone(clahe):
    """Three channels of 8 bits share one range, as colours do; the fourth beside them has its own."""
    preprocess = Preprocess(clahe=clahe)
    both = prepare("a", SAMPLE, TASK, preprocess).image
    for name, part in (("f", slice(0, 1)), ("he", slice(1, 4))):
        sample = Sample(SAMPLE.image[..., part], SAMPLE.truth)
        count = part.stop - part.start
        alone = prepare("a", sample, Task(2, count, ("cell",), modalities=((name, count),)), preprocess).image
        np.testing.assert_array_equal(both[..., part], alone)
    np.testing.assert_array_equal(hold("a", SAMPLE, TASK, preprocess).image[...], both)
    if not clahe:
        whole = (slice(0, 16), slice(0, 16))
        np.testing.assert_array_equal(PreparedRegions("a", SAMPLE.image, TASK, preprocess)[whole], both)


def test_three_grey_modalities_are_no_colours():
    grey = Task(2, 3, ("cell",), modalities=(("a", 1), ("b", 1), ("c", 1)))
    sample = Sample(SAMPLE.image[..., :3] // np.array([1, 2, 4], np.uint8), SAMPLE.truth)
    made = prepare("x", sample, grey, Preprocess(normalise="minmax")).image
    np.testing.assert_allclose(made.max((0, 1)), 1)
    with pytest.raises(SpecError, match="makes one image of the modalities a, b, c"):
        task_after(grey, Preprocess(colour="grey"))


def _sampler(dropout: float, **options) -> PatchSampler:
    task = Task(2, 2, ("cell",), modalities=(("f", 1), ("p", 1)))
    images = np.random.default_rng(1).integers(1, 1000, (6, 8, 8, 2)).astype(np.uint16)
    held = [
        hold(f"{k}", Sample(image, np.ones((8, 8, 1), "uint8")), task, Preprocess()) for k, image in enumerate(images)
    ]
    usual = {"seed": 3, "augment": Augmentation(), "parts": task.parts, "modality_dropout": dropout, "steps": 50}
    return PatchSampler(held, list("abcdef"), (8, 8), 4, **{**usual, **options})


def test_modalities_are_left_out_of_patches_as_often_as_asked_and_never_all():
    sampler = _sampler(0.4)
    absent = np.concatenate([(sampler.batch(0, k)[0] == 0).all((1, 2)) for k in range(50)])
    assert not absent.all(1).any()
    # Each with 0.4, and both, 0.16 of all, leave one at random: 0.4 - 0.08 for each. Four standard errors of 200.
    np.testing.assert_allclose(absent.mean(0), 0.32, atol=4 * np.sqrt(0.32 * 0.68 / 200))


def test_what_is_left_out_depends_on_seed_epoch_and_index_alone_and_changes_nothing_else():
    one, again, plain = _sampler(0.4), _sampler(0.4), _sampler(0.0)
    for epoch, index in ((5, 7), (0, 0), (1, 3)):
        image, truth = one.batch(epoch, index)
        other, same = again.batch(epoch, index), plain.batch(epoch, index)
        np.testing.assert_array_equal(image, other[0])
        kept = np.broadcast_to((image != 0).any((1, 2), keepdims=True), image.shape)
        np.testing.assert_array_equal(image[kept], same[0][kept])
        np.testing.assert_array_equal(truth, same[1])
    halves = one.in_parts(2)
    np.testing.assert_array_equal(np.concatenate([halves.batch(2, 4)[0], halves.batch(2, 5)[0]]), one.batch(2, 2)[0])


def test_one_modality_cannot_be_left_out():
    with pytest.raises(SpecError, match=r"recipe\.modality_dropout: 0\.4 leaves out modalities, the data has one"):
        _sampler(0.4, parts=(2,))


def test_cases_on_disk_are_known_again_in_another_process():
    """A name of the cache must not hold where a function lies in memory."""
    cells = DATASETS["cells"](Source(None, Path("nowhere")), form="two_modality", count=2, size=[16, 16])
    own = [only(cells, names) for names in (["fluorescence"], ["bright_field"])]
    names = [CaseKeys(one, {}).of(one.cases, FileDigests()) for one in (*own, only(cells, ["fluorescence"]))]
    assert names[0] == names[2] != names[1]
    assert "0x" not in reading_text(own[0].cases[0].read)
