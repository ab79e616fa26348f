import math

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from unetbench.core.errors import DataError, SpecError
from unetbench.metrics import METRICS
from unetbench.metrics.instance import matched_counts
from unetbench.metrics.matching import THRESHOLDS, label_overlaps, overlaps
from unetbench.metrics.objects import components, watershed
from unetbench.metrics.pair import Missing, Pair

NAMES = ("pq", "sq", "rq", "object_ap", "object_f1", "dsb2018_score", "aji")


def _labels(text: str) -> np.ndarray:
    return np.array([[int(c, 36) for c in line] for line in text.split()], "int32")


def _pair(truth: np.ndarray, prediction: np.ndarray) -> Pair:
    return Pair(truth > 0, prediction > 0, None, None, truth, prediction)


def _read(truth: str, prediction: str) -> dict[str, float]:
    pair = _pair(_labels(truth), _labels(prediction))
    return {name: METRICS[name](pair) for name in NAMES}


def test_scores_of_three_objects_by_hand():
    # A: 4 of 4 + 1 pixels, IoU 4/5. B: 3 of 4, IoU 3/4. C missed (2). A false object of 3. So TP 2, FP 1, FN 1 at 0.5.
    found = _read("1111000 2222033 0000000", "1111100 2220000 0000777")
    iou = 4 / 5 + 3 / 4
    assert found["sq"] == pytest.approx(iou / 2)
    assert found["rq"] == pytest.approx(2 / 3)
    assert found["pq"] == pytest.approx(iou / 3)
    assert found["object_ap"] == 2 / 4
    assert found["object_f1"] == 4 / 6
    # TP: 2 at 0.5 … 0.75, 1 at 0.8, none above: (6 × 2/4 + 1/5) / 10.
    assert found["dsb2018_score"] == pytest.approx((6 * 2 / 4 + 1 / 5) / 10)
    # Shared 4 + 3; unions 5 + 4, the missed 2 and the false 3.
    assert found["aji"] == pytest.approx(7 / 14)


def test_an_iou_that_equals_the_threshold_matches_whatever_the_floats_say():
    # 11 of 20 pixels: 11 / 20 >= 0.55, though np.arange(0.5, 1, 0.05)[1] is 0.55 and [7] is 0.8500000000000003.
    truth = np.ones((1, 20), int)
    for hits, threshold in ((11, 0.55), (17, 0.85), (19, 0.95)):
        pair = _pair(truth, (np.arange(20) < hits)[None].astype(int))
        assert METRICS["object_ap"](pair, iou=threshold) == 1
        assert METRICS["object_ap"](pair, iou=threshold + 0.01) == 0
    assert np.arange(0.5, 1, 0.05)[7] > 0.85


def test_half_an_object_matches_in_ap_and_not_in_panoptic_quality():
    # StarDist and the Bowl's AP take IoU >= 0.5, panoptic quality IoU > 0.5 (Kirillov et al. 2019, section 4.1).
    found = _read("1111", "1100")
    assert (found["object_ap"], found["rq"], found["pq"]) == (1, 0, 0)
    assert math.isnan(found["sq"])


@pytest.mark.parametrize(("truth", "prediction"), [("1111", "1122"), ("1122", "1111")])
def test_of_two_halves_only_one_matches(truth, prediction):
    found = _read(truth, prediction)
    assert found["object_ap"] == 1 / 2
    assert found["object_f1"] == 2 / 3


def test_aji_lets_two_objects_choose_the_same_one():
    # As the authors' code: both halves choose the one prediction, (2 + 2) / (4 + 4); a one-to-one choice (AJI+ of
    # Graham et al. 2019) would give 2 / (4 + 2).
    assert _read("1122", "1111")["aji"] == 0.5


def test_aji_chooses_the_highest_iou_and_not_the_largest_overlap():
    # Object 1 (6 pixels) shares 3 with a prediction of 12 (IoU 3/15) and 2 with one of 2 (IoU 2/6).
    # Shared 2, union 6, the other prediction unused: 2 / (6 + 12).
    assert _read("1111110000 0000000000", "1110220000 1111111110")["aji"] == pytest.approx(2 / 18)


EMPTY, ONE = "000", "011"


@pytest.mark.parametrize(
    ("truth", "prediction", "expected"),
    [
        (EMPTY, EMPTY, dict.fromkeys(NAMES, math.nan)),
        (EMPTY, ONE, dict.fromkeys(NAMES, 0) | {"sq": math.nan}),
        (ONE, EMPTY, dict.fromkeys(NAMES, 0) | {"sq": math.nan}),
        (ONE, ONE, dict.fromkeys(NAMES, 1)),
    ],
    ids=["both empty", "truth empty", "prediction empty", "equal"],
)
def test_objects_of_empty_and_equal_images(truth, prediction, expected):
    assert _read(truth, prediction) == pytest.approx(expected, nan_ok=True)


