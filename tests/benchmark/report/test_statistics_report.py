import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from unetbench.benchmark.report.frame import frames
from unetbench.benchmark.report.plots.critical import cliques, critical
from unetbench.benchmark.report.plots.profiles import profiles
from unetbench.benchmark.report.several_report import several_reports
from unetbench.benchmark.report.statistics_report import statistics_reports
from unetbench.benchmark.report.tables.notes import remarks
from unetbench.benchmark.report.tables.summary import comparison_tables
from unetbench.core.trial import Choice

MODELS = ("attention_unet", "unet", "unet_half")
CASES = 8


def scored(make, level: float, seed: int, cases: int = CASES, **other):
    draw = np.random.default_rng(seed)
    return [make.score(f"c{k}", level + 0.02 * k + 0.004 * draw.random(), **other) for k in range(cases)]


@pytest.fixture
def tables(sweep, make):
    """Two data sets of three models and two seeds; of the second one `unet_half` misses a case."""
    records = []
    for place, dataset in enumerate(("one", "two")):
        for index, model in enumerate(MODELS):
            for seed in range(2):
                short = place == 1 and model == "unet_half"
                trial = replace(make.trial(model, seed=seed), dataset=Choice(dataset))
                scores = scored(make, 0.8 - 0.05 * index, 10 * index + seed, CASES - short)
                records.append(make.record(trial, scores))
    read = frames(sweep(*records), "nan_worst")
    return comparison_tables(read)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_statistics_of_a_table_are_written(tables):
    found = statistics_reports(tables, "nuclei")
    assert [one.title for one in found] == ["one on desk-8-cores: statistics", "two on desk-8-cores: statistics"]
    files = found[0].files("one-statistics")
    assert set(files) == {f"one-statistics{ending}" for ending in (".md", ".csv", ".tex", "-beside.csv")}
    assert "Warning: 8 cases; below 50" in files["one-statistics.md"]
    assert [row["model"] for row in rows_of(files["one-statistics.csv"])] == list(MODELS)
    pairs = rows_of(files["one-statistics-beside.csv"])
    assert [(row["first"].split()[0], row["verdict"]) for row in pairs] == [
        ("attention_unet", "differs"),
        ("attention_unet", "differs"),
        ("unet", "differs"),
    ]
    assert float(pairs[0]["correlation"]) > 0.9  # all models find the same cases hard


def test_a_model_without_all_cases_is_not_ranked_with_the_others(tables):
    second = tables[1]
    assert [row.rank for row in second.rows] == [(1, 1), (2, 2), None]
    assert any("not scored on all 8 cases: unet_half · bce (7)" in line for line in remarks(second))
    table = rows_of(statistics_reports(tables, "nuclei")[1].files("two")["two.csv"])
    assert [row["mean_rank"] for row in table] == ["1.0", "2.0", ""]


def test_several_data_sets_are_compared_over_what_all_have(tables):
    (found,) = several_reports(tables, "nuclei")
    assert list(found.rows) == [("attention_unet", "bce"), ("unet", "bce")]
    assert found.left_out == 1
    assert found.scores.shape == (2, 2)
    assert found.found.mean_ranks.tolist() == [1, 2]
    # both data sets agree: χ² = 12 · (2² + 4²) / (2 · 2 · 3) - 3 · 2 · 3 = 2
    assert found.found.statistic == pytest.approx(2)
    assert any("2 data sets can show no pair to differ" in note for note in found.notes)
    assert set(found.files("data-sets")) == {f"data-sets{ending}" for ending in (".md", ".csv", ".tex", "-beside.csv")}


def test_other_names_and_another_order_of_records_give_the_same_statistics(sweep, make):
    """The best model is the first by name in one sweep and the last in the other."""
    numbers = []
    for names in (MODELS, MODELS[::-1]):
        records = [
            make.record(make.trial(name, seed=seed), scored(make, 0.8 - 0.005 * index, 10 * index + seed))
            for index, name in enumerate(names)
            for seed in range(2)
        ]
        tables = comparison_tables(frames(sweep(*records, name=names[0]), "nan_worst"))
        (found,) = statistics_reports(tables, "nuclei")
        assert found.numbers()["model"].tolist() == list(names)
        numbers.append((found.numbers().drop(columns="model"), found.pairs().drop(columns=["first", "second"])))
    assert numbers[0][0].equals(numbers[1][0])
    assert numbers[0][1].equals(numbers[1][1])


def test_one_data_set_is_no_comparison_over_several(tables):
    assert several_reports(tables[:1], "nuclei") == []


def test_a_profile_falls_from_one_to_nothing(tables):
    drawn = profiles(tables[0])
    assert drawn is not None
    for line in drawn.axes[0].lines:
        shares = np.asarray(line.get_ydata(), dtype=float)
        assert shares[0] == 1
        assert shares[-1] == 0
        assert (np.diff(shares) <= 0).all()


def test_bars_join_the_longest_runs_of_what_is_alike():
    alike = np.eye(5, dtype=bool)
    for i, j in ((0, 1), (1, 2), (2, 3), (1, 3)):
        alike[i, j] = alike[j, i] = True
    assert cliques(alike) == [(0, 1), (1, 3)]
    assert cliques(np.eye(3, dtype=bool)) == []


def test_equal_ranks_are_joined_by_a_bar_that_can_be_seen():
    drawn = critical(["a", "b", "c"], np.array([1.5, 1.5, 3.0]), np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]], bool), 1.0)
    (bar,) = [line for line in drawn.axes[0].lines if line.get_linewidth() == 3]
    ends = np.asarray(bar.get_xdata(), dtype=float)
    assert ends[0] < 1.5 < ends[1]


def test_forty_models_have_a_name_each():
    ranks = np.linspace(1, 40, 40)
    drawn = critical([f"model {k}" for k in range(40)], ranks, np.abs(ranks[:, None] - ranks) < 8, 7.0)
    texts = {text.get_text() for text in drawn.axes[0].texts}
    assert all(any(f"model {k}" in text for text in texts) for k in range(40))
