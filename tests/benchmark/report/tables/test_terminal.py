"""The table that a run ends with fits the terminal and never hides rank, Dice or what went wrong."""

import io
import os
import pty

import numpy as np
import pytest

from unetbench.benchmark.report.frame import frames
from unetbench.benchmark.report.tables.columns import shortened, shortened_apart, width, wrapped
from unetbench.benchmark.report.tables.summary import comparison_tables
from unetbench.benchmark.report.tables.terminal import columns_of, terminal_text

LONG = "Rindfleischetikettierungsüberwachungsaufgabe"


def tables(folder):
    return comparison_tables(frames(folder, "nan_worst"))


@pytest.fixture
def folder(sweep, make):
    """Ranked, collapsed, partly failed, unfit and timed out configurations with long names and reasons."""
    noise = np.random.default_rng(0).normal(0, 0.01, (3, 30))
    records = []
    for place, (model, loss, level) in enumerate(
        [("unet", "bce", 0.9), ("unet", "dice", 0.7), ("attention_unet", "bce", 0.9)]
    ):
        for seed in range(2):
            cases = [make.score(f"c{k:02}", level + noise[seed, (k + 7 * place) % 30]) for k in range(30)]
            records.append(make.record(make.trial(model, loss, seed), cases))
    fallen = [make.score(f"c{k:02}", 0.0, empty="prediction") for k in range(30)]
    records.append(make.record(make.trial("attention_unet", "dice", 0), fallen))
    reason = "loss is nan at step 7 (epoch 1); the batch holds " + "images/very/long/path/" * 5
    records.append(make.record(make.trial("attention_unet", "dice", 1), status="failed", reason=reason))
    for loss in ("bce", "dice"):
        records.append(make.record(make.trial("vnet", loss), status="unfit", reason="vnet needs rank 3, came rank 2"))
    records.append(make.record(make.trial("vnet", seed=1), status="timed_out", reason="took longer than 5 s"))
    models = [{"name": "unet", "label": f"{LONG} A"}, {"name": "attention_unet", "label": f"{LONG} B"}]
    return sweep(*records, models=models, losses=[{"name": "dice", "label": "細胞核の分割のための損失"}])


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 120, 200])
def test_no_line_is_longer_than_the_terminal(folder, columns):
    lines = terminal_text(tables(folder), columns).splitlines()
    assert max(map(width, lines)) <= columns


def _rows(text):
    """The cells of the table by header, from the lines between the rules."""
    lines = text.splitlines()
    rules = [index for index, line in enumerate(lines) if line.startswith("─")]
    return lines[rules[0] + 1], lines[rules[1] + 1 : rules[2]]


@pytest.mark.parametrize("columns", [40, 80])
def test_rank_dice_daggers_and_failures_are_always_there(folder, columns):
    text = terminal_text(tables(folder), columns)
    header, rows = _rows(text)
    assert all(word in header for word in ("Model", "Loss", "Rank", "Dice", "Status"))
    assert len(rows) == len(set(rows)) == 6
    assert sum("†" in row for row in rows) == 1
    assert sum("1 of 2 failed" in row or "1/2 failed" in row for row in rows) == 1
    assert sum("unfit" in row for row in rows) == 1
    assert sum("2 of 2 not done" in row or "2/2 not done" in row for row in rows) == 1
    assert "0.9" in rows[0]
    assert "1–2" in rows[0]
    plain = " ".join(text.split())
    assert "1 of 1 trial collapsed; the mean contains it." in plain
    assert "1 trial failed" in plain
    assert "loss is nan at step 7" in plain
    assert "2 trials unfit (vnet" in plain
    assert "vnet needs rank 3, came rank 2" in plain
    assert "2 of 4 cannot be told from the best" in plain


def test_a_wide_terminal_has_interval_latency_and_parameters(folder):
    header, rows = _rows(terminal_text(tables(folder), 200))
    assert header.split()[-5:] == ["95", "%", "CI", "Latency", "Params"]
    assert "14.0 ms" in rows[0]
    assert "1.94 M" in rows[0]
    assert f"{LONG} " in rows[0]
    assert "Latency" not in _rows(terminal_text(tables(folder), 80))[0]


