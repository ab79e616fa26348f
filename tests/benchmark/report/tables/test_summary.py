import math
from dataclasses import replace

import numpy as np
import pytest

from unetbench.benchmark.report.frame import frames
from unetbench.benchmark.report.tables.summary import comparison_tables
from unetbench.core.measure import measure
from unetbench.core.trial import Choice


def only_table(folder, policy="nan_worst"):
    (table,) = comparison_tables(frames(folder, policy))
    return table


def test_means_by_hand(sweep, make):
    """Two seeds and two cases: seed means 0.7 and 0.8, mean 0.75, standard deviation sqrt(2 · 0.05²) = 0.0707."""
    folder = sweep(
        make.record(make.trial(seed=0), [make.score("a", 0.8), make.score("b", 0.6)]),
        make.record(make.trial(seed=1), [make.score("a", 0.9), make.score("b", 0.7)]),
    )
    (row,) = only_table(folder).rows
    assert row.dice.mean == pytest.approx(0.75)
    assert row.dice.spread == pytest.approx(math.sqrt(0.005))
    assert row.case_means == pytest.approx([0.85, 0.65])
    assert (row.seeds, row.cases, row.scored, row.undefined) == (2, 2, 4, 0)
    # ten samples of 10, 12, 14, 16, 18 ms twice: median 14 ms; p95 at position 8.55 of the sorted ten = 18 ms
    assert row.latencies[0].median_s == pytest.approx(0.014)
    assert row.latencies[0].p95_s == pytest.approx(0.018)
    assert row.train_s == 100.0


def test_undefined_and_empty_scores_are_counted(sweep, make):
    scores = [
        make.score("a", 0.8),
        make.score("b", None, empty="both"),
        make.score("c", 0.0, empty="truth"),
        make.score("d", 0.0, empty="prediction"),
    ]
    (row,) = only_table(sweep(make.record(make.trial(), scores))).rows
    assert row.dice.mean == pytest.approx(0.8 / 3)  # 0.8, 0 and 0; the undefined one is left out
    assert row.undefined == 1
    assert (row.empty["truth"], row.empty["prediction"], row.empty["both"]) == (1, 1, 1)


def test_a_case_is_the_mean_of_its_classes(sweep, make):
    """Case a: (0.9 + 0.5) / 2 = 0.7; case b has only cytoplasm: 0.8; mean 0.75. By class: 0.85 and 0.5."""
    scores = [
        make.score("a", 0.9, name="cytoplasm"),
        make.score("a", 0.5, name="nucleus"),
        make.score("b", 0.8, name="cytoplasm"),
        make.score("b", None, name="nucleus", empty="both"),
    ]
    table = only_table(sweep(make.record(make.trial(), scores)))
    assert table.rows[0].dice.mean == pytest.approx(0.75)
    assert table.classes == ("cytoplasm", "nucleus")
    assert table.rows[0].by_class["cytoplasm"]["dice"].mean == pytest.approx(0.85)
    assert table.rows[0].by_class["nucleus"]["dice"].mean == pytest.approx(0.5)


def test_best_mean_first_and_trials_without_scores_last(sweep, make):
    folder = sweep(
        make.record(make.trial("vnet"), status="unfit", reason="vnet needs rank 3"),
        make.record(make.trial("unet", "bce"), [make.score("a", 0.6)]),
        make.record(make.trial("unet", "dice"), [make.score("a", 0.9)]),
    )
    table = only_table(folder)
    assert [row.label for row in table.rows] == ["unet · dice", "unet · bce", "vnet · bce"]
    assert [row.label for row in table.compared] == ["unet · dice", "unet · bce"]
    assert table.rows[2].statuses == {"unfit": 1}
    assert [row.rank for row in table.rows] == [None, None, None]  # one case cannot rank anything


def test_a_failed_seed_is_counted_beside_the_done_ones(sweep, make):
    folder = sweep(
        make.record(make.trial(seed=0), [make.score("a", 0.8)]),
        make.record(make.trial(seed=1), status="failed", reason="loss is nan at step 7"),
    )
    (row,) = only_table(folder).rows
    assert row.statuses == {"done": 1, "failed": 1}
    assert row.seeds == 1
    assert row.dice.mean == pytest.approx(0.8)


def test_machines_have_boards_of_their_own(sweep, make):
    record = make.record(make.trial(), [make.score("a", 0.8)])
    sweep(record, machine="laptop")
    folder = sweep(record, machine="server")
    assert [table.machine for table in comparison_tables(frames(folder, "nan_worst"))] == ["laptop", "server"]


def test_data_that_changed_makes_another_board_and_folds_do_not(sweep, make):
    changed = sweep(
        make.record(make.trial(seed=0), [make.score("a", 0.8)]),
        make.record(make.trial(seed=1, digest="ffff"), [make.score("a", 0.8)]),
        name="changed",
    )
    assert len(comparison_tables(frames(changed, "nan_worst"))) == 2
    folds = sweep(
        make.record(make.trial(folds=2, fold=0, digest="aaaa"), [make.score("a", 0.8)]),
        make.record(make.trial(folds=2, fold=1, digest="bbbb"), [make.score("b", 0.6)]),
        name="folds",
    )
    (row,) = only_table(folds).rows
    assert (row.cases, row.seeds, row.done) == (2, 1, 2)
    assert row.dice.mean == pytest.approx(0.7)


def test_options_name_data_sets_that_differ_in_them_only(sweep, make):
    plain, zoomed = make.trial(), replace(make.trial(), dataset=Choice("dsb2018", {"zoom": 2}))
    folder = sweep(*(make.record(trial, [make.score("a", 0.8)]) for trial in (plain, zoomed)))
    assert [table.name for table in comparison_tables(frames(folder, "nan_worst"))] == ["dsb2018", "dsb2018(zoom=2)"]


def test_groups_are_clusters_of_the_comparison(sweep, make):
    records = [
        make.record(make.trial(loss=loss), [make.score(f"c{k}", dice, group=f"g{k // 4}") for k in range(12)])
        for loss, dice in (("bce", 0.6), ("dice", 0.9))
    ]
    table = only_table(sweep(*records))
    assert table.groups == 3
    assert table.comparison is not None
    assert table.comparison.p == pytest.approx([0.25])  # 2 of 8 sign choices
    assert table.rows[0].rank is None


def test_many_cases_rank_configurations_that_differ_and_tie_those_that_do_not(sweep, make):
    noise = np.random.default_rng(0).normal(0, 0.01, (3, 30))
    levels = {"dice": 0.9, "jaccard": 0.9, "bce": 0.6}
    records = [
        make.record(
            make.trial(loss=loss, seed=seed),
            [make.score(f"c{k:02d}", level + noise[seed, (k + 7 * index) % 30]) for k in range(30)],
        )
        for index, (loss, level) in enumerate(levels.items())
        for seed in range(3)
    ]
    rows = only_table(sweep(*records)).rows
    assert {row.loss: row.rank for row in rows} == {"dice": (1, 2), "jaccard": (1, 2), "bce": (3, 3)}


def test_a_measure_that_nobody_described_keeps_its_name():
    assert measure("betti_error").title == "betti_error"
    assert measure("dice").title == "Dice"
