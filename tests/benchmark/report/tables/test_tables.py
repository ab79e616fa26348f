import csv
import io
import shutil
import subprocess

import pytest

from unetbench.benchmark.report.frame import frames
from unetbench.benchmark.report.tables.grid import Grid
from unetbench.benchmark.report.tables.notes import data_notes, facts, remarks, selection_text
from unetbench.benchmark.report.tables.summary import comparison_tables
from unetbench.benchmark.report.tables.table import (
    UNDEFINED,
    class_grid,
    digits,
    latency_grid,
    pairs_frame,
    prefix,
    rank_text,
    results_frame,
    results_grid,
)


def only_table(folder):
    (table,) = comparison_tables(frames(folder, "nan_worst"))
    return table


@pytest.fixture
def table(sweep, make):
    """Two seeds of unet · bce, one collapsed seed of unet · dice beside a failed one, and vnet unfit."""
    fallen = [make.score(case, 0.0, empty="prediction") for case in "ab"]
    return only_table(
        sweep(
            make.record(make.trial(seed=0), [make.score("a", 0.8), make.score("b", 0.6)]),
            make.record(make.trial(seed=1), [make.score("a", 0.9), make.score("b", 0.7)]),
            make.record(make.trial(loss="dice", seed=0), fallen),
            make.record(make.trial(loss="dice", seed=1), status="failed", reason="loss is nan at step 7"),
            make.record(make.trial("vnet"), status="unfit", reason="vnet needs rank 3, dsb2018 has rank 2"),
            make.record(make.trial("vnet", seed=1), status="timed_out", reason="after 600 s"),
        )
    )


def test_a_row_says_mean_spread_counts_cost_and_status(table):
    grid = results_grid(table)
    row = dict(zip(grid.headers, grid.cells[0], strict=True))
    assert row["Dice"] == "0.750 ± 0.071"
    assert row["95\u00a0%\u00a0CI"] == "–"  # two groups of cases allow no interval
    assert row["IoU"] == "0.613"  # seeds (0.8/1.2 + 0.6/1.4)/2 = 0.5476 and (0.9/1.1 + 0.7/1.3)/2 = 0.6783
    assert row["Seeds"] == "2 done"
    assert row["Parameters [M]"] == "1.94"
    assert row["MACs at 32×32 [G]"] == "3.00"
    assert row["Latency, median [ms]"] == "14.0"
    assert row["Training [s]"] == "100"


def test_trials_that_are_not_done_stand_in_the_table_and_under_it(table):
    grid = results_grid(table)
    statuses = {cells[0] + " " + cells[1]: cells[grid.headers.index("Seeds")] for cells in grid.cells}
    assert statuses == {"unet bce": "2 done", "unet dice": "1 done, 1 failed", "vnet bce": "1 timed out, 1 unfit"}
    text = "\n".join(remarks(table))
    assert "unet · dice, seed 1: failed: loss is nan at step 7" in text
    assert "vnet · bce, seed 0: unfit: vnet needs rank 3, dsb2018 has rank 2" in text
    assert "vnet · bce, seed 1: timed out: after 600 s" in text


def test_a_collapsed_trial_is_marked_and_stays_in_the_mean(table):
    grid = results_grid(table)
    dice = {cells[1]: cells[grid.headers.index("Dice")] for cells in grid.cells if cells[0] == "unet"}
    assert dice["dice"] == "0.000†"
    assert any(line.startswith("† unet · dice: 1 of 1 trial collapsed") for line in remarks(table))


def test_few_groups_are_said_not_ranked(table):
    grid = results_grid(table)
    assert {cells[grid.headers.index("Rank")] for cells in grid.cells} == {"–"}
    assert any(line.startswith("Not ranked: 2 independent groups of cases") for line in remarks(table))
    assert any(line.startswith("No interval: 2 independent groups of cases") for line in remarks(table))


def test_one_seed_is_said(sweep, make):
    table = only_table(sweep(make.record(make.trial(), [make.score("a", 0.8)])))
    assert any(line.startswith("One seed each") for line in remarks(table))


def test_no_done_trial_gives_a_table_and_a_clear_line(sweep, make):
    table = only_table(sweep(make.record(make.trial(), status="failed", reason="out of memory")))
    assert results_grid(table).cells[0][:4] == ("unet", "bce", "–", "–")
    assert "No trial of this table is done, so there are no scores." in remarks(table)


def test_facts_name_data_split_recipe_policy_machine_selection_licence(table):
    found = dict(facts(table))
    assert found["Cases"] == "7 train, 1 validation, 2 test"
    assert found["Split"] == "digest 0a1b"
    assert found["Recipe"] == "standard v2 with patch=32x32, epochs=3"
    assert "nan_worst" in found["Empty masks"]
    assert found["Machine"] == "desk-8-cores: A CPU, 8 cores, 16 GiB memory, Linux"
    assert found["Latency"] == "keras on cpu, batch 1, 32×32×1, float32"
    assert found["Licence"] == "CC0"
    assert "before a test case was predicted" in found["Selection"]


