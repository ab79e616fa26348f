"""How far steps in parts of a batch are from steps on all of it, on this process's Keras backend: a line of JSON."""

import json
import sys

import keras
import numpy as np

from unetbench.benchmark.trial.compiled_model import CompiledModel
from unetbench.core.recipe import Recipe
from unetbench.core.task import Task
from unetbench.core.trial import Choice, Trial

TASK = Task(2, 1, ("cell",))

OPTIONS = {
    "sgd": {"optimizer": "sgd", "rate": 0.01},
    "clipped": {"optimizer": "sgd", "rate": 0.1, "clip_norm": 0.05},
    "adam": {"optimizer": "adam", "rate": 1e-3},
    "adamw": {"optimizer": "adamw", "rate": 1e-3, "weight_decay": 0.01},
}


def weights_after(steps: int, parts: int, model: Choice, loss: str, **options: object) -> list[np.ndarray]:
    """The weights after some steps on batches of four, each computed in so many parts."""
    recipe = Recipe(patch=(16, 16), batch=4, accumulate=parts, **options)
    compiled = CompiledModel(Trial(Choice("cells"), {}, model, Choice(loss), recipe, 3), TASK)
    draw = np.random.default_rng(0)
    for _ in range(steps):
        images = draw.standard_normal((4, 16, 16, 1)).astype(np.float32)
        truths = (images > 0.3).astype(np.uint8)
        for start in range(0, 4, 4 // parts):
            part = slice(start, start + 4 // parts)
            compiled.model.train_on_batch(images[part], compiled.targets(images[part], truths[part]))
    return [np.asarray(keras.ops.convert_to_numpy(weight)) for weight in compiled.model.trainable_weights]


def difference(name: str, parts: int, loss: str, normalisation: str = "none") -> float:
    """The largest difference of two weights after three steps, as a share of the most that one has moved."""
    model = Choice("unet", {"width": 4, "depth": 1, "normalisation": normalisation})
    before, whole, split = (
        weights_after(steps, count, model, loss, **OPTIONS[name]) for steps, count in ((0, 1), (3, 1), (3, parts))
    )
    moved = max(np.abs(one - other).max() for one, other in zip(before, whole, strict=True))
    return max(float(np.abs(one - other).max()) for one, other in zip(whole, split, strict=True)) / float(moved)


if __name__ == "__main__":
    cases = [("sgd", 2, "bce_dice"), ("adamw", 4, "bce_dice")]
    json.dump({f"{name} {parts}": difference(name, parts, loss) for name, parts, loss in cases}, sys.stdout)
