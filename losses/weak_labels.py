"""Losses that learn from clicks, strokes and boxes: what these say beyond the pixels whose class is known.

All add to the cross-entropy `ce` of the known pixels. Truths come with the maps that a loss needs (`auxiliary_targets`,
`annotation`); p_i is the probability, at pixel i, of the class of the box or object that lies there.
"""

from typing import Any

import keras

from ..core.errors import SpecError
from ..core.task import Task
from . import LOSSES
from .annotation import neighbours, shifted
from .auxiliary_targets import auxiliary_targets, ensure_targets, on_host, requires_targets
from .blobs import blob_weights
from .cross_entropy import ce
from .planes import Tensor, planes, probabilities, space_sum
from .readable_labels import reads_labels
from .terms import note

ops: Any = keras.ops  # its functions state no types, and the types inferred say None

TINY = 1e-7
"""Least probability of which a logarithm is taken; its float32 is the first below 1."""


@LOSSES.add
@reads_labels("boxes: ignore", "boxes: grabcut")
@requires_targets("boxes", "progress")
def box_prior(
    truth: Tensor,
    logits: Tensor,
    task: Task,
    *,
    weight: float = 0.1,
    low: float = 0.3,
    high: float = 0.95,
    start: float = 5.0,
    end: float = 50.0,
) -> Tensor:
    """Cross-entropy outside of boxes, tightness and size inside: CE + w (T + S) (Kervadec 2020, arXiv:2004.06816).

    Every line of a box meets its object: T = mean over bands of psi(1/e - mean of p), e the pixels of a line; a band is
    three neighbouring lines (`annotation.boxes`). The object fills a share of its box from `low` to `high`: S = mean
    over boxes of psi(low - m) + psi(m - high), m the mean of p. psi is the paper's extended log-barrier: -log(-z) / t
    for z <= -1/t², else t z - log(1/t²) / t + 1/t; t goes from `start` in the first epoch to `end` in the last, by
    equal factors, and is `end` where no schedule comes with the truth. weight: w. The paper takes sums of pixels
    where we take means, and sets the outside to nothing by a constraint where we have CE. Boxes and lines that the
    patch or a smaller box cuts are left out; no box costs CE alone. Truth `(n, *space, t)`, logits `(n, *space, k)`,
    value `(n,)`. Raises SpecError for shares that are not 0 <= low < high <= 1 and for a t that is not above 0.
    """
    if not 0 <= low < high <= 1:
        raise SpecError(f"box_prior: low is {low} and high {high}; they are shares of a box, low below high")
    if min(start, end) <= 0:
        raise SpecError(f"box_prior: t goes from {start} to {end}; both must be above 0")
    boxes, progress = auxiliary_targets(truth, task, "boxes", "progress")
    t = start * (end / start) ** progress
    p = _of_class(boxes[..., 0], probabilities(logits, task))
    tight = [_per_segment(p, boxes[..., 2 + 2 * k], boxes[..., 3 + 2 * k]) for k in range(task.rank)]
    bands = [_mean(_barrier(share - mean, t[:, None]), found) for mean, share, found in tight]
    mean, _, found = _per_segment(p, boxes[..., 1], ops.zeros_like(p))
    size = _mean(_barrier(low - mean, t[:, None]) + _barrier(mean - high, t[:, None]), found)
    tightness = note("tightness", sum(bands) / task.rank)
    return note("ce", ce(truth, logits, task)) + weight * (tightness + note("size", size))


@LOSSES.add
@reads_labels("boxes: ignore", "boxes: grabcut")
@requires_targets("boxes", "affinity", "progress")
def boxinst(
    truth: Tensor, logits: Tensor, task: Task, *, projection: float = 1.0, pairwise: float = 1.0, warmup: float = 0.1
) -> Tensor:
    """Cross-entropy outside of boxes, projections and likeness inside: CE + u P + v A (Tian 2021, arXiv:2012.02310).

    Along each axis the largest p of every line of a box is 1: P = 1 - 2 sum m / (sum m² + M), the mean over axes, m the
    largest p of each of the M bands of three lines (`annotation.boxes`). Neighbours of alike colour have the same
    class: A = mean of -log P(same) over the pairs that are alike (`annotation.affinity`) and have an end in a box; P
    (same) = sum over classes of the product of their probabilities, of a sigmoid p q + (1 - p)(1 - q). projection: u;
    pairwise: v, which rises from 0 over the first `warmup` of the training. The paper compares Lab colours of images a
    quarter the size, and has an object's own map where all share one here, so that the outside is CE. Without boxes,
    and for A without images, the term is 0. Truth `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`.
    """
    boxes, alike, progress = auxiliary_targets(truth, task, "boxes", "affinity", "progress")
    p = _of_class(boxes[..., 0], probabilities(logits, task))
    projections = []
    for axis in range(task.rank):
        most, found = _largest(p, boxes[..., 2 + 2 * axis])
        count = ops.sum(found, -1)
        value = 1 - 2 * ops.sum(most, -1) / ops.maximum(ops.sum(ops.square(most), -1) + count, 1.0)
        projections.append(ops.where(count > 0, value, 0.0))
    same = _pairwise(logits, task, alike, ops.cast(boxes[..., :1] > 0, "float32"))
    rising = ops.minimum(progress / max(warmup, TINY), 1.0)
    value = projection * note("projection", sum(projections) / task.rank) + pairwise * rising * note("pairwise", same)
    return note("ce", ce(truth, logits, task)) + value


