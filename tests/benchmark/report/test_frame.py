import math

import pytest

from unetbench.benchmark.report.frame import collapsed, frames
from unetbench.benchmark.report.tables.summary import comparison_tables
from unetbench.core.errors import SpecError, StoreError


def test_the_policy_is_applied_to_raw_scores(sweep, make):
    scores = [
        make.score("a", 0.8),
        make.score("b", None, empty="both"),
        make.score("c", 0.0, empty="truth"),
    ]
    folder = sweep(make.record(make.trial(), scores))
    assert frames(folder, "nan_worst").scores["dice"].tolist()[::2] == [0.8, 0.0]
    assert math.isnan(frames(folder, "nan_worst").scores["dice"][1])
    assert frames(folder, "smp").scores["dice"].tolist() == [0.8, 1.0, 0.0]
    assert frames(folder, "monai").scores["dice"].isna().tolist() == [False, True, True]


def test_an_empty_mask_is_as_far_off_as_the_image_is_large(sweep, make):
    scores = [
        {**make.score("a", 0.8), "hd": 3.0, "diagonal": 50.0},
        {**make.score("b", 0.0, empty="prediction"), "hd": None, "diagonal": 70.0},
        make.score("c", 0.0, empty="prediction"),
    ]
    found = frames(sweep(make.record(make.trial(), scores)), "nan_worst")
    assert found.scores["hd"].tolist()[:2] == [3.0, 70.0]
    assert math.isnan(found.scores["hd"][2])  # scored without that metric


def test_counts_of_objects_are_no_measures_and_a_metric_nobody_described_is_one(sweep, make):
    extra = {"objects": [3, 2], "matched": [2] * 10, "diagonal": 50.0, "of_a_plugin": 0.5}
    empty = {**make.score("b", 0.0, empty="truth"), **extra, "of_a_plugin": None}
    found = frames(sweep(make.record(make.trial(), [{**make.score("a", 0.8), **extra}, empty])), "nan_worst")
    assert found.measures == ("dice", "iou", "precision", "recall", "of_a_plugin")
    assert math.isnan(found.scores["of_a_plugin"][1])


def test_a_measure_with_options_stands_where_its_measure_does(sweep, make):
    extra = {"of_a_plugin": 0.5, "nsd(tolerance_mm=2)": 0.7}
    found = frames(sweep(make.record(make.trial(), [{**make.score("a", 0.8), **extra}])), "nan_worst")
    assert found.measures == ("dice", "iou", "precision", "recall", "nsd(tolerance_mm=2)", "of_a_plugin")


def test_one_row_a_sample_an_epoch_and_a_trial(sweep, make):
    folder = sweep(*(make.record(make.trial(seed=seed), [make.score("a", 0.8)]) for seed in range(2)))
    found = frames(folder, "nan_worst")
    assert len(found.trials) == 2
    assert len(found.history) == 4  # two epochs each
    assert len(found.latency) == 10  # five samples each
    assert found.latency["setting"].unique().tolist() == ["keras on cpu, batch 1, 32×32×1, float32"]
    assert found.measures == ("dice", "iou", "precision", "recall")


def test_a_case_without_a_group_is_its_own_group(sweep, make):
    folder = sweep(make.record(make.trial(), [{**make.score("a", 0.8), "group": None}]))
    assert frames(folder, "nan_worst").scores["group"].tolist() == ["a"]


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([("a", 0.8, "none"), ("b", 0.7, "none")], []),
        ([("a", 0.0, "prediction"), ("b", 0.0, "prediction")], ["nucleus"]),
        ([("a", 0.9, "none"), ("b", 0.0, "prediction")], []),
        ([("a", 0.04, "none"), ("b", 0.05, "none")], ["nucleus"]),
    ],
    ids=["sound", "empty everywhere", "empty on half", "mean below 0.05"],
)
def test_a_class_that_carries_no_information_has_collapsed(sweep, make, scores, expected):
    rows = [make.score(case, dice, empty=empty) for case, dice, empty in scores]
    found = frames(sweep(make.record(make.trial(), rows)), "nan_worst")
    assert collapsed(found.scores) == expected
    assert found.trials["collapsed"].tolist() == [expected]


def test_foreground_everywhere_has_collapsed_although_its_dice_is_high(sweep, make):
    flooded = {"tp": 700, "fp": 300, "fn": 0, "tn": 0}
    rows = [{**make.score(case, 0.82), **flooded} for case in "ab"]
    assert frames(sweep(make.record(make.trial(), rows)), "nan_worst").trials["collapsed"].tolist() == [["nucleus"]]


def test_rightly_empty_predictions_have_not_collapsed(sweep, make):
    rows = [make.score("a", 0.9), *(make.score(case, None, empty="both") for case in "bcdefghijklmnopqrstuvwxyz")]
    assert frames(sweep(make.record(make.trial(), rows)), "nan_worst").trials["collapsed"].tolist() == [[]]


def test_one_class_of_two_can_collapse(sweep, make):
    rows = [make.score(case, 0.9, name="cytoplasm") for case in "ab"]
    rows += [make.score(case, 0.0, name="nucleus", empty="prediction") for case in "ab"]
    assert frames(sweep(make.record(make.trial(), rows)), "nan_worst").trials["collapsed"].tolist() == [["nucleus"]]


def test_a_folder_without_records_is_an_error(tmp_path):
    with pytest.raises(StoreError, match="unetbench run"):
        frames(tmp_path, "nan_worst")


def test_an_unknown_policy_is_an_error(sweep, make):
    with pytest.raises(SpecError, match="nan_wurst"):
        frames(sweep(make.record(make.trial(), [make.score("a", 0.8)])), "nan_wurst")


def test_a_damaged_record_is_named(sweep, make):
    folder = sweep(make.record(make.trial(), [make.score("a", 0.8)]))
    file = next(folder.glob("records/*/*.json"))
    file.write_text(file.read_text()[:100])
    with pytest.raises(StoreError, match=file.name):
        frames(folder, "nan_worst")


def test_a_record_with_an_infinite_dice_is_refused_by_name(sweep, make):
    record = make.record(make.trial(), [make.score("a", 0.8), make.score("b", 0.7)])
    folder = sweep(record)
    file = next(folder.glob("records/*/*.json"))
    file.write_text(file.read_text("utf-8").replace('"dice": 0.7', '"dice": Infinity'), "utf-8")
    with pytest.raises(StoreError, match=rf"{record.trial.id}\.json: the dice of case b is inf"):
        frames(folder, "nan_worst")


def test_infinite_distances_of_a_policy_are_no_reason_to_refuse(sweep, make):
    scores = [{**make.score(f"c{k}", 0.8), "hd": 3.0} for k in range(7)]
    scores.append({**make.score("d", 0.0, empty="prediction"), "hd": None})
    table = comparison_tables(frames(sweep(make.record(make.trial(), scores)), "monai"))[0]
    assert table.rows[0].estimates["hd"].mean == math.inf
    assert math.isnan(table.rows[0].estimates["hd"].low)
