"""A trained network is scored once more where tests lack a modality or have another one, without training again."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from unetbench.benchmark.commands.rerun import differences
from unetbench.benchmark.deploy.trained_trial import TrainedTrial
from unetbench.benchmark.predict.open_trial import open_trial
from unetbench.benchmark.predict.segment import segment
from unetbench.benchmark.records.store import Store
from unetbench.benchmark.trial.conditions import conditions
from unetbench.benchmark.trial.context import Context, open_dataset
from unetbench.benchmark.trial.run_trial import WorkerCache, run_trial, train_trial
from unetbench.core.errors import DamagedRecord, DataError, Unfit
from unetbench.core.recipe import Recipe
from unetbench.core.record import Record
from unetbench.core.trial import Choice, Trial
from unetbench.datasets.source import Source
from unetbench.metrics.score import score_case

TESTS = [["fluorescence", "bright_field"], "fluorescence", "bright_field"]
CELLS = {"form": "two_modality", "count": 20, "size": [32, 32]}


def _trial(dropout: float = 0.0, model: str = "late_fusion_unet", **options) -> Trial:
    recipe = Recipe(patch=(32, 32), batch=4, epochs=3, steps=6, rate=0.01, modality_dropout=dropout)
    data, network = Choice("cells", {**CELLS, **options}), Choice(model, {"width": 4, "depth": 2})
    return Trial(data, {"train": 0.4, "validation": 0.2, "test": 0.4}, network, Choice("bce_dice"), recipe, 0)


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    home = tmp_path_factory.mktemp("conditions")
    return Context(Source(None, home / "cache"), home, home / "results", "test", weights=True)


def _run(trial: Trial, context: Context) -> Record:
    record = run_trial(trial, context, WorkerCache(), lambda event: None)
    assert record.status == "done", record.reason
    return record


@pytest.fixture(scope="module")
def both(context):
    return _run(_trial(0.3, test_modalities=TESTS), context)


@pytest.fixture(scope="module")
def alone(context):
    return _run(_trial(model="unet", modalities="fluorescence", test_modalities=TESTS), context)


def test_every_test_is_in_the_record_with_a_score_a_case(both):
    told = both.prediction["conditions"]
    assert [(one["modalities"], one["how"]) for one in told] == [
        (["fluorescence", "bright_field"], "given"),
        (["fluorescence"], "missing"),
        (["bright_field"], "missing"),
    ]
    assert told[0]["scores"] == []  # those of the record
    for one in told[1:]:
        assert [row["case"] for row in one["scores"]] == [row["case"] for row in both.scores]
        assert one["scores"] != both.scores
        assert one["unscored"] == []
    assert both.timing["conditions_s"] > 0
    assert both.task["modalities"] == (("fluorescence", 1), ("bright_field", 1))


def test_a_missing_modality_is_zero_where_scaling_had_been(both, context):
    """What the record has is what the network with its weights gives for an image whose second channel is 0."""
    segmenter = open_trial(_put(both, context))
    opened = open_dataset(both.trial.dataset, both.trial.split, context)
    _, tested = opened.given(["fluorescence"])
    case, row = opened.split.cases("test")[0], both.prediction["conditions"][1]["scores"][0]
    prepared = tested.prepare(case)
    np.testing.assert_array_equal(prepared.image[..., 1], 0)
    np.testing.assert_array_equal(prepared.image[..., 0], opened.prepare(case).image[..., 0])
    logits = np.asarray(segmenter.forward(prepared.image[None]))[0]
    (found,) = score_case(prepared.truth, (logits >= 0).astype(np.uint8), opened.task)
    assert (row["case"], row["tp"], row["fp"]) == (case.name, found["tp"], found["fp"])


def test_a_network_that_knows_one_modality_gets_the_other_in_its_place(alone, context):
    assert [one["how"] for one in alone.prediction["conditions"]] == ["given", "given", "replaced"]
    opened = open_dataset(alone.trial.dataset, alone.trial.split, context)
    assert opened.task.channels == 1
    seen, tested = opened.given(["bright_field"])
    assert seen.how == "replaced"
    whole = open_dataset(Choice("cells", CELLS), alone.trial.split, context)
    for case, full in zip(tested.split.cases("test"), whole.split.cases("test"), strict=True):
        assert case.name == full.name
        np.testing.assert_array_equal(tested.prepare(case).image[..., 0], whole.prepare(full).image[..., 1])


@pytest.mark.slow
def test_training_and_selection_are_those_without_further_tests(both, context):
    plain = _run(_trial(0.3), context)
    assert plain.trial.id != both.trial.id
    assert "conditions" not in plain.prediction
    clock = ("train_s", "validate_s")
    rows = [[{k: v for k, v in row.items() if k not in clock} for row in one.history] for one in (plain, both)]
    assert rows[0] == rows[1]
    assert plain.selection == both.selection
    assert plain.scores == both.scores


def test_training_with_dropout_goes_on_bit_for_bit(both, context, tmp_path):
    elsewhere, cache = replace(context, results=tmp_path), WorkerCache()
    train_trial(both.trial, elsewhere, cache, lambda event: None, {}, until=1)
    resumed = []
    again = run_trial(both.trial, elsewhere, cache, lambda event: resumed.append(event["phase"]))
    assert "resume" in resumed
    assert differences(both, again) == []


def test_a_record_comes_back_and_a_damaged_condition_is_named(both):
    text = both.to_json()
    assert Record.from_json(text).prediction["conditions"][2]["scores"][0]["case"] == both.scores[0]["case"]
    with pytest.raises(DamagedRecord, match=r"conditions\[1\]"):
        Record.from_json(text.replace('"how": "missing"', '"how": "lost"', 1))


def test_predict_takes_the_channels_in_their_order_and_names_them_where_they_lack(both, context):
    segmenter = open_trial(_put(both, context))
    case = open_dataset(both.trial.dataset, both.trial.split, context).split.cases("test")[0]
    image = case.read().image
    assert segment(image, segmenter).labels.shape == (32, 32)
    wanted = r"has 1 channel, the model was trained on images of 2, fluorescence \(1\), bright_field \(1\); give it the"
    with pytest.raises(DataError, match=wanted):
        segment(image[..., :1], segmenter)


def _put(record: Record, context: Context):
    return Store.here(context.results, context.sweep).put(record)


def test_what_a_file_would_scale_as_colours_is_not_exported(both, context):
    opened = open_dataset(both.trial.dataset, both.trial.split, context)
    assert TrainedTrial(both, Path("any"), opened, context).plan().about()["source"]["modalities"] == [
        ["fluorescence", 1],
        ["bright_field", 1],
    ]
    task = replace(opened.dataset.task, channels=4, modalities=(("fluorescence", 1), ("stain", 3)))
    wide = replace(opened, dataset=replace(opened.dataset, task=task))
    with pytest.raises(Unfit, match=r"modalities of \(1, 3\) channels are scaled apart, which no file can"):
        TrainedTrial(both, Path("any"), wide, context).plan()


def test_a_modality_that_cannot_be_scored_costs_its_own_scores_alone(alone, context):
    """Channels that are not finite matter where they are looked at; what was trained without them is kept."""
    opened = open_dataset(alone.trial.dataset, alone.trial.split, context)

    def damaged(case):
        sample = case.read()
        image = sample.image.astype(np.float32)
        image[..., 1] = np.nan
        return replace(case, read=lambda: replace(sample, image=image))

    whole = replace(opened.whole, cases=tuple(map(damaged, opened.whole.cases)))
    spoilt = replace(opened, whole=whole)
    segmenter = open_trial(_put(alone, context))
    windows = SimpleNamespace(options=segmenter.windows)
    selection = SimpleNamespace(threshold=0.5)
    told = conditions(
        segmenter.forward,
        selection,
        spoilt,
        alone.trial.dataset,
        windows=windows,
        mirror=False,
        on_progress=lambda event: None,
    )
    assert [len(one["scores"]) for one in told] == [0, 0, 0]
    assert [len(one["unscored"]) for one in told] == [0, 0, 1]
    assert "NaN or infinite" in told[2]["unscored"][0]
