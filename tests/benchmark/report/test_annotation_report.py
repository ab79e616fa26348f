"""What training labels cost beside what they give: one table and plot a data set."""

import math
from dataclasses import replace

import pytest

from unetbench.benchmark.report.annotation_report import annotation_reports
from unetbench.benchmark.report.frame import frames
from unetbench.benchmark.report.tables.summary import comparison_tables
from unetbench.benchmark.report.write import write_report
from unetbench.core.trial import Choice

CASES = "abcdefgh"
POINTS = {"labels": {"points": 1}, "validation": "full", "objects": 30, "clicks": 60, "pixels": 7000, "known": 70}
FEW = {"labels": {"fraction": 0.5}, "validation": "full", "objects": 15, "outlines": 15, "pixels": 3500, "known": 3500}


def _record(make, annotation, lost, losses=("bce",)):
    made = []
    for seed in (0, 1):
        for loss in losses:
            trial = make.trial(loss=loss, seed=seed)
            told = {"train": 7, "licence": "CC0", "citation": "Caicedo et al. 2019", "notes": []}
            if annotation:
                trial = replace(trial, dataset=Choice("dsb2018", {"labels": annotation["labels"]}))
                told = {**told, "train": 4 if annotation is FEW else 7, "annotation": annotation | {"minutes": 2.4}}
            scores = [make.score(case, 0.8 + 0.02 * seed + 0.01 * k - lost) for k, case in enumerate(CASES)]
            made.append(make.record(trial, scores, data=told))
    return made


@pytest.fixture
def folder(sweep, make):
    """Full masks with two losses, points that lose 0.1 everywhere, half of the masks that lose nothing."""
    full = _record(make, None, 0.0, losses=("bce", "dice"))
    return sweep(*full, *_record(make, POINTS, 0.1), *_record(make, FEW, 0.0))


def _report(folder):
    (report,) = annotation_reports(comparison_tables(frames(folder, "nan_worst")), "zoo")
    return report


def test_full_masks_stand_beside_what_is_weaker_with_what_each_took(folder):
    rows = {(one.labels, one.row.loss): one for one in _report(folder).rows}
    assert set(rows) == {("full masks", "bce"), ("full masks", "dice"), ("1 point", "bce"), ("0.5 of the masks", "bce")}
    full, points, few = (rows[name, "bce"] for name in ("full masks", "1 point", "0.5 of the masks"))
    assert full.drawn == "30 outlines"  # as many as the points tell that there are objects
    assert full.minutes == pytest.approx(30 * 79 / 60)
    assert (points.drawn, points.minutes, points.known) == ("60 clicks", 2.4, 0.01)
    assert (few.drawn, few.cases, few.known) == ("15 outlines", 4, 1)
    assert full.lost is None
    assert points.lost.mean == pytest.approx(0.1)
    assert few.lost.mean == pytest.approx(0)


def test_the_table_says_the_share_of_full_supervision(folder):
    grid = _report(folder).grid
    lines = [dict(zip(grid.headers, cells, strict=True)) for cells in grid.cells]
    points = next(line for line in lines if line["Training labels"] == "1 point")
    assert points["Dice lost"] == "+0.100"
    assert points["Of full"] == "88.2\u00a0%"  # 0.745 of 0.845
    assert points["Known pixels"] == "1.0\u00a0%"
    assert points["95\u00a0%\u00a0CI of it"] == "[0.100, 0.100]"
    assert [line["Training labels"] for line in lines][-1] == "1 point"


def test_titles_say_the_labels_in_words_and_files_are_called_as_ever(folder):
    tables = comparison_tables(frames(folder, "nan_worst"))
    assert [table.name for table in tables] == ["dsb2018", "dsb2018, 0.5 of the masks", "dsb2018, 1 point"]
    files = write_report(folder)
    names = {file.name for file in files}
    assert {"dsb2018.md", "dsb2018-labels-points-1.md", "dsb2018-labels-fraction-0.5.csv"} <= names
    for file in files:
        if file.suffix in (".md", ".html", ".tex"):
            assert 'labels={"' not in file.read_text().replace("&quot;", '"').replace(r"\{", "{"), file
    text = (folder / "report" / "dsb2018-labels-points-1.md").read_text()
    assert text.startswith("# nuclei: dsb2018, 1 point on ")
    assert "- Data set: dsb2018, 1 point\n" in text


def test_its_files_and_its_plot_are_part_of_the_report(folder):
    names = {file.name for file in write_report(folder)}
    assert {f"dsb2018-training-labels{end}" for end in (".md", ".csv", ".tex", "-annotation.png")} <= names
    page = (folder / "report" / "index.html").read_text()
    assert "training labels" in page
    assert "selected on full masks of validation cases" in page


def test_without_full_masks_nothing_is_lost_against_them(sweep, make):
    report = _report(sweep(*_record(make, POINTS, 0.1)))
    assert all(one.lost is None for one in report.rows)
    assert report.subject == "dsb2018"
    assert "–" in report.grid.cells[0]


def test_where_nothing_tells_the_number_of_objects_full_masks_have_no_minutes(sweep, make):
    report = _report(sweep(*_record(make, None, 0.0), *_record(make, FEW, 0.0)))
    full = next(one for one in report.rows if one.labels == "full masks")
    assert math.isnan(full.minutes)
    assert full.drawn == ""


def test_a_sweep_of_full_masks_has_no_such_table(sweep, make):
    folder = sweep(*_record(make, None, 0.0))
    assert annotation_reports(comparison_tables(frames(folder, "nan_worst")), "zoo") == []
