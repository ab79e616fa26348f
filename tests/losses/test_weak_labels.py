"""Losses on weak labels: values by hand, and what they must not take for granted."""

import keras
import numpy as np
import pytest

from unetbench.core.errors import SpecError, Unfit
from unetbench.core.marks import Marks, append_marks
from unetbench.core.task import Task
from unetbench.losses import LOSSES
from unetbench.losses.annotation import affinity, boxes, neighbours, objects, unknown
from unetbench.losses.auxiliary_targets import append_targets, required_targets
from unetbench.losses.blobs import blob_weights
from unetbench.losses.readable_labels import check_labels

CELL = Task(2, 1, ("cell",), ignore=255)
THREE = Task(2, 1, ("background", "nucleus", "cytoplasm"), "exclusive", ignore=255)


def _one_box(rows: int = 5, columns: int = 6):
    """A box of 3 × 4 pixels, one pixel from the border, its inside open, and marks that say so."""
    truth = np.zeros((1, rows, columns, 1), np.uint8)
    inside = (0, slice(1, 4), slice(1, 5))
    truth[inside] = 255
    number, kind = np.zeros((1, rows, columns), int), np.zeros((1, rows, columns), int)
    number[inside], kind[inside] = 7, 1
    positions = np.zeros((1, rows, columns, 2), int)
    positions[inside] = np.stack(np.mgrid[1:4, 1:5], -1)
    return truth, Marks(number, kind, positions)


def _value(name, planes, logits, images=None, task=CELL, progress=1.0, **options):
    given = append_targets(planes, task, required_targets(LOSSES[name], options), progress, images)
    return keras.ops.convert_to_numpy(LOSSES[name](given, np.asarray(logits, np.float32), task, **options))


def test_a_box_is_three_lines_high_and_has_two_bands_across():
    truth, marks = _one_box()
    found = boxes(append_marks(truth, marks), CELL)[0]
    np.testing.assert_array_equal(found[1:4, 1:5, 0], 1)
    np.testing.assert_array_equal(found[1:4, 1:5, 1], 1)
    np.testing.assert_array_equal(found[1:4, 1:5, 2], 1)  # three rows are one band
    np.testing.assert_array_equal(found[1:4, 1:5, 3], 0.25)  # a row of the box has four pixels
    np.testing.assert_array_equal(found[2, 1:5, 4], [1, 1, 1, 2])  # four columns are a band of three and one of one
    np.testing.assert_allclose(found[1:4, 1:5, 5], 1 / 3, rtol=1e-6)
    assert not found[0].any()


def test_a_box_that_the_patch_cuts_has_neither_size_nor_the_lines_that_are_cut():
    truth, marks = _one_box()
    planes = append_marks(truth, marks)[:, :, :4]  # its last column is outside of the patch
    found = boxes(planes, CELL)[0]
    assert (found[1:4, 1:, 0] == 1).all()
    assert not found[..., 1].any()
    assert not found[..., 2].any()  # each row is cut
    assert not found[..., 4].any()  # the band of columns touches the border, where a fourth one may be missing


def test_tightness_and_size_by_hand():
    truth, marks = _one_box()
    planes = append_marks(truth, marks)
    logits = np.zeros((1, 5, 6, 1))  # p = 1/2 everywhere; CE of the background is log 2
    # t = 5: psi(z) = -log(-z)/5 below -1/25. Rows: z = 1/4 - 1/2. Columns: two bands of z = 1/3 - 1/2.
    tight = (-np.log(1 / 4) / 5 - np.log(1 / 6) / 5) / 2
    # Size: psi(0.3 - 0.5) + psi(0.5 - 0.95)
    size = -np.log(0.2) / 5 - np.log(0.45) / 5
    value = _value("box_prior", planes, logits, progress=0.0, weight=0.5)
    np.testing.assert_allclose(value, np.log(2) + 0.5 * (tight + size), rtol=1e-5)


def test_the_barrier_goes_on_as_a_line_and_grows_steeper():
    truth, marks = _one_box()
    planes = append_marks(truth, marks)
    logits = np.where(truth == 255, -40.0, -40.0)  # nothing is the object: CE of the background is 0
    # psi(z) = t z - log(1/t²)/t + 1/t for z = 1/4, 1/3 and the size's 0.3; psi(0 - 0.95) = -log(0.95)/t
    for progress, t in ((0.0, 2.0), (0.5, 4.0), (1.0, 8.0)):
        line = [t * z + 2 * np.log(t) / t + 1 / t for z in (0.25, 1 / 3, 0.3)]
        expected = (line[0] + line[1]) / 2 + line[2] - np.log(0.95) / t
        value = _value("box_prior", planes, logits, progress=progress, weight=1.0, start=2.0, end=8.0)
        np.testing.assert_allclose(value, expected, rtol=1e-5)