def test_many_notes_of_one_kind_are_one_line(sweep, make):
    """Records of earlier versions have a line a file; two trials have the same."""
    notes = [f"skipped: image without mask: img/x{k:02}.png" for k in range(53)] + ["previews not written: disk full"]
    data = {"test": 2, "notes": notes}
    trials = [make.trial(seed=seed) for seed in range(2)]
    table = only_table(sweep(*(make.record(trial, [make.score("a", 0.8)], data=data) for trial in trials)))
    assert [line for line in remarks(table) if line.startswith("Data: ")] == [
        "Data: 53 images without mask skipped (first: img/x00.png)",
        "Data: previews not written: disk full",
    ]


def test_notes_are_bounded_whatever_they_say(sweep, make):
    notes = [f"case {k} is odd" for k in range(300)] + ["b: 1", "b: 2"]
    table = only_table(sweep(make.record(make.trial(), [make.score("a", 0.8)], data={"notes": ["x" * 999, *notes]})))
    found = data_notes(table)
    assert len(found) == 9
    assert len(found[0]) == 400
    assert found[-1] == "and 294 more kinds of notes, in the records"


def test_selection_of_exclusive_classes_has_no_threshold(sweep, make):
    task = {"rank": 2, "channels": 1, "classes": ["background", "cytoplasm", "nucleus"], "kind": "exclusive"}
    table = only_table(sweep(make.record(make.trial(), [make.score("a", 0.8)], task=task)))
    assert "likeliest class" in selection_text(table)
    assert "threshold" not in selection_text(table)


def test_csv_has_raw_numbers_and_record_ids(table, make):
    rows = list(csv.DictReader(io.StringIO(results_frame(table).to_csv(index=False))))
    assert float(rows[0]["dice"]) == pytest.approx(0.75)
    assert float(rows[0]["latency_median_s"]) == pytest.approx(0.014)
    assert int(rows[0]["macs"].split(".")[0]) == 3_000_000_000
    assert set(rows[0]["records"].split()) == {f"desk-8-cores/{make.trial(seed=seed).id}" for seed in (0, 1)}
    assert [int(row["failed"]) + int(row["unfit"]) + int(row["timed_out"]) for row in rows] == [0, 1, 2]


def test_pairs_are_listed_with_both_p_values(table):
    found = pairs_frame(table)
    assert found["first"].tolist() == ["unet · bce"]
    assert found["dice_difference"].tolist() == pytest.approx([0.75])
    assert found["p"].tolist() == found["p_holm"].tolist()


def test_one_class_needs_no_table_of_classes_and_one_setting_none_of_latencies(table):
    assert class_grid(table) is None
    assert latency_grid(table) is None


def test_classes_and_latency_settings_have_tables_when_there_are_several(sweep, make):
    scores = [make.score("a", 0.9, name="cytoplasm"), make.score("a", 0.5, name="nucleus")]
    latency = [make.latency("keras", [0.02, 0.03]), make.latency("litert", [0.01, 0.01])]
    table = only_table(sweep(make.record(make.trial(), scores, latency=latency)))
    classes, latencies = class_grid(table), latency_grid(table)
    assert classes is not None
    assert [cells[2:4] for cells in classes.cells] == [("cytoplasm", "0.900"), ("nucleus", "0.500")]
    assert latencies is not None
    assert [(cells[2].split()[0], cells[3]) for cells in latencies.cells] == [("keras", "25.0"), ("litert", "10.0")]


def test_rank_ranges_are_written_with_a_dash():
    assert [rank_text(rank) for rank in ((1, 1), (2, 5), None)] == ["1", "2–5", "–"]


def test_prefix_brings_the_middle_value_between_one_and_a_thousand():
    assert prefix([0.012, 0.5, 0.013]) == (1e-3, "m")
    assert prefix([7.76e6, 31e6, 1.9e6]) == (1e6, "M")
    assert prefix([]) == (1.0, "")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1234.5, "1,234"), (0.01234, "0.0123"), (float("nan"), UNDEFINED), (-float("inf"), "-∞")],
)
def test_numbers_have_three_digits_and_what_is_too_large_is_infinite(value, text):
    assert digits(value) == text


def test_markdown_escapes_bars_and_sets_the_best_bold():
    grid = Grid("t", ("Model", "Loss", "Dice"), (("a|b", "bce", "0.9"), ("c", "dice", "0.8")), bold=frozenset([0]))
    lines = grid.markdown().splitlines()
    assert lines[2] == "| **a\\|b** | **bce** |  0.9 |"
    assert lines[3] == "| c        | dice    |  0.8 |"


