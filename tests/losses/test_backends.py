"""The same value and gradient on every Keras backend that is installed."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).with_name("backend_values.py")

pytestmark = pytest.mark.parity


def _values(backend: str, folder: Path) -> dict[str, np.ndarray]:
    file = folder / f"{backend}.npz"
    environment = {**os.environ, "KERAS_BACKEND": backend}
    call = [sys.executable, str(SCRIPT), str(file)]
    done = subprocess.run(call, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    with np.load(file) as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    return _values("tensorflow", tmp_path_factory.mktemp("backends"))


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_every_loss_is_the_same_on(backend, expected, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    found = _values(backend, tmp_path)
    assert found.keys() == expected.keys()
    differing = [
        key
        for key, value in found.items()
        if not np.allclose(value, expected[key], rtol=2e-5, atol=1e-6 * np.abs(expected[key]).max())
    ]
    assert not differing
