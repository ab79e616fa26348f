"""Which regions of a mask are suspect, of what kind, and how the plain scores see the same masks."""

import numpy as np
import pytest
from scipy import ndimage

from unetbench.benchmark.audit.baselines import dice_of, disagreement, soft_min
from unetbench.benchmark.audit.confident import LEAST, Usual
from unetbench.benchmark.audit.outline import outline
from unetbench.benchmark.audit.planes import Plane, planes
from unetbench.benchmark.audit.suspects import suspects
from unetbench.core.task import Task

THREE = Task(2, 1, ("background", "cell", "nucleus"), "exclusive", ignore=255)


def _truth():
    truth = np.zeros((48, 48), np.uint8)
    truth[4:16, 4:16], truth[7:13, 7:13] = 1, 2
    truth[28:42, 26:40], truth[31:39, 29:37] = 1, 2
    return truth


def _seen(truth, classes=3, models=2):
    """What good models say of a mask: each class, a little blurred; (m, y, x, k)."""
    soft = np.stack([ndimage.gaussian_filter((truth == k).astype(np.float32), 0.8) for k in range(classes)], -1)
    return np.stack([soft / soft.sum(-1, keepdims=True)] * models)


def _usual(truth):
    usual = Usual()
    usual.add(*planes(THREE, truth[..., None], _seen(truth)))
    return usual


def _suspects(mask, seen=None):
    (plane,) = planes(THREE, mask[..., None], _seen(_truth()) if seen is None else seen)
    return suspects(plane, _usual(_truth()), typical=144)


def test_a_right_mask_has_no_suspect_object():
    assert all(region.kind == "outline" and region.score < 0.05 for region in _suspects(_truth()))


@pytest.mark.parametrize(
    ("kind", "given", "suggested_", "spoil"),
    [
        ("missing", "background", "cell", lambda mask: np.where(np.indices(mask.shape)[0] < 20, 0, mask)),
        ("invented", "cell", "background", lambda mask: _with_block(mask)),
        ("swapped", "cell", "nucleus", lambda mask: np.where((mask == 2) & (np.indices(mask.shape)[0] > 20), 1, mask)),
    ],
)
def test_an_object_missing_invented_or_of_another_class_is_named(kind, given, suggested_, spoil):
    first, *_ = _suspects(spoil(_truth()).astype(np.uint8))
    assert (first.kind, first.given, first.suggested) == (kind, given, suggested_)
    assert first.score > 0.5
    assert first.consensus == pytest.approx(1)


def _with_block(mask):
    mask = mask.copy()
    mask[30:42, 4:16] = 1
    return mask


def test_a_shift_of_one_pixel_is_hardly_seen_and_one_of_six_is():
    def worst(pixels):
        return max((region.score for region in _suspects(np.roll(_truth(), pixels, 0))), default=0.0)

    assert worst(1) < 0.2
    assert worst(6) > 0.4


def test_models_that_disagree_make_a_region_less_suspect():
    missing = np.where(np.indices((48, 48))[0] < 20, 0, _truth()).astype(np.uint8)
    right, wrong = _seen(_truth(), models=1), _seen(missing, models=1)
    agreed, *_ = _suspects(missing, np.concatenate([right] * 6))
    most, *_ = _suspects(missing, np.concatenate([*[right] * 19, wrong]))
    assert most.consensus == pytest.approx(0.95)
    assert most.score < 0.95 * agreed.score
    assert all(region.score < 0.05 for region in _suspects(missing, np.concatenate([right, wrong])))


