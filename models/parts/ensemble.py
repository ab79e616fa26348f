"""One network of several: a shared image, the members' logits, and their mean."""

import math
from collections.abc import Sequence
from typing import Any

import keras

from ...core.errors import Unfit
from ...core.task import Task
from .fit import Divisible, divisor
from .means import MeanOfLogits, MeanOfProbabilities
from .orientations import Oriented, orientations


def ensemble(
    members: Sequence[keras.Model],
    task: Task,
    *,
    weights: Sequence[float] = (),
    mean: str = "probabilities",
    copies: str = "",
) -> keras.Model:
    """The network whose logits are the mean of the members', each seen through copies of the image.

    members: networks of the task; of several outputs the first is taken. weights: one a member, equal by default.
    mean: `probabilities` or `logits`, see `means`. copies: "" for the image alone, `mirror` or `turns`, see
    `orientations`; a copy is turned before a member and its logits are turned back. Weights are shared by the copies
    and counted once, multiply-accumulates are those of every call. Raises Unfit for edges that no size suits.
    """
    channels = {int(member.inputs[0].shape[-1]) for member in members} | {task.channels}
    if len(channels) > 1:
        raise Unfit(f"ensemble: its members take images of {sorted(channels)} channels; one number is possible")
    edges = _edges(members, task.rank)
    image = keras.Input((*edges, task.channels), name="image")
    least = tuple(math.lcm(*parts) for parts in zip(*(divisor(member) for member in members), strict=True))
    seen = Divisible(least)(image)
    shares = list(weights) or [1.0] * len(members)
    named = [keras.Model(one.inputs, one.outputs[0], name=f"member_{k}") for k, one in enumerate(members, 1)]
    logits: list[Any] = []
    places = orientations(copies, task.rank)
    if any(turns % 2 for _, turns in places) and len(set(edges)) > 1:
        raise Unfit(f"ensemble: turned copies need a square, the network takes {'×'.join(map(str, edges))}")
    for axes, turns in places:
        plain = not axes and not turns
        shown = seen if plain else Oriented(axes, turns)(seen)
        for member in named:
            made = member(shown)
            logits.append(made if plain else Oriented(axes, turns, back=True)(made))
    return keras.Model(image, _mean(logits, shares * len(places), mean, task))


def _mean(logits: list[Any], weights: list[float], mean: str, task: Task) -> Any:
    if len(logits) == 1:
        return logits[0]
    if mean == "logits":
        return MeanOfLogits(weights, dtype="float32")(logits)
    return MeanOfProbabilities(weights, exclusive=task.kind == "exclusive", dtype="float32")(logits)


def _edges(members: Sequence[keras.Model], rank: int) -> tuple[int | None, ...]:
    """The edges that the members' images have, None where any do. Raises Unfit where two differ."""
    found: list[int | None] = []
    for axis in range(1, rank + 1):
        known = {member.inputs[0].shape[axis] for member in members} - {None}
        if len(known) > 1:
            raise Unfit(f"ensemble: its members take edges of {sorted(known)} pixels along axis {axis - 1}")
        found.append(next(iter(known), None))
    return tuple(found)
