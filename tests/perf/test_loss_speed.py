"""What a loss adds to a training step, beside Dice.

    pytest tests/perf/test_loss_speed.py --benchmark-enable --benchmark-columns=median,iqr,rounds

The time shown is one value and its gradient to the logits of a batch of 8 patches of 256×256. `step_ratio` in the extra
information is (step + loss - Dice) / step, with the step of a quarter-width U-Net trained with Dice on the same batch.
"""

import time

import numpy as np
import pytest
import tensorflow as tf

from unetbench.benchmark.trial.compiled_model import CompiledModel
from unetbench.core.recipe import Recipe
from unetbench.core.task import Task
from unetbench.core.trial import Choice, Trial
from unetbench.datasets import DATASETS
from unetbench.datasets.source import Source
from unetbench.losses import LOSSES
from unetbench.losses.auxiliary_targets import MAPS, append_targets, required_targets

TASK, SIDE, BATCH = Task(2, 1, ("nucleus",)), 256, 8
RECIPE = Recipe(patch=(SIDE, SIDE), batch=BATCH)
TRIAL = Trial(Choice("cells"), {}, Choice("unet_quarter", {"normalisation": "batch"}), Choice("dice"), RECIPE, 0)


@pytest.fixture(scope="module")
def batch(tmp_path_factory):
    cases = DATASETS["cells"](Source(None, tmp_path_factory.mktemp("cells")), count=BATCH, size=(SIDE, SIDE)).cases
    samples = [case.read() for case in cases]
    rng = np.random.default_rng(0)
    images = rng.normal(size=(BATCH, SIDE, SIDE, 1)).astype("float32")
    truths = np.stack([sample.truth for sample in samples])
    logits = (4.0 * truths - 2 + rng.normal(size=truths.shape)).astype("float32")
    return images, truths, logits


def _loss(name: str, truths: np.ndarray, logits: np.ndarray):
    target, x = tf.constant(append_targets(truths, TASK, required_targets(LOSSES[name], {}))), tf.constant(logits)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = tf.reduce_mean(LOSSES[name](target, x, TASK))
        return value, tape.gradient(value, x)

    return lambda: step()[1].numpy()


def _median_s(call, count: int) -> float:
    call()
    spent = []
    for _ in range(count):
        start = time.perf_counter()
        call()
        spent.append(time.perf_counter() - start)
    return float(np.median(spent))


@pytest.fixture(scope="module")
def dice_and_step_s(batch, request):
    """Medians of Dice alone and of a whole training step with it."""
    if not request.config.getoption("benchmark_enable"):
        return 1.0, 1.0
    images, truths, logits = batch
    graph = CompiledModel(TRIAL, TASK)
    return _median_s(_loss("dice", truths, logits), 20), _median_s(
        lambda: graph.model.train_on_batch(images, truths), 5
    )


@pytest.mark.benchmark(group="one value and gradient")
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_beside_dice(benchmark, batch, dice_and_step_s, name):
    _, truths, logits = batch
    gradient = benchmark.pedantic(_loss(name, truths, logits), rounds=10, warmup_rounds=2)
    if benchmark.stats is not None:
        dice_s, step_s = dice_and_step_s
        benchmark.extra_info["step_ratio"] = round(1 + (benchmark.stats.stats.median - dice_s) / step_s, 3)
    assert np.isfinite(gradient).all()


@pytest.mark.benchmark(group="maps of a batch, outside the step")
@pytest.mark.parametrize("name", MAPS)
def test_maps_of_a_batch(benchmark, batch, name):
    found = benchmark.pedantic(MAPS[name], (batch[1], TASK), rounds=5, warmup_rounds=1)
    assert found.shape == batch[1].shape
