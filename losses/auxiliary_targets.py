"""Auxiliary targets: what some losses need besides the truth, maps of it and how far training has come.

A loss that needs any says so with `@requires_targets(...)`. The input pipeline makes them once for each patch, outside
the step, and hands them over as further float channels after the t of the truth (`append_targets`). Every other loss
reads the first t channels only. A loss that is called with the bare truth makes its maps itself, with the same values,
inside the step and on the host; without `progress` training counts as finished.

signed_distance  k channels, see `distance.signed_distance`
gap              t channels, see `distance.gap`
unknown          t channels, see `annotation.unknown`
objects          two channels, see `annotation.objects`
boxes            2 + 2 rank channels, see `annotation.boxes`
affinity         one channel, see `annotation.affinity`: made of the images, and 0 where a loss has the truth alone
progress         one channel, the share of training that is done: 0 in the first epoch, 1 in the last
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeVar

import keras
import numpy as np

from ..core.errors import SpecError
from ..core.task import Task
from . import annotation, distance
from .planes import Tensor

ops: Any = keras.ops  # its functions state no types, and the types inferred say None

F = TypeVar("F", bound=Callable[..., Any])

MAPS = {"signed_distance": distance.signed_distance, "gap": distance.gap}
"""Made of the classes of a truth."""

MARKED = {"unknown": annotation.unknown, "objects": annotation.objects, "boxes": annotation.boxes}
"""Made of a truth and the marks behind it."""


def requires_targets(*names: str, of: Callable[..., tuple[str, ...]] | None = None) -> Callable[[F], F]:
    """Mark a loss as needing these targets, in this order; `of(**options)` tells them where options decide."""

    def mark(loss: F) -> F:
        vars(loss)["targets"] = of or (lambda **_: names)
        return loss

    return mark


def required_targets(loss: Callable[..., Any], options: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of what the loss needs under these options; () for most."""
    stated = vars(loss).get("targets")
    return stated(**{**(getattr(loss, "__kwdefaults__", None) or {}), **options}) if stated else ()


def append_targets(
    truths: np.ndarray, task: Task, names: Sequence[str], progress: float = 1.0, images: np.ndarray | None = None
) -> np.ndarray:
    """Truths `(n, *space, t)` with the channels that `names` stand for, float32; the truths alone without names.

    Truths may have marks behind their t planes (`core.marks`), which are left behind. images `(n, *space, c)`: as
    networks see them.
    """
    marked = truths.shape[-1] > task.truth_channels
    own = truths[..., : task.truth_channels] if marked else truths
    if not names:
        return own
    parts = (_channels(truths, task, name, progress, images) for name in names)
    return np.concatenate([own.astype(np.float32), *parts], -1)


def ensure_targets(truth: Tensor, task: Task, names: Sequence[str]) -> Tensor:
    """`append_targets` of a tensor, on the host, unless its channels are there already."""
    count = task.truth_channels + sum(_width(name, task) for name in names)
    came = truth.shape[-1]
    if came not in (task.truth_channels, count):
        raise SpecError(f"truth has {came} channels; {task.truth_channels} alone or {count} with {', '.join(names)}")
    if came == count:
        return truth
    return on_host(lambda bare: append_targets(bare, task, names), count, ops.cast(truth, "float32"))


def select(truth: Tensor, task: Task, names: Sequence[str], wanted: Sequence[str]) -> Tensor:
    """The truth with the channels `wanted`, from one completed with `names`."""
    if tuple(names) == tuple(wanted):
        return truth
    found = dict(zip(names, _split(truth, task, names), strict=True))
    own = truth[..., : task.truth_channels]
    return ops.concatenate([ops.cast(own, "float32"), *(found[name] for name in wanted)], -1) if wanted else own


def auxiliary_targets(truth: Tensor, task: Task, *names: str) -> list[Tensor]:
    """The channels of each name, float32; `progress` as one value a case, `(n,)`."""
    found = _split(ensure_targets(truth, task, names), task, names)
    middle = (slice(None), *(0,) * (task.rank + 1))
    return [part[middle] if name == "progress" else part for name, part in zip(names, found, strict=True)]


def on_host(function: Callable[..., np.ndarray], channels: int, *tensors: Tensor) -> Tensor:
    """A NumPy function of arrays `(n, *space, …)` to float32 `(n, *space, channels)`, without a gradient.

    Works inside a traced step of every backend, but not under XLA on TensorFlow.
    """

    def call(*arrays: Any) -> np.ndarray:
        return np.asarray(function(*map(np.asarray, arrays)), np.float32)

    tensors = tuple(ops.stop_gradient(ops.convert_to_tensor(tensor)) for tensor in tensors)
    shape = (*tensors[0].shape[:-1], channels)
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        found: Any = tf.numpy_function(call, tensors, tf.float32)
        found.set_shape(shape)
        return found
    if backend == "jax":
        import jax  # pyright: ignore[reportMissingImports]  # an optional part

        return jax.pure_callback(call, jax.ShapeDtypeStruct(shape, "float32"), *tensors)
    return ops.convert_to_tensor(call(*(ops.convert_to_numpy(tensor) for tensor in tensors)))


def _channels(truths: np.ndarray, task: Task, name: str, progress: float, images: np.ndarray | None) -> np.ndarray:
    if name == "progress":
        return np.full((*truths.shape[:-1], 1), progress, np.float32)
    if name == "affinity":
        alone = np.zeros((*truths.shape[:-1], 1), np.float32)
        return alone if images is None else annotation.affinity(images, task)
    return MARKED[name](truths, task) if name in MARKED else MAPS[name](truths[..., : task.truth_channels], task)


def _split(truth: Tensor, task: Task, names: Sequence[str]) -> list[Tensor]:
    ends = np.cumsum([task.truth_channels, *(_width(name, task) for name in names)]).tolist()
    return [ops.cast(truth[..., a:b], "float32") for a, b in pairwise(ends)]


def _width(name: str, task: Task) -> int:
    per_plane, boxes = task.truth_channels, 2 + 2 * task.rank
    widths = {"signed_distance": task.outputs, "gap": per_plane, "unknown": per_plane, "objects": 2, "boxes": boxes}
    return widths.get(name, 1)
