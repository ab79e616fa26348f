import re
import subprocess
import sys
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
import yaml

from unetbench.benchmark.cli import main
from unetbench.benchmark.report import write
from unetbench.benchmark.report.write import write_report, write_reports
from unetbench.core.errors import StoreError
from unetbench.core.record import Record
from unetbench.core.trial import Choice


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
    tables |= {f"dsb2018-statistics{ending}" for ending in (".md", ".csv", ".tex", "-beside.csv")}
    plots = {
        f"dsb2018-{plot}.{kind}"
        for plot in ("cases", "heatmap", "latency", "curves", "images", "statistics-profiles")
        for kind in ("png", "pdf")
    }
    assert names == {"index.html"} | tables | plots


def test_the_page_stands_alone_and_traces_rows_to_records(full):
    text = write_report(full)[0].read_text("utf-8")
    assert text.count("data:image/png;base64,") == 6
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


def test_two_tables_of_one_data_set_say_what_differs(sweep, make):
    records = [make.record(make.trial(digest=digest), [make.score("a", 0.8)]) for digest in ("aaaa", "bbbb")]
    files = {file.name: file for file in write_report(sweep(*records))}
    assert {"dsb2018-data-aaaa.csv", "dsb2018-data-bbbb.csv"} <= set(files)
    assert (
        files["dsb2018-data-aaaa.md"].read_text("utf-8").startswith("# nuclei: dsb2018 (data aaaa) on desk-8-cores\n")
    )
    assert r"\caption{dsb2018 (data aaaa) on desk-8-cores" in files["dsb2018-data-aaaa.tex"].read_text("utf-8")
    page = files["index.html"].read_text("utf-8")
    assert ">dsb2018 (data bbbb) on desk-8-cores</a>" in page
    assert "dsb2018 (data bbbb) <span" in page


def test_no_table_takes_the_file_names_of_another(sweep, make):
    """The data set `cells-classes` has tables of the names that the classes of `cells` would have."""
    scores = [make.score("a", 0.8, name=name) for name in ("cytoplasm", "nucleus")]
    records = []
    for name in ("cells", "cells-classes"):
        trial = make.trial()
        records.append(make.record(replace(trial, dataset=Choice(name)), scores))
    written = write_report(sweep(*records))
    assert len(written) == len(set(written))
    assert {"cells-classes.csv", "cells-classes-1.csv"} <= {file.name for file in written}


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
    files = {file.name: file for file in write_report(sweep(make.record(make.trial(), scores)))}
    for name in ("index.html", "dsb2018.md"):
        text = files[name].read_text("utf-8")
        assert "2 of 2" in text
        assert "undefined" in text
        assert "No Dice of the trials that are done (1) is defined" in text
        assert "No trial of this table is done" not in text


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


def test_a_plot_that_fails_is_a_note_and_all_else_is_written(full):
    for file in full.glob("previews/*/*.npz"):
        file.write_bytes(file.read_bytes()[:50])
    (report,) = write_reports(full)
    (note,) = report.notes
    assert re.match(
        r"dsb2018 on desk-8-cores: Test images: This plot could not be drawn: .*\.npz: previews cannot be read", note
    )
    names = {file.name for file in report.files}
    assert "dsb2018-curves.png" in names
    assert "dsb2018-images.png" not in names
    for name in ("index.html", "dsb2018.md"):
        assert "npz: previews cannot be read" in (report.page.parent / name).read_text("utf-8")


def test_tables_are_on_disk_before_the_first_plot_is_drawn(full, monkeypatch):
    """A plot that kills the process, as one that takes all memory does, leaves tables and a page."""
    monkeypatch.setattr(write, "distribution", _killed)
    with pytest.raises(KeyboardInterrupt):
        write_report(full)
    names = {file.name for file in (full / "report").iterdir()}
    assert {"index.html", "dsb2018.md", "dsb2018.csv", "dsb2018.tex", "dsb2018-pairs.csv"} <= names
    assert "attention_unet" in (full / "report" / "dsb2018.md").read_text("utf-8")


def _killed(table):
    raise KeyboardInterrupt


AWKWARD = "PD-1$^{hi$ cells"


def test_names_in_all_plots_are_text_and_no_formula(sweep, make, previews):
    names = [AWKWARD, r"_a\b%&#~"]
    records = []
    for model in ("unet", "vnet"):
        for loss in ("bce", "dice"):
            trial = replace(make.trial(loss=loss), model=Choice(model, {"norm": AWKWARD}), dataset=Choice("$x_{$"))
            scores = [make.score(f"$c_{{{k}$", 0.8 + 0.01 * k, name=name) for k in range(2) for name in names]
            task = {"rank": 2, "channels": 1, "classes": names, "kind": "multilabel"}
            records.append(make.record(trial, scores, task=task))
    folder = sweep(*records)
    for record in records:
        previews(folder, record.trial, ("$c_{0$", "$c_{1$"))
    (report,) = write_reports(folder)
    assert report.notes == ()
    assert {file.name for file in report.files if file.suffix == ".png"} == {
        f"x_-{plot}.png" for plot in ("cases", "heatmap", "latency", "curves", "images", "statistics-profiles")
    }
    assert r"PD-1\$\textasciicircum{}\{hi\$ cells" in (report.page.parent / "x_-classes.tex").read_text("utf-8")
    assert r"PD-1\$^{hi\$ cells" in (report.page.parent / "x_.md").read_text("utf-8")


