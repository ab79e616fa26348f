"""Which channels of a model belong together, so that one cannot go without the others (Fang et al. 2023, DepGraph).

Each channel of each tensor is a number; numbers that an operation ties are one coupled set of channels, written as the
smallest of them. A sum ties the channels of its terms one by one, a concatenation lays those of its parts side by side,
a convolution makes new ones. Every axis of every weight that runs over channels is noted with its numbers, so that what
goes with a set of channels is read off: filters, the slices of kernels that read them, factors and running statistics.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...core.errors import Unfit

Ids = np.ndarray
"""Numbers of channels, one a channel of a tensor or of an axis of a weight."""


@dataclass
class Axis:
    """An axis of a weight and the channels along it. makes: whether these channels come out of the layer."""

    variable: Any
    axis: int
    ids: Ids
    makes: bool


@dataclass
class Channels:
    """The coupled channels of a model.

    weights: by the weight's `id`, its axes along channels. inputs, outputs: by the `id` of a layer or operation, the
    channels of what it takes and gives at its first call. tensors: those of every tensor of every call. pooling: layers
    that compute over channels, whose values therefore change when channels go, with the channels that they read.
    """

    parents: list[int] = field(default_factory=list)
    fixed: set[int] = field(default_factory=set)
    weights: dict[int, list[Axis]] = field(default_factory=dict)
    inputs: dict[int, list[Ids]] = field(default_factory=dict)
    outputs: dict[int, list[Ids]] = field(default_factory=dict)
    tensors: list[Ids] = field(default_factory=list)
    pooling: list[tuple[Any, Ids]] = field(default_factory=list)

    def new(self, count: int) -> Ids:
        """Numbers of channels that nothing is known of yet."""
        first = len(self.parents)
        self.parents.extend(range(first, first + count))
        return np.arange(first, first + count)

    def root(self, number: int) -> int:
        """The number that stands for the coupled set."""
        while self.parents[number] != number:
            self.parents[number] = self.parents[self.parents[number]]
            number = self.parents[number]
        return number

    def roots(self, ids: Ids) -> Ids:
        """The numbers that stand for the coupled sets of these channels."""
        return np.array([self.root(int(number)) for number in ids], int)

    def tie(self, one: Iterable[int], other: Iterable[int]) -> None:
        """Couple channels one by one."""
        for first, second in zip(one, other, strict=True):
            low, high = sorted((self.root(int(first)), self.root(int(second))))
            self.parents[high] = low

    def tie_rows(self, rows: Ids) -> None:
        """Couple all channels in each row of `(rows, channels)`."""
        for column in range(1, rows.shape[1]):
            self.tie(rows[:, 0], rows[:, column])

    def fix(self, ids: Ids) -> None:
        """Say that these channels must stay."""
        self.fixed.update(int(number) for number in ids)

    def weigh(self, variable: Any, axis: int, ids: Ids, *, makes: bool = False) -> Ids:
        """Note an axis of a weight; of a layer called again its channels are tied to those of the first call."""
        axis %= len(variable.shape)
        if variable.shape[axis] != len(ids):
            raise Unfit(f"{variable.path}: axis {axis} has {variable.shape[axis]} entries for {len(ids)} channels")
        for known in self.weights.setdefault(id(variable), []):
            if known.axis == axis:
                self.tie(known.ids, ids)
                return known.ids
        self.weights[id(variable)].append(Axis(variable, axis, ids, makes))
        return ids

    def made(self) -> Iterator[Ids]:
        """The coupled sets of the channels that each kernel makes."""
        for axes in self.weights.values():
            yield from (self.roots(axis.ids) for axis in axes if axis.makes)

    def movable(self) -> list[int]:
        """The coupled sets that may go, in the order of the network."""
        fixed = {self.root(number) for number in self.fixed}
        made = dict.fromkeys(int(number) for roots in self.made() for number in roots)
        return [number for number in made if number not in fixed]

    def arrays(self) -> list[Ids]:
        """The coupled sets along every tensor and every weight, each array once."""
        found = [axis.ids for axes in self.weights.values() for axis in axes] + self.tensors
        return list({rooted.tobytes(): rooted for rooted in map(self.roots, found)}.values())
