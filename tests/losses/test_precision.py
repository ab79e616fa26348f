"""Losses of large images are as exact as their formulas in double precision.

The reference is the package's own losses with every `float32` of their source made `float64`: what differs is rounding
alone, for whether a formula is right is tested elsewhere.
"""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import unetbench
from unetbench.core.task import Task
from unetbench.losses import LOSSES

PACKAGE = "unetbench_in_double_precision"
SPACES = {2: (1024, 1024), 3: (128, 128, 128)}
QUICK = {2: set(LOSSES) - {"cldice", "dice_cldice"}, 3: {"ce", "dice", "mcc"}}


@pytest.fixture(scope="module")
def precise(tmp_path_factory):
    """The registry of the losses in double precision."""
    source, folder = Path(unetbench.__file__).parent, tmp_path_factory.mktemp("double") / PACKAGE
    for file in (*source.glob("core/*.py"), *source.glob("losses/*.py"), source / "__init__.py"):
        copy = folder / file.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(file.read_text(encoding="utf-8").replace("float32", "float64"), encoding="utf-8")
    sys.path.insert(0, str(folder.parent))
    yield importlib.import_module(f"{PACKAGE}.losses").LOSSES
    sys.path.remove(str(folder.parent))
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def _case(rank: int) -> tuple[np.ndarray, np.ndarray]:
    """Blobs some pixels wide, and logits that find most of them."""
    rng = np.random.default_rng(5)
    grid = np.indices(SPACES[rank], np.float32)
    field = sum(np.sin(axis / (9 + 2 * k)) for k, axis in enumerate(grid))
    truth = (field > 0.8).astype("uint8")[None, ..., None]
    return truth, (2 * field - 1.5 + rng.standard_normal(field.shape, np.float32))[None, ..., None].astype("float32")


def _value_and_gradient(losses, name: str, truth, logits, task):
    with tf.GradientTape() as tape:
        logits = tf.constant(logits)
        tape.watch(logits)
        value = losses[name](truth, logits, task)
    return value.numpy().astype(float), tape.gradient(value, logits).numpy().astype(float)


@pytest.mark.parametrize(
    ("rank", "name"),
    [
        pytest.param(rank, name, marks=[] if name in QUICK[rank] else [pytest.mark.slow])
        for rank in SPACES
        for name in LOSSES
    ],
)
def test_a_loss_of_a_large_image_is_exact_to_five_digits(rank, name, precise):
    # To a hundred-thousandth of the value and of the largest slope; one float32 that adds all pixels misses up to 1e-2.
    # One pixel in a thousand may have another slope: where two change places or one passes a maximum, rounding decides.
    task = Task(rank, 1, ("cell",))
    truth, logits = _case(rank)
    value, gradient = _value_and_gradient(LOSSES, name, truth, logits, task)
    exact, exact_gradient = _value_and_gradient(precise, name, truth, logits.astype("float64"), task)
    np.testing.assert_allclose(value, exact, rtol=1e-5)
    error = np.abs(gradient - exact_gradient) / np.abs(exact_gradient).max()
    assert np.quantile(error, 0.999) < 1e-5
