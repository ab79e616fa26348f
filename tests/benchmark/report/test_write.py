import re
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest

from unetbench.benchmark.report.write import write_report
from unetbench.core.errors import StoreError


@pytest.fixture
def full(sweep, make, previews):
    """Two models and two losses, two seeds and eight cases, all previewed; one failed and one unfit trial."""
    generator = np.random.default_rng(0)
    records = []
    for model in ("unet", "attention_unet"):
        for loss in ("bce", "dice"):
            for seed in range(2):
                scores = [make.score(f"c{k}", 0.8 + 0.02 * generator.random()) for k in range(8)]
                records.append(make.record(make.trial(model, loss, seed), scores))
    records.append(make.record(make.trial("unet", "bce", 2), status="failed", reason="loss is <nan> at step 7"))
    records.append(make.record(make.trial("vnet"), status="unfit", reason="vnet needs rank 3, dsb2018 has rank 2"))
    folder = sweep(*records, empty="nan_worst")
    for record in records[:8]:
        previews(folder, record.trial, ("c0", "c1"))
    return folder


def test_every_table_plot_and_the_page_are_written(full):
    written = write_report(full)
    assert all(file.is_file() and file.stat().st_size for file in written)
    names = {file.name for file in written}
    assert written[0] == full / "report" / "index.html"
    tables = {"dsb2018.md", "dsb2018.csv", "dsb2018.tex", "dsb2018-pairs.csv"}
    plots = {
        f"dsb2018-{plot}.{kind}"
        for plot in ("cases", "heatmap", "latency", "curves", "images")
        for kind in ("png", "pdf")
    }
    assert names == {"index.html"} | tables | plots


def test_the_page_stands_alone_and_traces_rows_to_records(full):
    text = write_report(full)[0].read_text("utf-8")
    assert text.count("data:image/png;base64,") == 5
    assert not re.search(r"(src|href)=\"(?!data:|#)", text)
    anchors, links = set(re.findall(r'id="([^"]+)"', text)), set(re.findall(r'href="#([^"]+)"', text))
    assert links <= anchors
    for file in full.glob("records/*/*.json"):
        assert f"record-{file.parent.name}-{file.stem}" in anchors
    assert "loss is &lt;nan&gt; at step 7" in text
    assert "<nan>" not in text


def test_the_same_records_give_the_same_bytes(full, tmp_path):
    first, second = write_report(full, tmp_path / "one"), write_report(full, tmp_path / "two")
    assert [file.name for file in first] == [file.name for file in second]
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second]


def test_settings_of_matplotlib_are_left_as_they_were(full):
    before = {key: mpl.rcParams._get(key) for key in mpl.rcParams}
    write_report(full)
    assert {key: mpl.rcParams._get(key) for key in mpl.rcParams} == before


def test_several_sweeps_have_a_report_each(sweep, make, tmp_path):
    record = make.record(make.trial(), [make.score("a", 0.8)])
    results = sweep(record, name="one").parent
    sweep(record, name="two")
    assert {file.parent for file in write_report(results)} == {results / "one" / "report", results / "two" / "report"}
    assert {file.parent for file in write_report(results, tmp_path / "out")} == {
        tmp_path / "out" / n for n in ("one", "two")
    }


def test_machines_have_files_of_their_own(sweep, make):
    record = make.record(make.trial(), [make.score("a", 0.8)])
    sweep(record, machine="laptop")
    names = {file.name for file in write_report(sweep(record, machine="server"))}
    assert {"dsb2018-laptop.csv", "dsb2018-server.csv"} <= names


def test_two_tables_of_one_data_set_are_numbered(sweep, make):
    records = [make.record(make.trial(digest=digest), [make.score("a", 0.8)]) for digest in ("aaaa", "bbbb")]
    names = {file.name for file in write_report(sweep(*records))}
    assert {"dsb2018-1.csv", "dsb2018-2.csv"} <= names


def test_one_case_and_one_seed_are_enough_for_a_report(sweep, make):
    names = {file.name for file in write_report(sweep(make.record(make.trial(), [make.score("a", 0.8)])))}
    assert "dsb2018-cases.png" in names
    assert "dsb2018-heatmap.png" not in names  # one combination is not a map
    assert "dsb2018-images.png" not in names  # no previews


def test_no_done_trial_still_gives_a_page_that_says_so(sweep, make):
    folder = sweep(
        make.record(make.trial(), status="failed", reason="out of memory"),
        make.record(make.trial("vnet"), status="unfit", reason="vnet needs rank 3, dsb2018 has rank 2"),
    )
    written = write_report(folder)
    text = written[0].read_text("utf-8")
    assert "0 of 2 trials done" in text
    assert "No trial of this table is done" in text
    assert "out of memory" in text
    assert {file.name for file in written} == {"index.html", "dsb2018.md", "dsb2018.csv", "dsb2018.tex"}


def test_scores_that_are_all_undefined_are_not_a_crash(sweep, make):
    scores = [make.score(case, None, empty="both") for case in "ab"]
    text = write_report(sweep(make.record(make.trial(), scores)))[0].read_text("utf-8")
    assert "2 of 2" in text


def test_a_failed_trial_with_a_history_has_its_curve(sweep, make):
    history = [{"epoch": 1, "loss": 0.9, "val_loss": None, "val_dice": None}]
    record = make.record(make.trial(), status="failed", reason="loss is nan at step 7", history=history)
    assert "dsb2018-curves.png" in {file.name for file in write_report(sweep(record))}


def test_the_policy_comes_from_the_sweep_unless_one_is_asked_for(sweep, make):
    folder = sweep(make.record(make.trial(), [make.score("a", None, empty="both")]), empty="smp")
    assert "(smp)" in write_report(folder)[0].read_text("utf-8")
    assert "(nnunet)" in write_report(folder, empty="nnunet")[0].read_text("utf-8")


def test_a_folder_without_a_sweep_is_one_clear_line(tmp_path):
    with pytest.raises(StoreError, match="no sweep here"):
        write_report(tmp_path)


def test_a_damaged_preview_is_named(full):
    for file in full.glob("previews/*/*.npz"):
        file.write_bytes(file.read_bytes()[:50])
    with pytest.raises(StoreError, match=r"\.npz: previews cannot be read"):
        write_report(full)


def test_a_report_loads_neither_tensorflow_nor_keras_nor_pyplot(full):
    code = (
        "import sys; from pathlib import Path\n"
        "from unetbench.benchmark.report.write import write_report\n"
        f"write_report(Path({str(full)!r}))\n"
        "heavy = {'tensorflow', 'keras', 'jax', 'torch', 'matplotlib.pyplot'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
