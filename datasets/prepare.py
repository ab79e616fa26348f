"""From a decoded case to what a network sees: colour, contrast, normalised intensities, size. Masks stay exact."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np

from ..core.errors import DataError, SpecError
from ..core.task import Task
from .case import Sample
from .contrast import byte_range, equalised, in_bytes
from .held import Held, Outline
from .resizing import nearest, resized
from .scaling import ScaledImage, Scaling


@dataclass(frozen=True)
class Preprocess:
    """What is done to every image; the truth is only resized or padded with it.

    colour: `keep` the channels; `grey`: Y = 0.299 R + 0.587 G + 0.114 B; `rgb`: repeat a grey image three times.
    clahe: clip limit of contrast-limited adaptive histogram equalisation on 8 × 8 tiles (Zuiderveld 1994); 0 for none.
        Colours change in lightness (Lab) only; volumes are equalised slice by slice along their first axis. Other than
        8-bit images are brought to 8 bits first, their 0.1 to 99.9 percentiles at the ends. A constant image, slice
        or channel has no contrast and stays as it is.
    normalise, per case: `percentile` (x - p1) / (p99.8 - p1), not clipped; `zscore` (x - mean) / standard deviation;
        `minmax` (x - min) / (max - min); `none`: as stored. Per channel, but 8-bit colours share one range so that the
        hue stays; of several modalities, each has its own. A constant image becomes 0.
    resize: edge lengths of the network's image, or None for the case's own. Images are averaged over the area when they
        shrink and linear when they grow; truths take the pixel under the new centre (`resizing`).
    pad: each edge is reflected at its end up to a multiple of this; 0 for none.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    colour: Literal["keep", "grey", "rgb"] = "keep"
    clahe: float = 0.0
    normalise: Literal["percentile", "zscore", "minmax", "none"] = "percentile"
    resize: tuple[int, ...] | None = None
    pad: int = 0

    def __post_init__(self) -> None:
        if self.clahe < 0 or self.pad < 0:
            raise SpecError(f"preprocess: clahe {self.clahe} and pad {self.pad} must not be negative; 0 is none")
        if self.resize is not None and (not self.resize or min(self.resize) < 1):
            raise SpecError(f"preprocess.resize: {list(self.resize)} are not positive edge lengths")


@dataclass(frozen=True)
class Prepared:
    """image: float32 (*space, c); truth: uint8 (*space, t) at the image's size; original: the case as it was read.

    content: the space without padding.
    """

    image: np.ndarray
    truth: np.ndarray
    original: Sample
    content: tuple[int, ...]

    @property
    def classes(self) -> np.ndarray:
        """As of `Held`: the truth."""
        return self.truth

    def restore(self, probabilities: np.ndarray) -> np.ndarray:
        """Bring (*space, k) float32 back to the original size: padding cut off, resized as an image is."""
        return _restored(probabilities, self.content, self.original.space)


@dataclass(frozen=True)
class PreparedImage:
    """image: float32 (*space, c). space: of the image as it was read; content: without padding."""

    image: np.ndarray
    space: tuple[int, ...]
    content: tuple[int, ...]

    def restore(self, probabilities: np.ndarray) -> np.ndarray:
        """As `Prepared.restore`."""
        return _restored(probabilities, self.content, self.space)


def task_after(task: Task, preprocess: Preprocess) -> Task:
    """The task as the network sees it: channels after `colour`; no fixed spacing after `resize`. Raises SpecError."""
    if preprocess.colour != "keep":
        task = _coloured_task(task, {"grey": 1, "rgb": 3}[preprocess.colour])
    if preprocess.resize is not None:
        if len(preprocess.resize) != task.rank:
            raise SpecError(
                f"preprocess.resize: {list(preprocess.resize)} needs {task.rank} edge lengths for {task.rank}D"
            )
        task = replace(task, spacing_mm=None)
    return task


