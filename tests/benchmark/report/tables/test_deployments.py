from unetbench.benchmark.report.deployments import judged
from unetbench.benchmark.report.tables.deployments import deployments_grid, deployments_notes

CASES = [f"c{k}" for k in range(8)]


def level(dice):
    return dict.fromkeys(CASES, dice)


def found(make):
    counts = make.counts(level(0.8))
    low = make.counts(level(0.7))
    rows = [
        make.row(scores=counts, validation_scores=counts),
        make.row("onnx", 5.0, scores=counts, validation_scores=counts, load_s=0.05),
        make.row(
            "litert_int8",
            2.0,
            precision="int8",
            difference=0.3,
            scores=low,
            validation_scores=low,
            session={"convolutions": {"float32": 18}},
        ),
        make.row("keras_predict", 30.0, steady=False, backend="tensorflow"),
        {**make.row("onnx_cuda"), "samples_s": [], "status": "unavailable", "problem": "no CUDA here"},
    ]
    return judged("id", "desk", rows)


def cells(grid, runtime):
    (row,) = (row for row in grid.cells if row[0] == runtime)
    return dict(zip(grid.headers, row, strict=True))


def test_the_fastest_stands_first_and_what_was_not_timed_last(make):
    grid = deployments_grid("unet", found(make))
    assert [row[0] for row in grid.cells] == ["litert_int8", "onnx", "keras", "keras_predict", "onnx_cuda"]


def test_a_row_holds_what_was_measured_by_hand(make):
    row = cells(deployments_grid("unet", found(make)), "onnx")
    # Calls of 4, 4.5, 5, 5.5, 6 ms: median 5, p95 at place 3.8: 5.9, p99 at 3.96: 5.98; 1 / 0.005 s; 5 of 10 ms.
    assert (row["Median [ms]"], row["p95 [ms]"], row["p99 [ms]"]) == ("5.00", "5.90", "5.98")
    assert (row["Images/s"], row["× Keras"]) == ("200.0", "0.50")
    assert (row["First call [ms]"], row["File [MB]"], row["Peak [MiB]"]) == ("100", "2.00", "100")
    assert (row["Dice"], row["Dice lost"], row["Agreement"]) == ("0.800", "+0.0000", "exact")


def test_a_file_that_loses_dice_and_is_not_int8_says_both(make):
    row = cells(deployments_grid("unet", found(make)), "litert_int8")
    assert (row["Dice lost"], row["Agreement"]) == ("+0.1000", "loses Dice")
    assert row["Precision"] == "float32, not int8"


def test_what_is_missing_is_a_dash_and_its_reason_a_note(make):
    row = cells(deployments_grid("unet", found(make)), "onnx_cuda")
    assert (row["Median [ms]"], row["Dice"], row["Agreement"]) == ("–", "–", "unavailable")
    notes = deployments_notes(found(make))
    assert "onnx_cuda: no CUDA here" in notes
    assert "slower than Keras float32: keras_predict" in notes
    assert "not steady after the warm-up: keras_predict" in notes
    assert not any("noisy" in note for note in notes)


def test_a_noisy_machine_is_told_with_its_spread(make):
    # (30 - 20) / 25 = 40 %
    notes = deployments_notes(judged("id", "desk", [make.row(reference_s=[0.020, 0.025, 0.030])]))
    assert any("differed by up to 40% of its median" in note for note in notes)


def test_the_worst_layers_of_a_quantised_file_are_a_note(make):
    errors = [{"layer": "conv2d_9", "error": 0.12}, {"layer": "conv2d_3", "error": 0.05}]
    rows = [
        make.row(),
        make.row("litert_int8", 2.0, precision="int8", layer_errors=errors),
        make.row("onnx_int8", 3.0, precision="int8", layer_errors_problem="the process was killed by SIGABRT"),
    ]
    notes = deployments_notes(judged("id", "desk", rows))
    worst = "conv2d_9 12 % (18.4 dB), conv2d_3 5 % (26.0 dB)"
    assert f"litert_int8: layers with the largest errors against float32: {worst}" in notes
    assert "onnx_int8: its layers were not compared: the process was killed by SIGABRT" in notes


def test_energy_is_a_column_only_where_the_machine_tells(make):
    assert "Energy a call [J]" not in deployments_grid("unet", found(make)).headers
    rows = [make.row(), make.row("onnx", 5.0, energy_j=[0.2, 0.3, 0.4])]
    grid = deployments_grid("unet", judged("id", "desk", rows))
    assert cells(grid, "onnx")["Energy a call [J]"] == "0.3"  # the mean of the rounds
    assert cells(grid, "keras")["Energy a call [J]"] == "–"