def test_what_is_the_same_in_all_rows_is_no_column(sweep, make):
    records = [make.record(make.trial(loss=loss), [make.score("a", 0.8)]) for loss in ("bce", "dice")]
    text = terminal_text(tables(sweep(*records)), 80)
    assert _rows(text)[0].split() == ["Loss", "Dice", "Latency", "Params"]  # one case: no rank, no interval
    assert text.startswith("dsb2018 · unet · 1 test case · 1 seed · desk-8-cores\n")
    single = terminal_text(tables(sweep(records[0], name="single")), 80)
    assert _rows(single)[0].split() == ["Model", "Dice", "Latency", "Params"]
    assert single.startswith("dsb2018 · bce · ")


def test_what_all_tables_have_to_say_is_said_once(sweep, make):
    records = [make.record(make.trial(digest=digest), [make.score("a", 0.8)]) for digest in "ab"]
    parts = terminal_text(tables(sweep(*records)), 80).split("\n\n")
    assert [part.startswith("dsb2018") for part in parts] == [True, True, False]
    assert ["One seed each" in part for part in parts] == [False, False, True]


def test_of_several_machines_each_title_keeps_its_own(sweep, make):
    for name in ("first-2-cores", "second-2-cores"):
        cases = [make.score("a", 0.8), make.score("b", 0.7)]
        folder = sweep(make.record(make.trial(), cases, machine={"name": name, "cpu": name}), machine=name)
    titles = [part.split("\n")[0] for part in terminal_text(tables(folder), 40).split("\n\n")[:2]]
    assert titles == ["dsb2018 · first-2-cores · bce", "dsb2018 · second-2-cores · bce"]


def test_no_done_trial_still_gives_a_table(sweep, make):
    text = terminal_text(tables(sweep(make.record(make.trial(), status="failed", reason="out of memory"))), 80)
    assert _rows(text)[1] == ["unet      –  failed"]
    assert "1 trial failed (unet · bce): out of memory" in text


def test_many_reasons_are_bounded(sweep, make):
    records = [make.record(make.trial(seed=k), status="failed", reason=f"reason {k}") for k in range(20)]
    text = terminal_text(tables(sweep(*records)), 80)
    assert text.count("1 trial failed") == 6
    assert "14 more reasons stand on the page." in text


def test_names_are_shortened_by_their_options_first_and_stay_apart():
    names = ["unet(normalisation=batch, width=16)", "encoder_unet(encoder=mobilenet_v2)", "cmunext"]
    assert shortened_apart(names, 28) == ["unet(…, width=16)", "encoder_unet(…mobilenet_v2)", "cmunext"]
    alike = ["net(a=1, b=2, c=3)", "net(a=2, b=2, c=3)"]
    assert len(set(shortened_apart(alike, 12))) == 2
    same_ends = [f"aaaaaaaaaa{middle}bbbbbbbbbb" for middle in "xyz"]
    short = shortened_apart(same_ends, 8)
    assert len(set(short)) == 3
    assert max(map(len, short)) <= 8


def test_wide_letters_take_two_columns():
    assert width("細胞 a") == 6
    assert width("e\u0301") == 1
    assert shortened("細胞核の分割", 7) == "細胞…割"
    assert wrapped("at 5\u00a0% only", 5) == ["at", "5\u00a0%", "only"]
    assert wrapped("細胞 核の 分割", 5) == ["細胞", "核の", "分割"]


def test_words_longer_than_a_line_are_cut_and_further_lines_indented():
    assert wrapped("ab abcdefghij kl", 6, indent="  ") == ["ab", "  abcd", "  efgh", "  ij", "  kl"]


def test_the_width_is_that_of_the_stream_or_80(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert columns_of(io.StringIO()) == 80
    here, there = pty.openpty()
    with os.fdopen(here, "w"), os.fdopen(there, "w") as stream:
        assert columns_of(stream) == 80  # a terminal of no size
        monkeypatch.setenv("COLUMNS", "132")
        assert columns_of(stream) == 132
