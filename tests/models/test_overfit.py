"""Every recipe can learn eight images by heart: what counts cannot see, a wrong wiring, shows here."""

import keras
import numpy as np
import pytest
from keras import ops

from unetbench.core.errors import Unfit
from unetbench.datasets import DATASETS
from unetbench.datasets.source import Source
from unetbench.losses import LOSSES
from unetbench.models import MODELS
from unetbench.models.parts.fit import divisor

pytestmark = pytest.mark.slow

ENOUGH = 0.95
STEPS, LOOK_EVERY = 600, 25


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """Task, images (8, *space, 1) of mean 0 and deviation 1, and truths (8, *space, 1), of that rank."""
    source = Source(None, tmp_path_factory.mktemp("cache"), download=False)

    def read(rank: int):
        form, size = {2: ("nuclei", (64, 64)), 3: ("volume", (32, 32, 32))}[rank]
        dataset = DATASETS["cells"](source, form=form, count=8, size=size)
        samples = [case.read() for case in dataset.cases]
        images = np.stack([sample.image for sample in samples]).astype("float32")
        axes = tuple(range(1, images.ndim))
        images = (images - images.mean(axes, keepdims=True)) / images.std(axes, keepdims=True)
        return dataset.task, images, np.stack([sample.truth for sample in samples])

    return read


@pytest.mark.parametrize("name", MODELS)
def test_every_recipe_overfits_eight_images(name, cells, reduced):
    task, images, truths = cells(2)
    try:
        model = reduced(name, task, width=8, depth=3)
    except Unfit as error:
        assert "the task has rank 2" in str(error)
        task, images, truths = cells(3)
        model = reduced(name, task, width=8, depth=2)
    assert all(edge % step == 0 for edge, step in zip(images.shape[1:-1], divisor(model), strict=True))
    model.compile(
        keras.optimizers.Adam(3e-3, global_clipnorm=1.0),
        loss=lambda truth, logits: ops.mean(LOSSES["bce_dice"](truth, logits, task)),
        jit_compile=False,
    )
    for step in range(STEPS):
        model.train_on_batch(images, truths)
        if step % LOOK_EVERY == LOOK_EVERY - 1 and _dice(model, images, truths) >= ENOUGH:
            return
    pytest.fail(f"Dice {_dice(model, images, truths):.3f} after {STEPS} steps; {ENOUGH} shows that it can learn")


def _dice(model: keras.Model, images: np.ndarray, truths: np.ndarray) -> float:
    found = model.predict_on_batch(images) >= 0
    return 2 * np.count_nonzero(found & (truths > 0)) / (np.count_nonzero(found) + np.count_nonzero(truths))
