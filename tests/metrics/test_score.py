import json

import numpy as np
import pytest

from unetbench.core.errors import DataError, SpecError
from unetbench.core.measure import MEASURES
from unetbench.core.task import Task
from unetbench.core.trial import Choice
from unetbench.metrics import METRICS
from unetbench.metrics.pair import Pair
from unetbench.metrics.score import score_case

CELL = Task(2, 1, ("cell",))
THREE = Task(2, 1, ("background", "nucleus", "cytoplasm"), "exclusive")
LABELS = Task(2, 1, ("membrane", "nucleus"), "multilabel")
OVERLAPS = ("dice", "iou", "precision", "recall")
COUNTS = {"class", "tp", "fp", "fn", "tn", "empty"}
OBJECTS = {"aji", "dsb2018_score", "object_ap", "object_f1", "pq", "rq", "sq"}
CALIBRATION = {"brier", "ece", "mce", "nll"}
DISTANCES = {"assd", "hd", "hd95_directed", "hd95_pooled", "masd"}
OUTLINES = {"isbi_info", "isbi_rand"}


def _labels(text: str) -> np.ndarray:
    return np.array([[int(c) for c in line] for line in text.split()], "uint8")


def test_a_binary_case_gives_one_row():
    rows = score_case(_labels("1100"), _labels("0111"), CELL, metrics=OVERLAPS)
    # TP 1, FP 2, FN 1, TN 0.
    counts = {"class": "cell", "tp": 1, "fp": 2, "fn": 1, "tn": 0, "empty": "none"}
    assert rows == [counts | {"dice": 0.4, "iou": 0.25, "precision": 0.333333333, "recall": 0.5}]


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
    flat = score_case(truth.reshape(12, 5), prediction.reshape(12, 5), CELL, metrics=OVERLAPS)
    assert score_case(truth, prediction, Task(3, 1, ("cell",)), (2.0, 1.0, 1.0), metrics=OVERLAPS) == flat


def test_only_the_metrics_asked_for_are_computed():
    (row,) = score_case(_labels("10"), _labels("10"), CELL, metrics=["iou"])
    assert row["iou"] == 1
    assert "dice" not in row


def _case(space=(8, 9), seed=0):
    rng = np.random.default_rng(seed)
    truth = (rng.random(space) < 0.4).astype("uint8")
    probability = rng.random(space, np.float32)
    return truth, (probability >= 0.5).astype("uint8"), probability[..., None]


def test_every_metric_is_scored_where_the_case_has_what_it_takes():
    truth, prediction, probabilities = _case()
    (row,) = score_case(
        truth, prediction, CELL, (0.5, 0.5), instances=truth.astype("int32"), probabilities=probabilities
    )
    assert set(row) == COUNTS | {"diagonal", "objects", "matched"} | set(METRICS) - OUTLINES
    assert len(json.dumps(row)) < 1000


def test_what_a_case_lacks_has_no_key():
    truth, prediction, _ = _case()
    (row,) = score_case(truth, prediction, CELL)
    distances = {f"{name}_px" for name in DISTANCES} | {"diagonal"}
    assert set(row) == COUNTS | distances | set(METRICS) - DISTANCES - OBJECTS - CALIBRATION
    (row,) = score_case(*_case((4, 5, 6))[:2], Task(3, 1, ("cell",)))
    surfaces = DISTANCES | {"nsd", "boundary_iou"}
    assert set(row) == COUNTS | set(METRICS) - surfaces - OBJECTS - CALIBRATION


def test_rows_of_an_empty_case_have_the_keys_of_a_full_one():
    truth, prediction, probabilities = _case()
    options = {"instances": truth.astype("int32"), "probabilities": probabilities}
    (full,) = score_case(truth, prediction, CELL, (1.0, 1.0), **options)
    options["instances"] = truth * 0
    for sides in ((truth * 0, prediction), (truth * 0, prediction * 0)):
        (row,) = score_case(*sides, CELL, (1.0, 1.0), **options)
        assert list(row) == list(full)


def test_distances_are_named_after_their_unit():
    truth, prediction = _labels("1000"), _labels("0001")
    (row,) = score_case(truth, prediction, CELL, metrics=["hd"])
    assert (row["hd_px"], row["diagonal"]) == (3, pytest.approx(17**0.5))
    (row,) = score_case(truth, prediction, CELL, (0.5, 0.5), metrics=["hd"])
    assert (row["hd"], row["diagonal"]) == (1.5, pytest.approx(17**0.5 / 2))


