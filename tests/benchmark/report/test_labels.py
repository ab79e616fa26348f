"""The labels of the sweep as run are what tables, plots and file names show; changing them needs no new trial."""

import csv
import io

import pytest
import yaml

from unetbench.benchmark.report.frame import frames
from unetbench.benchmark.report.plots.curves import curves
from unetbench.benchmark.report.plots.distribution import distribution
from unetbench.benchmark.report.plots.heatmap import heatmap
from unetbench.benchmark.report.tables.notes import facts
from unetbench.benchmark.report.tables.summary import comparison_tables
from unetbench.benchmark.report.write import write_report
from unetbench.core.errors import SpecError, StoreError
from unetbench.core.recipe import Recipe
from unetbench.core.trial import Choice, Trial

DNA = {"classes": ["nucleus"], "images": "dna/*.png", "masks": "masks/*.png", "path": "/data/coelho"}
OURS = {"width": 8, "normalisation": "batch"}
THEIRS = {"width": 16, "normalisation": "batch"}
SWEEP = {
    "datasets": [{"folder": "/data/coelho", "label": "Coelho 2009", **{k: v for k, v in DNA.items() if k != "path"}}],
    "models": [{"name": "unet", **OURS, "label": "Ours"}, {"name": "unet", **THEIRS}],
    "losses": ["bce", {"name": "dice", "squared": True, "label": "soft Dice"}],
    "runtimes": [{"name": "keras", "label": "Keras"}],
}


@pytest.fixture
def folder(sweep, make):
    records = []
    for model in (OURS, THEIRS):
        for loss in (Choice("bce"), Choice("dice", {"squared": True})):
            trial = Trial(
                Choice("folder", DNA), {"digest": "ab"}, Choice("unet", model), loss, Recipe(patch=(32, 32)), 0
            )
            records.append(make.record(trial, [make.score("a", 0.9), make.score("b", 0.7)]))
    return sweep(*records, **SWEEP)


def test_tables_pages_and_file_names_show_labels(folder):
    files = {file.name: file for file in write_report(folder)}
    assert {"Coelho-2009.md", "Coelho-2009.tex", "Coelho-2009.csv", "Coelho-2009-cases.png"} <= set(files)
    for name in ("Coelho-2009.md", "Coelho-2009.tex", "index.html"):
        text = files[name].read_text("utf-8")
        for label in ("Coelho 2009", "Ours", "soft Dice"):
            assert label in text, (name, label)
    rows = list(csv.DictReader(io.StringIO(files["Coelho-2009.csv"].read_text("utf-8"))))
    assert {(row["data_set"], row["model"], row["loss"]) for row in rows} == {
        ("Coelho 2009", model, loss) for model in ("Ours", "unet(width=16)") for loss in ("bce", "soft Dice")
    }
    assert {row["model_options"] for row in rows} == {
        "unet(width=8, normalisation=batch)",
        "unet(width=16, normalisation=batch)",
    }
    assert "Ours · soft Dice · seed 0" in files["index.html"].read_text("utf-8")


def test_facts_say_what_labels_stand_for_and_what_all_rows_share(folder):
    (table,) = comparison_tables(frames(folder, "nan_worst"))
    found = dict(facts(table))
    assert found["All models"] == "normalisation=batch"
    assert "Ours is unet(width=8, normalisation=batch)" in found["Labels"]
    assert "Coelho 2009 is folder(" in found["Labels"]
    assert "soft Dice is dice(squared=true)" in found["Labels"]
    assert found["Latency"].startswith("Keras on cpu")


def test_plots_show_labels(folder):
    (table,) = comparison_tables(frames(folder, "nan_worst"))
    ticks = [text.get_text() for text in distribution(table).axes[0].get_yticklabels()]
    assert set(ticks) == {f"{m} · {loss}" for m in ("Ours", "unet(width=16)") for loss in ("bce", "soft Dice")}
    map_of = heatmap(table).axes[0]
    assert [text.get_text() for text in map_of.get_xticklabels()] == ["Ours", "unet(width=16)"]
    drawn = curves(table)
    assert drawn is not None
    assert [axes.get_ylabel() for axes in drawn.axes[::2]] == ["bce", "soft Dice"]


def test_another_label_needs_only_another_report(folder):
    write_report(folder)
    file = folder / "sweep.yaml"
    content = yaml.safe_load(file.read_text("utf-8"))
    content["datasets"][0]["label"] = "細胞核 1"
    file.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    assert "細胞核-1.md" in {written.name for written in write_report(folder)}


def test_without_a_label_a_folder_is_called_as_it_is(folder):
    file = folder / "sweep.yaml"
    file.write_text(file.read_text("utf-8").replace("  label: Coelho 2009\n", ""), "utf-8")
    names = {written.name for written in write_report(folder)}
    assert "coelho.md" in names
    assert (folder / "report" / "coelho.md").read_text("utf-8").startswith("# nuclei: coelho on ")


def test_a_label_that_was_changed_to_one_that_cannot_be_is_a_line_with_the_file(folder):
    file = folder / "sweep.yaml"
    file.write_text(file.read_text("utf-8").replace("Coelho 2009", "Coelho/2009"), "utf-8")
    with pytest.raises(SpecError, match=r"sweep\.yaml: datasets\[0\]\.label: 'Coelho/2009' holds '/'"):
        write_report(folder)


def test_a_damaged_sweep_file_is_named(folder):
    (folder / "sweep.yaml").write_text("a: [", "utf-8")
    with pytest.raises(StoreError, match=r"sweep\.yaml: cannot be read"):
        write_report(folder)


def test_one_model_is_called_without_its_options_which_are_said_once(sweep, make):
    trial = make.trial()
    trials = [
        Trial(trial.dataset, trial.split, Choice("unet", OURS), Choice(n), trial.recipe, 0) for n in ("bce", "dice")
    ]
    folder = sweep(*(make.record(trial, [make.score("a", 0.9)]) for trial in trials))
    (table,) = comparison_tables(frames(folder, "nan_worst"))
    assert {row.model for row in table.rows} == {"unet"}
    assert dict(facts(table))["Model"] == "unet(width=8, normalisation=batch)"
