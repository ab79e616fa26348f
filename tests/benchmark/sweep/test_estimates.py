"""What a sweep is expected to take, by what its trials have in common with earlier ones."""

import pytest

from unetbench.benchmark.sweep import file as sweep
from unetbench.benchmark.sweep import plan
from unetbench.benchmark.sweep.estimates import estimates, expected_seconds, makespan, work_of
from unetbench.benchmark.sweep.throughput import Throughput
from unetbench.benchmark.trial.context import Context
from unetbench.core.record import Record
from unetbench.datasets.source import Source


@pytest.fixture
def planned(tmp_path, write_sweep):
    data = [{"name": "cells", "count": 20, "size": [128, 64]}]
    recipe = {"patch": [64, 64], "batch": 4, "epochs": 2}
    models = [{"name": "unet", "width": 2, "depth": 1}, {"name": "unet", "width": 4, "depth": 1}]
    file = write_sweep(tmp_path, "two", datasets=data, models=models, losses=["bce", "dice"], seeds=3, recipe=recipe)
    context = Context(Source(None, tmp_path / "cache"), tmp_path, tmp_path, "two")
    return plan.trials(sweep.read(file), context), context


def _record(trial, macs, moved):
    history = [{"epoch": k, "train_s": 3.0, "validate_s": 1.0} for k in (1, 2)]
    data = {"train": 14, "validation": 2, "test": 4, "epoch_patches": 28, "validation_tiles": 4}
    model, timing = {"macs": macs, "moved_activations": moved}, {"train_s": 8.0, "predict_s": 2.0}
    return Record(trial, "done", data=data, model=model, history=history, timing=timing, training={"device": "cpu"})


def test_the_work_of_a_trial_is_counted_in_patches(planned):
    entry = planned[0][0]
    assert [len(entry.opened.split.cases(role)) for role in ("train", "validation", "test")] == [12, 4, 4]
    # Each case has two patches: 6 steps of 4; a quarter of them, 6 of 8 tiles, is scored after an epoch.
    assert work_of(entry.trial, entry.opened, {}) == (2, 24, 6, 8)


def test_every_trial_that_earlier_ones_tell_of_has_its_seconds_without_a_network(planned):
    entries, context = planned
    throughput = Throughput([_record(entries[0].trial, 1_000_000, 10)])
    found = expected_seconds(entries, throughput)
    small = [entry.trial.id for entry in entries if entry.trial.model == entries[0].trial.model]
    assert list(found) == small
    assert len(small) == 6
    assert not expected_seconds(entries, Throughput([]))
    # The other model never ran: its size tells, once it is built.
    by_model = {cost.trial.model.label: (cost.basis, cost.seeds) for cost in estimates(entries, throughput, context)}
    assert by_model == {"unet(depth=1, width=2)": ("model", 3), "unet(depth=1, width=4)": ("size", 3)}


def test_a_network_is_built_once_for_all_losses(planned, monkeypatch):
    from unetbench.benchmark.sweep import estimates as module

    built = []
    monkeypatch.setattr(module, "_network", lambda trial, opened: built.append(trial.model.label) or module._Network())
    estimates(planned[0], Throughput([]), planned[1])
    assert len(built) == 2


def test_the_longest_first_on_the_worker_that_is_free():
    assert makespan([1, 1, 1, 3], 2) == 3
    assert makespan([1, 2, 3], 1) == 6
    assert makespan([], 2) == 0
