"""The script `training_step.py` compares networks of one size, and runs to its table."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("training_step.py")

pytestmark = [
    pytest.mark.parity,
    pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed"),
]


@pytest.mark.parametrize("network", ["plain", "batch", "separable", "3d"])
def test_the_script_trains_the_same_network_on_both_sides(network, tmp_path):
    file = tmp_path / "seconds.json"
    words = ["--networks", network, "--precisions", "float32", "--against", "pytorch", "--json", str(file)]
    call = [sys.executable, str(SCRIPT), *words, "--rounds", "2", "--steps", "1", "--limit", "AVX2"]
    done = subprocess.run(call, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    ours, theirs = json.loads(file.read_text())["results"]
    assert (ours["competitor"], theirs["competitor"]) == ("unetbench", "pytorch")
    assert ours["parameters"] == theirs["parameters"]
    assert len(ours["seconds"]) == len(theirs["seconds"]) == 2
    assert done.stdout.count(f"{ours['parameters']:,}") == 2
    assert ours["convolution_gflop"] == theirs["convolution_gflop"] > 0
    assert 0 < ours["convolution_gflop"] / min(map(min, ours["seconds"])) <= 1.1 * ours["peak_gflops"]


def test_an_unknown_network_is_named():
    call = [sys.executable, str(SCRIPT), "--networks", "plane"]
    done = subprocess.run(call, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "--networks: plane is unknown; there are plain" in done.stderr