def test_latex_escapes_what_latex_reads():
    grid = Grid("a_b", ("Model", "Loss", "95 % CI"), (("u_net", "b&c", "0.9 ± 0.1"),))
    text = grid.latex(["50 % of {x}"])
    assert r"u\_net & b\&c & 0.9 $\pm$ 0.1 \\" in text
    assert r"95 \% CI" in text
    assert r"\item 50 \% of \{x\}" in text


def test_html_escapes_and_links_rows():
    grid = Grid("t", ("Model", "Loss", "Dice"), (("<b>", "bce", "0.9"),), links=("record-x",))
    assert '<a href="#record-x">&lt;b&gt;</a>' in grid.html()


def test_latex_of_latin_letters_needs_packages_only():
    text = Grid("é", ("Model", "Loss"), (("ü", "ő"),)).latex(["95 % of 3 × 3"])
    assert text.startswith("% \\usepackage{booktabs,graphicx,threeparttable}\n\\begin{table*}")


def test_latex_of_other_letters_names_the_engine_and_stops_pdflatex():
    lines = Grid("細胞", ("Model", "Loss"), (("а", "b"),)).latex([]).splitlines()
    assert lines[0] == "% !TeX program = lualatex"
    assert "xelatex" in lines[1]
    assert "細胞а" in lines[1]
    assert lines[4] == r"\ifdefined\Umathchar\else"  # lualatex and xelatex have it, pdflatex has not
    assert "lualatex" in lines[5]
    assert lines[6] == r"\fi"


def test_latex_takes_no_bracket_of_a_name_for_an_argument():
    lines = Grid("t", ("Model", "Loss"), (("a", "b"), ("[c", "*"), ("*d", "<|>"))).latex(["[e"]).splitlines()
    assert r"{}[c & * \\" in lines
    assert r"{}*d & \textless{}\textbar{}\textgreater{} \\" in lines
    assert r"\item {}[e" in lines


def test_markdown_shows_names_as_they_are():
    grid = Grid("t", ("Model", "Loss"), (("$a_{b$", "`c`\n<d>*\\"),))
    assert grid.markdown().splitlines()[2] == "| \\$a_{b\\$ | \\`c\\` \\<d>\\*\\\\ |"


def test_done_trials_without_a_defined_score_are_undefined_and_not_missing(sweep, make):
    empty = [make.score(case, None, empty="both") for case in "ab"]
    table = only_table(
        sweep(
            make.record(make.trial(), [make.score("a", 0.9), make.score("b", 0.7)]),
            make.record(make.trial(seed=1), empty),
            make.record(make.trial(loss="dice"), empty),
            make.record(make.trial(loss="focal"), status="failed", reason="out of memory"),
        )
    )
    dice = {cells[1]: cells[3] for cells in results_grid(table).cells}
    assert dice == {"bce": "0.800", "dice": "undefined", "focal": "–"}
    notes = remarks(table)
    assert "Undefined: unet · bce: 1 of 2 trials that are done has no defined Dice and no part in the mean." in notes
    assert "Undefined: unet · dice: 1 of 1 trials that are done has no defined Dice and no part in the mean." in notes
    assert not any("Undefined: unet · focal" in note for note in notes)


def test_a_measure_that_another_table_has_is_no_column_here(sweep, make):
    one = make.record(make.trial(digest="a"), [{**make.score("a", 0.8), "nsd": 0.7}])
    other = make.record(make.trial(digest="b"), [{**make.score("a", 0.8), "nsd(tolerance_mm=2)": 0.6}])
    first, second = comparison_tables(frames(sweep(one, other), "nan_worst"))
    names = [[name for name in table.measures if name.startswith("nsd")] for table in (first, second)]
    assert sorted(names) == [["nsd"], ["nsd(tolerance_mm=2)"]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("word", "engine", "font"),
    [("é ± × ≤ “x” PD-1$^{hi$ 50% a_b #&~^\\", "pdflatex", ""), ("ядро клетки", "lualatex", "DejaVu Serif")],
)
def test_latex_compiles_with_the_engine_that_it_names(tmp_path, word, engine, font):
    if shutil.which(engine) is None:
        pytest.skip(f"{engine} is not installed")
    rows = (("unet", word, "0.91 ± 0.02"), ("[a]", "*b", "0.8"))
    table = Grid(f"Set {word}", ("Model", "Loss", "Dice"), rows, bold=frozenset({0})).latex([f"{word} ≥ 0.5", "[x]"])
    packages = r"\usepackage{booktabs,graphicx,threeparttable}" + (
        rf"\usepackage{{fontspec}}\setmainfont{{{font}}}" if font else ""
    )
    (tmp_path / "a.tex").write_text(
        rf"\documentclass{{article}}{packages}\begin{{document}}" + f"\n{table}\\end{{document}}"
    )
    call = [engine, "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    process = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert process.returncode == 0, process.stdout[-2000:]
    assert "Missing character" not in (tmp_path / "a.log").read_text(errors="replace")