def test_projections_by_hand():
    truth, marks = _one_box()
    logits = np.full((1, 5, 6, 1), -40.0)
    logits[0, 2, 2] = 0  # the one pixel with p = 1/2
    # Rows: one band, m = 1/2: 1 - 2 m / (m² + 1) = 1 - 1 / 1.25. Columns: bands of 1/2 and 0: 1 - 1 / (0.25 + 2).
    expected = (0.2 + (1 - 1 / 2.25)) / 2
    np.testing.assert_allclose(_value("boxinst", append_marks(truth, marks), logits), expected, rtol=1e-5)


def test_a_box_full_of_its_object_costs_nothing_but_its_size():
    truth, marks = _one_box()
    logits = np.where(truth == 255, 40.0, -40.0)
    assert _value("boxinst", append_marks(truth, marks), logits)[0] < 1e-6


def test_only_neighbours_of_alike_colour_should_have_the_same_class():
    truth = np.full((1, 1, 5, 1), 255, np.uint8)
    truth[0, 0, 0], truth[0, 0, 4] = 0, 1
    marks = Marks(np.zeros((1, 1, 5), int), np.zeros((1, 1, 5), int), np.zeros((1, 1, 5, 0), int))
    marks.object[0, 0, 4], marks.classes[0, 0, 4] = 1, 1
    planes = append_marks(truth, marks)
    np.testing.assert_array_equal(unknown(planes, CELL).ravel(), [0, 1, 1, 1, 0])
    flat = np.zeros((1, 1, 5, 1), np.float32)  # all alike: pairs two apart are (0, 2), (1, 3) and (2, 4)
    logits = np.log(np.array([0.2, 0.5, 0.7, 0.9, 0.6]) / (1 - np.array([0.2, 0.5, 0.7, 0.9, 0.6])))
    logits = logits.reshape(1, 1, 5, 1)
    ce = -(np.log(0.8) + np.log(0.6)) / 2
    same = [0.2 * 0.7 + 0.8 * 0.3, 0.5 * 0.9 + 0.5 * 0.1, 0.7 * 0.6 + 0.3 * 0.4]
    expected = ce - 0.5 * np.log(same).mean()
    np.testing.assert_allclose(_value("ce_pairwise", planes, logits, flat, weight=0.5), expected, rtol=1e-5)
    given = append_targets(planes, CELL, ("unknown", "affinity", "progress"), images=flat)
    given[0, 0, :, 2] = 0
    given[0, 0, 2, 2] = 2 ** neighbours(2).index((0, 2))  # of the pairs in the row (2, 4) alone is alike
    value = LOSSES["ce_pairwise"](given, logits.astype(np.float32), CELL, weight=0.5)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(value), ce - 0.5 * np.log(same[2]), rtol=1e-5)


def test_the_pairwise_term_rises_during_the_warm_up():
    truth = np.full((1, 1, 5, 1), 255, np.uint8)
    marks = Marks(np.zeros((1, 1, 5), int), np.zeros((1, 1, 5), int), np.zeros((1, 1, 5, 0), int))
    planes, image, logits = append_marks(truth, marks), np.zeros((1, 1, 5, 1), np.float32), np.ones((1, 1, 5, 1))
    full, half, none = (
        _value("ce_pairwise", planes, logits, image, progress=share, warmup=0.5)[0] for share in (0.5, 0.25, 0.0)
    )
    assert none == 0 < full
    np.testing.assert_allclose(half, full / 2, rtol=1e-6)


def test_every_pair_of_neighbours_is_looked_at_once():
    for rank, count in ((2, 4), (3, 13)):
        offsets = neighbours(rank)
        assert len(offsets) == count
        assert not {tuple(-step for step in offset) for offset in offsets} & set(offsets)


def test_noise_does_not_part_neighbours_and_an_edge_does():
    rng = np.random.default_rng(0)
    image = np.zeros((1, 32, 32, 1), np.float32)
    image[:, :, 16:] = 10
    image += rng.normal(size=image.shape).astype(np.float32)
    across = affinity(image, CELL).astype(int)[0, ..., 0] >> neighbours(2).index((0, 2)) & 1
    assert across[:, [*range(2, 11), *range(19, 28)]].mean() > 0.95
    assert not across[:, 14:16].any()


def test_classes_of_a_pair_by_hand():
    truth = np.full((1, 1, 3, 1), 255, np.uint8)
    marks = Marks(np.zeros((1, 1, 3), int), np.zeros((1, 1, 3), int), np.zeros((1, 1, 3, 0), int))
    p = np.array([[0.2, 0.3, 0.5], [1 / 3] * 3, [0.6, 0.3, 0.1]])
    value = _value("ce_pairwise", append_marks(truth, marks), np.log(p)[None, None], np.zeros((1, 1, 3, 1)), THREE)
    np.testing.assert_allclose(value, -np.log(0.2 * 0.6 + 0.3 * 0.3 + 0.5 * 0.1), rtol=1e-5)


