"""Methods for weak labels beside the trivial one, over all data sets of a sweep."""

from dataclasses import replace

import pytest

from unetbench.benchmark.report.annotation_methods import methods_reports
from unetbench.benchmark.report.annotation_report import annotation_reports
from unetbench.benchmark.report.frame import frames
from unetbench.benchmark.report.tables.summary import comparison_tables
from unetbench.benchmark.report.write import write_report
from unetbench.core.trial import Choice

CASES = "abcdefgh"
POINTS = {"points": 1}
VORONOI = {"points": 1, "pseudo": "voronoi"}


def _records(make, name, labels, loss, dice):
    told = {"train": 7, "licence": "CC0", "citation": "Caicedo et al. 2019", "notes": []}
    if labels:
        told["annotation"] = {"labels": labels, "validation": "full", "objects": 9, "clicks": 9, "minutes": 1.0}
        told["annotation"] |= {"pixels": 100, "known": 10}
    for seed in (0, 1):
        trial = make.trial(loss=loss, seed=seed)
        trial = replace(trial, dataset=Choice(name, {"labels": labels} if labels else {}))
        scores = [make.score(case, dice + 0.01 * k + 0.002 * seed) for k, case in enumerate(CASES)]
        yield make.record(trial, scores, data=told)


@pytest.fixture
def folder(sweep, make):
    """Voronoi labels gain on both data sets, another loss on one and loses on the other."""
    made = []
    for name, other in (("dsb2018", 0.05), ("cells", -0.05)):
        made += _records(make, name, {}, "bce_dice", 0.85)
        made += _records(make, name, POINTS, "bce_dice", 0.6)
        made += _records(make, name, POINTS, "localisation", 0.6 + other)
        made += _records(make, name, VORONOI, "bce_dice", 0.7)
    return sweep(*made)


def _report(folder):
    annotated = annotation_reports(comparison_tables(frames(folder, "nan_worst")), "weak")
    (report,) = methods_reports(annotated, "weak")
    return report


def test_only_what_is_better_on_two_data_sets_is_called_better(folder):
    methods = {one.name: one for one in _report(folder).methods}
    assert set(methods) == {"voronoi + bce_dice", "localisation"}
    voronoi, localisation = methods["voronoi + bce_dice"], methods["localisation"]
    assert [gain.mean for gain in voronoi.gains] == pytest.approx([0.1, 0.1])
    assert (voronoi.better, voronoi.worse, voronoi.wins) == (2, 0, True)
    assert sorted(gain.mean for gain in localisation.gains) == pytest.approx([-0.05, 0.05])
    assert (localisation.better, localisation.worse, localisation.wins) == (1, 1, False)


def test_the_table_has_the_best_first_and_bold_for_what_is_better(folder):
    grid = _report(folder).grid
    assert grid.headers[:3] == ("Drawn", "Method", "Model")
    assert [cells[:2] for cells in grid.cells] == [("1 point", "voronoi + bce_dice"), ("1 point", "localisation")]
    assert [cells[-1] for cells in grid.cells] == ["2 of 2", "1 of 2, worse on 1"]
    assert grid.bold == {0}
    assert "+0.100 [0.100, 0.100]" in grid.cells[0]


def test_a_loss_without_full_masks_of_its_own_is_set_against_the_plain_one(folder):
    for report in annotation_reports(comparison_tables(frames(folder, "nan_worst")), "weak"):
        one = next(one for one in report.rows if one.loss == "localisation")
        assert one.lost.mean == pytest.approx(0.85 - one.row.dice.mean + 0.036)  # 0.035 + 0.001 of cases and seeds


def test_with_one_data_set_no_method_is_called_better(sweep, make):
    made = [*_records(make, "cells", POINTS, "bce", 0.6), *_records(make, "cells", VORONOI, "bce", 0.7)]
    report = _report(sweep(*made))
    assert [one.wins for one in report.methods] == [False]
    assert report.notes[-1] == "With one data set no method is called better."


def test_labels_without_a_trivial_method_are_not_compared(sweep, make):
    folder = sweep(*_records(make, "cells", VORONOI, "bce_dice", 0.7), *_records(make, "cells", {}, "bce_dice", 0.8))
    assert methods_reports(annotation_reports(comparison_tables(frames(folder, "nan_worst")), "weak"), "weak") == []


def test_its_files_and_its_plot_are_part_of_the_report(folder):
    names = {file.name for file in write_report(folder)}
    ends = (".md", ".csv", ".tex", "-methods.png", "-methods.pdf")
    assert {f"methods-for-weak-labels{end}" for end in ends} <= names
    assert "methods for weak labels" in (folder / "report" / "index.html").read_text()
