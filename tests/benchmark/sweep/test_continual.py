"""The key `continual` of a sweep file becomes stages that know their parents; every mistake is one line."""

from itertools import permutations
from pathlib import Path

import pytest

from unetbench.benchmark.naming.trial_names import TrialNames
from unetbench.benchmark.sweep import file as sweep
from unetbench.benchmark.sweep import plan
from unetbench.benchmark.sweep.continual import orders_of
from unetbench.benchmark.trial.context import Context
from unetbench.core.errors import SpecError
from unetbench.core.record import Record
from unetbench.core.trial import METHODS, Trial
from unetbench.datasets.source import Source

TEXT = """
datasets: [{name: cells, count: 72, size: [32, 32], domains: [plain, inverted, noisy]}]
models: [{name: unet, width: 4, depth: 1}]
losses: [bce]
split: {train: 0.4, validation: 0.2, test: 0.4}
recipe: {patch: [32, 32], epochs: 3}
"""


def _read(tmp_path, keys, text=TEXT):
    file = tmp_path / "mine.yaml"
    file.write_text(f"{text}continual: {keys}\n")
    return sweep.read(file)


def _planned(tmp_path, keys, text=TEXT):
    context = Context(Source(None, tmp_path / "cache"), tmp_path, tmp_path / "results", "mine")
    return plan.trials(_read(tmp_path, keys, text), context)


def _arrived(trial):
    return trial.dataset.options.get("arrived", {}).get("batches")


def test_stages_come_from_those_before_and_methods_share_the_first(tmp_path):
    planned = _planned(tmp_path, "{by: stratum, methods: [finetune, {name: replay, keep: 4}]}")
    trials = [entry.trial for entry in planned]
    by_id = {trial.id: trial for trial in trials}
    assert len(by_id) == len(trials) == 1 + 3 + 2 * 3 * 2  # joint, firsts, and two further stages an order and method
    assert _arrived(trials[0]) is None
    for trial in trials[1:]:
        if trial.derivation is None:
            assert len(_arrived(trial)) == 1
            continue
        parent = by_id[trial.derivation.parent]
        assert trials.index(parent) < trials.index(trial)
        assert _arrived(parent) == _arrived(trial)[:-1]
        if parent.derivation is not None:
            assert parent.derivation.options == trial.derivation.options


def test_the_plan_holds_each_stage_to_its_own_cases(tmp_path):
    planned = _planned(tmp_path, "{by: stratum, methods: [finetune, {name: replay, keep: 4}]}")
    joint = planned[0].opened
    for entry in planned[1:]:
        last = _arrived(entry.trial)[-1]
        strata = [case.stratum for case in entry.opened.split.cases("train")]
        kept = 0 if entry.trial.derivation is None else entry.trial.derivation.options.get("keep", 0)
        assert strata.count(last) == len(strata) - kept
        assert set(strata) <= set(_arrived(entry.trial))
        validation = {case.stratum for case in entry.opened.split.cases("validation")}
        assert validation == (set(_arrived(entry.trial)) if kept else {last})
        assert entry.opened.split.cases("test") == joint.split.cases("test")


def test_orders_that_begin_alike_share_stages_and_each_batch_is_also_trained_on_alone(tmp_path):
    orders = "[[plain, noisy, inverted], [plain, noisy, inverted]]"
    with pytest.raises(SpecError, match=r"mine.yaml: continual.orders: give at least one order, each once"):
        _planned(tmp_path, f"{{by: stratum, methods: [finetune], orders: {orders}}}")
    orders = "[[plain, noisy, inverted], [plain, inverted, noisy]]"
    trials = [entry.trial for entry in _planned(tmp_path, f"{{by: stratum, methods: [finetune], orders: {orders}}}")]
    assert sorted(map(tuple, filter(None, map(_arrived, trials)))) == [
        ("inverted",),
        ("noisy",),
        ("plain",),
        ("plain", "inverted"),
        ("plain", "inverted", "noisy"),
        ("plain", "noisy"),
        ("plain", "noisy", "inverted"),
    ]


