"""The command line says what there is, and answers bad input with one line."""

import json

import pytest
import yaml

from unetbench.benchmark.cli import COMMANDS, INTERRUPTED, main
from unetbench.benchmark.records.machine import machine


def _run(capsys, *words):
    status = main(words)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.mark.parametrize("registry", ["models", "losses", "datasets", "metrics", "runtimes", "pretrained", "sweeps"])
def test_every_registry_is_listed_with_a_line_for_each_part(capsys, registry):
    status, out, _ = _run(capsys, "list", registry, "--json")
    rows = json.loads(out)
    assert status == 0
    assert rows
    assert all(row["name"] and row["summary"].endswith((".", ")")) for row in rows if registry != "sweeps")
    assert _run(capsys, "list", registry)[0] == 0


def test_a_part_is_shown_with_its_formula_and_options(capsys):
    status, out, _ = _run(capsys, "show", "losses", "dice")
    assert status == 0
    assert "smooth = 1.0" in out
    assert "2 sum(p g)" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("show", "models", "unett"), "unetbench: model 'unett' is unknown; did you mean 'unet'"),
        (("run", "nowhere.yaml"), "unetbench: no file nowhere.yaml"),
        (("plan", "quick", "--set", "recipe.epoch=5"), "key 'epoch' is unknown; did you mean 'epochs'"),
        (("report", "/nowhere"), "unetbench: /nowhere: no sweep here"),
        (("list", "models", "--plugin", "nowhere.py"), "unetbench: plugin nowhere.py is not a Python file"),
    ],
)
def test_bad_input_is_one_line_and_status_2(capsys, words, message):
    status, _, err = _run(capsys, *words)
    assert status == 2
    assert message in err
    assert len(err.strip().split("\n")) == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("run", "quick"), "; every finished trial is kept: the same command goes on"),
        (
            ("export", "x.json", "--format", "onnx"),
            "; no export was written, and an earlier one in its place is as it was",
        ),
        (("predict", "x.json", "a.png", "--out", "o"), "; every finished image is kept: the same command goes on"),
        (("recommend", "results"), ""),
    ],
)
def test_an_interrupted_command_says_what_is_true_of_it(capsys, tmp_path, words, told):
    (tmp_path / "ctrl_c.py").write_text("raise KeyboardInterrupt\n")
    status, _, err = _run(capsys, *words, "--plugin", str(tmp_path / "ctrl_c.py"))
    assert (status, err) == (130, f"unetbench: interrupted{told}\n")


def test_what_is_said_of_interrupted_commands_is_said_of_commands_that_there_are():
    assert set(INTERRUPTED) <= {name for name, *_ in COMMANDS}


