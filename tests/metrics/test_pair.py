import numpy as np
import pytest

from unetbench.core.errors import DataError
from unetbench.metrics.pair import Pair


def _mask(text: str) -> np.ndarray:
    return np.array([[int(c) for c in line] for line in text.split()], bool)


def test_counts_of_a_pair_by_hand():
    pair = Pair(_mask("1100 1100"), _mask("0110 0110"))
    assert (pair.tp, pair.fp, pair.fn, pair.tn) == (2, 2, 2, 2)


def test_ignored_voxels_are_in_no_count():
    pair = Pair(_mask("1100 1100"), _mask("0110 0110"), valid=_mask("1111 0000"))
    assert (pair.tp, pair.fp, pair.fn, pair.tn) == (1, 1, 1, 1)
    assert not pair.truth[1].any()
    assert not pair.prediction[1].any()


@pytest.mark.parametrize(
    ("truth", "prediction", "empty"),
    [("10", "01", "none"), ("00", "01", "truth"), ("10", "00", "prediction"), ("00", "00", "both")],
)
def test_the_empty_side_is_named(truth, prediction, empty):
    assert Pair(_mask(truth), _mask(prediction)).empty == empty


def test_a_side_that_is_empty_once_ignored_voxels_are_out_is_empty():
    assert Pair(_mask("10"), _mask("01"), valid=_mask("01")).empty == "truth"


def test_counts_agree_with_numpy_on_random_volumes():
    rng = np.random.default_rng(0)
    truth, prediction, valid = (rng.random((5, 6, 7)) < share for share in (0.3, 0.5, 0.9))
    pair = Pair(truth, prediction, (2.0, 1.0, 1.0), valid)
    expected = [
        np.logical_and.reduce([a, b, valid]).sum()
        for a, b in ((truth, prediction), (~truth, prediction), (truth, ~prediction), (~truth, ~prediction))
    ]
    assert [pair.tp, pair.fp, pair.fn, pair.tn] == expected


def test_shapes_that_differ_are_an_error():
    with pytest.raises(DataError, match=r"prediction has shape \(1, 3\), truth has \(1, 2\)"):
        Pair(_mask("10"), _mask("101"))


def test_masks_that_are_not_boolean_are_an_error():
    with pytest.raises(DataError, match="uint8"):
        Pair(_mask("10"), np.zeros((1, 2), "uint8"))


def test_objects_end_where_the_truth_is_ignored():
    valid = np.array([True, True, False, False])
    labels = np.array([1, 1, 1, 2], np.uint16)
    pair = Pair(labels > 0, labels > 0, None, valid, labels, labels)
    for found in (pair.truth_objects, pair.predicted_objects):
        assert found is not None
        assert found.dtype == np.uint16
        np.testing.assert_array_equal(found, [1, 1, 0, 0])
    np.testing.assert_array_equal(labels, [1, 1, 1, 2])
