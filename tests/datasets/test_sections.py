import pytest

from unetbench.core.errors import SpecError
from unetbench.datasets.sections import blocks

TEN = [str(k) for k in range(10)]


def test_neighbours_are_a_group_and_gaps_belong_to_none():
    assert blocks(TEN, 3, 1) == {
        "0": "0-2",
        "1": "0-2",
        "2": "0-2",
        "4": "4-6",
        "5": "4-6",
        "6": "4-6",
        "8": "8-9",
        "9": "8-9",
    }


def test_a_short_tail_joins_the_group_before():
    assert blocks(TEN, 3, 0)["9"] == blocks(TEN, 3, 0)["6"] == "6-9"
    assert blocks(TEN[:2], 5, 1) == {"0": "0-1", "1": "0-1"}


@pytest.mark.parametrize(("size", "gap"), [(0, 1), (3, -1)])
def test_blocks_that_make_no_sense_are_refused(size, gap):
    with pytest.raises(SpecError, match="give at least 1 and 0"):
        blocks(TEN, size, gap)
