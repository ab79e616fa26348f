"""A lighter model stands beside the one that it comes from: what it loses, case by case, and what it saves."""

import math
from dataclasses import replace

import pytest

from unetbench.benchmark.report.frame import frames
from unetbench.benchmark.report.tables.lighter_table import lighter_frame, lighter_grid
from unetbench.benchmark.report.tables.notes import remarks
from unetbench.benchmark.report.tables.summary import comparison_tables
from unetbench.benchmark.report.write import write_report
from unetbench.core.trial import Choice, Derivation

CASES = "abcdefgh"
SMALL = {"trainable": 500_000, "total": 500_000, "macs": 750_000_000, "size": "32×32", "weights_bytes": 2_000_000}
WHOLE = {"trainable": 2_000_000, "total": 2_000_000, "macs": 3_000_000_000, "size": "32×32", "weights_bytes": 8_000_000}
SPARSE = {**WHOLE, "sparsity": {"total": 0.8, "layers": []}, "compressed_bytes": 2_500_000}


def _child(trial, step, **options):
    return replace(trial, derivation=Derivation(step, trial.id, trial.model, options))


@pytest.fixture
def folder(sweep, make):
    """Two seeds of unet, half of its channels taken out (0.1 lost everywhere), its weights pruned at one seed."""
    parents = [make.trial(seed=seed) for seed in (0, 1)]

    def scores(seed, lost=0.0):
        return [make.score(case, 0.8 + 0.02 * seed + 0.01 * place - lost) for place, case in enumerate(CASES)]

    channels = [_child(trial, "channels", share=0.5, epochs=1, rate=1e-3) for trial in parents]
    sparse = _child(parents[1], "magnitude", sparsity=0.8, epochs=1, rate=1e-3)
    student = replace(_child(parents[0], "distil", weight=0.5, temperature=2.0), model=Choice("unet_quarter"), seed=0)
    unfit = _child(parents[0], "channels", share=0.9, epochs=1, rate=1e-3)
    quick = [make.latency("keras", [0.005] * 5)]
    return sweep(
        *(make.record(trial, scores(seed), model=WHOLE) for seed, trial in enumerate(parents)),
        *(make.record(trial, scores(seed, 0.1), model=SMALL, latency=quick) for seed, trial in enumerate(channels)),
        make.record(sparse, scores(1, -0.05), model=SPARSE),
        make.record(student, scores(0), model=SMALL),
        make.record(unfit, status="unfit", reason="channel pruning: cannot follow"),
    )


def _table(folder):
    (table,) = comparison_tables(frames(folder, "nan_worst"))
    return table


def test_lighter_rows_stand_in_the_table_of_their_parent_and_name_their_step(folder):
    assert [row.model for row in _table(folder).rows] == [
        "unet, magnitude 0.8",
        "unet",
        "unet_quarter, taught by unet",
        "unet, channels 0.5",
        "unet, channels 0.9",
    ]


def test_what_is_lost_is_paired_by_case_and_seed(folder):
    found = {entry.name[0]: entry for entry in _table(folder).lighter}
    channels = found["unet, channels 0.5"]
    assert channels.parent == ("unet", "bce")
    assert (channels.lost.mean, channels.lost.low, channels.lost.high) == pytest.approx((0.1, 0.1, 0.1))
    # The parent at the same seed, not at both: seed 1 scores 0.02 better than seed 0.
    assert found["unet, magnitude 0.8"].lost.mean == pytest.approx(-0.05)
    assert found["unet_quarter, taught by unet"].lost.mean == pytest.approx(0.0)
    assert math.isnan(found["unet, channels 0.9"].lost.mean)
    assert math.isnan(found["unet, channels 0.9"].p)
    # 8 cases of one sign: 2 of 2^8 flips reach it, the same at both seeds; three rows are tested.
    assert channels.p == pytest.approx(3 * 2 / 2**8)
    assert found["unet_quarter, taught by unet"].p == 1.0


def test_size_and_speed_are_shares_of_the_parents(folder):
    grid = lighter_grid(_table(folder))
    assert grid is not None
    rows = {row[0]: dict(zip(grid.headers, row, strict=True)) for row in grid.cells}
    channels, sparse = rows["unet, channels 0.5"], rows["unet, magnitude 0.8"]
    assert (channels["Parameters"], channels["MACs"], channels["Latency"]) == (
        "×0.250",
        "×0.250",
        "×0.357",
    )  # 5 / 14 ms
    assert (channels["Dice lost"], channels["Zeros"], channels["Weights, MB"]) == ("+0.100", "–", "2.00")
    assert (sparse["Zeros"], sparse["Parameters"], sparse["Latency"]) == ("80.0\u00a0%", "×1.00", "×1.00")
    assert (sparse["Weights, MB"], sparse["Compressed, MB"]) == ("8.00", "2.50")
    assert rows["unet, channels 0.9"]["Dice lost"] == "–"


def test_raw_numbers_have_those_of_the_parent_beside_them(folder):
    frame = lighter_frame(_table(folder)).set_index("model")
    assert frame.loc["unet, channels 0.5", "parent_macs"] == 3e9
    assert frame.loc["unet, channels 0.5", "latency_median_s"] == 0.005
    assert frame.loc["unet, magnitude 0.8", "compressed_bytes"] == 2_500_000


def test_a_reader_is_told_that_zeros_alone_make_nothing_faster(folder, sweep, make):
    assert any("without sparse kernels" in line for line in remarks(_table(folder)))
    plain = _table(sweep(make.record(make.trial(), [make.score("a", 0.8)]), name="plain"))
    assert lighter_grid(plain) is None
    assert not any("sparse" in line for line in remarks(plain))


def test_the_report_holds_the_table_of_lighter_models(folder):
    files = {file.name: file for file in write_report(folder)}
    assert "dsb2018-lighter.csv" in files
    assert "## Lighter models" in files["dsb2018.md"].read_text("utf-8")
    assert "<h3>Lighter models</h3>" in files["index.html"].read_text("utf-8")
