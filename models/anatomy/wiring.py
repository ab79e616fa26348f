"""How a model is wired: its traced calls gathered into blocks, joints and the ways between them.

Calls that follow each other on one level make a block. Where branches of a block meet again (a residual, a dense
block, a gate) the block takes them in, so that what is left is the shape of the network: who feeds whom, at which
resolution.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import keras

from ..parts.fit import divisor
from ..parts.resampling import LinearUpsampling
from .trace import Step, trace

MERGES = {"Add": "+", "Concatenate": "c", "Beside": "c", "Multiply": "×", "Subtract": "-", "Maximum": "max"}
"""Layers that merge several tensors, by their saved name, with the sign that stands for them."""

POOLED, STRIDED, REPEATED, INTERPOLATED, TRANSPOSED = "pooling", "strided", "nearest", "linear", "transposed"


@dataclass(frozen=True)
class Edge:
    """From one block to another.

    how: what changes the resolution on the way, empty where nothing does. convolved: whether one convolution is on it.
    """

    source: int
    target: int
    how: str
    convolved: bool = False


@dataclass
class Block:
    """Calls on one level. level: halvings from the image to it. joint: the sign at its entry, empty for one input."""

    steps: list[Step] = field(default_factory=list)
    level: float = 0.0
    merge: str = ""
    gate: bool = False

    @property
    def channels(self) -> int:
        """Of what the block gives."""
        return self.steps[-1].outputs[0].shape[-1]

    @property
    def mechanism(self) -> str:
        """What the block does, by what is inside."""
        inner = self.steps[1:] if self.merge else self.steps
        names = Counter(type(step.operation).__name__ for step in inner)
        if self.gate:
            return "gate"
        if any("Attention" in name for name in names):
            return "transformer"
        if _recurs(inner):
            return "recurrent"
        if names["Multiply"] and any(name.startswith("Global") for name in names):
            return "squeeze"
        if any("Depthwise" in name for name in names):
            return "depthwise"
        if names["Concatenate"]:
            return "paths"
        if names["Add"]:
            return "residual"
        return "convolution" if any(map(_weighs, inner)) else "joint"


@dataclass(frozen=True)
class Wiring:
    """Blocks in the order of computation, and the ways between them; outputs: blocks that give logits."""

    blocks: tuple[Block, ...]
    edges: tuple[Edge, ...]

    def columns(self) -> tuple[int, ...]:
        """For each block the number of blocks on the longest way to it."""
        made: list[int] = []
        for number in range(len(self.blocks)):
            made.append(max((made[edge.source] + 1 for edge in self.edges if edge.target == number), default=0))
        return tuple(made)

    @property
    def outputs(self) -> tuple[int, ...]:
        """Blocks that feed no other."""
        feeding = {edge.source for edge in self.edges}
        return tuple(number for number in range(len(self.blocks)) if number not in feeding)


def wiring(model: keras.Model) -> Wiring:
    """Return how the model is wired. Nothing is computed; the image has four pixels on the coarsest level."""
    size = tuple(max(16, 4 * edge) for edge in divisor(model))
    graph = _Graph(trace(model, size), size)
    graph.bypass()
    graph.chain()
    graph.gather()
    graph.shorten()
    return graph.wiring()


class _Graph:
    """The blocks by number, and into each one the ways by their source."""

    def __init__(self, steps: Sequence[Step], size: tuple[int, ...]) -> None:
        self.blocks: dict[int, Block] = {}
        self.into: dict[int, dict[int, str]] = {}
        self.change: dict[int, str] = {}
        self.convolved: set[tuple[int, int]] = set()
        made: dict[int, int] = {}
        for number, step in enumerate(steps):
            sources = dict.fromkeys(made[id(tensor)] for tensor in step.inputs if id(tensor) in made)
            before = max((self.blocks[source].level for source in sources), default=0.0)
            level = _level(step, size, before)
            self.blocks[number] = Block([step], level, MERGES.get(type(step.operation).__name__, ""))
            if len(sources) < 2:
                self.blocks[number].merge = ""
            elif not self.blocks[number].merge:
                self.blocks[number].merge = "·"
            self.change[number] = _change(step, level, before)
            self.into[number] = dict.fromkeys(sources, self.change[number])
            made.update((id(tensor), number) for tensor in step.outputs)

    def consumers(self, number: int) -> list[int]:
        return [target for target, sources in self.into.items() if number in sources]

    def bypass(self) -> None:
        """Take out calls that weigh nothing and join nothing, and what only changes the resolution."""
        for number in list(self.blocks):
            (step,), sources = self.blocks[number].steps, self.into[number]
            if len(sources) != 1:
                continue
            ((source, how),) = sources.items()
            resampling = bool(self.change[number]) and len(self.consumers(number)) < 2
            if resampling or not (_weighs(step) or _global(step)):
                self._remove(number, source, how)

    def _remove(self, number: int, source: int, how: str) -> None:
        for target in self.consumers(number):
            after = self.into[target].pop(number)
            self.into[target].setdefault(source, "")
            self.into[target][source] = self.into[target][source] or " ".join(filter(None, (how, after)))
        del self.blocks[number], self.into[number]

    def chain(self) -> None:
        """Make one block of each pair of which the second is the only one to take the first, on one level."""
        for number in list(self.blocks):
            self._append(number)

    def _append(self, number: int) -> bool:
        sources = self.into[number]
        if len(sources) != 1 or self.blocks[number].merge or not self.consumers(number):
            return False
        ((source, how),) = sources.items()
        alone = self.consumers(source) == [number] and not how
        if not alone or self.blocks[source].level != self.blocks[number].level or self.blocks[source].gate:
            return False
        block = self.blocks[source]
        self.blocks[number] = Block([*block.steps, *self.blocks[number].steps], block.level, block.merge)
        self.into[number] = self.into.pop(source)
        del self.blocks[source]
        return True

    def gather(self) -> None:
        """Take branches that part and meet again on one level into one block, inner ones first."""
        for number in list(self.blocks):
            if number in self.blocks and self.blocks[number].merge:
                region, entries = self._region(number)
                if region and (len(entries) == 1 or (len(entries) == 2 and self._gates(number, region))):
                    self._merge(number, region, gate=len(entries) == 2)
            if number in self.blocks:
                self._append(number)

    def shorten(self) -> None:
        """Lay single convolutions that lead to a joint on the way to it."""
        for number in list(self.blocks):
            block, targets, sources = self.blocks[number], self.consumers(number), list(self.into[number].items())
            lone = not block.merge and block.mechanism == "convolution" and sum(map(_weighs, block.steps)) == 1
            if lone and len(targets) == len(sources) == 1 and self.blocks[targets[0]].merge:
                ((source, how),) = sources
                if source not in self.into[targets[0]]:
                    self.into[targets[0]][source] = how or self.into[targets[0]].pop(number)
                    self.into[targets[0]].pop(number, None)
                    self.convolved.add((source, targets[0]))
                    del self.blocks[number], self.into[number]

    def _gates(self, number: int, region: list[int]) -> bool:
        plain = ("convolution", "joint")
        return self.blocks[number].merge == "×" and all(self.blocks[other].mechanism in plain for other in region)

    def _region(self, exit: int) -> tuple[list[int], set[int]]:
        region: list[int] = []
        level = self.blocks[exit].level
        entries = set(self.into[exit])
        while len(entries) > 1:
            inside = {exit, *region}
            free = [
                entry
                for entry in sorted(entries, reverse=True)
                if self.blocks[entry].level == level and set(self.consumers(entry)) <= inside and self.into[entry]
            ]
            if not free:
                break
            region.append(free[0])
            entries = (entries - {free[0]}) | set(self.into[free[0]])
        return region, entries

    def _merge(self, exit: int, region: list[int], *, gate: bool) -> None:
        inside = [*sorted(region), exit]
        steps = [step for number in inside for step in self.blocks[number].steps]
        into: dict[int, str] = {}
        for number in inside:
            for source, how in self.into[number].items():
                if source not in inside:
                    into[source] = into.get(source) or how
        for number in region:
            del self.blocks[number], self.into[number]
        self.blocks[exit], self.into[exit] = Block(steps, self.blocks[exit].level, "", gate), into

    def wiring(self) -> Wiring:
        order = {number: place for place, number in enumerate(self.blocks)}
        edges = [
            Edge(order[source], order[target], how, (source, target) in self.convolved)
            for target, into in self.into.items()
            for source, how in into.items()
        ]
        return Wiring(tuple(self.blocks.values()), tuple(edges))


def _level(step: Step, size: tuple[int, ...], before: float) -> float:
    shape = step.outputs[0].shape
    space = shape[1:-1]
    if type(step.operation).__name__.startswith(("ZeroPadding", "Cropping", "Pad")):
        return before
    if len(space) != len(size) or set(space) == {1} or math.prod(space) > math.prod(size):
        return before
    return round(math.log2(math.prod(size) / math.prod(space)) / len(size), 1)


def _change(step: Step, level: float, before: float) -> str:
    if level == before:
        return ""
    name = type(step.operation).__name__
    if level > before:
        # A window of one pixel is the stride of the 1×1 convolution behind it.
        return POOLED if "Pooling" in name and max(step.operation.pool_size) > 1 else STRIDED
    if isinstance(step.operation, LinearUpsampling) or getattr(step.operation, "interpolation", "") == "bilinear":
        return INTERPOLATED
    return REPEATED if name.startswith("UpSampling") else TRANSPOSED


def _global(step: Step) -> bool:
    return type(step.operation).__name__.startswith("Global")


def _weighs(step: Step) -> bool:
    weights: Iterable = getattr(step.operation, "trainable_weights", ())
    return any(len(weight.shape) > 1 for weight in weights)


def _recurs(steps: Sequence[Step]) -> bool:
    calls = Counter(id(step.operation) for step in steps if _weighs(step))
    return any(count > 1 for count in calls.values())
