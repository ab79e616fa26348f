"""Labels and probabilities of an image that is in memory, or of which regions can be read."""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from ...core.errors import DataError, SpecError
from ...datasets.prepare import PreparedImage, possible_channels, prepare_image
from ...datasets.regions import Place, PreparedRegions, Stored
from ..trial.predict import to_labels
from ..trial.predict_regions import FLOAT_BYTES, predict_regions
from ..trial.segmenter import Segmenter

MEMORY_MIB = 2048
"""What segmenting one image may take by default, with the libraries that run the network."""

WHOLE_SHARE, WINDOWS_SHARE, SUMS_SHARE = 4, 8, 16
"""Parts of that memory: for an image that is segmented as a whole; else for a window's activations, whose libraries
take as much again and more, and for the sums of overlapping windows."""

OnProgress = Callable[[int, int], None]
"""Is told how many windows of an image are done, of how many."""


class Segmentation(NamedTuple):
    """labels: (*space) uint8, for classes that may overlap (*space, k) of 0 and 1. probabilities: (*space, k) float32.

    Labels are the index of the class, 0 being the background; for one class 0 and 1. Probabilities are None unless
    asked for; k is 1 for one class, else every class has one, the background too.
    """

    labels: np.ndarray
    probabilities: np.ndarray | None


def segment(
    image: np.ndarray,
    segmenter: Segmenter,
    *,
    probabilities: bool = False,
    mirror: bool | None = None,
    memory_mib: int = MEMORY_MIB,
    name: str = "image",
) -> Segmentation:
    """Segment an image (*space, c), or (*space) of one channel, of intensities as files of the training set had them.

    It is prepared as in training: colours, contrast and intensities of the whole image, size, padding. An image whose
    network input and probabilities would take more than a quarter of `memory_mib` is prepared and predicted by regions,
    in windows whose activations take an eighth at most; then `probabilities` are the largest thing in memory, if asked
    for. mirror: whether probabilities are averaged over mirrored copies; as in the trial's test by default.

    Raises DataError for an image of another rank or number of channels than the network's, of other than numbers, or
    with values that are not finite; SpecError for `mirror` where training did not mirror.
    """
    check_mirror(segmenter, mirror)
    if image.dtype.kind not in "buif":
        raise DataError(f"{name}: holds {image.dtype}; integers and floats can be segmented")
    image = image.astype(np.uint8) if image.dtype == bool else image  # as readers of files give it
    image = image[..., None] if image.ndim == segmenter.source.rank else image
    prepared = prepared_for(image, segmenter, name=name, memory_mib=memory_mib)
    task, space = segmenter.task, image.shape[:-1]
    labels = np.empty((*space, task.truth_channels), np.uint8)
    kept = np.empty((*space, task.outputs), np.float32) if probabilities else None
    for place, found in predicted(prepared, segmenter, mirror=mirror, memory_mib=memory_mib):
        labels[place] = to_labels(found, task, segmenter.threshold)
        if kept is not None:
            kept[place] = found
    return Segmentation(labels if task.kind == "multilabel" else labels[..., 0], kept)


def check_mirror(segmenter: Segmenter, mirror: bool | None) -> None:
    """Raise SpecError when mirrored copies are asked for of which the network has seen none."""
    if mirror and not segmenter.mirrored_axes:
        raise SpecError(
            "mirror: the model was trained without mirrored images (recipe.augment.flips: false), so its predictions "
            "of mirrored copies mean nothing; leave it out, or train with flips"
        )


def prepared_for(
    image: Stored, segmenter: Segmenter, *, name: str, memory_mib: int = MEMORY_MIB
) -> PreparedImage | PreparedRegions:
    """An image (*space, c) as the network sees it: whole, or by regions where that takes too much memory."""
    _check(name, image.shape, segmenter)
    if fits(image.shape, segmenter, memory_mib):
        whole = image if isinstance(image, np.ndarray) else image[tuple(slice(0, edge) for edge in image.shape[:-1])]
        return prepare_image(name, whole, segmenter.source, segmenter.preprocess)
    return PreparedRegions(name, image, segmenter.source, segmenter.preprocess)


