"""Peaks are measured once a machine and found again by the next sweep; the shortest sample counts."""

import json

import pytest

from unetbench.benchmark.records.peaks import Peaks, peaks_of, put_peaks, read_peaks
from unetbench.core.errors import StoreError

READINGS = [
    {"what": "conv2d", "operations": 8e9, "samples_s": [0.4, 0.2, 0.3]},
    {"what": "conv3d", "operations": 9e9, "samples_s": [0.3]},
    {"what": "matmul", "operations": 6e9, "samples_s": [0.1]},
    {"what": "copy", "bytes": 2e9, "samples_s": [0.5, 0.4]},
    {"what": "copy_numpy", "bytes": 2e9, "samples_s": [0.1]},
]
SETTING = ("tensorflow", "cpu", "float32")


def test_a_peak_is_the_work_of_the_best_reading_over_its_shortest_time():
    peaks = Peaks(*SETTING, "2026-01-01", {}, {}, READINGS)
    assert peaks.convolution == pytest.approx(40e9)  # 8e9 / 0.2; the 3D one has 30e9
    assert peaks.best("matmul") == pytest.approx(60e9)
    assert peaks.bandwidth == pytest.approx(20e9)
    assert peaks.best("sort") == 0.0


def test_they_are_measured_once_for_all_sweeps_of_a_machine(tmp_path):
    calls = []

    def measure():
        calls.append(1)
        return READINGS

    for sweep in ("one", "one", "two"):
        put_peaks(tmp_path / sweep, tmp_path / "cache", SETTING, measure)
    assert len(calls) == 1
    (one,), (two,) = read_peaks(tmp_path / "one"), read_peaks(tmp_path / "two")
    assert one == two
    assert one.machine["digest"]
    assert one.versions["keras"]
    assert one.measured.startswith("20")
    put_peaks(tmp_path / "one", tmp_path / "cache", ("tensorflow", "cpu", "mixed_bfloat16"), measure)
    assert len(calls) == 2


def test_peaks_of_another_machine_or_precision_are_not_taken(tmp_path):
    put_peaks(tmp_path, tmp_path / "cache", SETTING, lambda: READINGS)
    found = read_peaks(tmp_path)
    assert peaks_of(found, found[0].machine, SETTING) == found[0]
    assert peaks_of(found, {**found[0].machine, "digest": "another"}, SETTING) is None
    assert peaks_of(found, found[0].machine, ("jax", "cpu", "float32")) is None


@pytest.mark.parametrize("text", ["{", json.dumps({"backend": "jax"})])
def test_a_damaged_file_is_named(tmp_path, text):
    file = tmp_path / "machines" / "desk" / "peaks.json"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    with pytest.raises(StoreError, match=r"peaks\.json: no peaks of a machine .* delete it"):
        read_peaks(tmp_path)
