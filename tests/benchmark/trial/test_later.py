"""Data that came after a model was trained, joined with the first ones; ids of trials that know of them."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from PIL import Image

from unetbench.benchmark.trial.context import Context, open_dataset
from unetbench.benchmark.trial.later import check_task, with_later
from unetbench.core.errors import DataError
from unetbench.core.recipe import Recipe
from unetbench.core.record import Record
from unetbench.core.record_checks import check_trial
from unetbench.core.trial import Choice, Trial
from unetbench.datasets.source import Source

CELLS = {"count": 24, "size": [32, 32]}
NEW = {"name": "cells", "options": {**CELLS, "seed": 1}, "split": {}}


@pytest.fixture
def context(tmp_path):
    return Context(Source(None, tmp_path / "cache"), tmp_path, tmp_path / "results", "cells")


def _opened(context, *later, keep=0, **options):
    batches = ["first", *(f"update {k + 1}" for k in range(len(later)))]
    arrived = {"by": "stratum", "batches": batches, **({"keep": keep, "seed": 0} if keep else {})}
    return open_dataset(Choice("cells", {**CELLS, **options, "later": list(later), "arrived": arrived}), {}, context)


def _names(opened, role):
    return [case.name for case in opened.split.cases(role)]


def test_an_update_trains_on_what_is_new_and_is_tested_on_both(context):
    first = open_dataset(Choice("cells", CELLS), {}, context)
    opened = _opened(context, NEW)
    tests = _names(first, "test")
    assert [name for name, batch in opened.test_batches.items() if batch == "first"] == tests
    assert {batch for name, batch in opened.test_batches.items() if name not in tests} == {"update 1"}
    assert opened.split.digest == first.split.digest
    for role in ("train", "validation"):
        assert all(name.startswith("update1_nuclei_") for name in _names(opened, role))
    new = opened.split.cases("train")[0]
    assert not np.array_equal(new.read().image, first.split.dataset.cases[0].read().image)


def test_replay_keeps_training_and_validation_cases_of_what_came_before(context):
    opened = _opened(context, NEW, keep=3)
    kept = [name for name in _names(opened, "train") if not name.startswith("update1_")]
    assert len(kept) == 3
    assert (
        set(kept)
        <= opened.kept
        <= {case.name for case in open_dataset(Choice("cells", CELLS), {}, context).split.dataset.cases}
    )
    assert not opened.kept & set(_names(opened, "test"))


def test_a_second_update_has_the_frozen_test_set_of_the_first_one(context):
    second = {**NEW, "options": {**CELLS, "seed": 2}}
    once, twice = _opened(context, NEW), _opened(context, NEW, second, keep=4)
    parts = {
        batch: [name for name, of in twice.test_batches.items() if of == batch]
        for batch in set(twice.test_batches.values())
    }
    assert set(parts) == {"first", "update 1", "update 2"}
    assert {*parts["first"], *parts["update 1"]} == set(once.test_batches)
    kept = [name for name in _names(twice, "train") if name in twice.kept]
    assert sum(name.startswith("update1_") for name in kept) == len(kept) - 2 == 2


def test_a_group_that_is_known_keeps_its_role(context):
    """Both have plates 0 to 5; with another seed of the split, hashes would deal the new ones otherwise."""
    first = open_dataset(Choice("cells", CELLS), {}, context)
    part = open_dataset(Choice("cells", {**CELLS, "seed": 1}), {"seed": 5}, context)
    before = {case.group: first.split.roles[case.name] for case in first.split.dataset.cases}
    assert any(part.split.roles[case.name] != before[case.group] for case in part.split.dataset.cases)
    opened = with_later(first, [part], Choice("cells", {"later": [NEW]}))
    new = [case for case in opened.split.dataset.cases if case.stratum == "update 1"]
    assert len(new) == 24
    assert all(opened.split.roles[case.name] == before[case.group] for case in new)
    assert any("have the role that their group has in earlier data" in note for note in opened.dataset.notes)


def test_new_data_of_groups_that_test_alone_leave_nothing_to_learn(context):
    first = open_dataset(Choice("cells", CELLS), {}, context)
    tested = {case.group for case in first.split.cases("test")}
    part = open_dataset(Choice("cells", {**CELLS, "seed": 1}), {}, context)
    cases = tuple(case for case in part.split.dataset.cases if case.group in tested)
    few = replace(part, split=replace(part.split, dataset=replace(part.split.dataset, cases=cases)))
    with pytest.raises(DataError, match="cells: no case is left to learn: each group of cases that earlier data have"):
        with_later(first, [few], Choice("cells", {"later": [NEW]}))


def test_images_that_the_model_has_are_not_new(context, tmp_path):
    with pytest.raises(DataError, match="cells: nuclei_00000, nuclei_00001, nuclei_00002 and 21 more: the model's own"):
        _opened(context, {**NEW, "options": CELLS})
    with pytest.raises(DataError, match="the model's own data have the same images"):
        _opened(context, NEW, NEW)
    for folder, value in (("a", 0), ("b", 100)):
        for k in range(4):
            for kind in ("img", "lab"):
                (tmp_path / folder / kind).mkdir(parents=True, exist_ok=True)
                picture = np.full((8, 8), value + k if kind == "img" else k % 2, np.uint8)
                Image.fromarray(picture).save(tmp_path / folder / kind / f"{folder}{k}.png")
    (tmp_path / "b" / "img" / "b3.png").write_bytes((tmp_path / "a" / "img" / "a2.png").read_bytes())
    options = {"images": "img/*.png", "masks": "lab/*.png", "classes": ["nucleus"]}
    new = {"name": "folder", "options": {**options, "path": "b"}, "split": {}}
    choice = Choice("folder", {**options, "path": "a", "later": [new]})
    with pytest.raises(DataError, match="b: b3: the model's own data have the same images"):
        open_dataset(choice, {}, context)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"form": "nucleus_cytoplasm"}, "has the classes: background, cytoplasm, nucleus (exclusive); the data"),
        ({"form": "volume", "size": [8, 16, 16]}, "has images of rank: 3; the data"),
        ({"form": "two_modality"}, "has channels: 2; the data that the model was trained on, cells: 1"),
    ],
)
def test_data_for_another_network_are_one_line(context, options, told):
    with pytest.raises(DataError) as error:
        _opened(context, {**NEW, "options": {**CELLS, "seed": 1, **options}})
    assert str(error.value).startswith(f"cells: {told}")


def test_a_pixel_size_and_an_ignored_value_must_be_as_before(context):
    opened = open_dataset(Choice("cells", CELLS), {}, context)
    for change, told in (
        ({"spacing_mm": None}, "has a pixel size in mm: no; the data that the model was trained on, cells: yes"),
        ({"ignore": 255}, "marks ignored pixels with: 255; the data that the model was trained on, cells: None"),
    ):
        with pytest.raises(DataError, match=told):
            check_task(replace(opened, task=replace(opened.task, **change)), opened)


def _trial(**later):
    options = {
        "path": "here",
        "later": [{"name": "folder", "options": {"path": "there", **later}, "split": {"digest": "a"}}],
    }
    return Trial(Choice("folder", options), {}, Choice("tiny"), Choice("dice"), Recipe(patch=(32, 32)), 0)


def test_the_id_holds_what_is_new_and_not_where_it_lies():
    trial = _trial()
    assert trial.id == "95d74853cfef4372"
    assert _trial(path="elsewhere").id == trial.id
    assert _trial(images="*.tif").id != trial.id
    other = {**trial.dataset.options["later"][0], "split": {"digest": "b"}}
    assert replace(trial, dataset=Choice("folder", {**trial.dataset.options, "later": [other]})).id != trial.id
    assert Record.from_json(Record(trial, "done").to_json()).trial == trial
    told = json.loads(json.dumps(asdict(trial)))
    told["dataset"]["options"]["later"] = [{"name": "folder"}]
    with pytest.raises(ValueError, match=r"dataset: later\[0\] has no 'options'"):
        check_trial(told)
