"""Times that trials are expected to take, from records whose times are made by hand."""

from dataclasses import replace

import pytest

from unetbench.benchmark.sweep.throughput import Size, Throughput, Work
from unetbench.core.recipe import Recipe
from unetbench.core.record import Record
from unetbench.core.trial import Choice, Trial

RECIPE = Recipe(patch=(100, 100), batch=4, epochs=3, steps=5)
TRIAL = Trial(Choice("cells"), {}, Choice("unet"), Choice("dice"), RECIPE, 0)
WORK = Work(3, 20, 6, 10)


def _record(trial=TRIAL, patch_s=0.1, *, macs=1000, moved=100, threads=2, epochs=3):
    """Of 20 patches an epoch, 6 tiles of a fifth of a patch's time, 10 test cases of half of it, and 7 s of all else.

    With 0.1 s a patch: 3 × (2 + 0.12) + 0.5 + 7 = 13.86 s, of which the first epoch's tracing took 4.
    """
    row = {"train_s": 20 * patch_s, "validate_s": 6 * 0.2 * patch_s}
    history = [{**row, "epoch": k + 1, "train_s": row["train_s"] + 4 * (k == 0)} for k in range(epochs)]
    trained = sum(epoch["train_s"] + epoch["validate_s"] for epoch in history)
    return Record(
        trial,
        "done",
        machine={"cores": 2, "threads": threads},
        versions={"backend": trial.backend},
        data={"train": 20, "validation": 6, "test": 10, "epoch_patches": 20, "validation_tiles": 6},
        model={"macs": macs, "moved_activations": moved},
        prediction={"windows": [{"window": [100, 100], "cases": 10}]},
        history=history,
        timing={"build_s": 2.0, "load_s": 1.0, "train_s": trained, "predict_s": 4 * patch_s, "score_s": patch_s},
        training={"device": "cpu"},
    )


def _seconds(found):
    return None if found is None else pytest.approx(found.seconds)


def test_the_same_trial_with_another_seed_takes_what_it_took():
    found = Throughput([_record()]).expected(replace(TRIAL, seed=1), WORK)
    assert _seconds(found) == 13.86
    assert found.basis == "model and loss"


def test_a_record_that_says_too_little_or_nonsense_is_passed_over():
    whole = _record()
    for change in (
        {"history": [{"epoch": 1}]},
        {"history": [{**row, "validate_s": None} for row in whole.history]},
        {"data": {}},
        {"data": {**whole.data, "epoch_patches": 0}},
        {"finished": "yesterday", "started": "today"},
        {"prediction": {"windows": [{"window": "all", "cases": 10}]}},
        {"timing": {"train_s": float("inf")}},
        {"machine": {"threads": "two"}},
    ):
        found = Throughput([replace(whole, **change), whole])
        assert len(found) == 1, change
        assert _seconds(found.expected(TRIAL, WORK)) == 13.86


def test_more_epochs_patches_and_cases_take_longer_and_the_rest_does_not():
    longer = replace(TRIAL, recipe=replace(RECIPE, epochs=30))
    found = Throughput([_record()]).expected(longer, Work(30, 40, 12, 20))
    assert _seconds(found) == 30 * (4 + 0.24) + 1 + 7


def test_epochs_that_earlier_trials_were_spared_are_spared_again():
    stopped = replace(TRIAL, recipe=replace(RECIPE, epochs=30))
    throughput = Throughput([_record(stopped, epochs=15)])
    assert _seconds(throughput.expected(replace(stopped, seed=1), Work(30, 20, 6, 10))) == 15 * 2.12 + 0.5 + 7


def test_the_closest_trials_count():
    other_loss, other_model = replace(TRIAL, loss=Choice("bce")), replace(TRIAL, model=Choice("tiny"))
    throughput = Throughput([_record(), _record(other_loss, 0.2), _record(other_model, 0.05, macs=10)])
    assert throughput.expected(TRIAL, WORK).seconds == pytest.approx(13.86)
    third = throughput.expected(replace(TRIAL, loss=Choice("jaccard")), WORK)
    assert (_seconds(third), third.basis) == (3 * 3 * 1.06 + 0.75 + 7, "model")  # 0.15 s a patch, the median


def test_a_model_that_never_ran_takes_what_its_size_says():
    def seconds(macs, moved):
        return 2e-5 * macs + 3e-4 * moved + 0.01

    sizes = [(1000, 100), (5000, 50), (200, 400), (9000, 900), (3000, 10)]
    models = [replace(TRIAL, model=Choice("unet", {"width": k})) for k in range(5)]
    records = [
        _record(model, seconds(*size), macs=size[0], moved=size[1]) for model, size in zip(models, sizes, strict=True)
    ]
    new, size = replace(TRIAL, model=Choice("new")), Size(4000, 300)
    found = Throughput(records).expected(new, WORK, size)
    assert found.basis == "size"
    assert _seconds(found) == 0.18 * (3 * 21.2 + 5) + 7
    few = Throughput(records[:1]).expected(new, WORK, size)  # 0.06 s for 1000 MACs
    assert _seconds(few) == 0.24 * (3 * 21.2 + 5) + 7
    assert Throughput(records).expected(new, WORK) is None


def test_small_networks_tell_nothing_of_one_that_is_far_larger():
    found = Throughput([_record()])
    other = replace(TRIAL, model=Choice("other"))
    assert found.expected(other, WORK, Size(10_000, 100)) is not None
    assert found.expected(other, WORK, Size(10_001, 100)) is None


def test_other_hardware_and_precision_tell_nothing():
    throughput = Throughput([_record()])
    assert throughput.expected(replace(TRIAL, device="cpu"), WORK).basis == "model and loss"
    for other in (
        replace(TRIAL, device="gpu"),
        replace(TRIAL, backend="jax"),
        replace(TRIAL, recipe=replace(RECIPE, precision="mixed_bfloat16")),
    ):
        assert throughput.expected(other, WORK, Size(1000, 100)) is None


def test_half_the_threads_take_twice_the_time_of_arithmetic():
    throughput = Throughput([_record()])
    assert _seconds(throughput.expected(TRIAL, WORK, threads=1)) == 2 * 6.86 + 7


@pytest.mark.parametrize(
    "changes",
    [{"status": "failed"}, {"history": []}, {"timing": {"train_s": 1.0}}],  # the last: resumed, it did one part only
)
def test_what_was_not_trained_to_its_end_in_one_go_is_passed_over(changes):
    assert not len(Throughput([replace(_record(), **changes)]))


def test_how_good_it_is_comes_from_each_trial_and_the_others():
    seeds = [replace(TRIAL, seed=seed) for seed in range(3)]
    throughput = Throughput([_record(seeds[0]), _record(seeds[1]), _record(seeds[2], 0.2)])
    quality = throughput.quality()["model and loss"]
    slow = 6.86 * 2 + 7
    others = 6.86 * 1.5 + 7  # the median of 0.1 and 0.2 s
    assert quality.ratios == pytest.approx((13.86 / others, 13.86 / others, slow / 13.86))
    assert quality.median == pytest.approx(13.86 / others)
    assert quality.within == pytest.approx(slow / 13.86)
    assert set(throughput.quality()) == {"model and loss"}
    assert not Throughput([_record()]).quality()