def fits(shape: tuple[int, ...], segmenter: Segmenter, memory_mib: int) -> bool:
    """Whether an image of this shape (*space, c) is segmented as a whole."""
    pixel = FLOAT_BYTES * (shape[-1] + 2 * segmenter.task.channels + 3 * segmenter.task.outputs + 1)
    return math.prod(shape[:-1]) * pixel <= memory_mib * 2**20 // WHOLE_SHARE


def predicted(
    prepared: PreparedImage | PreparedRegions,
    segmenter: Segmenter,
    *,
    mirror: bool | None = None,
    memory_mib: int = MEMORY_MIB,
    on_progress: OnProgress = lambda done, of: None,
) -> Iterator[tuple[Place, np.ndarray]]:
    """Places that together make up the image at its own size and, as (*place, k), their probabilities."""
    whole = isinstance(prepared, PreparedImage)
    source: Stored = prepared.image if whole else prepared  # pyright: ignore[reportAssignmentType]  # read as an array
    space = source.shape[:-1]
    if whole or segmenter.windows_within is None:
        options = segmenter.windows(space)
    else:
        options = segmenter.windows_within(space, memory_mib // WINDOWS_SHARE)
    memory_bytes = 2**62 if whole else memory_mib * 2**20 // SUMS_SHARE
    mirrored = segmenter.mirror if mirror is None else mirror
    regions = predict_regions(
        segmenter.forward,
        source,
        segmenter.task,
        mirror=mirrored,
        memory_bytes=memory_bytes,
        on_progress=on_progress,
        **options,
    )
    if prepared.content == prepared.space:
        yield from _inside(regions, prepared.content)
        return
    probabilities = np.empty((*space, segmenter.task.outputs), np.float32)
    for place, found in regions:
        probabilities[place] = found
    if isinstance(prepared, PreparedImage):
        yield tuple(slice(0, edge) for edge in prepared.space), prepared.restore(probabilities)
        return
    row = FLOAT_BYTES * segmenter.task.outputs * math.prod(prepared.space[1:])
    rows = max(1, memory_bytes // (3 * row))
    for start in range(0, prepared.space[0], rows):
        place = (slice(start, min(start + rows, prepared.space[0])), *(slice(0, edge) for edge in prepared.space[1:]))
        yield place, prepared.restore(probabilities, place)


def _inside(regions: Iterator[tuple[Place, np.ndarray]], space: tuple[int, ...]) -> Iterator[tuple[Place, np.ndarray]]:
    """The regions without what was padded."""
    for place, found in regions:
        cut = tuple(slice(part.start, min(part.stop, edge)) for part, edge in zip(place, space, strict=True))
        if all(part.start < part.stop for part in cut):
            yield cut, found[tuple(slice(part.stop - part.start) for part in cut)]


def _check(name: str, shape: tuple[int, ...], segmenter: Segmenter) -> None:
    """Raise DataError for what this network cannot be shown; `prepare` says what a sweep file can do about it."""
    rank, possible = segmenter.source.rank, possible_channels(segmenter.source, segmenter.preprocess)
    if len(shape) - 1 != rank:
        mend = "; `--pages cases` segments its slices one by one" if (len(shape) - 1, rank) == (3, 2) else ""
        raise DataError(f"{name}: the image is {len(shape) - 1}D, the model was trained on {rank}D images{mend}")
    if shape[-1] not in possible:
        raise DataError(
            f"{name}: the image has {shape[-1]} channel{'s' if shape[-1] > 1 else ''}, the model was trained on images "
            f"of {' or '.join(map(str, possible))}{_named(segmenter)}; give it the same channels in the same order"
        )


def _named(segmenter: Segmenter) -> str:
    """The modalities of the channels, where they are named."""
    told = ", ".join(f"{name} ({count})" for name, count in segmenter.source.modalities)
    return f", {told}" if told else ""
