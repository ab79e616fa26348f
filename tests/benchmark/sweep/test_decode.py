"""Before anything is trained each case is decoded once, and data that was sound is known again by its contents."""

from dataclasses import replace

import numpy as np
import pytest

from unetbench.benchmark.sweep.decode import decoded
from unetbench.benchmark.sweep.plan import Planned
from unetbench.benchmark.trial.context import OpenedDataset
from unetbench.core.errors import DataError
from unetbench.core.recipe import Recipe
from unetbench.core.task import Task
from unetbench.core.trial import Choice, Trial
from unetbench.datasets.case import Case, Dataset, Sample
from unetbench.datasets.digests import FileDigests
from unetbench.datasets.disk_cache import CaseKeys
from unetbench.datasets.prepare import Preprocess
from unetbench.datasets.split import split_cases

TASK = Task(2, 1, ("cell",))


class _Files:
    """A data set of five files whose readings are counted, with one that may be damaged."""

    def __init__(self, folder):
        self.folder, self.readings, self.error = folder, [], None

    def planned(self, content=b"1", seeds=2):
        def read(name):
            self.readings.append(name)
            if name == "c3" and self.error is not None:
                raise self.error
            return Sample(np.zeros((8, 8, 1), np.uint8), np.zeros((8, 8, 1), np.uint8))

        cases = []
        for k in range(5):
            file = self.folder / f"{k}.png"
            file.write_bytes(content)
            cases.append(Case(f"c{k}", f"c{k}", lambda name=f"c{k}": read(name), files=(file,)))
        dataset = Dataset("mine", TASK, tuple(cases), "", "")
        split = split_cases(dataset)
        opened = OpenedDataset(dataset, split, Preprocess(), TASK, "components", CaseKeys(dataset, {}), FileDigests())
        trial = Trial(
            Choice("folder"), {"digest": split.digest}, Choice("unet"), Choice("bce"), Recipe(patch=(8, 8)), 0
        )
        return [Planned(replace(trial, seed=seed), opened) for seed in range(seeds)]


@pytest.fixture
def files(tmp_path):
    return _Files(tmp_path)


def test_sound_data_is_read_once_until_its_contents_change(files, tmp_path):
    for _ in range(2):
        assert [entry.problem for entry in decoded(files.planned(), tmp_path / "memory", ())] == ["", ""]
    assert sorted(files.readings) == [f"c{k}" for k in range(5)]
    decoded(files.planned(content=b"2"), tmp_path / "memory", ())
    assert len(files.readings) == 10


@pytest.mark.parametrize(
    ("error", "words"),
    [(DataError("3.png: cannot be decoded"), "3.png: cannot be decoded"), (ZeroDivisionError("x"), "c3: ZeroDivision")],
)
def test_a_damaged_case_is_the_problem_of_every_trial_and_looked_at_again(files, tmp_path, error, words):
    files.error = error
    for _ in range(2):
        found = decoded(files.planned(), tmp_path / "memory", ())
        assert all(entry.problem.startswith(words) for entry in found)
    assert len(files.readings) == 10  # once a run, not once a trial
    files.error = None
    assert not any(entry.problem for entry in decoded(files.planned(), tmp_path / "memory", ()))


def test_a_trial_that_cannot_run_here_keeps_its_problem_beside_sound_data(files, tmp_path):
    planned = [replace(entry, problem="backend torch: not installed here") for entry in files.planned()]
    found = decoded(planned, tmp_path / "memory", ())
    assert {entry.problem for entry in found} == {"backend torch: not installed here"}


def test_data_of_settled_trials_is_left_alone(files, tmp_path):
    files.error = DataError("3.png: cannot be decoded")
    settled = {entry.trial.id for entry in files.planned()}
    assert not any(entry.problem for entry in decoded(files.planned(), tmp_path / "memory", settled))
    assert files.readings == []


def test_a_memory_that_cannot_be_written_is_no_error(files, tmp_path):
    (tmp_path / "memory").write_text("a file, not a folder")
    assert not any(entry.problem for entry in decoded(files.planned(), tmp_path / "memory", ()))
