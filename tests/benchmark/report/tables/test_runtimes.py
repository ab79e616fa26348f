"""The table of a group: seeds pooled, machines named, every failure a row and a reason."""

import math

import pytest

from unetbench.benchmark.report.frame import frames
from unetbench.benchmark.report.tables.deployed import groups
from unetbench.benchmark.report.tables.runtime_notes import runtime_remarks
from unetbench.benchmark.report.tables.runtimes import runtime_rows, runtimes_frame, runtimes_grid

CASES = [f"c{k}" for k in range(8)]


@pytest.fixture
def group(sweep, make, deploy):
    """Build a group of two seeds, with the rows that a function of the seed gives, on a machine or several."""

    def build(rows, machines=("desk-8-cores",), seeds=2):
        trials = [make.trial(seed=seed) for seed in range(seeds)]
        folder = sweep(*(make.record(trial, [make.score(case, 0.8) for case in CASES]) for trial in trials))
        for machine in machines:
            for trial in trials:
                deploy(folder, trial, rows(trial.seed), machine)
        (found,) = groups(frames(folder, "nan_worst"))[0]
        return found

    return build


@pytest.fixture
def scored(make):
    def build(runtime, dice, ms, **fields):
        counts = make.counts(dict.fromkeys(CASES, dice))
        return make.row(runtime, ms, **{"scores": counts, "validation_scores": counts, **fields})

    return build


def test_seeds_are_one_row_with_means_of_dice_and_pooled_calls(group, scored):
    found = group(lambda seed: [scored("keras", 0.8 + 0.1 * seed, 10), scored("onnx", 0.79 + 0.1 * seed, 4 + 2 * seed)])
    onnx, keras = runtime_rows(found)
    assert (onnx.first.deployment.runtime, len(onnx.rows)) == ("onnx", 2)
    assert keras.dice is not None
    assert keras.dice.mean == pytest.approx(0.85)
    assert onnx.lost is not None
    assert onnx.lost.mean == pytest.approx(0.01)
    # Calls of 3.2, 3.6, 4.0, 4.4, 4.8 and 4.8, 5.4, 6.0, 6.6, 7.2 ms: the middle ones are 4.8 and 4.8.
    assert onnx.latency_s(50) == pytest.approx(0.0048)
    assert onnx.times_baseline == pytest.approx((0.4 + 0.6) / 2)
    assert keras.lost is None  # the baseline loses nothing to itself


def test_verdicts_of_seeds_that_differ_are_counted(group, scored):
    found = group(
        lambda seed: [
            scored("keras", 0.8, 10),
            scored("litert_int8", 0.8 - 0.1 * seed, 2, precision="int8", difference=0.1),
        ]
    )
    grid = runtimes_grid(found)
    row = next(dict(zip(grid.headers, cells, strict=True)) for cells in grid.cells if "litert_int8" in cells)
    assert row["Agreement"] == "1 within margin, 1 loses Dice"
    assert not runtime_rows(found)[0].agrees


def test_machines_stand_in_one_table_each_named_and_in_its_own_order(group, scored):
    found = group(lambda _: [scored("keras", 0.8, 10), scored("onnx", 0.8, 5)], ("laptop", "desk-8-cores"), seeds=1)
    grid = runtimes_grid(found)
    assert grid.headers[:4] == ("Machine", "Model", "Loss", "Runtime")
    assert [(row[0], row[3]) for row in grid.cells] == [
        ("desk-8-cores", "onnx"),
        ("desk-8-cores", "keras"),
        ("laptop", "onnx"),
        ("laptop", "keras"),
    ]
    assert {note.split(":")[0] for note in runtime_remarks(found)} >= {"laptop", "desk-8-cores"}


def test_the_recommended_rows_are_bold(group, scored):
    found = group(lambda _: [scored("keras", 0.8, 10), scored("onnx", 0.8, 5)])
    chosen = next(row for row in found.rows if row.deployment.runtime == "onnx")
    assert runtimes_grid(found, [chosen]).bold == frozenset({0})
    assert runtimes_grid(found).headers[:3] == ("Model", "Loss", "Runtime")  # of one machine, the caption names it


