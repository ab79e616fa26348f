"""A sweep over backends and devices: each backend trains in a worker of its own, and what is missing costs no other."""

import pandas as pd
import pytest

from unetbench.benchmark.records.store import records
from unetbench.benchmark.trial.places import lacking


@pytest.fixture(scope="module")
def finished(tmp_path_factory, command, write_sweep):
    folder = tmp_path_factory.mktemp("hardware")
    axes = {"backends": ["tensorflow", "jax", "torch"], "devices": ["cpu", "gpu:0"]}
    recipe = {"patch": [64, 64], "batch": 4, "epochs": 1, "steps": 4}
    small = [{"name": "unet", "width": 4, "depth": 1}]
    sweep = write_sweep(folder, "axes", models=small, previews=0, recipe=recipe, **axes)
    process = command("run", sweep, "--results", folder, timeout=600)
    return process, {(r.trial.backend, r.trial.device): r for r in records(folder / "axes")}, folder / "axes"


def test_what_is_here_is_done_and_what_is_missing_says_why(finished):
    process, found, _ = finished
    assert len(found) == 6
    for record in found.values():
        reason = lacking(record.trial, (0,))
        assert (record.status, record.reason) == (("failed", reason) if reason else ("done", "")), process.stderr
    assert ("tensorflow", "cpu") in [key for key, record in found.items() if record.status == "done"]
    assert process.returncode == (1 if any(record.status == "failed" for record in found.values()) else 0)
    for reason in {record.reason for record in found.values() if record.reason}:
        assert f"unetbench: {reason} (" in process.stderr  # once, however many trials it costs


def test_each_backend_ran_where_it_was_asked_to(finished):
    done = [record for record in finished[1].values() if record.status == "done"]
    for record in done:
        assert record.versions["backend"] == record.trial.backend
        assert record.training["device"] == record.trial.device
        assert record.latency[0]["device"] == record.training["device_name"]


def test_a_record_has_the_steps_of_its_training_and_its_memory(finished):
    for record in finished[1].values():
        if record.status == "done":
            training = record.training
            assert training["batch"] == 4
            assert len(training["steps_s"]) == 3
            assert min(training["steps_s"]) > 0
            assert training["first_step_s"] > 0
            assert 1e7 < training["host_peak_bytes"] <= record.timing["peak_bytes"]
            assert ("device_peak_bytes" in training) == (record.trial.device == "gpu")


def test_backends_are_configurations_apart_in_the_tables(finished):
    done = {key for key, record in finished[1].items() if record.status == "done"}
    table = pd.read_csv(finished[2] / "report" / "cells.csv")
    assert len(table) == 6
    assert set(table["seeds"][table["done"] == 1]) == {1}
    training = pd.read_csv(finished[2] / "report" / "cells-training.csv").dropna(subset="step_s")
    assert set(training["backend"]) == {backend for backend, _ in done}
    assert (training["images_per_s"] * training["step_s"]).round(6).tolist() == [4.0] * len(done)