@LOSSES.add
@reads_labels("points", "scribbles", "boxes: ignore", "boxes: grabcut", "fraction")
@requires_targets("unknown", "affinity", "progress")
def ce_pairwise(truth: Tensor, logits: Tensor, task: Task, *, weight: float = 1.0, warmup: float = 0.1) -> Tensor:
    """Cross-entropy of what is known and alike neighbours elsewhere: CE + w A (A of Tian 2021, arXiv:2012.02310).

    A is that of `boxinst`, over the pairs of neighbours of alike colour of which the class of one end or both is
    unknown. weight: w, which rises from 0 over the first `warmup` of the training. Where everything is known, and
    without images, it is `ce`. Truth `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`.
    """
    unknown, alike, progress = auxiliary_targets(truth, task, "unknown", "affinity", "progress")
    same = _pairwise(logits, task, alike, ops.max(unknown, -1, keepdims=True))
    rising = ops.minimum(progress / max(warmup, TINY), 1.0)
    return note("ce", ce(truth, logits, task)) + weight * rising * note("pairwise", same)


@LOSSES.add
@reads_labels("points")
@requires_targets("unknown", "objects")
def localisation(
    truth: Tensor, logits: Tensor, task: Task, *, image: float = 1.0, split: float = 1.0, false: float = 1.0
) -> Tensor:
    """Point supervision with localisation terms: CE + a I + b S + c F (Laradji et al. 2018, arXiv:1807.09856).

    I, of the image: the mean over classes of -log max p of those with a click and -log(1 - max p) of the others; with
    CE alone beside it (split: 0, false: 0) the supervision of Bearman 2016 (arXiv:1506.02106) without its objectness
    from outside. S splits: where a connected blob of a predicted class holds n > 1 objects' clicks, the watershed of
    its probabilities from these should be background: the mean of -log p_background over their lines, weighed with
    n - 1. F, false positives: the same over blobs of a class that hold no click of it. Background is what a sigmoid
    leaves of its own. image, split, false: a, b, c. The paper sums where we average, and splits the whole image too.
    Blobs are found on the host, without a gradient. A class whose clicks lie outside of the patch counts as absent.
    Truth `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`.
    """
    truth = ensure_targets(truth, task, ("unknown", "objects"))
    unknown, objects = auxiliary_targets(truth, task, "unknown", "objects")
    p = probabilities(logits, task)
    target, valid = planes(truth, task)
    seen = valid + unknown
    weights = on_host(
        lambda q, marks, known: blob_weights(q, marks, known, task), 2 * task.outputs, p * seen, objects, target
    )
    empty = ops.softplus(ops.cast(logits, "float32"))
    if task.kind == "exclusive":
        empty = -ops.log_softmax(ops.cast(logits, "float32"), -1)[..., :1]
    terms = [_weighted(empty, weights[..., : task.outputs]), _weighted(empty, weights[..., task.outputs :])]
    within = _image_level(p * seen, ops.sign(space_sum(target)), task) * ops.sign(ops.sum(space_sum(seen), -1))
    value = image * note("image", within) + split * note("split", terms[0]) + false * note("false positives", terms[1])
    return note("ce", ce(truth, logits, task)) + value


def _of_class(classes: Tensor, p: Tensor) -> Tensor:
    """Probability of the class `(n, *space)`, 1 + its index, at every pixel; 0 where there is none."""
    indices = ops.arange(1, p.shape[-1] + 1, dtype="float32")
    return ops.sum(ops.where(ops.equal(classes[..., None], indices), p, 0.0), -1)


