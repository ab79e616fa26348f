"""The same value and gradient on every Keras backend that is installed, for every loss at its options' extremes.

`pytest -m slow tests/losses/test_backends.py` compares JAX, under jit, for two kinds of task; `-m parity` takes every
kind, in 2D and 3D, and PyTorch too, in half an hour, nearly all of which is XLA's compilation.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).with_name("backend_values.py")
TASKS = [f"{kind} {rank}D" for rank in (2, 3) for kind in ("binary", "exclusive", "multilabel")]

ROUNDING = {"ssim": 1e-3, "exponential_logarithmic": 1e-4}
"""Tolerance in units of a case's largest slope, where it is more than 2e-5: TensorFlow is as far from double precision.

SSIM's variances are small differences of means, and its scales are roots of contrasts that may be near 0; a power below
1 is steep where a cross-entropy is near 0."""


def _values(folder: Path, backends: tuple[str, ...], *arguments: str) -> list[dict[str, np.ndarray]]:
    """What the script writes on each backend, side by side in processes of their own."""
    running, found = [], []
    for backend in backends:
        environment = {**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"}
        call = [sys.executable, str(SCRIPT), str(folder / f"{backend}.npz"), *arguments]
        running.append(subprocess.Popen(call, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE))
    for backend, process in zip(backends, running, strict=True):
        said = process.communicate(timeout=1800)[1].decode()
        assert process.returncode == 0, said[-2000:]
        with np.load(folder / f"{backend}.npz") as arrays:
            found.append(dict(arrays))
    return found


def _differing(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> list[str]:
    """What is not finite, or differs by more than 2e-5 of the value or of a case's largest slope (or than ROUNDING)."""
    assert found.keys() == expected.keys()
    keys = []
    for key, array in found.items():
        exact = expected[key].reshape(len(array), -1)
        error, largest = np.abs(array.reshape(exact.shape) - exact).max(-1), np.abs(exact).max(-1)
        share = 2e-5 if key.endswith("value") else ROUNDING.get(key.split()[2], 2e-5)
        if not (error <= share * largest + 1e-6 * largest.max()).all():  # slopes of an empty truth may cancel
            keys.append(f"{key}: {error / largest}")
    return keys


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")
@pytest.mark.slow
@pytest.mark.parametrize("task", ["exclusive 2D", "binary 3D"])
def test_every_loss_is_the_same_on_jax_at_the_extremes_of_its_options(task, tmp_path):
    expected, found = _values(tmp_path, ("tensorflow", "jax"), "brief", task)
    assert not _differing(found, expected)


@pytest.mark.parity
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_every_loss_is_the_same_for_every_task_on(backend, task, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    expected, found = _values(tmp_path, ("tensorflow", backend), "full", task)
    assert not _differing(found, expected)