def test_a_results_folder_that_cannot_be_made_is_named(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    status, _, err = _run(capsys, "run", "quick", "--results", str(tmp_path / "file"))
    assert status == 2
    assert str(tmp_path / "file") in err
    assert "--results DIR" in err


def test_a_full_disk_is_told_before_anything_is_trained(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("unetbench.benchmark.records.store.NEEDED_BYTES", 2**80)
    status, _, err = _run(capsys, "run", "quick", "--results", str(tmp_path))
    assert status == 2
    assert "MiB free" in err


def test_the_plan_shows_sizes_and_what_is_unfit(capsys, tmp_path):
    status, out, _ = _run(
        capsys, "plan", "quick", "--results", str(tmp_path), "--set", "datasets.0.recipe.patch=[100,100]", "--json"
    )
    plan = json.loads(out)
    assert status == 0
    assert (plan["trials"], plan["settled"]) == (12, 0)
    unfit = [graph for graph in plan["graphs"] if graph["unfit"]]
    assert len(unfit) == 4
    assert "multiples of" in unfit[0]["unfit"]
    assert min(graph["parameters"] for graph in plan["graphs"] if not graph["unfit"]) > 50_000
    assert {graph["training_bytes"] is None for graph in plan["graphs"] if graph["unfit"]} == {True}
    assert {graph["training_bytes"] > 0 for graph in plan["graphs"] if not graph["unfit"]} == {True}


FAULTY = """
import keras

from unetbench.core.errors import Unfit
from unetbench.models import MODELS


@MODELS.add
def broken_in_plan(task):
    \"\"\"Fail to be built (a test's).\"\"\"
    raise KeyError("no such layer")


@MODELS.add
def solid_in_plan(task):
    \"\"\"Ask for volumes (a test's).\"\"\"
    raise Unfit("solid_in_plan needs rank 3, came rank 2")


@MODELS.add
def sound_in_plan(task):
    \"\"\"One convolution (a test's).\"\"\"
    image = keras.Input((None, None, task.channels))
    return keras.Model(image, keras.layers.Conv2D(task.outputs, 3, padding="same")(image))
"""


def test_the_plan_tells_what_would_fail_from_what_is_unfit(capsys, tmp_path):
    (tmp_path / "parts.py").write_text(FAULTY)
    (tmp_path / "mine.yaml").write_text(
        "datasets: [{name: cells, count: 12, size: [64, 64]}, {folder: nowhere, images: '*.png', masks: '*.tif'}]\n"
        "models: [sound_in_plan, solid_in_plan, broken_in_plan]\nlosses: [bce]\nrecipe: {patch: [64, 64]}\n"
    )
    words = ["plan", str(tmp_path / "mine.yaml"), "--plugin", str(tmp_path / "parts.py"), "--results", str(tmp_path)]
    status, out, _ = _run(capsys, *words, "--json")
    graphs = json.loads(out)["graphs"]
    missing = f"folder: {tmp_path / 'nowhere'} is no folder; check `path`"
    assert status == 0
    assert [(graph["unfit"], graph["failed"]) for graph in graphs] == [
        ("", ""),
        ("solid_in_plan needs rank 3, came rank 2", ""),
        ("", "model broken_in_plan: KeyError: 'no such layer'"),
        *[("", missing)] * 3,
    ]
    _, out, _ = _run(capsys, *words)
    lines = [line.split(maxsplit=5)[4:] for line in out.replace(", ", ",").split("\n")[2:7]]
    assert lines == [
        ["unfit:", "solid_in_plan needs rank 3,came rank 2"],
        ["failed:", "model broken_in_plan: KeyError: 'no such layer'"],
        *[["failed:", missing]] * 3,
    ]
    _, out, _ = _run(capsys, *words, "--set", "datasets=[{name: cells, count: 12}]", "--set", "models=[sound_in_plan]")
    assert "\n1 trial, 0 settled already; " in out


def test_data_check_counts_the_cases_and_names_what_is_worth_a_look(capsys):
    status, out, _ = _run(capsys, "data", "check", "quick")
    assert out.count("80 cases (40 train, 8 validation, 32 test)") == 3
    assert status == 1
    findings = [line.removeprefix("  findings").strip() for line in out.split("\n") if "the mask is empty" in line]
    assert findings == ["volume_00002: the mask is empty", "volume_00031: the mask is empty"]
    assert out.count("  findings     none") == 2


@pytest.mark.parametrize("name", ["x/y", "..", "two words", "a" * 61])
def test_a_machine_name_that_no_folder_can_have_is_refused_before_training(capsys, tmp_path, monkeypatch, name):
    monkeypatch.setenv("UNETBENCH_MACHINE", name)
    machine.cache_clear()
    try:
        status, _, err = _run(capsys, "run", "quick", "--results", str(tmp_path))
    finally:
        machine.cache_clear()
    assert status == 2
    assert err.startswith(f"unetbench: UNETBENCH_MACHINE: {name!r} is to name a folder; use letters")
    assert len(err.strip().split("\n")) == 1


def test_a_data_set_that_raises_an_error_of_its_own_hides_no_other(capsys, tmp_path):
    cells = [{"name": "cells", "count": 12, "size": 64}, {"name": "cells", "count": 12, "size": [64, 64]}]
    sweep = tmp_path / "own.yaml"
    sweep.write_text(yaml.safe_dump({"datasets": cells, "models": ["unet_light"], "losses": ["dice"]}))
    status, out, _ = _run(capsys, "plan", str(sweep), "--results", str(tmp_path))
    assert status == 0
    assert "failed:" in out
    assert "TypeError" in out
    assert "unet_light" in out
    status, out, _ = _run(capsys, "data", "check", str(sweep), "--results", str(tmp_path))
    assert status == 1
    assert "cannot be listed: TypeError" in out
    assert "12 cases (" in out
