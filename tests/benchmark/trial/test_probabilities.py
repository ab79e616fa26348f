"""Probabilities kept beside a record: how exactly, and what is said where they are not."""

import numpy as np
import pytest

from unetbench.benchmark.trial.probabilities import file_of, read_probabilities, write_probabilities
from unetbench.core.errors import StoreError


def test_probabilities_come_back_within_half_a_step_of_255(tmp_path):
    probabilities = np.random.default_rng(0).uniform(size=(7, 5, 3)).astype(np.float32)
    write_probabilities(tmp_path, "plate/a b", probabilities)
    found = read_probabilities(tmp_path, "plate/a b")
    assert (found.dtype, found.shape) == (np.float32, (7, 5, 3))
    assert np.abs(found - probabilities).max() <= 0.5 / 255 + 1e-6
    assert read_probabilities(tmp_path, "plate/a b").max() <= 1


def test_zero_and_one_are_exact_and_names_do_not_meet(tmp_path):
    write_probabilities(tmp_path, "a", np.zeros((2, 2, 1), np.float32))
    write_probabilities(tmp_path, "A", np.ones((2, 2, 1), np.float32))
    assert read_probabilities(tmp_path, "a").max() == 0
    assert read_probabilities(tmp_path, "A").min() == 1


def test_a_file_that_is_not_there_or_damaged_is_one_line(tmp_path):
    with pytest.raises(StoreError, match="no probabilities of a"):
        read_probabilities(tmp_path, "a")
    file_of(tmp_path, "a").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(StoreError, match="no probabilities of a"):
        read_probabilities(tmp_path, "a")
