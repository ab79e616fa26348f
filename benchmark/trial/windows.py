"""How large a prediction window may be."""

import math
from dataclasses import dataclass
from typing import Any

import keras

from ...core.errors import Unfit
from ...core.recipe import Recipe
from ...models.anatomy.locality import is_local
from ...models.anatomy.memory import peak_activation_bytes
from ...models.anatomy.trace import trace
from ...models.parts.fit import divisor

AUTO_MIB = 2048
"""Activations that a prediction may take by default."""

HALVED_FROM = 4
"""Patches in the longer edge of a 2D image from which two windows are taken though one would fit.

With oneDNN a CPU with AVX2 and no AVX-512 predicts two windows in the time of one (`prefers_pairs`); elsewhere the two
cost their overlap, an eighth at most. They are taken everywhere, so that results do not depend on the machine.
"""


@dataclass(frozen=True)
class Windows:
    """Chooses windows for one model and recipe.

    patch: the least window. unit: window edges other than the patch's are multiples of this, so that images of many
    sizes meet few shapes, each of which XLA would compile. pixels: how many a batch of windows may have. grows: whether
    a window may be larger than the patch; where normalisation or attention looks across the window, its statistics are
    part of the network, and the window stays the one that was trained on, as it does where the model takes one size.
    divisor: of the model; windows that grew lie apart by multiples of it.
    """

    patch: tuple[int, ...]
    unit: tuple[int, ...]
    pixels: int
    overlap: float
    batch: int
    grows: bool
    divisor: tuple[int, ...]

    @classmethod
    def of(cls, model: keras.Model, recipe: Recipe) -> "Windows":
        """Windows within `recipe.predict_mib`. Raises Unfit when that holds no patch."""
        steps = trace(model, recipe.patch)
        patch_bytes = peak_activation_bytes(steps)
        asked = AUTO_MIB if recipe.predict_mib == "auto" else recipe.predict_mib
        if recipe.predict_mib not in ("auto", 0) and asked * 2**20 < patch_bytes:
            edges, needed = "×".join(map(str, recipe.patch)), math.ceil(patch_bytes / 2**20)
            raise Unfit(
                f"recipe.predict_mib: {asked} MiB hold no patch of {edges}, whose activations take {needed} MiB; "
                "give at least that, 'auto', or 0 for windows of the patch"
            )
        size = math.prod(recipe.patch)
        pixels = max(size, asked * 2**20 * size // patch_bytes)
        least = divisor(model)
        units = (-(-max(1, edge // 2) // d) * d for edge, d in zip(recipe.patch, least, strict=True))
        fixed = None not in model.inputs[0].shape[1:-1]
        grows = recipe.predict_mib != 0 and not fixed and is_local(steps)
        return cls(recipe.patch, tuple(units), pixels, recipe.overlap, recipe.micro_batch, grows, least)

    def window(self, space: tuple[int, ...]) -> tuple[int, ...]:
        """The window for an image: all of it, or the largest equal parts that fit; never less than fits a patch.

        A 2D image with an edge of `HALVED_FROM` patches or more is two parts at least.
        """
        if not self.grows:
            return self.patch
        lengths = [edge / patch for edge, patch in zip(space, self.patch, strict=True)]
        longest = lengths.index(max(lengths))
        halved = len(space) == 2 and lengths[longest] >= HALVED_FROM
        parts = [2 if halved and k == longest else 1 for k in range(len(space))]
        while True:
            edges = tuple(map(self._edge, range(len(space)), space, parts))
            if math.prod(edges) <= self.pixels:
                return edges
            larger = [k for k, edge in enumerate(edges) if edge > self.patch[k]]
            if not larger:
                return self.patch
            parts[max(larger, key=lambda k: edges[k] / self.patch[k])] += 1

    def options(self, space: tuple[int, ...]) -> dict[str, Any]:
        """What `predict` is to be called with for an image."""
        window = self.window(space)
        sizes = {"window": window, "overlap": self.overlaps(window), "batch": self.batch_of(window)}
        return {**sizes, "align": self.divisor if self.grows else None}

    def batch_of(self, window: tuple[int, ...]) -> int:
        """How many windows are predicted at once."""
        return self.batch if window == self.patch else max(1, min(self.batch, self.pixels // math.prod(window)))

    def overlaps(self, window: tuple[int, ...]) -> tuple[float, ...]:
        """Shares of the window's edges by which neighbours overlap: by as many pixels as patches would."""
        if window == self.patch:
            return (self.overlap,) * len(window)
        return tuple(self.overlap * edge / wide for edge, wide in zip(self.patch, window, strict=True))

    def _edge(self, axis: int, length: int, parts: int) -> int:
        whole = length + (parts - 1) * math.ceil(self.overlap * self.patch[axis])
        edge = -(-math.ceil(whole / parts) // self.unit[axis]) * self.unit[axis]
        return edge if parts == 1 else max(edge, self.patch[axis])
