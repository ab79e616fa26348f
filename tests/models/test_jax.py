"""Every recipe trains on JAX, in a process of its own, for a process has one Keras backend."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

from unetbench.models import MODELS

pytestmark = pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="JAX is not installed")

PROGRAM = """
import json, sys
import keras, numpy as np
from unetbench.core.errors import Unfit
from unetbench.core.task import Task
from unetbench.models import MODELS
from unetbench.models.parts.fit import divisor

assert keras.backend.backend() == "jax"
for name, options in json.load(sys.stdin).items():
    keras.utils.set_random_seed(0)
    try:
        model = MODELS[name](Task(2, 1, ("cell",)), **options)
    except Unfit:
        model = MODELS[name](Task(3, 1, ("cell",)), **options)
    image = np.random.default_rng(0).normal(size=(2, *(2 * d for d in divisor(model)), 1)).astype("float32")
    model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
    before = [weight.copy() for weight in model.get_weights()]
    losses = [float(model.train_on_batch(image, (image > 0).astype("float32"))) for _ in range(2)]
    assert np.isfinite(losses).all(), name
    moved = [np.any(a != b) for a, b in zip(before, model.get_weights())]
    assert np.mean(moved) > 0.9, (name, np.mean(moved))
    print(name)
"""


def _train(names, options) -> list[str]:
    chosen = json.dumps({name: options(name) for name in names})
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    run = subprocess.run([sys.executable, "-c", PROGRAM], input=chosen, capture_output=True, text=True, env=environment)
    assert run.returncode == 0, run.stderr[-3000:]
    return run.stdout.split()


@pytest.mark.slow
def test_every_recipe_trains_on_jax(options):
    assert _train(MODELS, options) == list(MODELS)