def test_joint_training_is_the_trial_that_the_sweep_has_without_the_key(tmp_path):
    with_key = _planned(tmp_path, "{by: stratum}")
    without = plan.trials(_read(tmp_path, "null"), Context(Source(None, tmp_path), tmp_path, tmp_path, "mine"))
    assert with_key[0].trial == without[0].trial
    assert {entry.trial.derivation.options["method"] for entry in with_key if entry.trial.derivation} == set(METHODS)


def test_seeds_keep_other_cases_for_replay(tmp_path):
    planned = _planned(tmp_path, "{by: stratum, methods: [{name: replay, keep: 2}]}", f"{TEXT}seeds: 4\n")
    kept = {entry.opened.kept for entry in planned if _arrived(entry.trial) == ["inverted", "noisy"]}
    assert len(kept) > 1


def test_a_stage_is_named_by_method_and_batches_and_survives_json(tmp_path):
    trials = [
        entry.trial for entry in _planned(tmp_path, "{by: stratum, methods: [{name: ewc, weight: 5, rate: 0.1}]}")
    ]
    names = TrialNames(trials)
    last = next(trial for trial in trials if len(_arrived(trial) or ()) == 3)
    assert names[trials[0]].model == "unet"
    assert names[last].model == "unet, EWC 5, inverted → noisy → plain"
    assert names[last].dataset == names[trials[0]].dataset == "cells"
    assert (last.training.rate, last.training.epochs) == (0.1, 3)
    record = Record.from_json(Record(last, "failed", "why").to_json())
    assert isinstance(record.trial, Trial)
    assert record.trial == last


def test_orders_are_a_latin_square_first_and_then_all_others():
    batches = ("a", "b", "c")
    assert orders_of(batches, 3) == [("a", "b", "c"), ("b", "c", "a"), ("c", "a", "b")]
    assert sorted(orders_of(batches, 6)) == sorted(permutations(batches)) == sorted(orders_of(batches, 99))
    four = orders_of(("a", "b", "c", "d"), 20)
    assert len(set(four)) == 20
    assert all({order[place] for order in four[:4]} == set("abcd") for place in range(4))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("{by: stratum, methods: [joint]}", "methods[0]: joint training is the sweep's own trial"),
        ("{by: stratum, methods: [replai]}", "methods[0]: method 'replai' is unknown; did you mean 'replay'"),
        ("{by: stratum, methods: [{name: lwf, keep: 3}]}", "methods[0]: key 'keep' is unknown"),
        (
            "{by: stratum, methods: [lwf, {name: lwf, weight: 1.0}]}",
            "'weight': 1.0} is there twice",
        ),
        ("{by: stratum, methods: [{name: average, share: 1.5}]}", "methods[0]: share"),
        ("{by: 'site('}", "continual.by: 'site(' is no regular expression"),
        ("{by: stratum, orders: 0}", "continual.orders: 0 is below 1"),
        ("{methods: [lwf]}", "continual: by is missing"),
    ],
)
def test_a_key_that_cannot_be_is_one_line_with_its_place(tmp_path, keys, message):
    with pytest.raises(SpecError) as error:
        _read(tmp_path, keys)
    assert str(error.value).startswith("mine.yaml: continual")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("{by: 'plate(x)'}", "mine: continual: cells: by: case nuclei_00000 does not match"),
        (
            "{by: stratum, orders: [[plain, noisy]]}",
            "mine: continual: orders: ['plain', 'noisy'] is no order of the batches",
        ),
    ],
)
def test_batches_that_the_data_has_not_are_told_before_anything_is_trained(tmp_path, keys, message):
    with pytest.raises(SpecError) as error:
        _planned(tmp_path, keys)
    assert message in str(error.value)


def test_the_shipped_sweep_has_three_orders_of_every_method():
    found = sweep.read(Path(sweep.SHIPPED) / "continual.yaml")
    assert {options["method"] for options in found.continual.methods} == set(METHODS)
    assert found.continual.orders == 3
