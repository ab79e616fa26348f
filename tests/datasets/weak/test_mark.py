"""Marks say which object a pixel was annotated for and where in its box, through files, tiles and augmentation."""

import numpy as np
import pytest

from unetbench.core.marks import HIDDEN, LEFT_OUT, MOST, Marks, append_marks, read_marks
from unetbench.core.task import Task
from unetbench.datasets.weak.kinds import weak_labels
from unetbench.datasets.weak.mark import marked
from unetbench.datasets.weak.weaken import weaken

CELL = Task(2, 1, ("cell",), ignore=255)
LABELS = Task(2, 1, ("membrane", "nucleus"), "multilabel", ignore=255)


def _read(planes, task=CELL):
    found = read_marks(planes, task)
    assert found is not None
    return found


def test_marks_come_back_as_they_were():
    marks = Marks(np.array([[1, MOST]]), np.array([[1, LEFT_OUT]]), np.array([[[300, 1], [0, 65535]]]))
    planes = append_marks(np.zeros((1, 2, 1), np.uint8), marks)
    assert planes.shape == (1, 2, 1 + 3 + 4)
    assert planes.dtype == np.uint8
    for came, was in zip(_read(planes), marks, strict=True):
        np.testing.assert_array_equal(came, was)


def test_the_number_after_the_largest_is_1():
    marks = Marks(np.array([[MOST + 1, 0]]), np.zeros((1, 2)), np.zeros((1, 2, 0), int))
    np.testing.assert_array_equal(_read(append_marks(np.zeros((1, 2, 1), np.uint8), marks)).object, [[1, 0]])


def test_a_bare_truth_has_none():
    assert read_marks(np.zeros((4, 4, 2), np.uint8), LABELS) is None


def _two_boxes():
    """An object of 4 × 3 pixels whose box's last column another one of 2 × 1 covers the end of."""
    truth = np.zeros((6, 6, 1), np.uint8)
    instances = np.zeros((6, 6), int)
    truth[1:5, 1:3], instances[1:5, 1:3] = 1, 7
    truth[1, 1:4], instances[1, 1:4] = 1, 7  # its box: rows 1 to 4, columns 1 to 3
    truth[3:5, 3], instances[3:5, 3] = 1, 9
    return truth, instances


def test_the_smaller_box_lies_above_and_hides_lines():
    truth, instances = _two_boxes()
    marks = _read(marked(truth, instances, CELL, weak_labels("boxes")))
    np.testing.assert_array_equal(marks.object[1:5, 1:4], [[1, 1, 1], [1, 1, 1], [1, 1, 2], [1, 1, 2]])
    assert not marks.object[0].any()
    # rows 3 and 4 of the larger box end under the smaller one, and so does its column 3
    hidden = marks.positions >= HIDDEN
    np.testing.assert_array_equal(hidden[1:5, 1:4, 0], np.array([[0, 0, 0], [0, 0, 0], [1, 1, 0], [1, 1, 0]], bool))
    np.testing.assert_array_equal(hidden[1:5, 1:4, 1], np.array([[0, 0, 1], [0, 0, 1], [0, 0, 0], [0, 0, 0]], bool))
    places = marks.positions[1:5, 1:4] % HIDDEN
    np.testing.assert_array_equal(places[..., 0], [[1, 1, 1], [2, 2, 2], [3, 3, 1], [4, 4, 2]])
    np.testing.assert_array_equal(places[..., 1], [[1, 2, 3], [1, 2, 3], [1, 2, 1], [1, 2, 1]])
    assert (marks.classes[marks.object > 0] == 1).all()


def test_what_the_data_set_ignores_is_of_no_object_and_cuts_lines():
    truth, instances = _two_boxes()
    truth[1, 3] = 255
    marks = _read(marked(truth, instances, CELL, weak_labels("boxes")))
    assert marks.classes[1, 3] == LEFT_OUT
    assert marks.object[1, 3] == 0
    assert (marks.object[1, 1:3] == 1).all()


@pytest.mark.parametrize("said", [{"points": 2}, "scribbles", {"points": 1, "pseudo": "watershed"}])
def test_clicks_and_strokes_are_marked_with_their_object(said):
    truth, instances = _two_boxes()
    image = truth.astype(np.float32)
    made = weaken("a", image, truth, instances, CELL, weak_labels(said))
    marks = _read(made.marked)
    drawn = marks.object > 0
    np.testing.assert_array_equal(marks.object[drawn], np.where(instances == 9, 2, 1)[drawn])
    assert set(np.unique(marks.object)) == {0, 1, 2}
    assert (made.truth[drawn] == 1).all()
    assert not marks.positions.size


def test_labels_have_the_index_of_their_own_logit():
    truth = np.zeros((6, 6, 2), np.uint8)
    truth[0:2, 0:2, 0], truth[4:6, 4:6, 1] = 1, 1
    marks = _read(marked(truth, None, LABELS, weak_labels({"points": 1})), LABELS)
    np.testing.assert_array_equal(np.unique(marks.classes[:3]), [0, 1])
    np.testing.assert_array_equal(np.unique(marks.classes[3:]), [0, 2])


def test_a_share_of_the_masks_has_no_marks():
    truth, instances = _two_boxes()
    assert marked(truth, instances, CELL, weak_labels({"fraction": 0.5})) is truth
