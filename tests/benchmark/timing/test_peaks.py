"""What is measured is said with its operations or bytes, counted by hand here."""

import pytest

from unetbench.benchmark.timing import peaks


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(peaks, "CONVOLUTIONS", {"conv2d": ((2, 8, 8, 4),), "conv3d": ((1, 4, 4, 4, 2),)})
    monkeypatch.setattr(peaks, "EDGE", 32)
    monkeypatch.setattr(peaks, "COPIED", 2**12)
    monkeypatch.setattr(peaks, "MOST", 1)
    monkeypatch.setattr(peaks, "BUDGET_S", 0.01)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_work_is_counted_by_hand_and_samples_are_kept(small, precision):
    found = {reading["what"]: reading for reading in peaks.measure_peaks(precision)}
    assert found["conv2d"]["operations"] == 2 * (3 * 3 * 4 * 4) * (2 * 8 * 8)
    assert found["conv3d"]["operations"] == 2 * (27 * 2 * 2) * 4**3
    assert found["matmul"]["operations"] == 2 * 32**3
    assert found["copy"]["bytes"] == found["copy_numpy"]["bytes"] == 2 * 4 * 2**12
    for reading in found.values():
        assert len(reading["samples_s"]) >= 2
        assert min(reading["samples_s"]) > 0
    assert found["conv2d"]["dtype"] == {"float32": "float32", "mixed_bfloat16": "bfloat16"}[precision]


def test_a_device_that_is_too_fast_to_be_read_gets_more_images(small, monkeypatch):
    monkeypatch.setattr(peaks, "MOST", 16)
    monkeypatch.setattr(peaks, "SHORTEST_S", 3600.0)
    found = {reading["what"]: reading for reading in peaks.measure_peaks("float32")}
    assert found["conv2d"]["shape"] == [32, 8, 8, 4]
    assert found["conv2d"]["operations"] == 16 * 2 * (3 * 3 * 4 * 4) * (2 * 8 * 8)