def test_what_failed_is_a_row_with_its_reason_below(group, scored, make):
    failed = {**make.row("onnx_cuda"), "samples_s": [], "status": "failed", "problem": "out of memory at batch 1"}
    for name in ("precision", "difference", "file_bytes", "peak_bytes"):
        del failed[name]
    found = group(lambda _: [scored("keras", 0.8, 10), failed])
    grid = runtimes_grid(found)
    assert dict(zip(grid.headers, grid.cells[-1], strict=True))["Agreement"] == "failed"
    assert "onnx_cuda: failed: out of memory at batch 1 (2 trials)" in runtime_remarks(found)
    frame = runtimes_frame(found)
    assert list(frame["problem"]) == ["", "out of memory at batch 1"]
    assert math.isnan(frame["latency_p50_s"][1])


def test_notes_say_what_is_slower_noisy_unsteady_and_not_int8(group, scored):
    found = group(
        lambda _: [
            scored("keras", 0.8, 10, reference_s=[0.02, 0.03]),
            scored("openvino", 0.8, 4),
            scored(
                "openvino_int8",
                0.8,
                5,
                precision="int8",
                difference=0.1,
                convolutions=18,
                quantised_convolutions=11,
                session={"kernels": {"u8": 18}},
            ),
            scored("onnx", 0.8, 20, steady=False),
        ],
        seeds=1,
    )
    notes = runtime_remarks(found)
    assert "slower than Keras float32: unet · bce · onnx (× 2.00)" in notes
    assert "slower than the same runtime in float32: unet · bce · openvino_int8 (× 1.25)" in notes
    assert "not steady after the warm-up: unet · bce · onnx" in notes
    assert any("openvino_int8 (int8 in 11 of 18 convolutions)" in note for note in notes)
    # (30 - 20) / 25 = 40 %
    assert any(note.startswith("desk-8-cores was noisy") and "40%" in note for note in notes)


def test_the_frame_holds_base_units_and_the_records(group, scored):
    frame = runtimes_frame(group(lambda _: [scored("keras", 0.8, 10)]))
    (row,) = frame.to_dict("records")
    assert (row["latency_p50_s"], row["file_bytes"], row["batch"], row["size"]) == (
        pytest.approx(0.010),
        2e6,
        1,
        "32x32",
    )
    assert row["test_dice"] == pytest.approx(0.8)
    assert (row["chosen_on"], row["agrees"], row["seeds"]) == ("validation", True, 2)
    assert len(row["records"].split()) == 2


def test_the_worst_layer_over_the_seeds_is_named_the_worst_file_first(group, scored):
    def rows(seed):
        errors = [{"layer": f"conv2d_{seed}", "error": 0.1 + 0.4 * seed}, {"layer": "conv2d_7", "error": 0.05}]
        problem = {"layer_errors_problem": "no tensors"} if seed else {}
        return [
            scored("keras", 0.8, 10),
            scored("onnx_int8", 0.8, 4, precision="int8", layer_errors=errors[1:], **problem),
            scored("litert_int8", 0.8, 4, precision="int8", layer_errors=errors),
        ]

    notes = runtime_remarks(group(rows))
    worst = "unet · bce · litert_int8: conv2d_1 50 % (6.0 dB), unet · bce · onnx_int8: conv2d_7 5 % (26.0 dB)"
    assert f"largest error of a layer against float32: {worst}" in notes
    assert "unet · bce · onnx_int8: its layers were not compared: no tensors" in notes


def test_energy_is_a_column_of_the_table_only_where_a_machine_tells(group, scored):
    silent = group(lambda seed: [scored("keras", 0.8, 10)])
    assert "Energy a call [J]" not in runtimes_grid(silent).headers
    assert runtimes_frame(silent)["energy_j"].isna().all()


def test_energy_is_the_mean_over_rounds_and_seeds(group, scored):
    told = group(lambda seed: [scored("keras", 0.8, 10, energy_j=[0.2 + seed, 0.4 + seed]), scored("onnx", 0.8, 4)])
    grid = runtimes_grid(told)
    place = grid.headers.index("Energy a call [J]")
    # Seeds of 0.3 and 1.3 J.
    assert {row[grid.headers.index("Runtime")]: row[place] for row in grid.cells} == {"keras": "0.800", "onnx": "–"}
    assert runtimes_frame(told).set_index("runtime")["energy_j"]["keras"] == pytest.approx(0.8)
