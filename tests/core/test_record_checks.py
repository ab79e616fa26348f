"""A record whose fields are not of their kinds is refused where it is read, in one line that names the field."""

import json
from dataclasses import replace

import pytest

from unetbench.core.errors import StoreError
from unetbench.core.recipe import Recipe
from unetbench.core.record import Record
from unetbench.core.trial import Choice, Derivation, Trial

TRIAL = Trial(Choice("cells"), {}, Choice("unet"), Choice("bce"), Recipe(patch=(32, 32)), 0)
SCORE = {"case": "a", "class": "cell", "tp": 1, "fp": 0, "fn": 0, "tn": 9, "empty": "none", "dice": 1.0, "iou": None}


def _told(**fields):
    record = Record(TRIAL, "done", scores=[SCORE], history=[{"epoch": 1, "loss": 0.5}])
    return {**json.loads(record.to_json()), **fields}


def test_a_whole_record_is_read():
    assert Record.from_json(json.dumps(_told())).scores == [SCORE]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"status": "finished"}, "status is 'finished', not 'done' or 'unfit' or 'failed' or 'timed_out'"),
        ({"reason": 5}, "reason is 5, not text"),
        ({"history": [{"epoch": "one"}]}, r"history\[0\]: epoch is 'one', not a number or null"),
        ({"history": {}}, "history is {}, not a list of a mapping"),
        ({"scores": [{**SCORE, "tp": "many"}]}, r"scores\[0\]: tp is 'many', not a number"),
        ({"scores": [{"class": "cell"}]}, r"scores\[0\] has no 'case'"),
        ({"scores": [{**SCORE, "empty": "neither"}]}, r"scores\[0\]: empty is 'neither'"),
        ({"scores": [{**SCORE, "dice": 10**400}]}, r"scores\[0\]: dice is 1000"),
        ({"latency": [{"runtime": "keras"}]}, r"latency\[0\] has no 'samples_s'"),
        ({"versions": {"keras": 3}}, "versions is {'keras': 3}, not a mapping of texts"),
        ({"timing": {"train_s": "long"}}, "timing is {'train_s': 'long'}, not a mapping of numbers"),
        ({"task": {"rank": 2}}, "task has no 'channels'"),
        ({"scores": [{**SCORE, "dice": [1.0]}]}, r"scores\[0\]: dice is \[1.0\], not a number or null"),
        ({"latency": [{"runtime": "keras", "samples_s": [], "size": 32}]}, r"latency\[0\]: size is 32, not text or a"),
        ({"prediction": {"mismatch": 0.1}}, "prediction has no 'windows'"),
        ({"prediction": {"windows": [{"cases": 1}]}}, r"prediction: windows\[0\] has no 'window'"),
        ({"training": {"micro_batch": "all"}}, "training: micro_batch is 'all', not a whole number"),
        ({"data": {"train": None}}, "data: train is None, not a whole number"),
        ({"log": ["one", 5]}, r"log is \['one', 5\], not a list of text"),
        ({"trial": []}, r"trial is \[\], not a mapping"),
    ],
)
def test_a_field_of_another_kind_is_named(fields, message):
    with pytest.raises(StoreError, match=message):
        Record.from_json(json.dumps(_told(**fields)), "a.json")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("backend", "../../elsewhere", "backend is '../../elsewhere', not 'tensorflow' or 'jax' or 'torch'"),
        ("seed", "0", "seed is '0', not a whole number"),
        ("dataset", {"name": "cells", "options": []}, r"dataset: options is \[\], not a mapping"),
        ("recipe", {"patch": []}, "not a record"),
        (
            "recipe",
            {"patch": [32, 32], "precision": True},
            "recipe: precision is True, not 'float32' or 'mixed_bfloat16'",
        ),
        ("recipe", {"patch": "ab"}, "recipe: patch is 'ab', not a list of a whole number"),
        ("recipe", {"patch": [8, 8], "steps": [1]}, r"recipe: steps is \[1\], not a whole number or 'area' or 'cases'"),
        ("recipe", {"patch": [8, 8], "augment": {"shift": "far"}}, "recipe: augment: shift is 'far', not a number"),
        (
            "derivation",
            {"step": "channels", "parent": "0" * 16, "of": {"name": "unet"}, "options": {"share": []}},
            r"derivation: options: share is \[\], not a number",
        ),
    ],
)
def test_a_trial_that_cannot_be_is_no_record(name, value, message):
    told = _told()
    told["trial"][name] = value
    with pytest.raises(StoreError, match=message):
        Record.from_json(json.dumps(told), "a.json")


def test_a_parent_that_is_no_id_names_no_file():
    child = replace(TRIAL, derivation=Derivation("channels", "../../elsewhere", TRIAL.model))
    with pytest.raises(StoreError, match="parent is '../../elsewhere', not sixteen hexadecimal digits"):
        Record.from_json(Record(child, "failed").to_json(), "a.json")
