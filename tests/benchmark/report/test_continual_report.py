"""The section of continual learning: runs put together from stages, against hand arithmetic, and what is missing."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from unetbench.benchmark.report.continual_report import continual_reports
from unetbench.benchmark.report.frame import frames
from unetbench.benchmark.report.plots.continual import matrices
from unetbench.benchmark.report.tables.summary import comparison_tables
from unetbench.benchmark.report.write import write_report
from unetbench.core.trial import Choice, Derivation

CASES = {f"{batch}{k}": batch for batch in "ab" for k in range(6)}
JOINT = {"a": 0.9, "b": 0.8}
ALONE = {"a": {"a": 0.8, "b": 0.2}, "b": {"a": 0.3, "b": 0.7}}
SECOND = {
    ("finetune", "ab"): {"a": 0.4, "b": 0.6},
    ("finetune", "ba"): {"a": 0.7, "b": 0.2},
    ("ewc", "ab"): {"a": 0.7, "b": 0.5},
    ("ewc", "ba"): {"a": 0.6, "b": 0.6},
}
OPTIONS = {"finetune": {"method": "finetune"}, "ewc": {"method": "ewc", "weight": 10.0}}
OPTIONS["replay"] = {"method": "replay", "keep": 3}


def _scores(make, dice):
    return [make.score(case, dice[batch]) for case, batch in CASES.items()]


def _stage(make, order, dice, parent=None, method="", **fields):
    trial = make.trial()
    arrived = {"by": "stratum", "batches": list(order)}
    trial = replace(trial, dataset=Choice("dsb2018", {"arrived": arrived}))
    if parent is not None:
        trial = replace(trial, derivation=Derivation("update", parent.trial.id, parent.trial.model, OPTIONS[method]))
    kept = {"cases": 4, "bytes": 3000} if method == "replay" else {"cases": 0, "bytes": 0}
    data = {"train": 6, "validation": 1, "test": 12, "licence": "", "citation": "", "notes": []}
    data |= {"batches": CASES, "kept": kept}
    return make.record(trial, None if dice is None else _scores(make, dice), **{"data": data, **fields})


@pytest.fixture
def records(make):
    joint = make.record(make.trial(), _scores(make, JOINT))
    first = {batch: _stage(make, batch, dice) for batch, dice in ALONE.items()}
    later = [_stage(make, order, dice, first[order[0]], method) for (method, order), dice in SECOND.items()]
    failed = _stage(make, "ba", None, first["b"], "replay", status="failed", reason="no more")
    later.append(_stage(make, "ab", {"a": 0.8, "b": 0.7}, first["a"], "replay"))
    return [joint, *first.values(), *later, failed]


def _report(folder):
    read = frames(folder, "nan_worst")
    tables = comparison_tables(read)
    (report,) = continual_reports(tables, read)
    return tables, report


def test_readings_are_means_over_orders_by_hand(records, sweep):
    _, report = _report(sweep(*records))
    rows = {row.method: row for row in report.rows}
    floor = {name: value.mean for name, value in rows["fine-tuned"].readings.items()}
    # R of a→b: [[0.8, 0.2], [0.4, 0.6]]; of b→a, columns b, a: [[0.7, 0.3], [0.2, 0.7]].
    assert floor == pytest.approx(
        {
            "final": 0.475,  # (0.5 + 0.45) / 2
            "forgetting": 0.45,  # (0.8 - 0.4 + 0.7 - 0.2) / 2
            "plasticity": 0.7,  # (0.7 + 0.7) / 2
            "backward": -0.45,
            "forward": -0.1,  # (0.6 - 0.7 + 0.7 - 0.8) / 2
            "unseen": 0.25,  # (0.2 + 0.3) / 2
        }
    )
    assert rows["fine-tuned"].matrix == pytest.approx(np.array([[0.75, 0.25], [0.3, 0.65]]))
    assert rows["joint"].readings["final"].mean == pytest.approx(0.85)
    assert [row.method for row in report.rows] == ["joint", "replay of 3", "EWC 10", "fine-tuned"]


def test_an_order_that_failed_is_counted_and_not_averaged(records, sweep):
    _, report = _report(sweep(*records))
    replay = next(row for row in report.rows if row.method == "replay of 3")
    assert (replay.complete, replay.runs) == (1, 2)
    assert replay.batches == ("a", "b")
    assert replay.readings["final"].mean == pytest.approx(0.75)
    assert "1 of 2" in report.grid.markdown()


def test_a_sweep_under_way_has_no_runs_before_a_last_stage_is_done(records, make, sweep):
    first = _stage(make, "a", ALONE["a"])
    read = frames(sweep(records[0], first), "nan_worst")
    assert continual_reports(comparison_tables(read), read) == []


def test_a_method_without_one_whole_run_is_in_the_table_of_stages_alone(make, sweep):
    first = _stage(make, "a", ALONE["a"])
    failed = _stage(make, "ab", None, first, "ewc", status="failed", reason="no more")
    done = _stage(make, "ab", SECOND["finetune", "ab"], first, "finetune")
    tables, report = _report(sweep(first, failed, done))
    assert [row.method for row in report.rows] == ["fine-tuned"]
    assert any("EWC" in row.model for row in tables[0].rows)


def test_what_is_kept_is_cases_for_replay_and_a_number_a_weight_for_ewc(records, sweep):
    _, report = _report(sweep(*records))
    kept = {row.method: (row.kept_cases, row.kept_bytes, row.growth) for row in report.rows}
    assert kept["replay of 3"] == (4.0, 3000.0, 0.0)
    assert kept["EWC 10"] == (0.0, 4.0 * 1_941_105, 0.0)
    assert kept["fine-tuned"] == kept["joint"] == (0.0, 0.0, 0.0)


def test_stages_have_a_table_of_their_own_and_leave_the_other_as_it_was(records, sweep):
    tables, _ = _report(sweep(*records))
    assert [(table.subject, len(table.records)) for table in tables] == [("dsb2018", 1), ("dsb2018 (in batches)", 8)]
    assert not tables[1].lighter


def test_the_page_has_table_matrices_and_a_file_of_each_number(records, sweep, tmp_path):
    folder = sweep(*records)
    files = {file.name: file for file in write_report(folder, tmp_path / "out")}
    page = files["index.html"].read_text("utf-8")
    assert "continual learning" in page
    assert "Accuracy matrices" in page
    stem = next(name.removesuffix("-matrices.png") for name in files if name.endswith("-matrices.png"))
    cells = pd.read_csv(files[f"{stem}-matrices.csv"])
    found = cells[(cells["method"] == "EWC 10") & (cells["stage"] == 2)].sort_values("arrived")["dice"]
    assert list(found) == pytest.approx([0.65, 0.55])
    table = pd.read_csv(files[f"{stem}.csv"])
    assert list(table["complete"]) == [1, 1, 2, 2]


def test_there_is_no_plot_of_joint_training_alone(records, sweep):
    _, report = _report(sweep(*records))
    assert matrices([row for row in report.rows if row.method == "joint"]) is None
    assert len(matrices(report.rows).axes) == 3 + 1  # three methods and the scale
