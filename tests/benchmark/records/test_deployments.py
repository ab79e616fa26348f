import json
import math
from dataclasses import replace

import pytest

from unetbench.benchmark.records.deployments import SCHEMA, Deployments, deployments, find, put, read
from unetbench.benchmark.records.store import Store
from unetbench.core.errors import StoreError
from unetbench.core.recipe import Recipe
from unetbench.core.trial import Choice, Trial

TRIAL = Trial(Choice("cells"), {"digest": "0a"}, Choice("unet"), Choice("dice"), Recipe(patch=(32, 32)), 0)


def row(runtime="keras", batch=1, size=(32, 32), threads=2, **fields):
    return {"runtime": runtime, "batch": batch, "size": list(size), "threads": threads, "status": "done", **fields}


def found(*rows, **fields):
    about = {"trial": TRIAL.id, "label": TRIAL.label, "measured": "2026-01-02T03:04:05+00:00"}
    return Deployments(**{**about, "machine": {"name": "desk"}, "versions": {}, "rows": list(rows), **fields})


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path, "nuclei", "desk")


def test_they_come_back_as_they_were_written_one_line_a_row(store):
    written = found(row(samples_s=[0.1, 0.2]), row("onnx"))
    file = put(store, TRIAL, written)
    assert file == store.folder / "deployments" / "desk" / f"{TRIAL.id}.json"
    assert read(file) == written
    assert sum(line.startswith('{"runtime"') for line in file.read_text("utf-8").split("\n")) == 2


def test_numbers_that_are_not_finite_become_null(store):
    counts = {"case": "a", "class": "cell", "group": "a", "tp": 1, "fp": 0, "fn": 0, "tn": 9}
    file = put(store, TRIAL, found(row(difference=math.inf, scores=[{**counts, "dice": math.nan}])))
    assert "NaN" not in file.read_text("utf-8")
    assert "Infinity" not in file.read_text("utf-8")
    (kept,) = read(file).rows
    assert kept["difference"] is None
    assert kept["scores"] == [{**counts, "dice": None}]


def test_a_later_row_of_a_setting_replaces_the_former_and_others_stay(store):
    put(store, TRIAL, found(row(load_s=1.0), row("onnx", load_s=1.0), row(batch=8, load_s=1.0)))
    put(store, TRIAL, found(row(load_s=2.0), row("onnx", threads=1, load_s=2.0), measured="2026-02-02T03:04:05+00:00"))
    kept = find(store, TRIAL)
    assert kept is not None
    assert kept.measured == "2026-02-02T03:04:05+00:00"
    assert {(one["runtime"], one["batch"], one["threads"]): one["load_s"] for one in kept.rows} == {
        ("keras", 1, 2): 2.0,
        ("onnx", 1, 2): 1.0,
        ("keras", 8, 2): 1.0,
        ("onnx", 1, 1): 2.0,
    }


def test_machines_have_files_of_their_own(store, tmp_path):
    put(store, TRIAL, found(row()))
    other = Store(tmp_path, "nuclei", "laptop")
    assert find(other, TRIAL) is None
    put(other, TRIAL, found(row("onnx")))
    assert [machine for machine, _ in deployments(store.folder)] == ["desk", "laptop"]
    assert [entry.rows[0]["runtime"] for _, entry in deployments(store.folder)] == ["keras", "onnx"]


def test_before_there_are_any_there_is_none(store):
    assert find(store, TRIAL) is None
    assert list(deployments(store.folder)) == []


@pytest.mark.parametrize("text", ["", "[1, 2]", "{}", '{"schema": 1, "trial": "x"}'])
def test_a_damaged_file_is_named_with_what_to_do(store, text):
    file = put(store, TRIAL, found(row()))
    file.write_text(text, "utf-8")
    with pytest.raises(StoreError, match=rf"{TRIAL.id}.json: cannot be read .*delete it to have the trial timed again"):
        read(file)


def test_a_later_schema_is_not_read_as_this_one(store):
    file = put(store, TRIAL, replace(found(row()), schema=SCHEMA + 1))
    assert json.loads(file.read_text("utf-8"))["schema"] == SCHEMA + 1
    with pytest.raises(StoreError, match="newer than 1; update unetbench"):
        read(file)
