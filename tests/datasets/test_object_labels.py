import cv2
import numpy as np

from unetbench.datasets.object_labels import ObjectLabels, pieces


def _discs(*centres, radius=8, size=80):
    """Discs (y, x), each with a number of its own."""
    labels = np.zeros((size, size), np.int32)
    for number, (y, x) in enumerate(centres, 1):
        cv2.circle(labels, (x, y), radius, number, -1)
    return labels


def _remarks(*labels):
    found = ObjectLabels()
    for number, array in enumerate(labels):
        found.add(f"case {number}", array)
    return found.remarks()


def test_labels_of_single_objects_get_no_remark():
    assert _remarks(_discs((20, 20), (20, 60), (60, 20)), None, np.zeros((9, 9), np.int32)) == []
    assert _remarks(_discs((20, 20), (20, 36))) == []  # they touch, and each has its own label


def test_a_two_valued_mask_is_told_by_its_pieces():
    (line,) = _remarks(_discs((20, 20), (20, 60), (60, 20)).astype(bool) * 255)
    assert line.startswith("1 of 1 labels of objects lie in several pieces (first: case 0, where label 255 lies in 3)")
    assert "set `components: true` beside `instances: true`" in line


def test_touching_objects_of_one_label_are_told():
    (line,) = _remarks(pieces(_discs((20, 20), (20, 36), (60, 60)) > 0))
    assert line.startswith("1 of 2 objects look like several that touch and share a label (first: case 0)")
    assert "give each object a label of its own" in line


def test_labels_of_volumes_are_counted_too():
    volume = np.zeros((9, 9, 9), np.uint16)
    volume[1:3, 1:3, 1:3] = volume[6:8, 6:8, 6:8] = 7
    (line,) = _remarks(volume)
    assert "label 7 lies in 2" in line


def test_pieces_are_connected_at_corners_and_apart_by_label():
    labels = np.array([[5, 0, 3], [0, 5, 3], [0, 0, 0], [5, 0, 0]])
    assert pieces(labels).tolist() == [[1, 0, 2], [0, 1, 2], [0, 0, 0], [3, 0, 0]]