def _coloured_task(task: Task, channels: int) -> Task:
    if len(task.modalities) > 1:
        names = ", ".join(name for name, _ in task.modalities)
        raise SpecError(f"preprocess.colour: makes one image of the modalities {names}; leave it out")
    return replace(task, channels=channels, modalities=tuple((name, channels) for name, _ in task.modalities))


def prepare(case_name: str, sample: Sample, task: Task, preprocess: Preprocess) -> Prepared:
    """Check a case and make it what the network sees. task: the data set's, before `task_after`.

    Raises DataError naming the case: ranks, channels or shapes that do not fit, NaN or infinities in the image, truth
    values that are no class. An empty truth is legal.
    """
    _check_image(case_name, sample.image, task, preprocess)
    _check_truth(case_name, sample, task)
    made, truth = _prepared(sample.image, preprocess, task.parts), sample.truth
    if preprocess.resize is not None:
        truth = nearest(truth, preprocess.resize)
    if preprocess.pad:
        truth = _padded(truth, preprocess.pad)
    return Prepared(made.image, np.ascontiguousarray(truth), sample, made.content)


def prepare_image(name: str, image: np.ndarray, task: Task, preprocess: Preprocess) -> PreparedImage:
    """As `prepare`, of an image (*space, c) without truth. Raises DataError naming it."""
    _check_image(name, image, task, preprocess)
    return _prepared(image, preprocess, task.parts)


def hold(case_name: str, sample: Sample, task: Task, preprocess: Preprocess) -> Held:
    """As `prepare`, for training: pixels as the file has them, scaled when they are read, bit for bit the same.

    What is resized is held as float32.
    """
    outline = Outline(sample.truth.shape[:-1], sample.spacing_mm)
    if preprocess.resize is not None:
        found = prepare(case_name, sample, task, preprocess)
        return Held(found.image, found.truth, outline, found.content)
    _check_image(case_name, sample.image, task, preprocess)
    _check_truth(case_name, sample, task)
    image, scaling = _unscaled(sample.image, preprocess, task.parts)
    truth, content = sample.truth, sample.truth.shape[:-1]
    if sample.image.shape[-1] == 1 and not preprocess.clahe:  # equalised colours may differ by one
        image = image[..., :1]  # repeated when it is scaled
    if preprocess.pad:
        image, truth = (_padded(array, preprocess.pad) for array in (image, truth))
    return Held(ScaledImage(np.ascontiguousarray(image), scaling), np.ascontiguousarray(truth), outline, content)


def check_shape(name: str, shape: tuple[int, ...], task: Task, preprocess: Preprocess) -> None:
    """Raise DataError when an image of this shape (*space, c) is none of the task's."""
    if len(shape) != task.rank + 1:
        raise DataError(f"{name}: the image is {len(shape) - 1}D, the task {task.rank}D; keep such cases apart")
    channels = shape[-1]
    possible = possible_channels(task, preprocess)
    if channels not in possible:
        raise DataError(
            f"{name}: the image has {channels} channels, {' or '.join(map(str, possible))} are expected"
            + (
                "; say `colour: grey` or `colour: rgb` under preprocess to make them alike"
                if max(channels, *possible) == 3
                else ""
            )
        )
    if 0 in shape:
        raise DataError(f"{name}: the image has no pixels, its shape is {shape}")


def possible_channels(task: Task, preprocess: Preprocess) -> tuple[int, ...]:
    """Of an image of the task, before `task_after`."""
    return {"keep": (task.channels,), "grey": (1, 3), "rgb": (1, 3)}[preprocess.colour]


def not_finite(name: str, count: int) -> DataError:
    """What is raised for an image with so many pixels that are no numbers."""
    return DataError(f"{name}: {count} pixels of the image are NaN or infinite; fix or remove it")


def _check_image(name: str, image: np.ndarray, task: Task, preprocess: Preprocess) -> None:
    check_shape(name, image.shape, task, preprocess)
    if image.dtype.kind == "f" and not (finite := np.isfinite(image)).all():
        raise not_finite(name, int(np.count_nonzero(~finite)))