def test_thresholds_are_the_mean_self_confidence_and_suggestions_reach_them():
    labels = np.array([[0, 0, 1, 1]], np.int16)
    members = np.array([[[[0.8, 0.2], [0.2, 0.8], [0.4, 0.6], [1.0, 0.0]]]], np.float32)
    plane = Plane(("background", "cell"), labels, members)
    usual = Usual()
    usual.add(plane)
    # background: (0.8 + 0.2) / 2 = 0.5; cell: (0.6 + 0.0) / 2 = 0.3, which is raised to 0.5
    assert usual.thresholds == pytest.approx([0.5, 0.5], abs=0.01)
    background, cell = usual.sides(plane)
    assert (background.classes, cell.classes) == ((0,), (1,))
    assert background.here.tolist() == [[False, False, False, True]]
    assert cell.here.tolist() == [[False, True, False, False]]
    # models say 0.6 and 0.0 of cells: they are as sure as 0.8, or less, of both; as 0.2 of one
    assert cell.sureness.tolist() == [[0.5, 1.0, 1.0, 0.5]]
    sure = Usual()
    for _ in range(9):
        sure.add(
            Plane(("background", "cell"), np.ones((1, 2), np.int16), np.full((1, 1, 2, 2), (0.1, 0.9), np.float32))
        )
    assert sure.thresholds == pytest.approx([1.0, 0.9], abs=0.01)  # 0.8 does not reach 0.9, and no background was seen
    assert [side.classes for side in sure.sides(plane)] == [(0,)]  # of which 1.0 is enough all the same


def test_an_object_whose_class_models_do_not_know_is_missing_all_the_same():
    truth = _truth()
    sure = np.stack([truth == 0, truth == 1, truth == 2], -1).astype(np.float32)
    both = np.stack([truth == 0, (truth > 0) * 0.45, (truth > 0) * 0.55], -1).astype(np.float32)
    usual = Usual()
    for _ in range(9):
        usual.add(Plane(THREE.classes, truth.astype(np.int16), sure[None]))
    missing = np.where(np.indices(truth.shape)[0] < 20, 0, truth).astype(np.int16)
    assert usual.thresholds.min() > 0.99  # which neither 0.45 nor 0.55 reaches
    (first,) = suspects(Plane(THREE.classes, missing, both[None]), usual, typical=144)
    assert (first.kind, first.suggested, first.pixels) == ("missing", "nucleus", 144)
    # u = 1 and q = 1 / 510; all of its 144 pixels are further away than outlines are
    assert first.score == pytest.approx(144 / (144 + 14.4))
    assert first.likelihood == pytest.approx(LEAST)


def test_the_score_of_a_region_by_hand():
    # Ten pixels far from any cell, of which models say 0.9; of cells they say 0.6 and 1.0, half of which are as sure.
    labels = np.zeros((1, 40), np.int16)
    labels[0, :2] = 1
    mean = np.zeros((1, 1, 40, 2), np.float32)
    mean[..., 1][0, 0, [0, 1, *range(20, 30)]] = [0.6, 1.0, *[0.9] * 10]
    mean[..., 0] = 1 - mean[..., 1]
    plane, usual = Plane(("background", "cell"), labels, mean), Usual()
    usual.add(plane)
    (region,) = suspects(plane, usual, typical=100)
    assert region.score == pytest.approx((0.5 * np.log(10) / np.log(510)) ** 0.5 * 10 / (10 + 10), rel=1e-4)
    assert (region.pixels, region.depth, region.sureness) == (10, 28, 0.5)
    assert region.likelihood == pytest.approx(0.1, rel=1e-4)


