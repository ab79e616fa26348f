"""What the real images are, where UNETBENCH_DATA says they lie."""

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from unetbench.datasets import DATASETS
from unetbench.datasets.audit import audit
from unetbench.datasets.case import Dataset
from unetbench.datasets.dsb2018 import groups, kind, regrouped
from unetbench.datasets.source import Source
from unetbench.datasets.split import split_cases

DATA = os.environ.get("UNETBENCH_DATA")
pytestmark = [pytest.mark.data, pytest.mark.skipif(DATA is None, reason="UNETBENCH_DATA names no folder of images")]


def _source() -> Source:
    return Source(Path(DATA or ""), Path("unused"), download=False)


def _dataset(name: str, **options) -> Dataset:
    if not (Path(DATA or "") / name).is_dir():
        pytest.skip(f"UNETBENCH_DATA holds no {name}")
    return DATASETS[name](_source(), **options)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("wbc", {}),
        ("msd_hippocampus", {}),
        ("bbbc006", {"plane": 0}),
        ("sstem_vnc", {}),
        ("sstem_vnc", {"target": "classes"}),
        ("sstem_vnc", {"target": "synapse"}),
        ("sstem_vnc", {"rank": 3}),
    ],
    ids=str,
)
def test_every_case_can_be_read_and_prepared(name, options):
    assert audit(_dataset(name, **options)).findings == []


def test_dsb2018_has_colour_images_without_alpha_and_truths_that_are_its_instances():
    dataset = _dataset("dsb2018")
    counts = Counter(case.stratum for case in dataset.cases)
    assert set(counts) <= {"fluorescence", "grey_bright", "colour_bright"}
    for case in dataset.cases[::40]:
        sample = case.read()
        assert sample.image.shape[-1] == 3
        assert sample.instances is not None
        np.testing.assert_array_equal(sample.truth[..., 0], sample.instances > 0)
        assert kind(sample.image) == case.stratum


def test_dsb2018_splits_every_kind_in_proportion_and_no_field_of_view_apart():
    dataset = _dataset("dsb2018")
    split = split_cases(dataset)
    fields = {}
    for case in dataset.cases:
        fields.setdefault(case.group, set()).add(split.roles[case.name])
    assert all(len(roles) == 1 for roles in fields.values())
    for stratum, count in Counter(case.stratum for case in dataset.cases).items():
        share = sum(case.stratum == stratum for case in split.cases("test")) / count
        assert abs(share - 0.2) < 0.05


@pytest.mark.slow
def test_the_groups_of_dsb2018_are_those_found_in_the_pixels():
    _dataset("dsb2018")
    found, shipped = regrouped(_source()), groups()
    assert {name: shipped[name] for name in found if name in shipped} == {
        name: entry for name, entry in found.items() if name in shipped
    }


@pytest.mark.slow
def test_every_case_of_dsb2018_can_be_read_and_prepared():
    assert audit(_dataset("dsb2018")).findings == []