def _segments(numbers: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Numbers `(n, *space)` from 1 on in each case → a number for each pixel of the batch, cases, numbers a case."""
    cases, pixels = ops.shape(numbers)[0], 1
    for axis in range(1, len(numbers.shape)):
        pixels = pixels * ops.shape(numbers)[axis]
    flat = ops.cast(ops.reshape(numbers, (cases, -1)), "int32")
    ids = flat + ops.arange(cases, dtype="int32")[:, None] * (pixels + 1)
    return ops.reshape(ids, (-1,)), flat, cases, pixels + 1


def _per_segment(p: Tensor, numbers: Tensor, shares: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean of p and of the shares over each numbered region, and whether there is one: `(n, pixels)` each."""
    ids, flat, cases, count = _segments(numbers)
    inside = ops.cast(flat > 0, "float32")

    def total(values: Tensor) -> Tensor:
        summed = ops.segment_sum(ops.reshape(values, (-1,)), ids, num_segments=cases * count)
        return ops.reshape(summed, (cases, count))[:, 1:]

    size = total(inside)
    least = ops.maximum(size, 1.0)
    flat_p, flat_s = ops.reshape(p, (cases, -1)), ops.reshape(shares, (cases, -1))
    return total(flat_p * inside) / least, total(flat_s * inside) / least, ops.cast(size > 0, "float32")


def _largest(p: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor]:
    """The largest p of each numbered region, 0 where there is none, and whether there is one: `(n, pixels)` each."""
    ids, _, cases, count = _segments(numbers)
    flat = ops.reshape(p, (-1,))
    most = ops.segment_max(ops.stop_gradient(flat), ids, num_segments=cases * count)
    wins = ops.cast(flat == ops.take(most, ids), "float32")  # the largest itself has no gradient on every backend
    shape = (cases, count)
    summed = ops.reshape(ops.segment_sum(flat * wins, ids, num_segments=cases * count), shape)[:, 1:]
    winners = ops.reshape(ops.segment_sum(wins, ids, num_segments=cases * count), shape)[:, 1:]
    return summed / ops.maximum(winners, 1.0), ops.cast(winners > 0, "float32")


def _barrier(z: Tensor, t: Tensor) -> Tensor:
    """The log-barrier extended beyond 0 by its tangent at -1/t²."""
    edge = -1.0 / ops.square(t)
    inside = -ops.log(-ops.minimum(z, edge)) / t
    return ops.where(z <= edge, inside, t * z - ops.log(-edge) / t + 1 / t)


def _mean(values: Tensor, counted: Tensor) -> Tensor:
    """Mean over the last axis of what counts, 0 where nothing does."""
    return ops.sum(values * counted, -1) / ops.maximum(ops.sum(counted, -1), 1.0)


def _pairwise(logits: Tensor, task: Task, alike: Tensor, inside: Tensor) -> Tensor:
    """Mean of -log P(same class) over alike neighbours with an end inside; alike, inside `(n, *space, 1)`."""
    logits = ops.cast(logits, "float32")
    exclusive = task.kind == "exclusive"
    sides = [ops.log_softmax(logits, -1)] if exclusive else [-ops.softplus(-logits), -ops.softplus(logits)]
    bits, total, count = ops.cast(alike, "int32"), 0.0, 0.0
    space = tuple(range(1, len(logits.shape) - 1))
    for bit, offset in enumerate(neighbours(task.rank)):
        here, there = ((slice(None), *part) for part in shifted(offset))
        both = [side[here] + side[there] for side in sides]
        same = ops.logsumexp(both[0], -1, keepdims=True) if exclusive else ops.logaddexp(both[0], both[1])
        chosen = ops.cast((bits[here] // 2**bit) % 2, "float32") * ops.maximum(inside[here], inside[there])
        total = total - ops.sum(same * chosen, (*space, -1)) / same.shape[-1]
        count = count + ops.sum(chosen, (*space, -1))
    return total / ops.maximum(count, 1.0)


def _weighted(values: Tensor, weights: Tensor) -> Tensor:
    total = ops.sum(space_sum(values * weights), -1)
    return total / ops.maximum(ops.sum(space_sum(weights), -1), 1.0)


def _image_level(p: Tensor, present: Tensor, task: Task) -> Tensor:
    """Mean over foreground classes of -log max p where present, else -log(1 - max p); present `(n, k)`, 0 or 1."""
    first = 1 if task.kind == "exclusive" else 0
    most = ops.clip(ops.max(p, tuple(range(1, len(p.shape) - 1))), TINY, 1 - TINY)[:, first:]
    here = present[:, first:]
    return ops.mean(-here * ops.log(most) - (1 - here) * ops.log(1 - most), -1)
