"""Weights that a training averages on its way: hand numbers, and a training broken off goes on to the same bits."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from unetbench.benchmark.trial import train as training
from unetbench.benchmark.trial.averages import Averages, put_averaged, recalibrate, save_averages
from unetbench.benchmark.trial.averaging import Averaging, cycle_epochs, first_averaged, kept, lacks_averages, wanted_of
from unetbench.benchmark.trial.compiled_model import CompiledModel
from unetbench.benchmark.trial.context import Context, open_dataset
from unetbench.benchmark.trial.training_set import training_set
from unetbench.core.recipe import Recipe
from unetbench.core.trial import Choice, Trial
from unetbench.datasets.source import Source

EMA, SWA, SNAPSHOTS = Averaging("ema", 0.9), Averaging("swa", 0.5), Averaging("snapshots", 0.0)
RECIPE = Recipe(patch=(32, 32), batch=4, epochs=4, steps=2, schedule="cosine", cycles=2, stop_patience=0)
UNET = Choice("unet", {"width": 4, "depth": 1, "normalisation": "batch"})


@pytest.fixture(scope="module")
def setup(tmp_path_factory):
    folder = tmp_path_factory.mktemp("averages")
    context = Context(Source(None, folder / "cache"), folder, folder / "results", "test")
    trial = Trial(Choice("cells", {"count": 12, "size": [32, 32]}), {}, UNET, Choice("bce_dice"), RECIPE, 0)
    opened = open_dataset(trial.dataset, trial.split, context)
    held = [[opened.hold(case) for case in opened.split.cases(role)] for role in ("train", "validation")]
    return trial, opened, held


def _one_weight():
    layer = keras.layers.Dense(1, use_bias=False)
    image = keras.Input((1,))
    return keras.Model(image, layer(image)), layer


def _arrays(averages, name):
    return averages.arrays()[f"averages_{name}_0"].item()


def test_the_exponential_mean_by_hand():
    network, layer = _one_weight()
    averages = Averages(network, [EMA], RECIPE)
    for value in (1.0, 2.0, 4.0):
        layer.kernel.assign([[value]])
        averages.after_step()
    # e_0 = 1. t = 1: d = min(0.9, 2 / 11) = 0.18182, e = 0.18182 · 1 + 0.81818 · 2 = 1.81818.
    # t = 2: d = 3 / 12 = 0.25, e = 0.25 · 1.81818 + 0.75 · 4 = 3.45455.
    assert _arrays(averages, "ema 0.9") == pytest.approx(3.454545, abs=1e-5)
    low = Averages(network, [Averaging("ema", 0.1)], RECIPE)
    for value in (1.0, 2.0, 4.0):
        layer.kernel.assign([[value]])
        low.after_step()
    # t = 1: 0.1 · 1 + 0.9 · 2 = 1.9; t = 2: 0.1 · 1.9 + 0.9 · 4 = 3.79
    assert _arrays(low, "ema 0.1") == pytest.approx(3.79, abs=1e-5)


def test_swa_is_the_plain_mean_and_snapshots_are_the_ends_of_cycles():
    network, layer = _one_weight()
    averages = Averages(network, [SWA, SNAPSHOTS], RECIPE)
    for epoch, value in enumerate((1.0, 2.0, 4.0, 7.0), 1):
        layer.kernel.assign([[value]])
        averages.after_epoch(epoch)
    assert _arrays(averages, "swa 0.5") == pytest.approx(5.5)  # (4 + 7) / 2: epochs 3 and 4 of 4
    assert [_arrays(averages, f"snapshot {k}") for k in (1, 2)] == [2.0, 7.0]
    assert kept(averages.arrays())[1] == {"swa 0.5": 2, "snapshot 1": 2, "snapshot 2": 4}


def test_cycles_and_the_first_epoch_of_the_mean():
    assert cycle_epochs(replace(RECIPE, epochs=10, cycles=4)) == 3  # 3, 3, 3 and 1
    assert [first_averaged(replace(RECIPE, epochs=4), begin) for begin in (0, 0.5, 0.75, 0.99)] == [1, 3, 4, 4]


def test_the_rate_falls_in_each_cycle_and_begins_anew(setup):
    _trial, _opened, _held = setup
    rows = _trained(setup, None)[1]
    # Two cycles of two epochs: cos 0 = 1 and (1 + cos(pi / 2)) / 2 = 0.5 of the rate, twice.
    assert [row["rate"] for row in rows] == pytest.approx([1e-3, 5e-4, 1e-3, 5e-4])


def _trained(setup, averages_of, checkpoint=None, on_progress=lambda event: None):
    trial, opened, held = setup
    compiled = CompiledModel(trial, opened.task)
    sampler, cases = training_set(trial, opened, *held, None)
    averages = averages_of and averages_of(compiled.network)
    selection, history = training.train(
        compiled, sampler, cases, RECIPE, on_progress=on_progress, checkpoint=checkpoint, averages=averages
    )
    return selection, history, compiled, averages


def test_a_training_that_averages_is_the_same_and_goes_on_bit_for_bit(setup, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "SAVE_EVERY_S", 0.0)

    def wanted(network):
        return Averages(network, [EMA, SWA, SNAPSHOTS], RECIPE)

    def break_off(event):
        if event.get("phase") == "epoch" and event["epoch"] == 3:
            raise KeyboardInterrupt

    alone, whole = _trained(setup, None), _trained(setup, wanted)
    with pytest.raises(KeyboardInterrupt):
        _trained(setup, wanted, tmp_path / "c.npz", break_off)
    resumed = _trained(setup, wanted, tmp_path / "c.npz")
    assert [row["loss"] for row in resumed[1]] == [row["loss"] for row in whole[1]] == [row["loss"] for row in alone[1]]
    for one, other, plain in zip(*(run[2].get_weights() for run in (whole, resumed, alone)), strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(one, plain)
    first, second = whole[3].arrays(), resumed[3].arrays()
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


def test_a_checkpoint_without_what_is_wanted_begins_anew_with_a_warning(setup, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "SAVE_EVERY_S", 0.0)
    told = []
    _trained(setup, None, tmp_path / "c.npz")
    _, history, _, averages = _trained(
        setup, lambda network: Averages(network, [SWA], RECIPE), tmp_path / "c.npz", told.append
    )
    warning = next(event["text"] for event in told if event["phase"] == "warning")
    assert "it holds no averaged weights" in warning
    assert [row["epoch"] for row in history] == [1, 2, 3, 4]
    assert kept(averages.arrays())[1] == {"swa 0.5": 2}


def test_statistics_become_the_mean_over_batches_that_all_weigh_the_same():
    image = keras.Input((None, None, 1))
    layer = keras.layers.BatchNormalization(momentum=0.99)
    network = keras.Model(image, layer(image))
    batches = [np.full((1, 2, 2, 1), value, "float32") for value in (1.0, 4.0, 10.0)]
    batches[0][0, 0] = 3.0  # its mean is 2 and its variance 1; those of the others are 4 and 10, and 0

    class Sampler:
        def __len__(self):
            return 3

        def batch(self, epoch, index):
            assert epoch == 5
            return batches[index], None

    assert recalibrate(network, Sampler(), 5) == 3
    assert np.array(layer.moving_mean).item() == pytest.approx((2 + 4 + 10) / 3, abs=1e-5)
    assert np.array(layer.moving_variance).item() == pytest.approx(1 / 3, abs=1e-5)
    assert layer.momentum == 0.99
    plain, _ = _one_weight()
    assert recalibrate(plain, Sampler(), 5) == 0


def test_a_file_says_what_it_keeps_and_fits_its_own_network_only(tmp_path):
    network, _layer = _one_weight()
    averages = Averages(network, [EMA], RECIPE)
    averages.after_step()
    save_averages(tmp_path / "a.npz", averages)
    assert not lacks_averages(tmp_path / "a.npz", [EMA])
    assert lacks_averages(tmp_path / "a.npz", [EMA, SWA])
    assert lacks_averages(tmp_path / "none.npz", [EMA])
    assert lacks_averages(None, [EMA])
    assert not lacks_averages(None, [])
    image = keras.Input((2,))
    other = keras.Model(image, keras.layers.Dense(3)(image))
    with np.load(tmp_path / "a.npz") as found, pytest.raises(ValueError, match="is of another network"):
        put_averaged(other, dict(found), "ema 0.9")


def test_only_trainings_of_the_models_that_a_step_names_keep_anything(setup):
    trial, _, _ = setup
    mine, others = Averaging("swa", 0.5, (UNET.canonical,)), Averaging("ema", 0.9, (Choice("vnet").canonical,))
    assert wanted_of(trial, [mine, mine, others]) == (SWA,)
