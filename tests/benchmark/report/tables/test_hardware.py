"""What training took, and how near a model comes to its machine's peak, with numbers that are counted by hand."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from unetbench.benchmark.report.frame import frames
from unetbench.benchmark.report.plots.roofline import roofline
from unetbench.benchmark.report.tables.hardware import hardware_frames, hardware_grids
from unetbench.benchmark.report.tables.notes import facts
from unetbench.benchmark.report.tables.roofline import points, roofline_remarks
from unetbench.benchmark.report.tables.summary import comparison_tables
from unetbench.benchmark.report.write import write_report

TRAINING = {"device": "cpu", "device_name": "A CPU", "batch": 8, "first_step_s": 3.0, "host_peak_bytes": 2e9}
READINGS = [
    {"what": "conv2d", "operations": 100e9, "samples_s": [1.0, 1.25]},
    {"what": "matmul", "operations": 120e9, "samples_s": [1.0]},
    {"what": "copy", "bytes": 10e9, "samples_s": [1.0]},
]


@pytest.fixture
def written(sweep, make):
    """`unet` on two backends and in bfloat16, one seed each, with training, what it moves, and the machine's peaks."""

    def record(model, steps_s, moved, **fields):
        trial = make.trial(model)
        trial = replace(
            trial,
            backend=fields.get("backend", "tensorflow"),
            recipe=replace(trial.recipe, precision=fields.get("precision", "float32")),
        )
        made = make.record(trial, [make.score(case, 0.8) for case in "ab"], training={**TRAINING, "steps_s": steps_s})
        cost = {**made.model, "total": 1000, "macs": 1_000_000_000, "moved_activations": moved}
        latency = [{**made.latency[0], "samples_s": [0.1, 0.2, 0.1]}]
        return replace(made, model=cost, latency=latency, versions={**made.versions, "backend": trial.backend})

    folder = sweep(
        record("unet", [0.4, 0.2, 0.3], 9_999_000),
        record("vnet", [0.5], 99_999_000),
        record("unet", [0.1], 9_999_000, backend="jax"),
        record("unet", [0.2], 9_999_000, precision="mixed_bfloat16"),
    )
    about = {"backend": "tensorflow", "device": "cpu", "precision": "float32", "measured": "2026-01-01"}
    file = folder / "machines" / "desk" / "tensorflow-cpu-float32.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({**about, "machine": {}, "versions": {}, "readings": READINGS}))
    return folder


@pytest.fixture
def read(written):
    found = frames(written, "nan_worst")
    (table,) = comparison_tables(found)  # precision tells rows apart, not tables
    return found, table


def test_backends_and_precisions_are_rows_and_no_seeds_of_one_another(read):
    _, table = read
    assert {row.model for row in table.rows} == {
        "unet [tensorflow, float32]",
        "vnet [tensorflow, float32]",
        "unet [jax, float32]",
        "unet [tensorflow, mixed_bfloat16]",
    }
    assert {row.seeds for row in table.rows} == {1}
    told = dict(facts(table))
    assert "precision" not in told["Recipe"]
    assert told["Hardware"] == "backend tensorflow or jax; device cpu; precision float32 or mixed_bfloat16"


def test_step_time_is_the_median_and_images_a_second_the_batch_over_it(read):
    found, table = read
    frame = hardware_frames(table, found)["training"].set_index("model")
    row = frame.loc["unet [tensorflow, float32]"]
    assert row["step_s"] == 0.3
    assert row["images_per_s"] == pytest.approx(8 / 0.3)
    assert (row["backend"], row["device"], row["precision"]) == ("tensorflow", "A CPU", "float32")
    (grid,) = (grid for title, grid, _ in hardware_grids(table, found) if title == "Training")
    assert {"Step, median [ms]", "Images a second", "First step [s]", "Peak memory of the process [GB]"} <= set(
        grid.headers
    )
    assert not [header for header in grid.headers if "GPU" in header]  # nobody has one


def test_the_roof_is_the_smaller_of_peak_and_intensity_times_bandwidth(read):
    found, table = read
    by_model = {point.model: point for point in points(table, found)}
    assert len(by_model) == 2  # of the others' backend and precision no peaks were measured
    unet, vnet = by_model["unet [tensorflow, float32]"], by_model["vnet [tensorflow, float32]"]
    # 2 GFLOP over 4 bytes × (9,999,000 + 1,000) numbers; the peak is 100 GFLOP/s, the bandwidth 10 GB/s
    assert unet.intensity == pytest.approx(2e9 / 40e6)
    assert (unet.attainable, unet.bound) == (100e9, "compute")
    assert unet.achieved == pytest.approx(2e9 / 0.1)
    assert vnet.intensity == pytest.approx(5.0)
    assert (vnet.attainable, vnet.bound) == (pytest.approx(50e9), "memory")
    lines = roofline_remarks(list(by_model.values()))
    assert lines[0].startswith("Bound by memory: vnet [tensorflow, float32]. Bound by computing: unet")
    assert "convolution 100 GFLOP/s, matrix product 120 GFLOP/s, copy 10.0 GB/s" in lines[1]


def test_a_point_above_its_roof_is_told(read):
    found, table = read
    point = replace(points(table, found)[0], latency_s=0.001)
    assert "Above its roof: " in roofline_remarks([point])[-1]


def test_a_runtime_that_ran_from_a_file_is_a_point_of_its_own(written):
    key = next(file for file in sorted(written.glob("records/*/*.json")) if '"vnet"' in file.read_text())
    row = {"runtime": "litert_int8", "status": "done", "batch": 1, "size": [32, 32], "threads": 2, "precision": "int8"}
    rows = [{**row, "samples_s": [0.05]}, {**row, "runtime": "openvino", "status": "failed"}]
    fields = {"trial": key.stem, "label": "", "measured": "", "machine": {}, "versions": {}, "rows": rows, "schema": 1}
    file = written / "deployments" / key.parent.name / key.name
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(fields))
    found = frames(written, "nan_worst")
    (table,) = comparison_tables(found)
    (point,) = (point for point in points(table, found) if point.runtime == "litert_int8")
    assert point.intensity == pytest.approx(2e9 / 100e6)  # a byte a number
    assert point.achieved == pytest.approx(40e9)


def test_the_plot_has_a_point_a_model_below_one_roof(read):
    found, table = read
    (axes,) = roofline(points(table, found)).axes
    roof, *drawn = axes.lines
    assert max(roof.get_ydata()) == pytest.approx(100)  # GFLOP/s
    assert [float(line.get_ydata()[0]) for line in drawn] == pytest.approx([20.0, 20.0])
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert roofline([]) is None


def test_the_report_has_both_tables_in_every_form(written):
    names = {file.name for file in write_report(written)}
    for ending in ("training.tex", "training.csv", "roofline.tex", "roofline.csv", "roofline.png"):
        assert f"dsb2018-{ending}" in names
    frame = pd.read_csv(written / "report" / "dsb2018-roofline.csv")
    assert frame["flop"].tolist() == [2e9, 2e9]
    text = (written / "report" / "dsb2018.md").read_text("utf-8")
    assert "## Training" in text
    assert "## Roofline" in text
    assert "<h3>Roofline</h3>" in (written / "report" / "index.html").read_text("utf-8")


def test_records_without_training_or_peaks_have_neither_table(sweep, make):
    found = frames(sweep(make.record(make.trial(), [make.score("a", 0.8)])), "nan_worst")
    (table,) = comparison_tables(found)
    assert hardware_grids(table, found) == []
    assert hardware_frames(table, found) == {}
