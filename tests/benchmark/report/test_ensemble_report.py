"""The section of ensembles: gains over the member and the single network that validation chose, with intervals."""

from dataclasses import replace

import pytest

from unetbench.benchmark.report.ensemble_report import ensemble_reports
from unetbench.benchmark.report.frame import frames
from unetbench.benchmark.report.plots.ensembles import ensembles_plot
from unetbench.benchmark.report.tables.summary import comparison_tables
from unetbench.benchmark.report.write import write_report
from unetbench.core.trial import Derivation, Member

CASES = [f"c{k}" for k in range(8)]


def _scores(make, base):
    return [make.score(case, base + 0.01 * k) for k, case in enumerate(CASES)]


def _model(macs):
    return {"trainable": 1000, "total": 1000, "macs": macs, "size": "32×32", "weights_bytes": 4000}


def _single(make, model, seed, base, *, validation, ms):
    selection = {"epoch": 2, "score": validation, "monitor": "dice", "threshold": 0.5}
    latency = [make.latency("keras", [ms / 1e3] * 5)]
    return make.record(
        make.trial(model, seed=seed), _scores(make, base), selection=selection, latency=latency, model=_model(10)
    )


def _ensemble(make, members, base, best, ms):
    first = members[0].trial
    listed = tuple(Member(one.trial.id, one.trial.model, one.trial.loss, one.trial.seed) for one in members)
    derivation = Derivation("ensemble", first.id, first.model, {"over": ["seeds"]}, listed)
    rows = [{"trial": one.trial.id, "snapshot": 0, "weight": 1 / len(members), "dice": 0.5} for one in members]
    selection = {"epoch": 0, "score": 0.9, "monitor": "dice", "threshold": 0.5, "members": rows, "best": best.trial.id}
    return make.record(
        replace(first, derivation=derivation),
        _scores(make, base),
        selection=selection,
        latency=[make.latency("keras", [ms / 1e3] * 5)],
        model=_model(30),
        history=[],
    )


@pytest.fixture
def written(make, sweep):
    small = [_single(make, "unet", seed, 0.5 + 0.02 * seed, validation=0.6, ms=10) for seed in (0, 1, 2)]
    wide = [_single(make, "vnet", seed, 0.60 + 0.01 * seed, validation=0.7, ms=30) for seed in (0, 1, 2)]
    slow = [_single(make, "unet_3plus", seed, 0.9, validation=0.9, ms=90) for seed in (0, 1, 2)]
    lucky = [_single(make, "resunet", seed, 0.8, validation=0.3, ms=10) for seed in (0, 1, 2)]
    # Of the members the first is the best by validation although the last has the highest test Dice.
    whole = _ensemble(make, small, 0.65, small[0], ms=30)
    return sweep(*small, *wide, *slow, *lucky, whole)


def test_gains_are_over_what_validation_chose(written):
    read = frames(written, "nan_worst")
    (report,) = ensemble_reports(comparison_tables(read), read)
    (row,) = report.rows
    assert row.over_best.mean == pytest.approx(0.15)  # 0.65 against 0.50 on every case, not against 0.54
    # Against vnet, of 30 ms as well: 0.65 less 0.60, 0.61 and 0.62. Neither the slower network nor the one that only
    # test cases call better is the rival.
    assert row.rival.model == "vnet"
    assert sorted(row.over_rival.by_seed) == pytest.approx([0.03, 0.04, 0.05])
    assert row.over_rival.mean == pytest.approx(0.04)
    assert row.over_rival.low < 0.04 < row.over_rival.high
    assert row.taken == "3"
    assert (row.row.macs, row.latency_s, row.weights_bytes) == (30, 0.03, 4000)


def test_the_report_has_the_section_its_files_and_its_plot(written, tmp_path):
    files = {file.name: file for file in write_report(written, tmp_path / "report")}
    assert {f"dsb2018-ensembles{end}" for end in (".md", ".tex", ".csv", "-gain.png", "-gain.pdf")} <= files.keys()
    text = files["dsb2018-ensembles.md"].read_text("utf-8")
    assert "unet, mean of 3 seeds" in text
    assert "+0.150" in text
    assert "+0.040" in text
    assert "mean of 3 seeds" in files["index.html"].read_text("utf-8")
    assert "lighter" not in "".join(files)


def test_without_ensembles_there_is_no_section(make, sweep):
    read = frames(sweep(_single(make, "unet", 0, 0.5, validation=0.6, ms=10)), "nan_worst")
    assert ensemble_reports(comparison_tables(read), read) == []
    assert ensembles_plot([]) is None
