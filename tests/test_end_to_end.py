"""The main job as a newcomer runs it, small: from a sweep file to tables and plots, on TensorFlow and on JAX alone."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest
import yaml

SWEEP = {
    "name": "small",
    "datasets": [
        {"name": "cells", "count": 12, "size": [64, 64], "recipe": {"patch": [64, 64]}},
        {"name": "cells", "form": "nucleus_cytoplasm", "count": 12, "size": [64, 64], "recipe": {"patch": [64, 64]}},
        {"name": "cells", "form": "volume", "count": 12, "size": [16, 32, 32], "recipe": {"patch": [16, 32, 32]}},
    ],
    "models": [{"name": "unet", "width": 4, "depth": 2}],
    "losses": ["bce_dice"],
    "recipe": {"epochs": 1, "batch": 2},
    "latency": {"samples": 3, "peaks": False},
    "previews": 2,
    "weights": True,
}
CALL = [sys.executable, "-c", "import sys; from unetbench.benchmark.cli import main; sys.exit(main())"]


def _run(folder, sweep, **environment):
    file = folder / "small.yaml"
    file.write_text(yaml.safe_dump(sweep))
    words = [*CALL, "run", str(file), "--results", str(folder / "results")]
    return subprocess.run(
        words,
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "COLUMNS": "80", **environment},
        check=False,
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("end_to_end")
    return folder / "results" / "small", _run(folder, SWEEP)


def test_every_trial_is_done_and_the_tables_are_printed(finished):
    folder, process = finished
    assert process.returncode == 0, process.stderr
    records = [json.loads(file.read_text()) for file in folder.glob("records/*/*.json")]
    assert [record["status"] for record in records] == ["done"] * 3
    assert process.stdout.count("Model: unet(depth=2, width=4)") == 1  # one line for all three tables
    shown = (
        "cells(size=[64, 64])",
        "cells(form=nucleus_cytoplasm, size=[64, 64])",
        "cells(form=volume, size=[16, 32, 32])",
    )
    assert all(f"\n{name} · " in process.stdout for name in shown)
    assert max(map(len, process.stdout.splitlines()[:-1])) <= 80  # but for the place of the page


def test_two_and_three_dimensions_and_three_classes_are_scored(finished):
    folder, _ = finished
    records = [json.loads(file.read_text()) for file in folder.glob("records/*/*.json")]
    found = {(record["task"]["rank"], tuple(sorted({row["class"] for row in record["scores"]}))) for record in records}
    assert found == {(2, ("nucleus",)), (2, ("cytoplasm", "nucleus")), (3, ("nucleus",))}


def test_a_record_can_be_traced_to_code_data_and_machine(finished):
    record = json.loads(next(finished[0].glob("records/*/*.json")).read_text())
    assert record["versions"]["keras"]
    assert record["machine"]["cores"] >= 1
    assert len(record["trial"]["split"]["digest"]) == 64
    assert record["data"]["licence"]
    assert record["model"]["macs"] > 0
    assert len(record["latency"][0]["samples_s"]) == 3


def test_the_report_has_tables_plots_and_one_page(finished):
    report = finished[0] / "report"
    suffixes = {file.suffix for file in report.iterdir()}
    assert {".md", ".csv", ".tex", ".png", ".html"} <= suffixes
    assert "data:image/png;base64" in (report / "index.html").read_text()


def test_the_weights_that_were_asked_for_are_there(finished):
    assert len(list(finished[0].glob("weights/*/*.keras"))) == 3


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="jax is not installed: pip install -e '.[jax]'")
@pytest.mark.parametrize("datasets", [SWEEP["datasets"][2:], pytest.param(SWEEP["datasets"], marks=pytest.mark.slow)])
def test_a_machine_with_jax_and_no_tensorflow_trains_scores_times_and_reports(tmp_path, datasets):
    blocked, asked = tmp_path / "blocked" / "tensorflow", tmp_path / "asked.txt"
    blocked.mkdir(parents=True)
    (blocked / "__init__.py").write_text(
        "import traceback\n"
        "passed_on = ('importlib', 'tensorflow')\n"
        "asking = [f.filename for f in traceback.extract_stack() if not any(w in f.filename for w in passed_on)]\n"
        f"open({str(asked)!r}, 'a').write(asking[-1] + '\\n')\n"
        "raise ImportError('this machine has no TensorFlow')\n"
    )
    path = os.pathsep.join([str(blocked.parent), os.environ.get("PYTHONPATH", "")])
    process = _run(tmp_path, {**SWEEP, "datasets": datasets}, KERAS_BACKEND="jax", PYTHONPATH=path)
    assert process.returncode == 0, process.stderr
    asking = asked.read_text().splitlines() if asked.exists() else []  # Keras tries whether it is there, to seed it
    assert not [file for file in asking if f"{os.sep}keras{os.sep}src{os.sep}" not in file]
    folder = tmp_path / "results" / "small"
    records = [json.loads(file.read_text()) for file in folder.glob("records/*/*.json")]
    assert [record["status"] for record in records] == ["done"] * len(datasets)
    for record in records:
        assert record["versions"]["backend"] == record["trial"]["backend"] == "jax"
        assert record["scores"]
        assert len(record["latency"][0]["samples_s"]) == 3
        assert record["training"]["steps_s"]  # those after the first, which compiles
    assert len(list(folder.glob("weights/*/*.keras"))) == len(datasets)
    tables = [file.read_text() for file in (folder / "report").glob("*.md")]
    assert len(tables) == len(datasets)
    assert all("| jax " in table for table in tables)
