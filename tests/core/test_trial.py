"""A trial's id is a hash of what can change the outcome, the same in every process."""

import hashlib
import json
import pickle
from dataclasses import asdict, replace

import pytest

from unetbench.core.errors import SpecError, StoreError
from unetbench.core.recipe import Augmentation, Recipe
from unetbench.core.record import SCHEMA, Record
from unetbench.core.trial import Choice, Derivation, Trial, canonical


@pytest.fixture
def trial():
    return Trial(
        Choice("folder", {"path": "here", "images": "*.png"}),
        {"train": 0.7, "digest": "abc"},
        Choice("unet", {"width": 8}),
        Choice("dice"),
        Recipe(patch=(64, 64), augment=Augmentation(zoom=0.2)),
        seed=3,
    )


def test_the_id_is_the_same_on_every_machine(trial):
    first = replace(trial, recipe=replace(trial.recipe, steps="cases", validation="full", predict_mib=0))
    assert first.id == "d749e9c767247ac8"  # as before recipes had validation and predict_mib


def test_a_recipe_of_the_first_standard_has_the_id_of_its_time_and_reads_back(trial):
    fields = {"steps": 0, "patch": [64, 64], "augment": vars(Augmentation(zoom=0.2))}
    recipe = Recipe.from_json(fields)
    assert (recipe.steps, recipe.validation, recipe.predict_mib) == ("cases", "full", 0)
    assert "validation" not in recipe.identity()
    assert recipe.identity()["steps"] == 0
    assert replace(trial, recipe=recipe).id == "d749e9c767247ac8"
    assert Recipe.from_json(json.loads(json.dumps(asdict(trial.recipe)))) == trial.recipe