def test_what_an_earlier_report_wrote_and_this_one_did_not_is_removed(full):
    write_report(full)
    out = full / "report"
    mine, edited = out / "notes.txt", out / "dsb2018-curves.pdf"
    mine.write_text("my own")
    edited.write_bytes(b"drawn anew by hand")
    (full / "sweep.yaml").write_text(yaml.safe_dump({"datasets": [{"name": "dsb2018", "label": "Nuclei"}]}))
    for file in full.glob("previews/*/*.npz"):
        file.unlink()
    written = write_report(full)
    left = {file.name for file in out.iterdir()} - {file.name for file in written}
    assert left == {"notes.txt", "dsb2018-curves.pdf", "unetbench-report.json"}
    assert "Nuclei.md" in {file.name for file in written}
    assert mine.read_text() == "my own"


def test_a_report_that_was_broken_off_loses_track_of_no_file(full, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(write, "curves", _killed)
        with pytest.raises(KeyboardInterrupt):
            write_report(full)
    (full / "sweep.yaml").write_text(yaml.safe_dump({"datasets": [{"name": "dsb2018", "label": "Nuclei"}]}))
    written = write_report(full)
    assert {file.name for file in (full / "report").iterdir()} == {file.name for file in written} | {
        "unetbench-report.json"
    }


def test_a_damaged_list_of_files_is_a_note_and_removes_nothing(full):
    write_report(full)
    old = full / "report" / "old.md"
    old.write_text("old")
    for content in ("{", "[]", '{"../sweep.yaml": ["0"]}', '{"a": "0"}', f'{{"{"a" * 300}": []}}'):
        (full / "report" / "unetbench-report.json").write_text(content)
        (report,) = write_reports(full)
        assert "files of earlier reports stay" in report.notes[0], content
        assert old.exists(), content
        assert (full / "sweep.yaml").exists(), content
    assert write_reports(full)[0].notes == ()


def test_the_command_prints_a_failed_plot_to_stderr(full, capsys):
    for file in full.glob("previews/*/*.npz"):
        file.write_bytes(file.read_bytes()[:50])
    assert main(["report", str(full)]) == 0
    found = capsys.readouterr()
    assert found.err.startswith("unetbench: dsb2018 on desk-8-cores: Test images: This plot could not be drawn: ")
    assert "index.html" in found.out


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


def _deployed(full, make, deploy, machine="desk-8-cores"):
    """Every trial that is done on Keras, ONNX and a file that failed."""
    for file in sorted(full.glob("records/*/*.json")):
        record = Record.from_json(file.read_text("utf-8"))
        if record.status == "done":
            counts = make.counts({f"c{k}": 0.8 for k in range(8)})
            scored = {"scores": counts, "validation_scores": counts}
            failed = {**make.row("onnx_cuda"), "samples_s": [], "status": "failed", "problem": "no <kernel> here"}
            deploy(full, record.trial, [make.row(**scored), make.row("onnx", 5.0, **scored), failed], machine)
    return full


def test_deployments_have_a_table_a_front_and_a_recommendation_each(full, make, deploy):
    report = write_reports(_deployed(full, make, deploy))[0]
    files = {file.name: file for file in report.files}
    stem = "dsb2018-runtimes-batch-1-32-32"
    assert {f"{stem}.{kind}" for kind in ("md", "tex", "csv")} <= set(files)
    assert {f"{stem}-front.png", f"{stem}-front.pdf"} <= set(files)
    (line,) = report.recommended
    assert line.startswith("dsb2018 on desk-8-cores: batch 1, 32×32, 8 threads: ")
    assert "onnx: validation Dice 0.800" in line
    page = files["index.html"].read_text("utf-8")
    assert "Recommended on desk-8-cores: batch 1, 32×32, 8 threads: " in page
    assert "onnx_cuda: failed: no &lt;kernel&gt; here (8 trials)" in page
    assert "<kernel>" not in page
    anchors, links = set(re.findall(r'id="([^"]+)"', page)), set(re.findall(r'href="#([^"]+)"', page))
    assert "section-0" in links
    assert links <= anchors
    assert page.count("data:image/png;base64,") == 7
    text = files[f"{stem}.md"].read_text("utf-8")
    assert f"]({stem}-front.png)" in text
    assert "no \\<kernel> here" in text


def test_a_report_without_deployments_recommends_nothing(full):
    report = write_reports(full)[0]
    assert report.recommended == ()
    assert not any("runtimes" in file.name for file in report.files)


def test_two_machines_share_a_table_of_runtimes_and_have_a_recommendation_each(full, make, deploy):
    _deployed(full, make, deploy)
    report = write_reports(_deployed(full, make, deploy, "laptop"))[0]
    assert [line.split(":")[0] for line in report.recommended] == ["dsb2018 on desk-8-cores", "dsb2018 on laptop"]
    assert sum(file.name.endswith("-front.png") for file in report.files) == 1
