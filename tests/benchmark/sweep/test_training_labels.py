"""Training labels as an axis of a sweep: each data set with each kind, and trials that are told apart by them."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from unetbench.benchmark.naming.labels import Labels
from unetbench.benchmark.naming.trial_names import TrialNames
from unetbench.benchmark.sweep.file import read
from unetbench.benchmark.sweep.plan import trials
from unetbench.benchmark.trial.context import Context
from unetbench.core.errors import SpecError
from unetbench.datasets.source import Source

SWEEP = {
    "name": "weak",
    "datasets": [{"name": "cells", "count": 12, "label": "Nuclei"}, {"name": "cells", "form": "volume", "count": 12}],
    "models": ["unet"],
    "losses": ["bce_dice"],
    "recipe": {"patch": [32, 32]},
}
AXIS = ["full", {"points": 1}, "boxes", {"fraction": 0.5}]


def _read(folder: Path, **keys):
    file = folder / "weak.yaml"
    file.write_text(yaml.safe_dump({**SWEEP, **keys}))
    return read(file)


@pytest.fixture
def context(tmp_path):
    return Context(Source(None, tmp_path / "cache"), tmp_path, tmp_path / "results", "weak")


def test_without_the_key_trials_are_what_they_were(tmp_path, context):
    plain, full = (trials(_read(tmp_path, **keys), context) for keys in ({}, {"labels": ["full"]}))
    assert [one.trial.id for one in plain] == [one.trial.id for one in full]
    assert all("labels" not in one.trial.dataset.options for one in plain)


def test_each_data_set_has_a_trial_with_each_kind_and_the_same_test_cases(tmp_path, context):
    sweep = _read(tmp_path, labels=AXIS)
    planned = trials(sweep, context)
    assert len(sweep.datasets) == 2
    assert [one.trial.dataset.options.get("labels") for one in planned] == 2 * [
        None,
        {"points": 1},
        {"boxes": "fill"},
        {"fraction": 0.5},
    ]
    assert len({one.trial.id for one in planned}) == 8
    of_nuclei = [one.opened for one in planned[:4]]
    assert len({one.trial.split["digest"] for one in planned[:4]}) == 1
    assert len({opened.split.cases("test") for opened in of_nuclei}) == 1
    assert [len(opened.split.cases("train")) for opened in of_nuclei] == [4, 4, 4, 2]
    assert [opened.task.ignore for opened in of_nuclei] == [None, 255, 255, None]


def test_they_are_named_after_their_labels(tmp_path, context):
    sweep = _read(tmp_path, labels=AXIS)
    found = [one.trial for one in trials(sweep, context)]
    names = TrialNames(found, sweep.labels)
    assert [names[trial].dataset for trial in found[:4]] == [
        "Nuclei",
        "Nuclei, 1 point",
        "Nuclei, boxes",
        "Nuclei, 0.5 of the masks",
    ]
    assert len({names[trial].dataset for trial in found}) == 8
    assert Labels(sweep.resolved).dataset(replace(found[1], seed=3)) == "Nuclei, 1 point"


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ([{"points": 0}], "weak.yaml: labels[0]: points: points: 0 is below 1"),
        (["full", "pionts"], "weak.yaml: labels[1]: kind of labels 'pionts' is unknown; did you mean 'points'"),
        (
            ["full", {"points": 1}, {"points": 1, "radius": 2}],
            "weak.yaml: labels[2]: {'points': 1, 'radius': 2} is there",
        ),
        ([], "labels"),
    ],
)
def test_labels_that_make_no_sense_are_one_line(tmp_path, labels, told):
    with pytest.raises(SpecError) as error:
        _read(tmp_path, labels=labels)
    assert told in str(error.value)


def test_labels_that_a_task_cannot_have_are_a_problem_of_its_trials_only(tmp_path, context):
    data = [{"name": "cells", "form": "nucleus_cytoplasm", "count": 12}, {"name": "cells", "count": 12}]
    planned = trials(_read(tmp_path, datasets=data, labels=[{"points": 1, "pseudo": "voronoi"}]), context)
    assert "take `pseudo: watershed`" in planned[0].problem
    assert not planned[1].problem
