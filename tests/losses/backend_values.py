"""Value and gradient of every loss at its options' extremes, on the Keras backend of this process, into a file.

`backend_values.py FILE full|brief TASK …`, tasks by their names in TASKS. `brief` leaves out what compiles for long
under XLA: in 3D the losses that are the same in 2D, skeletons of more than one iteration, SSIM's scales between 2 and
5, and what a sum hands on to its terms.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np

from unetbench.core.task import Task
from unetbench.losses import LOSSES

IGNORE = 255
TASKS = {
    "binary 2D": Task(2, 1, ("cell",), ignore=IGNORE),
    "binary 3D": Task(3, 1, ("cell",), ignore=IGNORE),
    "exclusive 2D": Task(2, 1, ("background", "a", "b"), "exclusive", ignore=IGNORE),
    "exclusive 3D": Task(3, 1, ("background", "a", "b"), "exclusive"),
    "multilabel 2D": Task(2, 1, ("a", "b"), "multilabel", ignore=IGNORE),
    "multilabel 3D": Task(3, 1, ("a", "b"), "multilabel"),
}

EXTREMES: dict[str, tuple[Any, ...]] = {
    "absent": (False, True),
    "alpha": (0.0, 1.0),
    "amount": (0.0, 0.9),
    "background": (False, True),
    "beta": (0.0, 1.0),
    "delta": (0.0, 1.0),
    "end": (0.0, 1.0),
    "exponent": (0.25, 3.0),
    "fraction": (0.001, 1.0),
    "false": (0.0, 1.0),
    "gamma": (0.0, 5.0),
    "high": (0.6, 1.0),
    "image": (0.0, 1.0),
    "iterations": (0, 5),
    "logarithm": (False, True),
    "low": (0.0, 0.5),
    "one_sided": (False, True),
    "pairwise": (0.0, 1.0),
    "projection": (0.0, 1.0),
    "ratio": (0.0, 1.0),
    "scales": (1, 2, 3, 4, 5),
    "sigma": (0.5, 7.5),
    "smooth": (1e-5, 1e3),
    "softmax": (False, True),
    "split": (0.0, 1.0),
    "squared": (False, True),
    "start": (0.0, 1.0),
    "w0": (0.0, 100.0),
    "warmup": (0.0, 1.0),
    "weight": (0.0, 1.0),
}
"""The smallest and largest sensible value of an option, or all of few, for losses that OWN does not name."""

OWN: dict[tuple[str, str], tuple[Any, ...]] = {
    ("asymmetric_similarity", "beta"): (0.0, 5.0),
    ("box_prior", "end"): (1.0, 100.0),
    ("box_prior", "start"): (1.0, 100.0),
    ("deep_supervision", "loss"): ("bce", "dice_boundary"),
    ("deep_supervision", "options"): (None, {"weight": 0.9, "background": True}),
    ("deep_supervision", "weights"): ((), (0.0, 3.0), (3.0, 0.0)),  # of two outputs
    ("dice_focal", "alpha"): (None, 0.0, 1.0),
    ("dice_hausdorff", "alpha"): (0.5, 4.0),
    ("exponential_logarithmic", "gamma"): (0.3, 3.0),
    ("focal", "alpha"): (None, 0.0, 1.0),
    ("hausdorff", "alpha"): (0.5, 4.0),
    ("noise_robust_dice", "gamma"): (1.0, 2.0),
    ("unified_focal", "gamma"): (0.0, 0.9),
    ("weighted_sum", "parts"): (
        ({"name": "focal", "weight": 2.0, "options": {"gamma": 1.0}},),
        ({"name": "dice_boundary"}, {"name": "border_weighted_ce", "weight": 0.0}),
    ),
}


SUMS = ("bce_dice", "dice_boundary", "dice_cldice", "dice_focal", "dice_hausdorff", "dice_topk")
HANDED_ON = ("alpha", "background", "fraction", "gamma", "one_sided", "smooth")
"""Options that a sum hands on to its terms."""
OF_RANK = ("border_weighted_ce", "boundary", "hausdorff", "ssim")
"""Losses that treat a volume otherwise than an image, clDice apart."""


def variants(name: str, task: Task, brief: bool) -> Iterator[dict[str, Any]]:
    """The defaults of a loss, then each option at its extremes. An option without extremes is a KeyError."""
    defaults = LOSSES[name].__kwdefaults__ or {}
    fixed = {"iterations": 1} if brief and "iterations" in defaults else {}
    yield fixed
    for option, default in defaults.items():
        values = OWN.get((name, option)) or _of_classes(name, option, task) or EXTREMES[option]
        if brief and name in SUMS and option in HANDED_ON:
            continue
        if brief:
            values = {"iterations": (0,), "scales": (2, 5)}.get(option, values)
        yield from (fixed | {option: value} for value in values if value != default)


def _of_classes(name: str, option: str, task: Task) -> tuple[Any, ...]:
    """Extremes that depend on the classes: all the weight on the first or the last, and classes that differ little."""
    exclusive = task.kind == "exclusive"
    if option == "weights":
        of_pixels = name in ("weighted_ce", "exponential_logarithmic")
        count = 2 + exclusive if of_pixels else task.outputs - exclusive
        rest = (0.0,) * (count - 1)
        return ((3.0, *rest), (*rest, 3.0))[:count]
    if option == "distances":
        return (((0, 1, 2), (1, 0, 1e-3), (2, 1e-3, 0)) if exclusive else ((0, 2), (2, 0)),)
    return ()


def case(task: Task) -> tuple[np.ndarray, np.ndarray]:
    """A batch of random, confident, partly and wholly ignored, empty and full cases, and its logits."""
    rng = np.random.default_rng(11)
    space = (6, *(12, 10, 6)[: task.rank])
    top = task.outputs if task.kind == "exclusive" else 2
    truth = rng.integers(0, top, (*space, task.truth_channels)).astype("uint8")
    logits = rng.normal(size=(*space, task.outputs)).astype("float32")
    logits[1] *= 2
    if task.ignore is not None:
        truth[2, 3], truth[3] = task.ignore, task.ignore
    truth[4], truth[5] = 0, top - 1
    return truth, logits


def prepare(
    name: str, task: Task, truth: np.ndarray, logits: np.ndarray, chosen: Sequence[dict[str, Any]]
) -> Callable[[], list[tuple[np.ndarray, np.ndarray]]]:
    """A function that gives, for each of the chosen options, one value a case and the gradient of their sum."""
    on = {"jax": _on_jax, "tensorflow": _on_tensorflow, "torch": _on_torch}[keras.backend.backend()]
    return on(name, task, truth, logits, chosen)


def _loss(name: str, task: Task, truth: Any, options: dict[str, Any]) -> Callable[[Any], Any]:
    if name == "deep_supervision":
        return lambda x: LOSSES[name](truth, [x, x[:, ::2, ::2]], task, **options)
    return lambda x: LOSSES[name](truth, x, task, **options)


def _on_jax(name, task, truth, logits, chosen):
    import jax

    def compute(truth, x):  # one compilation of all options, which share most of their work
        found = []
        for options in chosen:
            value, pull = jax.vjp(_loss(name, task, truth, options), x)
            found.append((value, pull(jax.numpy.ones_like(value))[0]))
        return found

    compiled = jax.jit(compute).lower(truth, logits).compile()
    return lambda: jax.device_get(compiled(truth, logits))


def _on_torch(name, task, truth, logits, chosen):
    import torch

    def compute():
        for options in chosen:
            x = torch.tensor(logits, requires_grad=True)
            value = _loss(name, task, torch.tensor(truth), options)(x)
            value.sum().backward()
            yield value.detach().numpy(), x.grad.numpy()

    return lambda: list(compute())


def _on_tensorflow(name, task, truth, logits, chosen):
    import tensorflow as tf

    def compute():
        x = tf.constant(logits)
        for options in chosen:
            with tf.GradientTape() as tape:
                tape.watch(x)
                value = _loss(name, task, truth, options)(x)
            yield value.numpy(), tape.gradient(value, x).numpy()

    return lambda: list(compute())


def values_and_gradients(label: str, brief: bool) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Loss with its options, values and gradients, one after the other, of every loss for a task."""
    task = TASKS[label]
    truth, logits = case(task)
    chosen = {name: list(variants(name, task, brief)) for name in (OF_RANK if brief and task.rank == 3 else LOSSES)}
    with ThreadPoolExecutor(2) as threads:  # XLA compiles without Python's lock
        ready = threads.map(lambda name: prepare(name, task, truth, logits, chosen[name]), chosen)
        for (name, every), compute in zip(chosen.items(), ready, strict=True):
            for options, (value, gradient) in zip(every, compute(), strict=True):
                yield f"{name} {options}", value, gradient


def main(file: str, extent: str, *labels: str) -> None:
    """Write `<task> <loss> <options> value` and `… gradient` of every loss and task, by default and by option."""
    arrays = {}
    for label in labels:
        for key, value, gradient in values_and_gradients(label, extent == "brief"):
            arrays |= {f"{label} {key} value": value, f"{label} {key} gradient": gradient}
    np.savez(file, **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
