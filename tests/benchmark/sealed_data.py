"""A data set whose test cases nobody may read; a plugin file for the tests."""

from dataclasses import replace

from unetbench.core.errors import DataError
from unetbench.datasets import DATASETS

TEST = 4


@DATASETS.add
def sealed(source):
    """Generated cells of which the last plate is for testing and cannot be read (a test's)."""
    found = DATASETS["cells"](source, count=16, size=(64, 64))
    sealed_names = {case.name for case in found.cases[-TEST:]}
    cases = tuple(replace(case, read=_refuse) if case.name in sealed_names else case for case in found.cases)
    return replace(found, cases=cases, official=dict.fromkeys(sealed_names, "test"))


def _refuse():
    raise DataError("a test case of sealed was read")