def test_parts_of_a_batch_are_in_the_id_only_where_a_recipe_says_how_many(trial):
    first = replace(trial, recipe=replace(trial.recipe, steps="cases", validation="full", predict_mib=0))
    assert "accumulate" not in first.recipe.identity()
    assert first.id == "d749e9c767247ac8"  # as before recipes had it
    asked = [replace(trial, recipe=replace(trial.recipe, accumulate=parts)) for parts in (1, 2)]
    assert len({trial.id, *(other.id for other in asked)}) == 3
    assert asked[1].compile_key != trial.compile_key == asked[0].compile_key
    for other in asked:
        assert Trial.from_json(json.loads(json.dumps(asdict(other)))) == other
    before = asdict(trial)
    del before["recipe"]["accumulate"]
    assert Trial.from_json(before).id == trial.id
    assert (asked[1].recipe.micro_batches, asked[1].recipe.micro_batch) == (2, trial.recipe.batch // 2)
    assert (trial.recipe.micro_batches, trial.recipe.micro_batch) == (1, trial.recipe.batch)


def test_parts_that_do_not_divide_the_batch_are_refused_with_those_that_do():
    with pytest.raises(SpecError, match=r"recipe.accumulate: 3 does not divide a batch of 8; 1, 2, 4, 8 or 'auto'"):
        Recipe(accumulate=3)


def test_each_field_that_matters_changes_the_id(trial):
    others = [
        replace(trial, seed=4),
        replace(trial, loss=Choice("jaccard")),
        replace(trial, model=Choice("unet", {"width": 9})),
        replace(trial, split={"train": 0.7, "digest": "abd"}),
        replace(trial, recipe=replace(trial.recipe, rate=2e-3)),
    ]
    assert len({trial.id, *(other.id for other in others)}) == 6


def test_a_derivation_is_part_of_the_id_only_where_there_is_one_and_reads_back(trial):
    first = replace(trial, recipe=replace(trial.recipe, steps="cases", validation="full", predict_mib=0))
    assert first.derivation is None
    assert first.id == "d749e9c767247ac8"  # as before trials had any
    options = {"share": 0.5, "epochs": 3, "rate": 1e-4}
    child = replace(trial, derivation=Derivation("channels", trial.id, trial.model, options))
    others = [
        replace(child, derivation=replace(child.derivation, parent="0" * 16)),
        replace(child, derivation=replace(child.derivation, step="magnitude")),
        replace(child, derivation=replace(child.derivation, options={**options, "share": 0.6})),
    ]
    assert len({trial.id, child.id, *(other.id for other in others)}) == 5
    assert child.network_key != trial.network_key
    assert Trial.from_json(json.loads(json.dumps(asdict(child)))) == child
    assert (child.training.epochs, child.training.rate, child.recipe) == (3, 1e-4, trial.recipe)
    old = {name: value for name, value in asdict(trial).items() if name != "derivation"}
    assert Trial.from_json(json.loads(json.dumps(old))).id == trial.id


def test_where_the_data_lies_does_not_change_the_id(trial):
    moved = replace(trial, dataset=Choice("folder", {"path": "there", "images": "*.png"}))
    assert moved.id == trial.id


def test_backend_device_and_precision_make_other_trials_and_the_usual_ones_leave_the_id_as_it_was(trial):
    others = [replace(trial, backend="jax"), replace(trial, device="gpu"), replace(trial, device="cpu")]
    others.append(replace(trial, recipe=replace(trial.recipe, precision="mixed_bfloat16")))
    assert len({trial.id, *(other.id for other in others)}) == 5
    assert replace(trial, backend="tensorflow", device="").id == trial.id
    for other in others:
        assert Trial.from_json(json.loads(json.dumps(asdict(other)))) == other
    before = asdict(trial)
    del before["backend"], before["device"]
    assert Trial.from_json(before).id == trial.id


def test_a_record_from_before_backends_counted_tells_what_it_ran_on(trial):
    old = Record(trial, "done", versions={"backend": "jax"}, machine={"gpu": ""})
    assert (old.ran.backend, old.ran.device) == ("jax", "cpu")
    assert old.trial.id == trial.id
    on_gpu = Record(trial, "done", machine={"gpu": "NVIDIA H100"})
    assert (on_gpu.ran.backend, on_gpu.ran.device) == ("tensorflow", "")  # which of the two it was, nobody noted
    told = Record(trial, "done", machine={"gpu": "NVIDIA H100"}, training={"device": "gpu"})
    assert told.ran.device == "gpu"


def test_a_seed_or_a_rate_leaves_the_compile_key_as_it_is(trial):
    assert replace(trial, seed=9, recipe=replace(trial.recipe, rate=1.0)).compile_key == trial.compile_key
    assert replace(trial, recipe=replace(trial.recipe, batch=1)).compile_key != trial.compile_key


SCORE = {"case": "a", "class": "cell", "empty": "none"}


def test_a_record_survives_json(trial):
    record = Record(trial, "done", scores=[{**SCORE, "dice": 0.5}], history=[{"epoch": 1, "loss": 0.25}])
    assert Record.from_json(record.to_json()) == record


def test_what_is_not_finite_is_null_in_json(trial):
    record = Record(trial, "done", scores=[{**SCORE, "dice": float("nan")}])
    assert Record.from_json(record.to_json()).scores == [{**SCORE, "dice": None}]


def test_a_record_from_before_there_were_last_lines_reads_back_without_any(trial):
    fields = json.loads(Record(trial, "failed", "killed", log=["one", "two"]).to_json())
    assert Record.from_json(json.dumps(fields)).log == ["one", "two"]
    del fields["log"]
    old = Record.from_json(json.dumps({**fields, "schema": 5}))
    assert (old.log, old.schema) == ([], 5)


def test_an_edited_record_is_refused(trial):
    text = Record(trial, "done").to_json().replace('"seed": 3', '"seed": 4')
    with pytest.raises(StoreError, match="was edited"):
        Record.from_json(text)


def test_half_a_record_is_named_and_mended(trial):
    with pytest.raises(StoreError, match=r"x\.json: not a record .* delete the file"):
        Record.from_json(Record(trial, "done").to_json()[:80], "x.json")


def test_a_later_schema_is_refused(trial):
    text = Record(trial, "done").to_json().replace(f'"schema": {SCHEMA}', '"schema": 99')
    with pytest.raises(StoreError, match="schema 99 is newer"):
        Record.from_json(text)


@pytest.mark.parametrize(
    "wrong",
    [
        {"batch": 0},
        {"overlap": 1.0},
        {"foreground": 2.0},
        {"patch": (8,)},
        {"threshold": 0.0},
        {"warmup": -1},
        {"steps": "x"},
        {"steps": -1},
        {"predict_mib": -1},
        {"predict_mib": "much"},
        {"accumulate": 0},
        {"accumulate": "half"},
    ],
)
def test_an_impossible_recipe_names_its_key(wrong):
    with pytest.raises(SpecError, match=f"recipe.{next(iter(wrong))}"):
        Recipe(**wrong)


def test_a_recipe_tells_what_differs_from_the_standard():
    assert Recipe().describe() == "standard v2"
    assert Recipe(epochs=5, patch=(64, 32)).describe() == "standard v2 with patch=64x32, epochs=5"
    first = Recipe(steps=0, validation="full", predict_mib=0)
    assert first.describe() == "standard v1"
    assert replace(first, batch=4).describe() == "standard v1 with batch=4"
    assert Recipe(validation="full").describe() == "standard v2 with validation=full"


def test_a_weighted_sum_is_labelled_by_its_terms():
    parts = [{"name": "tversky", "weight": 0.7, "options": {"beta": 0.8}}, {"name": "boundary"}]
    assert Choice("weighted_sum", {"parts": parts}).label == "weighted_sum(parts=0.7 tversky(beta=0.8) + boundary)"


def test_the_id_is_the_hash_of_the_canonical_json_of_all_that_counts(trial):
    options = {"share": 0.5, "epochs": 3, "rate": 1e-4}
    child = replace(
        trial,
        sources={"losses mine": "ab"},
        derivation=Derivation("channels", trial.id, trial.model, options),
        backend="jax",
        device="gpu",
    )
    for one in (trial, child):
        fields = asdict(one) | {"recipe": one.recipe.identity()}
        fields["derivation"] = one.derivation and one.derivation.identity()  # without members, as before there were any
        fields["dataset"]["options"].pop("path")
        usual = {"sources": {}, "derivation": None, "backend": "tensorflow", "device": ""}
        text = canonical({name: value for name, value in fields.items() if value != usual.get(name, "none")})
        assert one.id == hashlib.sha256(text.encode()).hexdigest()[:16]
        assert pickle.loads(pickle.dumps(one)).id == replace(one).id == one.id


def test_a_record_is_read_without_its_rows_whatever_they_hold(trial):
    scores, latency = [{**SCORE, "case": 'a "latency": b'}], [{"runtime": "keras", "samples_s": []}]
    record = Record(trial, "done", history=[{"epoch": 1}], scores=scores, latency=latency)
    assert Record.from_json(record.to_json()) == record
    assert Record.from_json(record.to_json(), rows=False) == replace(record, history=[], scores=[])
    other = json.dumps(json.loads(record.to_json()))  # not as it was written
    assert Record.from_json(other, rows=False) == record
    with pytest.raises(StoreError, match="mine: not a record"):
        Record.from_json(record.to_json()[:-20], "mine", rows=False)
