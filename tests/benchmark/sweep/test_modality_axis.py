"""Modalities as an axis of a sweep: what each data set is trained with, and what its tests have."""

from pathlib import Path

import pytest
import yaml

from unetbench.benchmark.naming.trial_names import TrialNames
from unetbench.benchmark.sweep.file import read
from unetbench.benchmark.sweep.plan import trials
from unetbench.benchmark.trial.context import Context
from unetbench.core.errors import SpecError
from unetbench.datasets.source import Source

PAIR = {"name": "cells", "form": "two_modality", "count": 12}
SWEEP = {
    "name": "modal",
    "datasets": [PAIR, {"name": "cells", "form": "fluorescence_phase", "count": 12}],
    "models": ["unet"],
    "losses": ["bce_dice"],
    "recipe": {"patch": [32, 32]},
}
AXIS = ["all", {"use": "all", "dropout": 0.3}, "each"]


def _read(folder: Path, **keys):
    file = folder / "modal.yaml"
    file.write_text(yaml.safe_dump({**SWEEP, **keys}))
    return read(file)


@pytest.fixture
def context(tmp_path):
    return Context(Source(None, tmp_path / "cache"), tmp_path, tmp_path / "results", "modal")


def test_all_modalities_and_no_tests_are_the_trials_that_there_were(tmp_path, context):
    plain, same = (trials(_read(tmp_path, **keys), context) for keys in ({}, {"modalities": ["all"]}))
    assert [one.trial.id for one in plain] == [one.trial.id for one in same]
    both = trials(_read(tmp_path, datasets=[PAIR], modalities=[["bright_field", "fluorescence"]]), context)
    assert [one.trial.id for one in both] == [plain[0].trial.id]


def test_each_data_set_has_a_trial_with_each(tmp_path, context):
    planned = trials(_read(tmp_path, modalities=AXIS, test_modalities=["all", "each"]), context)
    told = [(one.trial.dataset.options.get("modalities"), one.trial.recipe.modality_dropout) for one in planned]
    assert told[:4] == [(None, 0.0), (None, 0.3), ("fluorescence", 0.0), ("bright_field", 0.0)]
    assert told[6:] == [("fluorescence", 0.0), ("phase", 0.0)]
    assert len({one.trial.id for one in planned}) == 8
    assert len({one.trial.split["digest"] for one in planned[:4]}) == 1
    assert [one.opened.task.channels for one in planned[:4]] == [2, 2, 1, 1]
    assert {str(one.trial.dataset.options["test_modalities"]) for one in planned[:4]} == {
        "[['fluorescence', 'bright_field'], 'fluorescence', 'bright_field']"
    }


def test_a_modality_alone_is_taken_without_dropout_and_once(tmp_path, context):
    recipe = {**SWEEP["recipe"], "modality_dropout": 0.2}
    planned = trials(_read(tmp_path, datasets=[PAIR], recipe=recipe, modalities=["all", "phase", "each"]), context)
    told = [(one.trial.dataset.options.get("modalities"), one.trial.recipe.modality_dropout) for one in planned]
    assert told == [(None, 0.2), ("phase", 0.2), ("fluorescence", 0.0), ("bright_field", 0.0)]
    assert [bool(one.problem) for one in planned] == [False, True, False, False]


def test_what_a_data_set_has_not_is_a_problem_of_those_trials_alone(tmp_path, context):
    data = [PAIR, {"name": "cells", "count": 12}]
    planned = trials(_read(tmp_path, datasets=data, modalities=["all", "bright_feild"]), context)
    assert [one.problem for one in planned[::2]] == ["", ""]
    assert "modality of cells 'bright_feild' is unknown; did you mean 'bright_field'" in planned[1].problem
    assert "cells names no modalities" in planned[3].problem
    assert len({one.trial.id for one in planned}) == 4
    dropped = trials(_read(tmp_path, datasets=data[1:], modalities=[AXIS[1]]), context)
    assert "0.3 leaves out modalities, cells does not name two" in dropped[0].problem
    tested = trials(_read(tmp_path, datasets=data, test_modalities=["bright_field"]), context)
    assert tested[0].problem == ""
    assert "test_modalities: ('bright_field',): cells names no modalities" in tested[1].problem


def test_they_are_named_after_their_modalities(tmp_path, context):
    data = [{**PAIR, "label": "Nuclei"}]
    sweep = _read(tmp_path, datasets=data, modalities=AXIS, test_modalities=["each"])
    found = [one.trial for one in trials(sweep, context)]
    names = TrialNames(found, sweep.labels)
    assert [names[trial].dataset for trial in found] == [
        "Nuclei",
        "Nuclei",
        "Nuclei, fluorescence",
        "Nuclei, bright_field",
    ]
    bare = _read(
        tmp_path, datasets=[PAIR, SWEEP["datasets"][1]], modalities=["all", "fluorescence"], test_modalities=["each"]
    )
    found = [one.trial for one in trials(bare, context)]
    names = TrialNames(found)
    assert [names[trial].dataset for trial in found[:2]] == [
        "cells(form=two_modality)",
        "cells(form=two_modality, modalities=fluorescence)",
    ]


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"modalities": ["all", "all"]}, "modal.yaml: modalities[1]: all is there twice"),
        ({"modalities": [{"use": "all", "dropout": 1.0}]}, "modal.yaml: modalities[0]: dropout: 1.0 is not in [0, 1)"),
        ({"test_modalities": [{"use": "all"}]}, "modal.yaml: test_modalities[0]: {'use': 'all'} is none of all, each"),
        ({"modalities": []}, "modalities"),
    ],
)
def test_an_axis_that_makes_no_sense_is_one_line(tmp_path, keys, told):
    with pytest.raises(SpecError) as caught:
        _read(tmp_path, **keys)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
