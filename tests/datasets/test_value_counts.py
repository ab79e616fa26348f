import numpy as np
import pytest

from unetbench.datasets.value_counts import ValueCounts


def test_quantiles_of_whole_numbers_are_exact():
    found = ValueCounts.of(np.arange(1, 101, dtype=np.uint8))
    assert [found.quantile(share) for share in (0.01, 0.5, 0.99, 1.0)] == [1, 50, 99, 100]
    assert (found.least, found.most) == (1, 100)
    negative = ValueCounts.of(np.arange(-1000, 1001, dtype=np.int16))
    assert [negative.quantile(share) for share in (0.0005, 0.5, 1)] == [-999, 0, 1000]


@pytest.mark.parametrize("scale", [1e-9, 1.0, 3e7])
def test_quantiles_of_others_are_within_half_a_percent(scale):
    values = np.random.default_rng(0).normal(5, 3, 20_000) * scale
    found = ValueCounts.of(values.astype(np.float64))
    for share in (0.01, 0.3, 0.5, 0.99):
        assert found.quantile(share) == pytest.approx(np.quantile(values, share), rel=0.006, abs=2e-3 * scale)
    assert (found.least, found.most) == (values.min(), values.max())


def test_cases_one_after_another_count_like_all_at_once():
    values = np.random.default_rng(0).normal(0, 1000, (7, 500)).astype(np.float32)
    together, apart = ValueCounts.of(values), ValueCounts()
    for part in values:
        apart.add(ValueCounts.of(part))
    assert apart == together


def test_memory_does_not_grow_with_the_data():
    found, sizes = ValueCounts(), []
    for seed in range(30):
        found.add(ValueCounts.of(np.random.default_rng(seed).normal(0, 1, 20_000)))
        sizes.append(len(found.counts))
    assert sizes[-1] < 12_000
    assert sizes[-1] - sizes[-10] < 400


def test_thinned_arrays_keep_their_extremes_and_their_weight():
    values = np.zeros(1_000_000, np.uint16)
    values[12_345] = 60_000
    found = ValueCounts.of(values, 1000)
    assert found.most == 60_000
    assert sum(found.counts.values()) == values.size
    assert found.quantile(0.99) == 0


def test_nothing_has_no_quantile():
    empty = ValueCounts.of(np.zeros(0, np.uint8))
    assert np.isnan([empty.quantile(0.5), empty.least, empty.most]).all()
    empty.add(ValueCounts.of(np.array([3], np.uint8)))
    assert (empty.least, empty.quantile(0.5), empty.most) == (3, 3, 3)
