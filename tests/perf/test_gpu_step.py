"""The script `gpu_step.py` takes the path of a GPU in small on a processor, on both sides, twice."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("gpu_step.py")

needs_jax = pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")


def _called(*words, timeout=900):
    call = [sys.executable, str(SCRIPT), *map(str, words)]
    return subprocess.run(call, capture_output=True, text=True, timeout=timeout, check=False)


@needs_jax
@pytest.mark.slow
@pytest.mark.parametrize("network", ["2d", "3d"])
def test_our_side_trains_and_predicts_with_the_same_bits_twice(network, tmp_path):
    file = tmp_path / "seconds.json"
    done = _called("--small", "--networks", network, "--sides", "ours", "--json", file)
    assert done.returncode == 0, done.stderr[-2000:]
    first, second = json.loads(file.read_text())["runs"]
    assert first["weights"] == second["weights"]
    assert first["logits"] == second["logits"]
    assert [len(first["step_s"]), *map(len, first["inference_s"].values())] == [2, 2, 2]
    assert first["peak_bytes"] > 1e8
    assert "same bits in two runs, ours: weights yes, logits yes" in done.stdout


@needs_jax
@pytest.mark.parity
@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
@pytest.mark.parametrize("network", ["2d", "3d"])
def test_both_sides_have_one_network(network, tmp_path):
    file = tmp_path / "seconds.json"
    done = _called("--small", "--networks", network, "--runs", "1", "--json", file)
    assert done.returncode == 0, done.stderr[-2000:]
    ours, theirs = json.loads(file.read_text())["runs"]
    assert ours["parameters"] == theirs["parameters"] > 1000
    assert done.stdout.count("ratio ") == 4


@needs_jax
def test_what_does_not_fit_into_the_time_is_named():
    done = _called("--small", "--networks", "2d", "--sides", "ours", "--runs", "1", "--limit-s", "1", timeout=60)
    assert done.returncode == 0
    assert "2d ours run 1: no time left of 1 s" in done.stdout


def test_an_unknown_network_is_named():
    done = _called("--networks", "4d", timeout=60)
    assert done.returncode == 2
    assert "--networks: 4d is unknown; there are 2d, 3d" in done.stderr