def test_a_metric_with_options_is_named_by_them():
    truth, prediction = _labels("1100"), _labels("0011")
    asked = [Choice("nsd", {"tolerance_px": 1}), Choice("nsd", {"tolerance_mm": 1.0}), "dice"]
    (row,) = score_case(truth, prediction, CELL, (0.5, 0.5), metrics=asked)
    # Distances 2, 1 and 1, 2 pixels: within one pixel half of them, within 1 mm, which is two pixels, all.
    assert row["nsd(tolerance_px=1)"] == 0.5
    assert row["nsd(tolerance_mm=1.0)"] == 1


def test_nsd_of_a_volume_is_named_by_its_tolerance_in_millimetres():
    truth, prediction, _ = _case((4, 5, 6))
    (row,) = score_case(truth, prediction, Task(3, 1, ("cell",)), (5.0, 1.0, 1.0))
    assert "nsd" not in row
    assert row["nsd(tolerance_mm=2)"] == pytest.approx(METRICS["nsd"](Pair(truth > 0, prediction > 0, (5.0, 1.0, 1.0))))


def test_objects_are_scored_in_the_class_they_lie_in():
    truth, prediction = _labels("1122 0000"), _labels("1122 0000")
    nucleus, cytoplasm = score_case(truth, prediction, THREE, instances=_labels("5500 0000"))
    assert nucleus["objects"] == [1, 1]
    assert nucleus["matched"] == [1] * 10
    assert "objects" not in cytoplasm


def test_the_probabilities_of_a_class_are_its_own():
    probabilities = np.zeros((1, 2, 3), np.float32)
    probabilities[0, 0, 1] = probabilities[0, 1, 2] = 1
    rows = score_case(_labels("12"), _labels("12"), THREE, probabilities=probabilities)
    assert [row["brier"] for row in rows] == [0, 0]


def test_predicted_objects_come_from_components_or_a_watershed():
    probabilities = np.array([[0.95, 0.6, 0.95]], np.float32)[..., None]
    instances = _labels("112")
    options = {"instances": instances, "probabilities": probabilities}
    (joined,) = score_case(_labels("111"), _labels("111"), CELL, **options)
    (parted,) = score_case(_labels("111"), _labels("111"), CELL, split="watershed", **options)
    assert (joined["objects"], parted["objects"]) == ([2, 1], [2, 2])


def test_objects_under_the_ignore_label_are_left_out():
    task = Task(2, 1, ("cell",), ignore=255)
    truth = np.array([[1, 0, 255, 255]], np.uint8)
    (row,) = score_case(truth, _labels("1011"), task, instances=_labels("1022"))
    assert row["objects"] == [1, 1]


def test_every_worst_value_is_the_end_of_the_range():
    rng = np.random.default_rng(0)
    for seed in range(20):
        truth, prediction, probabilities = _case(seed=seed)
        prediction = prediction if seed % 2 else (rng.random(truth.shape) < 0.05).astype("uint8")
        instances = truth.astype("int32") * np.arange(1, 10, dtype="int32")
        (row,) = score_case(
            truth, prediction, CELL, (1.0, 1.0), instances=instances, probabilities=probabilities, metrics=None
        )
        for name in set(METRICS) - OUTLINES:
            reading, value = MEASURES[name], row[name]
            worst = row["diagonal"] if name in DISTANCES else reading.worst
            assert value is None or min(reading.best, worst) <= value <= max(reading.best, worst), name


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


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"instances": np.zeros((2, 2), int)},
            DataError,
            r"instances have shape \(2, 2\); for this truth it is \(1, 2\)",
        ),
        ({"probabilities": np.zeros((1, 2))}, DataError, r"probabilities have shape \(1, 2\)"),
        ({"probabilities": np.full((1, 2, 1), np.nan)}, DataError, "probability goes from nan"),
        ({"instances": np.array([[0, -3]])}, DataError, "label -3"),
        ({"split": "watersheds"}, SpecError, "did you mean 'watershed'"),
        ({"split": "watershed", "instances": np.zeros((1, 2), int)}, DataError, "needs the model's probabilities"),
        ({"metrics": ["dise"]}, SpecError, "did you mean 'dice'"),
        ({"metrics": [Choice("nsd", {"tolerance": 1})]}, SpecError, "tolerance_mm"),
        ({"metrics": [Choice("nsd", {"tolerance_mm": 1})]}, DataError, "needs spacing_mm"),
        ({"metrics": ["pq"]}, DataError, "single objects"),
        ({"metrics": ["ece"]}, DataError, "probabilities"),
    ],
)
def test_what_cannot_be_scored_is_an_error_that_names_it(options, error, message):
    with pytest.raises(error, match=message):
        score_case(_labels("01"), _labels("01"), CELL, **options)


def test_a_negative_spacing_is_an_error():
    with pytest.raises(DataError, match=r"spacing_mm is \(1.0, -1.0\)"):
        score_case(_labels("01"), _labels("01"), CELL, (1.0, -1.0))
