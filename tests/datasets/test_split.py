import hashlib
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from unetbench.core.errors import DataError
from unetbench.core.task import Task
from unetbench.datasets.case import Case, Dataset, Sample
from unetbench.datasets.split import split_cases


def _sample() -> Sample:
    return Sample(np.zeros((4, 4, 1), np.uint8), np.zeros((4, 4, 1), np.uint8))


def _dataset(groups, strata=None, official=None, files=None) -> Dataset:
    cases = tuple(
        Case(f"c{k:03d}", group, partial(_sample), strata[k] if strata else "", files[k] if files else ())
        for k, group in enumerate(groups)
    )
    return Dataset("toy", Task(2, 1, ("cell",)), cases, "CC0", "", official or {})


def _singles(count, **more):
    return _dataset([f"g{k:03d}" for k in range(count)], **more)


def test_the_shares_are_met_and_cases_come_in_order():
    split = split_cases(_singles(100))
    assert Counter(split.roles.values()) == {"train": 70, "validation": 10, "test": 20}
    names = [case.name for case in split.cases("train")]
    assert names == sorted(names)


def test_a_group_never_gets_two_roles():
    dataset = _dataset([f"g{k % 17}" for k in range(100)])
    split = split_cases(dataset)
    roles = {}
    for case in dataset.cases:
        roles.setdefault(case.group, set()).add(split.roles[case.name])
    assert all(len(found) == 1 for found in roles.values())
    assert set(split.roles.values()) == {"train", "validation", "test"}


def test_each_stratum_is_split_in_proportion():
    strata = ["rare" if k % 10 == 0 else "common" for k in range(200)]
    dataset = _singles(200, strata=strata)
    split = split_cases(dataset)
    counts = Counter((case.stratum, split.roles[case.name]) for case in dataset.cases)
    assert counts["rare", "test"] == 4
    assert counts["rare", "validation"] == 2
    assert counts["common", "test"] == 36


def test_many_tiny_strata_still_meet_the_shares_together():
    split = split_cases(_singles(40, strata=[f"s{k // 2}" for k in range(40)]))
    counts = Counter(split.roles.values())
    assert abs(counts["test"] - 8) <= 1
    assert abs(counts["validation"] - 4) <= 1


def test_another_seed_gives_another_split_and_the_same_seed_the_same():
    dataset = _singles(50)
    assert split_cases(dataset).roles == split_cases(dataset).roles
    assert split_cases(dataset).roles != split_cases(dataset, seed=1).roles
    assert split_cases(dataset).digest != split_cases(dataset, seed=1).digest


def test_the_split_is_the_same_on_every_machine():
    hashes = {f"c{k:03d}": hashlib.sha256(f"0\ng{k:03d}".encode()).hexdigest() for k in range(10)}
    first, second, third = sorted(hashes, key=lambda name: hashes[name])[:3]
    split = split_cases(_singles(10))
    assert {case.name for case in split.cases("test")} == {first, second} == {"c000", "c002"}
    assert [case.name for case in split.cases("validation")] == [third]


def test_five_cases_more_move_few_of_a_hundred():
    before, after = split_cases(_singles(100)).roles, split_cases(_singles(105)).roles
    assert sum(before[name] != after[name] for name in before) <= 4


def test_folds_test_every_case_exactly_once():
    dataset = _dataset([f"g{k // 2}" for k in range(40)])
    folds = [split_cases(dataset, folds=5, fold=fold) for fold in range(5)]
    tested = Counter(case.name for split in folds for case in split.cases("test"))
    assert set(tested.values()) == {1}
    assert len(tested) == 40
    assert all(split.cases("validation") and split.cases("train") for split in folds)
    assert all(len(split.cases("test")) == 8 for split in folds)


def test_official_test_cases_stay_and_validation_is_drawn_from_official_training_cases():
    official = {f"c{k:03d}": "test" if k < 5 else "train" for k in range(40)}
    split = split_cases(_singles(40, official=official))
    assert [case.name for case in split.cases("test")] == [f"c{k:03d}" for k in range(5)]
    assert len(split.cases("validation")) == 4  # 35 × 0.1 / 0.8 = 4.4


def test_a_fold_is_a_validation_share_where_the_test_cases_are_official():
    official = {f"c{k:03d}": "test" for k in range(10)}
    split = split_cases(_singles(40, official=official), folds=3, fold=1)
    assert len(split.cases("test")) == 10
    assert len(split.cases("validation")) == 10


def test_three_official_roles_are_kept_as_they_are():
    official = {f"c{k:03d}": ("train", "validation", "test")[k % 3] for k in range(9)}
    assert split_cases(_singles(9, official=official)).roles == official


def test_official_roles_that_cut_a_group_apart_are_refused():
    with pytest.raises(DataError, match="group g is officially in test and validation; it would leak"):
        split_cases(_dataset(["g"] * 4, official={"c000": "test", "c001": "validation"}))


@pytest.mark.parametrize("groups", [2, 0])
def test_too_few_groups_are_one_clear_line(groups):
    dataset = _dataset([f"g{k % groups}" for k in range(10)] if groups else [])
    message = rf"^toy: {groups} independent groups of cases cannot fill 3 shares \(test, validation, train\)"
    with pytest.raises(DataError, match=message):
        split_cases(dataset)


def test_three_groups_fill_three_roles_whatever_their_sizes():
    dataset = _dataset(["a"] * 20 + ["b"] + ["c"] * 3)
    assert set(split_cases(dataset).roles.values()) == {"train", "validation", "test"}


def test_more_folds_than_groups_are_refused():
    with pytest.raises(DataError, match="4 independent groups of cases cannot fill 5 shares"):
        split_cases(_singles(4), folds=5)


@pytest.mark.parametrize("wrong", [{"train": 0.9}, {"folds": 1}, {"folds": 3, "fold": 3}, {"test": -0.1, "train": 1.0}])
def test_fractions_and_folds_that_make_no_sense_are_refused(wrong):
    with pytest.raises(DataError, match="^split: "):
        split_cases(_singles(10), **wrong)


def test_the_digest_knows_contents_but_not_places(tmp_path):
    def digest(folder, content):
        files = [Path(tmp_path / folder / f"{k}.png") for k in range(5)]
        for file in files:
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(content)
        return split_cases(_singles(5, files=[(file,) for file in files])).digest

    assert digest("here", b"12") == digest("there", b"12")
    assert digest("here", b"12").startswith("content:")
    assert digest("here", b"12") != digest("there", b"34")
    assert split_cases(_singles(5)).digest.isalnum()  # generated data: as before contents counted


def test_a_file_that_vanished_is_named(tmp_path):
    dataset = _singles(5, files=[(tmp_path / "gone.png",)] * 5)
    with pytest.raises(DataError, match=r"gone\.png is not there any more"):
        split_cases(dataset)


def test_the_digest_knows_which_files_show_which_class_and_how_they_are_read(tmp_path):
    file = tmp_path / "a.png"
    file.write_bytes(b"1")

    def digest(reading="", **case):
        dataset = _singles(5, files=[(file,)] * 5)
        cases = tuple(replace(old, **case) for old in dataset.cases)
        return split_cases(replace(dataset, cases=cases, reading=reading)).digest

    assert digest(planes=(1, 0)) != digest(planes=(0, 1))
    assert digest(reading="2") != digest()