def test_a_region_counts_less_where_models_do_not_know_the_other_objects_either():
    truth = _truth()
    sure = np.stack([truth == 0, truth > 0], -1).astype(np.float32)[None]
    names, mask = ("background", "cell"), (truth > 0).astype(np.int16)
    usual = Usual()
    for _ in range(9):
        usual.add(Plane(names, mask, sure))
    upper = np.indices(truth.shape)[0] < 20
    missing = np.where(upper, 0, mask).astype(np.int16)
    (believed,) = suspects(Plane(names, missing, sure), usual, typical=144)
    unsure = np.where((~upper & (truth > 0))[..., None], 0.5, sure[0]).astype(np.float32)[None]
    doubted, *_ = suspects(Plane(names, missing, unsure), usual, typical=144)
    # 0.5 is said of the 14 x 14 pixels of the other cell, usually 1; 144 count as known: r = (98 + 144) / (196 + 144)
    assert (doubted.kind, doubted.pixels) == (believed.kind, believed.pixels) == ("missing", 144)
    assert doubted.score == pytest.approx(believed.score * (242 / 340) ** 2, rel=1e-3)
    # an object of another class is no witness of itself
    swapped = np.where(upper, mask * 2, mask).astype(np.int16)
    three = np.stack([truth == 0, truth > 0, np.zeros(truth.shape)], -1).astype(np.float32)[None]
    known = Usual()
    known.add(Plane((*names, "other"), mask, three))
    known.add(Plane((*names, "other"), np.full((1, 9), 2, np.int16), np.full((1, 1, 9, 3), (0, 0, 1), np.float32)))
    (alone,) = suspects(Plane((*names, "other"), swapped, three), known, typical=144)
    assert (alone.kind, alone.score) == ("swapped", pytest.approx(144 / (144 + 14.4)))


def test_ignored_pixels_are_never_suspect():
    mask = _truth()
    mask[:20] = 255
    assert all(region.box[0][0] >= 19 for region in _suspects(mask))


def test_classes_that_overlap_are_a_question_each_and_binary_ones_have_a_background():
    task = Task(2, 1, ("a", "b"), "multilabel")
    truth = np.zeros((8, 8, 2), np.uint8)
    truth[:4, :, 1] = 1
    first, second = planes(task, truth, np.full((1, 8, 8, 2), 0.25, np.float32))
    assert (first.classes, second.classes) == (("background", "a"), ("background", "b"))
    assert (first.labels.max(), second.labels.max()) == (0, 1)
    assert first.mean[0, 0].tolist() == [0.75, 0.25]


def test_the_outline_of_a_mask_that_is_too_large_is_off_by_as_many_pixels():
    truth = np.zeros((60, 60), np.uint8)
    truth[10:50, 10:50] = 1
    sharp = np.stack([np.stack([truth == 0, truth == 1], -1).astype(np.float32)])
    usual = Usual()
    usual.add(Plane(("background", "cell"), truth.astype(np.int16), sharp))
    grown = ndimage.binary_dilation(truth, iterations=2).astype(np.int16)
    found = outline(Plane(("background", "cell"), grown, sharp), usual)
    # a band of two pixels, 2 * 4 * 40 = 320 and four corners of 1; the outline has 4 * 40 + 4 * 1 = 164 or so
    assert found.offset == pytest.approx(2, rel=0.03)
    assert found.growth == pytest.approx(found.offset)
    assert found.uncertainty == 0
    shrunk = outline(Plane(("background", "cell"), ndimage.binary_erosion(truth).astype(np.int16), sharp), usual)
    assert shrunk.growth == pytest.approx(-1, rel=0.06)  # the outline of 38 x 38 is shorter than the band around it
    exact = outline(Plane(("background", "cell"), truth.astype(np.int16), sharp), usual)
    assert (exact.offset, exact.growth) == (0, 0)
    assert np.isnan(outline(Plane(("background", "cell"), np.zeros((9, 9), np.int16), sharp[:, :9, :9]), usual).offset)


def test_soft_min_and_dice_by_hand():
    labels = np.array([[0, 1]], np.int16)
    members = np.array([[[[0.9, 0.1], [0.4, 0.6]]], [[[0.7, 0.3], [0.6, 0.4]]]], np.float32)
    plane = Plane(("background", "cell"), labels, members)
    # p = (0.8, 0.5); weights exp(2) and exp(5): (0.8 e^2 + 0.5 e^5) / (e^2 + e^5) = 0.5 + 0.3 / (1 + e^3) = 0.51423
    assert soft_min([plane]) == pytest.approx(0.5 + 0.3 / (1 + np.exp(3)), rel=1e-5)
    tie = Plane(("background", "cell"), np.array([[0, 1]], np.int16), members[:1])
    assert dice_of([tie]) == 1
    assert disagreement([plane]) == 1  # one model sees a cell pixel, the other none
    assert np.isnan(disagreement([tie]))
