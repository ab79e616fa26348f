"""Parts of the user's own are run once before anything is trained; one that fails later costs no trial."""

import json

import pytest

from unetbench.benchmark.records.store import records

PARTS = """
import keras
from pathlib import Path
from unetbench.losses import LOSSES
from unetbench.models import MODELS
from unetbench.runtimes import RUNTIMES

@MODELS.add
def mine(task, *, activation: str = "linear") -> keras.Model:
    "One convolution (a test's)."
    image = keras.Input((None, None, task.channels))
    return keras.Model(image, keras.layers.Conv2D(task.outputs, 3, padding="same", activation=activation)(image))

@LOSSES.add
def whole(truth, logits, task):
    "One number for the whole batch (a test's)."
    return keras.ops.mean(LOSSES["bce"](truth, logits, task))

@RUNTIMES.add
def once(model):
    "Runs on images of 24 pixels only (a test's)."
    def run(images):
        if images.shape[2] != 24:
            raise ValueError("24 pixels, please")
        return keras.ops.convert_to_numpy(model(images))
    return run
"""


METRIC = """
from unetbench.metrics import METRICS

@METRICS.add
def share(pair):
    "Share of the image that is foreground; not of large images (a test's)."
    if pair.truth.size > 1000:
        raise ValueError("image too large")
    return pair.truth.mean()
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory, command, write_sweep):
    folder = tmp_path_factory.mktemp("own")
    (folder / "parts.py").write_text(PARTS)
    (folder / "metric.py").write_text(METRIC)
    models = ["mine", {"name": "mine", "activation": "sigmoid"}]
    sweep = write_sweep(folder, "own", models=models, losses=["bce", "whole"], runtimes=["keras", "once"])
    words = (sweep, "--plugin", folder / "parts.py", "--plugin", folder / "metric.py", "--results", folder)
    process = command("run", *words)
    found = {(r.trial.model.label, r.trial.loss.name): r for r in records(folder / "own")}
    return process, found, command, words


def test_trials_of_a_part_that_does_not_do_what_it_must_are_told_without_training(ran):
    process, found, _, _ = ran
    assert process.returncode == 1
    reasons = {key: record.reason for key, record in found.items() if record.status == "failed"}
    assert set(reasons) == {
        ("mine", "whole"),
        ("mine(activation=sigmoid)", "bce"),
        ("mine(activation=sigmoid)", "whole"),
    }
    assert reasons["mine", "whole"].startswith("loss whole: gives ")
    assert "one value a case is possible" in reasons["mine", "whole"]
    assert "probabilities; return logits" in reasons["mine(activation=sigmoid)", "bce"]
    assert not any(record.history for record in found.values() if record.status == "failed")


def test_plan_tells_the_same_before_anything_runs(ran):
    _, _, command, words = ran
    process = command("plan", *words, "--json")
    assert process.returncode == 0, process.stderr
    told = {(row["trial"], row["failed"]) for row in json.loads(process.stdout)["graphs"]}
    assert len([reason for _, reason in told if "probabilities" in reason or "one value a case" in reason]) == 3
    assert len([reason for _, reason in told if not reason]) == 1


def test_a_metric_that_fails_at_evaluation_is_undefined_and_noted(ran):
    record = ran[1]["mine", "bce"]
    assert record.status == "done", record.reason
    assert {row["share"] for row in record.scores} == {None}
    assert all(row["dice"] is not None for row in record.scores)
    count = len(record.scores)
    noted = f"metric share failed on {count} of {count} test cases and classes, which are undefined: ValueError: image"
    assert any(note.startswith(noted) for note in record.data["notes"])


def test_a_runtime_that_fails_when_timed_is_noted_and_the_scores_are_kept(ran):
    record = ran[1]["mine", "bce"]
    assert [entry["runtime"] for entry in record.latency] == ["keras"]
    assert "latency of once not measured: ValueError: 24 pixels, please" in record.data["notes"]


def test_scores_of_a_metric_that_was_changed_since_are_told_as_missing(ran):
    _, _, command, words = ran
    folder = words[-1]
    (folder / "metric.py").write_text(METRIC.replace("> 1000", "> 10**9"))
    only = ("--set", "models=[mine]", "--set", "losses=[bce]", "--no-report")
    told = command("run", *words, *only).stderr
    assert "1 without scores of metric share as it is now" in told
    assert command("run", *words, *only, "--retrain-incomplete").returncode == 0
    (record,) = (record for record in records(folder / "own") if record.status == "done")
    assert all(0 < row["share"] < 1 for row in record.scores)
    assert "share" not in command("run", *words, *only).stderr


def test_a_metric_that_does_not_give_a_number_stops_the_run_before_it_begins(tmp_path, command, write_sweep):
    (tmp_path / "metric.py").write_text(METRIC.replace("pair.truth.mean()", "pair.truth"))
    sweep = write_sweep(tmp_path, "own", models=["unet_light"])
    for act in ("run", "plan"):
        process = command(act, sweep, "--plugin", tmp_path / "metric.py", "--results", tmp_path)
        assert process.returncode == 2
        assert "unetbench: metric share: TypeError: gives ndarray of shape" in process.stderr
    assert not list(records(tmp_path / "own"))