def _prepared(image: np.ndarray, preprocess: Preprocess, parts: Sequence[int]) -> PreparedImage:
    """A checked image as the network sees it."""
    space = image.shape[:-1]
    image, scaling = _unscaled(image, preprocess, parts)
    image = scaling(image)
    if preprocess.resize is not None:
        image = resized(image, preprocess.resize)
    content = image.shape[:-1]
    if preprocess.pad:
        image = _padded(image, preprocess.pad)
    return PreparedImage(np.ascontiguousarray(image), space, content)


def _unscaled(image: np.ndarray, preprocess: Preprocess, parts: Sequence[int]) -> tuple[np.ndarray, Scaling]:
    """A checked image up to its scaling, and that. parts: channels of its modalities."""
    if mixed(parts, image.dtype, preprocess):
        pieces = np.split(image, np.cumsum(parts)[:-1], -1)
        made = [_unscaled(np.ascontiguousarray(piece), preprocess, ()) for piece in pieces]
        return np.concatenate([piece for piece, _ in made], -1), Scaling.joined([scaling for _, scaling in made])
    image = coloured(image, preprocess.colour)
    if preprocess.clahe:
        image = equalised(image if image.dtype == np.uint8 else in_bytes(image, *byte_range(image)), preprocess.clahe)
    return image, Scaling.of(image, preprocess.normalise)


def mixed(parts: Sequence[int], dtype: np.dtype, preprocess: Preprocess) -> bool:
    """Whether modalities of so many channels must be prepared apart: three channels of 8 bits are taken for colours."""
    return len(parts) > 1 and 3 in (*parts, sum(parts)) and bool(dtype == np.uint8 or preprocess.clahe)


def _restored(probabilities: np.ndarray, content: tuple[int, ...], space: tuple[int, ...]) -> np.ndarray:
    return resized(probabilities[tuple(slice(edge) for edge in content)], space)


def _check_truth(name: str, sample: Sample, task: Task) -> None:
    space, truth = sample.image.shape[:-1], sample.truth
    if truth.shape != (*space, task.truth_channels):
        raise DataError(
            f"{name}: the image is {_by(space)} and the mask {_by(truth.shape[:-1])} with {truth.shape[-1]} planes; "
            f"both need the same size and {task.truth_channels} plane{'s' if task.truth_channels > 1 else ''}"
        )
    if truth.dtype != np.uint8:
        raise DataError(f"{name}: the truth is {truth.dtype}; it must be uint8")
    classes = len(task.classes) if task.kind == "exclusive" else 2
    present = np.flatnonzero(np.bincount(truth.ravel(), minlength=256))
    strange = [int(value) for value in present if value >= classes and value != task.ignore]
    if strange:
        known = ", ".join(
            f"{k} {label}" for k, label in enumerate(task.classes if task.kind == "exclusive" else ("off", "on"))
        )
        raise DataError(
            f"{name}: the mask holds {', '.join(map(str, strange))}, the task knows {known}; add the missing class to "
            "`classes`"
        )


def coloured(image: np.ndarray, colour: str) -> np.ndarray:
    """An image (*space, c) with the channels of `Preprocess.colour`."""
    if colour == "rgb" and image.shape[-1] == 1:
        return np.repeat(image, 3, -1)
    if colour == "grey" and image.shape[-1] == 3:
        grey = image @ np.array([0.299, 0.587, 0.114])
        return (np.rint(grey) if image.dtype.kind in "ui" else grey).astype(image.dtype)[..., None]
    return image


def _padded(array: np.ndarray, multiple: int) -> np.ndarray:
    return np.pad(array, [(0, -edge % multiple) for edge in array.shape[:-1]] + [(0, 0)], mode="reflect")


def _by(space: Sequence[int]) -> str:
    return "×".join(map(str, space))