def _row(values):
    return np.asarray(values, float)[None, None, :]


def test_a_blob_without_a_click_is_false_and_one_with_two_objects_is_split():
    p = _row([0.9, 0.9, 0.6, 0.9, 0.9, 0.1, 0.8, 0.1, 0.7])[..., None]
    clicks = np.zeros((1, 1, 9, 2))
    clicks[0, 0, 0], clicks[0, 0, 4], clicks[0, 0, 8] = (1, 1), (2, 1), (3, 1)
    split, false = np.moveaxis(blob_weights(p, clicks, clicks[..., :1] > 0, CELL)[0, 0], -1, 0)
    np.testing.assert_array_equal(split, [0, 0, 1, 0, 0, 0, 0, 0, 0])  # the valley between both
    np.testing.assert_array_equal(false, [0, 0, 0, 0, 0, 0, 1, 0, 0])


def test_clicks_of_another_class_do_not_count():
    p = np.zeros((1, 1, 3, 3))
    p[..., 1] = 1
    clicks = np.zeros((1, 1, 3, 2))
    clicks[0, 0, 1] = 1, 3  # of the class whose logit is the third
    known = np.arange(3) == clicks[..., 1:] - 1
    np.testing.assert_array_equal(blob_weights(p, clicks, known, THREE)[0, 0, :, 3 + 1], [1, 1, 1])
    clicks[0, 0, 1] = 1, 2
    assert not blob_weights(p, clicks, np.arange(3) == clicks[..., 1:] - 1, THREE).any()


def test_localisation_by_hand():
    truth = np.full((1, 1, 9, 1), 255, np.uint8)
    number = np.zeros((1, 1, 9), int)
    number[0, 0, [0, 4, 8]] = 1, 2, 3
    truth[0, 0, [0, 4, 8]], truth[0, 0, 5] = 1, 0
    planes = append_marks(truth, Marks(number, np.where(number, 1, 0), np.zeros((1, 1, 9, 0), int)))
    p = np.array([0.9, 0.9, 0.6, 0.9, 0.9, 0.1, 0.8, 0.1, 0.7])
    logits = np.log(p / (1 - p)).reshape(1, 1, 9, 1)
    ce = -np.log([0.9, 0.9, 0.9, 0.7]).mean()
    terms = {"image": -np.log(0.9), "split": -np.log(0.4), "false": -np.log(0.2)}
    for name, term in terms.items():
        only = dict.fromkeys(terms, 0.0) | {name: 1.0}
        np.testing.assert_allclose(_value("localisation", planes, logits, **only), ce + term, rtol=1e-4)


def test_objects_are_numbered_anew_in_each_case():
    truth, marks = _one_box()
    planes = append_marks(truth, marks)
    found = objects(np.concatenate([planes, planes]), CELL)
    assert set(np.unique(found[..., 0])) == {0, 1}
    np.testing.assert_array_equal(found[0], found[1])


@pytest.mark.parametrize(
    ("name", "options", "labels", "told"),
    [
        ("box_prior", {}, {}, "box_prior learns from `labels: {boxes: ignore} or {boxes: grabcut}`; .* are full"),
        ("boxinst", {}, {"boxes": "fill"}, "are {boxes: fill}"),
        ("localisation", {}, {"scribbles": 1}, "localisation learns from `labels: points`; .* are scribbles"),
        ("ce_pairwise", {}, {}, "are full"),
        ("weighted_sum", {"parts": [{"name": "dice"}, {"name": "localisation"}]}, {"boxes": "ignore"}, "from .*points"),
        ("deep_supervision", {"loss": "box_prior"}, {"points": 1}, "are points"),
        (
            "weighted_sum",
            {"parts": [{"name": "box_prior"}, {"name": "localisation"}]},
            {"points": 1},
            "no labels that all parts read",
        ),
    ],
)
def test_labels_that_a_loss_cannot_read_are_one_line(name, options, labels, told):
    with pytest.raises(Unfit, match=told):
        check_labels(name, options, labels)


def test_other_losses_read_all_labels():
    for labels in ({}, {"points": 1}, {"boxes": "fill"}):
        check_labels("bce_dice", {}, labels)
    check_labels("ce_pairwise", {}, {"boxes": "ignore"})


@pytest.mark.parametrize("options", [{"low": 0.9, "high": 0.5}, {"start": 0.0}])
def test_bounds_that_cannot_be_are_refused(options):
    truth, marks = _one_box()
    with pytest.raises(SpecError, match="box_prior: "):
        _value("box_prior", append_marks(truth, marks), np.zeros((1, 5, 6, 1)), **options)
