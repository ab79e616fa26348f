"""How far each layer of a quantised file is from the same layer of the float32 file, on images that are run by both."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.errors import ConversionError
from .conversion import Conversion

Output = tuple[Sequence[str], np.ndarray, np.ndarray]
"""The graph's names of a convolution, the best first, and what it gives for an image: in float32, and quantised."""


@dataclass(frozen=True)
class LayerOutputs:
    """How a format's layers are looked into.

    full: makes, or finds, the float32 file that the quantised one is compared with. outputs(full, file, images): runs
    both on images (n, *space, c) and yields the output of every convolution that both have, dequantised, as it stands
    after what the format merged into the convolution (normalisation, activation).
    """

    full: Callable[[Conversion], Path]
    outputs: Callable[[Path, Path, np.ndarray], Iterator[Output]]


def layer_errors(outputs: Iterator[Output], layers: Sequence[str]) -> dict[str, float]:
    """sqrt(sum (q - x)^2 / sum x^2) of each layer, over its outputs x in float32 and q quantised; the largest first.

    It is 10^(-SQNR / 20) of the signal to quantisation noise ratio in decibels. The quantised network runs as a whole,
    so that a layer's error holds that of the layers before it. A layer whose float32 output is 0 throughout has no
    share and is left out; values that are not finite make the error infinite. layers: names of the network's layers,
    by which the graph's names are read. Raises ConversionError where the files have no convolution in common.
    """
    sums: dict[str, np.ndarray] = {}
    for names, full, quantised in outputs:
        apart = quantised.astype(np.float64) - full
        found = np.array([np.square(apart).sum(), np.square(full, dtype=np.float64).sum()])
        key = _joined(names)
        sums[key] = sums.get(key, np.zeros(2)) + found
    if not sums:
        raise ConversionError("no convolution of the quantised file is found in the float32 one by its name")
    named = layer_names(list(sums), layers)
    errors: dict[str, float] = {}
    for key, (noise, signal) in sums.items():
        if signal > 0:
            error = math.sqrt(noise / signal) if math.isfinite(noise) else math.inf
            errors[named[key]] = max(error, errors.get(named[key], 0.0))
    return dict(sorted(errors.items(), key=lambda entry: -entry[1]))


def layer_names(graph: Sequence[str], layers: Sequence[str]) -> dict[str, str]:
    """The layers of a network that a graph's names stand for, by name.

    graph: names as TensorFlow makes them, `functional_1/conv2d_2_1/convolution`, several joined by `;`. TensorFlow
    numbers every scope that it enters again, so that `conv2d_2_1` may be the layer `conv2d_2`: it is where more names
    of the graph are found so than as they stand. What is no layer's name stays as the graph has it, without its
    operation.
    """
    known = set(layers)
    with_numbers, as_they_stand = (
        sum(bool(_found(name, known, numbered=numbered)) for name in graph) for numbered in (True, False)
    )
    numbered = with_numbers >= as_they_stand
    return {name: _found(name, known, numbered=numbered) or _bare(name) for name in graph}


def _found(name: str, known: set[str], *, numbered: bool) -> str:
    """The deepest layer that one of the joined names lies in, "" where none does."""
    for scoped in name.split(";"):
        for part in reversed(scoped.split("/")):
            base, underscore, number = part.rpartition("_")
            layer = base if underscore and number.isdigit() else ""
            if (layer if numbered else part) in known:
                return layer if numbered else part
    return ""


def _bare(name: str) -> str:
    """The scope of the first operation: `block_1/conv_1` of `functional_1/block_1/conv_1/convolution`."""
    parts = name.split(";")[0].split("/")
    return "/".join(parts[1:-1]) or name


def _joined(names: Sequence[str]) -> str:
    """The names joined, those of convolutions before those of what was merged into them."""
    every = [scoped for name in names for scoped in name.split(";")]
    return ";".join(sorted(dict.fromkeys(every), key=lambda scoped: not _is_convolution(scoped)))


def _is_convolution(scoped: str) -> bool:
    operation = scoped.rpartition("/")[2].lower()
    return "conv" in operation or "depthwise" in operation
