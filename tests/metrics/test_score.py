import numpy as np
import pytest

from unetbench.core.errors import DataError
from unetbench.core.task import Task
from unetbench.metrics.score import score_case

CELL = Task(2, 1, ("cell",))
THREE = Task(2, 1, ("background", "nucleus", "cytoplasm"), "exclusive")
LABELS = Task(2, 1, ("membrane", "nucleus"), "multilabel")


def _labels(text: str) -> np.ndarray:
    return np.array([[int(c) for c in line] for line in text.split()], "uint8")


def test_a_binary_case_gives_one_row():
    rows = score_case(_labels("1100"), _labels("0111"), CELL)
    # TP 1, FP 2, FN 1, TN 0.
    counts = {"class": "cell", "tp": 1, "fp": 2, "fn": 1, "tn": 0, "empty": "none"}
    assert rows == [counts | {"dice": 0.4, "iou": 0.25, "precision": 1 / 3, "recall": 0.5}]


def test_exclusive_classes_are_scored_one_by_one_without_the_background():
    rows = score_case(_labels("0012 2211"), _labels("0112 2200"), THREE)
    assert [(row["class"], row["tp"], row["fp"], row["fn"], row["tn"]) for row in rows] == [
        ("nucleus", 1, 1, 2, 4),
        ("cytoplasm", 3, 0, 0, 5),
    ]


def test_multilabel_classes_are_scored_channel_by_channel():
    truth, prediction = np.stack([_labels("10"), _labels("11")], -1), np.stack([_labels("01"), _labels("11")], -1)
    assert [row["dice"] for row in score_case(truth, prediction, LABELS)] == [0, 1]


def test_a_channel_axis_of_one_may_be_there_or_not():
    truth, prediction = _labels("110"), _labels("011")
    assert score_case(truth[..., None], prediction, CELL) == score_case(truth, prediction[..., None], CELL)


def test_an_undefined_score_is_none_as_in_a_record():
    (row,) = score_case(_labels("00"), _labels("00"), CELL)
    assert (row["empty"], row["dice"], row["iou"], row["precision"], row["recall"]) == ("both", None, None, None, None)


def test_voxels_of_the_ignore_label_are_left_out():
    task = Task(2, 1, ("cell",), ignore=2)
    (row,) = score_case(_labels("1222 0100"), _labels("1101 0101"), task)
    assert (row["tp"], row["fp"], row["fn"], row["tn"]) == (2, 1, 0, 2)


def test_ignored_voxels_of_multilabel_truth_are_left_out_class_by_class():
    task = Task(2, 1, ("membrane", "nucleus"), "multilabel", ignore=9)
    truth, prediction = np.stack([_labels("19"), _labels("91")], -1), np.stack([_labels("11"), _labels("01")], -1)
    assert [(row["tp"], row["fp"], row["fn"], row["tn"]) for row in score_case(truth, prediction, task)] == [
        (1, 0, 0, 0)
    ] * 2


def test_a_volume_is_scored_like_an_image():
    rng = np.random.default_rng(0)
    truth, prediction = (rng.integers(0, 2, (3, 4, 5)).astype("uint8") for _ in range(2))
    flat = score_case(truth.reshape(12, 5), prediction.reshape(12, 5), CELL)
    assert score_case(truth, prediction, Task(3, 1, ("cell",)), (2.0, 1.0, 1.0)) == flat


def test_only_the_metrics_asked_for_are_computed():
    (row,) = score_case(_labels("10"), _labels("10"), CELL, metrics=["iou"])
    assert row["iou"] == 1
    assert "dice" not in row


BAD = [
    (_labels("10"), _labels("101"), CELL, "prediction has shape"),
    (_labels("12"), _labels("10"), CELL, "truth has labels from 1 to 2; the task has 0 to 1"),
    (_labels("12"), _labels("13"), THREE, "prediction has labels from 1 to 3; the task has 0 to 2"),
    (_labels("10"), _labels("10"), LABELS, "2 channels"),
    (_labels("10")[0], _labels("10"), CELL, r"truth has shape \(2,\)"),
]


@pytest.mark.parametrize(("truth", "prediction", "task", "message"), BAD)
def test_labels_that_do_not_fit_the_task_are_an_error(truth, prediction, task, message):
    with pytest.raises(DataError, match=message):
        score_case(truth, prediction, task)