def _random_objects(seed: int, sparse: bool) -> tuple[np.ndarray, np.ndarray]:
    """Rectangles and the same ones grown or shrunk; sparse labels leave gaps and reach high."""
    rng = np.random.default_rng(seed)
    truth, prediction = np.zeros((2, 60, 60), np.int32)
    for number in range(1, 16):
        y, x = 12 * ((number - 1) // 4), 15 * ((number - 1) % 4)
        top, left, high, wide = rng.integers(0, 3), rng.integers(0, 3), rng.integers(5, 10), rng.integers(5, 12)
        truth[y + top : y + top + high, x + left : x + left + wide] = number * (4001 if sparse else 1)
        y, x = max(0, y + rng.integers(-2, 3)), max(0, x + rng.integers(-2, 3))
        prediction[y + top : y + top + high, x + left : x + left + wide + rng.integers(-1, 2)] = number
    return truth, prediction


def _reference(truth: np.ndarray, prediction: np.ndarray, threshold: float) -> int:
    """The optimal assignment of StarDist's matching, re-derived: IoU >= threshold, most matches, then highest IoU."""
    iou = np.array(
        [
            [(t & p).sum() / (t | p).sum() for p in (prediction == k for k in np.unique(prediction)[1:])]
            for t in (truth == k for k in np.unique(truth)[1:])
        ]
    )
    rows, columns = linear_sum_assignment(-(iou >= threshold).astype(float) - iou / (2 * min(iou.shape)))
    return int((iou[rows, columns] >= threshold).sum())


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_matches_are_those_of_an_optimal_assignment(seed, sparse):
    truth, prediction = _random_objects(seed, sparse)
    expected = [_reference(truth, prediction, float(threshold)) for threshold in THRESHOLDS]
    assert matched_counts(_pair(truth, prediction)) == expected
    assert 0 < expected[4] < expected[0]


def test_fragments_beyond_number_are_counted_without_a_table_of_all_pairs():
    truth, prediction = np.arange(1, 1001).reshape(20, 50), np.arange(1000, 0, -1).reshape(20, 50)
    found = label_overlaps(truth, prediction)
    assert found.truth.size == found.prediction.size == found.intersection.size == 1000
    assert (found.intersection == 1).all()
    assert (found.truth_index + found.prediction_index == 999).all()


def test_labels_of_any_integer_type_count_the_same():
    truth, prediction = _random_objects(0, False)
    expected = matched_counts(_pair(truth, prediction))
    for dtype in ("uint8", "uint16", "int64", "uint64"):
        assert matched_counts(_pair(truth.astype(dtype), prediction)) == expected


def test_an_iou_below_one_half_is_an_error():
    with pytest.raises(SpecError, match=r"iou: 0.3 is not from 0.5 to 1"):
        METRICS["object_ap"](_pair(_labels("1"), _labels("1")), iou=0.3)


def test_a_pair_without_objects_is_an_error():
    pair = Pair(np.ones((2, 2), bool), np.ones((2, 2), bool))
    for name in NAMES:
        with pytest.raises(Missing, match="single objects"):
            METRICS[name](pair)


@pytest.mark.parametrize(("labels", "message"), [(np.array([[-1, 1]]), "label -1"), (np.array([[0.5, 1]]), "float64")])
def test_labels_that_are_none_are_an_error(labels, message):
    with pytest.raises(DataError, match=message):
        Pair(np.ones((1, 2), bool), np.ones((1, 2), bool), None, None, labels, labels)


def test_components_touch_at_corners_in_images_and_volumes():
    mask = np.eye(3, dtype=bool)
    assert components(mask).max() == 1
    assert components(np.stack([mask, np.roll(mask, 1, 0), mask & False])).max() == 1
    apart = np.zeros((5, 5, 5), bool)
    apart[0, 0, 0] = apart[2, 2, 2] = True
    assert components(apart).max() == 2


def test_a_watershed_parts_what_components_join():
    # Two peaks of 0.95 with 0.6 between them, and a faint object without a seed.
    probability = np.array([[0.95, 0.7, 0.6, 0.75, 0.95, 0.1, 0.6, 0.6]], np.float32)
    mask = probability >= 0.5
    assert components(mask, probability).max() == 2
    found = watershed(mask, probability)
    first, second, third = found[0, [0, 4, 7]]
    assert len({0, first, second, third}) == 4
    assert found[0, [0, 1, 3, 4, 5, 6, 7]].tolist() == [first, first, second, second, 0, third, third]
    assert ((found > 0) == mask).all()


def test_a_watershed_of_nothing_is_nothing():
    assert not watershed(np.zeros((4, 4), bool), np.zeros((4, 4), np.float32)).any()


def test_overlaps_are_counted_once_a_pair():
    pair = _pair(_labels("1122"), _labels("1102"))
    assert pair.cached(overlaps) is pair.cached(overlaps)
