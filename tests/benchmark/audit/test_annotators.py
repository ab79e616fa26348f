"""Agreement of several annotators of the same images."""

from pathlib import Path

import numpy as np
import pytest

from unetbench.benchmark.audit.annotators import agreement, annotators, compare
from unetbench.core.errors import DataError
from unetbench.core.task import Task
from unetbench.datasets.case import Case, Dataset, Sample

ONE = Task(2, 1, ("cell",))


def _rows(*rows):
    mask = np.zeros((4, 4, 1), bool)
    mask[list(rows)] = True
    return mask


def test_pairs_and_votes_by_hand():
    found = compare("c", [_rows(0, 1), _rows(1, 2), _rows(1)], ONE)
    # 4 of 8 + 8 pixels are shared: 2 * 4 / 16; 2 * 4 / 12 twice; the vote is row 1 alone
    assert found.pairs == {(0, 1): 0.5, (0, 2): pytest.approx(2 / 3), (1, 2): pytest.approx(2 / 3)}
    assert found.votes == (pytest.approx(2 / 3), pytest.approx(2 / 3), 1.0)
    assert found.dice == pytest.approx((0.5 + 4 / 3) / 3)


def test_two_empty_masks_have_no_dice_and_one_empty_mask_none_in_common():
    assert np.isnan(compare("c", [_rows(), _rows()], ONE).dice)
    assert compare("c", [_rows(), _rows(2)], ONE).dice == 0


def test_masks_of_different_size_are_one_line():
    with pytest.raises(DataError, match=r"c: the masks of its annotators are of different size \(4×4, 4×3\)"):
        compare("c", [_rows(1), _rows(1)[:, :3]], ONE)


def _dataset(folder, masks, task=ONE):
    image = np.zeros((4, 4, 1), np.uint8)
    cases = tuple(
        Case(f"c{k}", f"c{k}", lambda m=m: Sample(image, m.astype(np.uint8)), files=(Path(f"{folder}/c{k}.png"),))
        for k, m in enumerate(masks)
    )
    return Dataset("made", task, cases, "", "")


def test_data_sets_of_the_same_images_are_those_of_several_annotators():
    sets = {
        "a": _dataset("one", [_rows(0), _rows(1)]),
        "b": _dataset("one", [_rows(0), _rows(2)]),
        "other": _dataset("two", [_rows(0), _rows(1)]),
        "fewer": _dataset("one", [_rows(0)]),
    }
    assert annotators(sets) == [["a", "b"]]
    assert [one.dice for one in agreement([sets["a"], sets["b"]])] == [1.0, 0.0]


def test_exclusive_classes_are_compared_class_by_class():
    task = Task(2, 1, ("background", "cell", "nucleus"), "exclusive")
    first, second = np.zeros((4, 4, 1)), np.zeros((4, 4, 1))
    first[0], first[1] = 1, 2
    second[0], second[1, :2] = 1, 2
    (one,) = agreement([_dataset("x", [first], task), _dataset("x", [second], task)])
    assert one.dice == pytest.approx((1 + 2 * 2 / 6) / 2)
