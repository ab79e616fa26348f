"""How a pretrained model is made of a finished trial, and the images of other sources that it is scored on."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from unetbench.benchmark.commands import ship
from unetbench.benchmark.commands.ship_sources import EVERY, SOURCES
from unetbench.benchmark.records import pretrained
from unetbench.core.errors import StoreError

DATA = os.environ.get("UNETBENCH_DATA")


def test_a_trial_without_weights_is_not_shipped(tmp_path):
    model = pretrained.named("nuclei-light")
    sweep = tmp_path / "results" / "nuclei-light"
    with pytest.raises(StoreError, match="holds 0 done trials; one is needed, and its weights"):
        ship.copy(sweep, tmp_path / "to")
    target = sweep / model.inside(model.record_file)
    target.parent.mkdir(parents=True)
    target.write_bytes(model.record_file.read_bytes())
    with pytest.raises(StoreError, match="holds 1 done trials; one is needed, and its weights"):
        ship.copy(sweep, tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_the_files_of_a_trial_stand_in_for_earlier_ones(tmp_path):
    folder = pretrained.named("volume-light").folder
    old = tmp_path / "weights" / "other-machine" / "0.keras"
    old.parent.mkdir(parents=True)
    old.write_bytes(b"")
    ship.copy(folder, tmp_path)
    copied = pretrained.Pretrained(tmp_path)
    original = pretrained.named("volume-light")
    assert [copied.digest(file) for file in (copied.record_file, copied.weights_file)] == [
        original.digest(file) for file in (original.record_file, original.weights_file)
    ]


def test_what_was_measured_is_written_with_a_row_a_line():
    rows = [{"case": "a", "dice": 0.5}, {"case": "b", "dice": None}]
    fields = {"sha256": {"x": "1"}, "others": [{"name": "n", "rows": rows}, {"name": "m", "rows": rows[:1]}]}
    text = ship.text_of(dict(fields))
    assert json.loads(text) == fields
    assert '{"case": "b", "dice": null}' in text.splitlines()


@pytest.mark.data
@pytest.mark.skipif(DATA is None, reason="UNETBENCH_DATA names no folder of images")
@pytest.mark.parametrize("name", SOURCES)
def test_every_other_source_has_the_classes_of_the_model(name):
    task = pretrained.named(name).record.task
    for source in SOURCES[name]:
        cases = source.cases(Path(DATA))
        sample = cases[0].read()
        assert sample.truth.shape == (*sample.image.shape[:-1], 1)
        assert sample.truth.ndim == task["rank"] + 1
        assert set(np.unique(sample.truth)) <= set(range(max(2, len(task["classes"]))))
        assert len({case.name for case in cases}) == len(cases)


@pytest.mark.data
@pytest.mark.skipif(DATA is None, reason="UNETBENCH_DATA names no folder of images")
def test_slices_without_nuclei_are_left_out():
    (embryo,) = (source for source in SOURCES["nuclei-light"] if source.name == "bbbc050")
    (volume,) = (source for source in SOURCES["volume-light"] if source.name == "bbbc050")
    whole = volume.cases(Path(DATA))[0].read()
    held = np.flatnonzero(whole.truth.any((1, 2, 3)))
    found = [int(case.name[-3:]) for case in embryo.cases(Path(DATA))]
    assert found == held[::EVERY].tolist()
    assert 0 < len(held) < len(whole.truth)
