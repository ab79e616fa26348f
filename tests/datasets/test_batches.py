"""Batches of cases: where a case's batch is read, what a stage trains on, and what it keeps of earlier ones."""

import hashlib
from pathlib import Path

import pytest

from unetbench.core.errors import DataError, SpecError
from unetbench.core.task import Task
from unetbench.datasets.batches import (
    Arrived,
    arrived_of,
    arrived_split,
    batch_of,
    batches_of,
    check_by,
    replayed_cases,
)
from unetbench.datasets.case import Case, Dataset
from unetbench.datasets.split import Split

TASK = Task(2, 1, ("cell",), "binary", None)
SITES = r"site(\d+)"


def _read():
    raise AssertionError("no case is read to know its batch")


def _split(counts):
    """Cases `site<k>_<role>_<n>`: so many of each role at each site."""
    roles = {
        f"site{site}_{role}_{number}": role
        for site, numbers in counts.items()
        for role, count in zip(("train", "validation", "test"), numbers, strict=True)
        for number in range(count)
    }
    cases = tuple(Case(name, name, _read, name[:5]) for name in sorted(roles))
    return Split(Dataset("mine", TASK, cases, "", ""), roles, "digest")


SPLIT = _split({1: (6, 2, 2), 2: (5, 1, 2), 10: (8, 4, 1)})


def _names(cases):
    return sorted(case.name for case in cases)


@pytest.mark.parametrize(
    ("by", "batch"), [(SITES, "12"), (r"site\d+", "site12"), ("stratum", "a stain"), (r"plate(\d+)", "")]
)
def test_a_batch_is_the_group_of_the_expression_or_the_whole_match_or_the_stratum(by, batch):
    assert batch_of(Case("site12_003", "g", _read, "a stain"), by) == batch


def test_batches_are_in_the_order_of_their_numbers():
    assert batches_of(SPLIT, SITES) == ("1", "2", "10")


def test_a_stage_trains_and_validates_on_its_batch_and_is_tested_on_all():
    stage = arrived_split(SPLIT, Arrived(SITES, ("1", "10")))
    assert {batch_of(case, SITES) for role in ("train", "validation") for case in stage.cases(role)} == {"10"}
    assert len(stage.cases("train")) == 8
    assert len(stage.cases("validation")) == 4
    assert _names(stage.cases("test")) == _names(SPLIT.cases("test"))


def test_what_is_kept_is_shared_among_earlier_batches_and_never_of_later_ones():
    # Of 5 kept training cases, 3 are of the first and 2 of the second batch. Validation: 3 of 6 training cases are
    # kept, so 1 of 2; 2 of 5, so 0.4 of 1, at least one.
    kept = replayed_cases(SPLIT, Arrived(SITES, ("1", "2", "10"), 5))
    counts = {}
    for case in kept:
        key = batch_of(case, SITES), SPLIT.roles[case.name]
        counts[key] = counts.get(key, 0) + 1
    assert counts == {("1", "train"): 3, ("2", "train"): 2, ("1", "validation"): 1, ("2", "validation"): 1}


def test_what_a_later_stage_keeps_of_a_batch_an_earlier_one_kept_too():
    earlier = _names(replayed_cases(SPLIT, Arrived(SITES, ("1", "2"), 4)))
    later = _names(replayed_cases(SPLIT, Arrived(SITES, ("1", "2", "10"), 4)))
    assert {name for name in later if name.startswith("site1_")} < set(earlier)
    assert earlier[:4] == sorted(
        sorted(
            (f"site1_train_{k}" for k in range(6)), key=lambda name: hashlib.sha256(f"0\n{name}".encode()).hexdigest()
        )[:4]
    )


def test_another_seed_keeps_others():
    kept = {tuple(_names(replayed_cases(SPLIT, Arrived(SITES, ("1", "2"), 3, seed)))) for seed in range(6)}
    assert len(kept) > 1


def test_more_kept_than_there_are_is_all_of_them():
    kept = replayed_cases(SPLIT, Arrived(SITES, ("1", "2"), 100))
    assert len(kept) == 6 + 2


@pytest.mark.parametrize(("keep", "batches"), [(0, ("1", "2")), (4, ("1",))])
def test_a_stage_that_keeps_nothing_has_no_word_of_it_in_its_identity(keep, batches):
    arrived = Arrived(SITES, batches, keep, 7)
    assert set(arrived.options) == {"by", "batches"}
    told = Arrived(SITES, ("1", "2"), 4, 7)
    assert arrived_of(told.options) == told
    assert arrived_of(None) is None


def test_a_batch_without_a_case_of_a_role_is_one_line_that_names_it():
    with pytest.raises(DataError, match=r"of 2 batches, 2 no validation case, 2 no test case; each needs one"):
        batches_of(_split({1: (2, 1, 1), 2: (3, 0, 0)}), SITES)


def test_cases_of_no_batch_and_of_a_single_one_are_refused():
    with pytest.raises(DataError, match=r"case site10_test_0 does not match 'plate', .* \(29 cases\)|\(31 cases\)"):
        batches_of(SPLIT, "plate")
    with pytest.raises(DataError, match="all cases are of the batch 'site'; batches that arrive are two or more"):
        batches_of(SPLIT, "site")


@pytest.mark.parametrize(("by", "message"), [("site(", "no regular expression"), (r"(a)(b)", "has 2 groups")])
def test_an_expression_that_cannot_name_a_batch_is_refused(by, message):
    with pytest.raises(SpecError, match=message):
        check_by(by)


def test_generated_domains_are_strata_that_every_role_has(tmp_path):
    from unetbench.datasets import DATASETS
    from unetbench.datasets.source import Source
    from unetbench.datasets.split import split_cases

    found = DATASETS["cells"](Source(None, Path("unused"), False), count=48, domains=["plain", "inverted", "noisy"])
    assert batches_of(split_cases(found, train=0.5, validation=0.25, test=0.25), "stratum") == (
        "inverted",
        "noisy",
        "plain",
    )
