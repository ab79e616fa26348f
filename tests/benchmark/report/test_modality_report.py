"""What networks were trained with against what tests had: one matrix and plot a data set."""

import csv
from dataclasses import replace

import pytest

from unetbench.benchmark.report.frame import frames
from unetbench.benchmark.report.modality_report import modality_reports
from unetbench.benchmark.report.tables.summary import comparison_tables
from unetbench.benchmark.report.write import write_report
from unetbench.core.trial import Choice

CASES = "abcdefgh"
TESTS = [["fluorescence", "phase"], "fluorescence", "phase"]
BOTH = [["fluorescence", 1], ["phase", 1]]


def _scores(make, dice):
    return [make.score(case, dice + 0.01 * k) for k, case in enumerate(CASES)]


def _records(make, dice, tested, *, own=None, dropout=0.0, models=("unet",), tests=TESTS):
    """Two seeds that train on `own` with mean Dice `dice`, and score `tested` with others: {name: (how, dice)}."""
    made = []
    for model in models:
        for seed in (0, 1):
            trial = make.trial(model=model, seed=seed)
            options = {**({"modalities": own} if own else {}), "test_modalities": tests}
            recipe = replace(trial.recipe, modality_dropout=dropout)
            trial = replace(trial, dataset=Choice("pairs", options), recipe=recipe)
            conditions = [
                {
                    "modalities": [entry] if isinstance(entry, str) else entry,
                    "how": (told := tested.get(str(entry), ("given", None)))[0],
                    "reason": "",
                    "scores": [] if told[1] is None else _scores(make, told[1] + 0.02 * seed),
                    "unscored": [],
                }
                for entry in tests
            ]
            known = [pair for pair in BOTH if own in (None, pair[0])]
            task = {"rank": 2, "channels": len(known), "classes": ["cell"], "kind": "binary", "modalities": known}
            prediction = {"windows": [], "mismatch": None, "conditions": conditions}
            scores = _scores(make, dice + 0.02 * seed)
            made.append(make.record(trial, scores, task=task, prediction=prediction))
    return made


@pytest.fixture
def folder(sweep, make):
    """All, all with dropout, and fluorescence alone, each tested with all and with either alone."""
    lacking = {"fluorescence": ("missing", 0.5), "phase": ("missing", 0.1)}
    robust = {"fluorescence": ("missing", 0.7), "phase": ("missing", 0.6)}
    return sweep(
        *_records(make, 0.8, lacking, models=("unet", "attention_unet")),
        *_records(make, 0.75, robust, dropout=0.3),
        *_records(make, 0.72, {"phase": ("replaced", 0.2)}, own="fluorescence"),
    )


def _report(folder):
    (report,) = modality_reports(comparison_tables(frames(folder, "nan_worst")), "zoo")
    return report


def test_rows_are_what_training_had_and_columns_what_tests_had(folder):
    report = _report(folder)
    assert report.whole == ("fluorescence", "phase")
    assert [(report.trained(one), one.row.model) for one in report.rows] == [
        ("all", "attention_unet"),
        ("all", "unet"),
        ("all, dropout 0.3", "unet"),
        ("fluorescence", "unet"),
    ]
    assert report.tests == (("fluorescence", "phase"), ("fluorescence",), ("phase",))
    assert report.subject == "pairs"
    # A mean over eight cases adds 0.035, one over two seeds 0.01.
    means = [[one.cells[names].dice.mean for names in report.tests] for one in report.rows]
    expected = [[0.8, 0.5, 0.1], [0.8, 0.5, 0.1], [0.75, 0.7, 0.6], [0.72, 0.72, 0.2]]
    assert means == [pytest.approx([value + 0.045 for value in line]) for line in expected]
    hows = [[one.cells[names].how for names in report.tests] for one in report.rows]
    assert hows[1:] == [
        ["given", "missing", "missing"],
        ["given", "missing", "missing"],
        ["given", "given", "replaced"],
    ]


def test_what_is_lost_is_paired_case_by_case(folder):
    lost = _report(folder).rows[1].cells["phase",].lost
    assert lost.mean == pytest.approx(0.7)
    assert (lost.low, lost.high) == pytest.approx((0.7, 0.7))
    assert _report(folder).rows[1].cells["fluorescence", "phase"].lost is None


def test_the_table_has_intervals_and_the_headlines_say_who_is_best(folder):
    report = _report(folder)
    line = dict(zip(report.grid.headers, report.grid.cells[2], strict=True))
    assert line["Trained on"] == "all, dropout 0.3"
    assert line["Test: phase"].startswith("0.645 [")
    phase = next(text for text in report.headlines if text.startswith("Tests with phase"))
    assert "unet · bce trained on all, dropout 0.3 is best with a Dice of 0.645 [" in phase
    assert "unet · bce trained on all, dropout 0.3 loses least against tests with all: +0.150" in phase


def test_its_files_and_its_plot_are_part_of_the_report(folder):
    names = {file.name for file in write_report(folder)}
    assert {f"pairs-modalities{end}" for end in (".md", ".csv", ".tex", "-matrix.png", "-matrix.pdf")} <= names
    page = (folder / "report" / "index.html").read_text()
    assert "selected on validation cases with the modalities of training" in page
    with (folder / "report" / "pairs-modalities.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * 3
    replaced = next(row for row in rows if row["how"] == "replaced")
    assert (replaced["trained"], replaced["tested"], replaced["cases"]) == ("fluorescence", "phase", "8")
    assert float(replaced["dice"]) == pytest.approx(0.245)


def test_what_cannot_be_tested_is_a_dash(sweep, make):
    told = {"phase": ("impossible", None)}
    report = _report(sweep(*_records(make, 0.7, told, own="fluorescence")))
    assert dict(zip(report.grid.headers, report.grid.cells[0], strict=True))["Test: phase"] == "–"
    assert report.words(("fluorescence",)) == "fluorescence"


def test_a_sweep_without_the_axis_has_no_such_table(sweep, make):
    folder = sweep(make.record(make.trial(), _scores(make, 0.7)))
    assert modality_reports(comparison_tables(frames(folder, "nan_worst")), "zoo") == []
