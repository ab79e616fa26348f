"""The process that converts: TensorFlow and Keras, a trained network, and the runtimes' converters."""

import math
import os
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import ConversionError
from ...core.registry import load_plugin
from ...core.task import Kind, Task
from .child import serve


class Converter:
    """What the process keeps between orders: the network in float32 and, once asked for, in float64."""

    def __init__(self) -> None:
        self.file: Path | None = None
        self.networks: dict[str, Any] = {}
        self.conversions: dict[tuple[Any, ...], Any] = {}

    def open(self, file: str, plugins: tuple[str, ...]) -> dict[str, Any]:
        """Load a .keras file; returns the digest of the network, which names what is made of it, and its inputs."""
        from .trained import load_network, weights_digest

        for plugin in plugins:
            load_plugin(plugin)
        self.file = Path(file)
        network = load_network(self.file, "float32")
        self.networks, self.conversions = {"float32": network}, {}
        space = [None if edge is None else int(edge) for edge in network.inputs[0].shape[1:-1]]
        return {"digest": weights_digest(network), "space": space, "parameters": int(network.count_params())}

    def build(self, model: str, options: dict[str, Any], task: Task, file: str, plugins: tuple[str, ...]) -> None:
        """Save a recipe with random weights of seed 0. Raises Unfit where it cannot serve the task."""
        import keras

        from ...models import MODELS

        for plugin in plugins:
            load_plugin(plugin)
        keras.utils.set_random_seed(0)
        MODELS[model](task, **options).save(file)

    def convert(
        self,
        runtime: str,
        options: dict[str, Any],
        file: str,
        space: tuple[int, ...],
        batch: int,
        shared: str,
        calibration: np.ndarray | None,
        kind: Kind,
    ) -> dict[str, Any]:
        """Write the file of a runtime; returns what its converter says and the seconds it took.

        shared: the folder of what several formats are made from. Raises ConversionError, Unfit for a size that the
        network does not take.
        """
        from ...models.parts.fit import require
        from ...runtimes import RUNTIMES

        require(self.networks["float32"], space, "size")
        start = time.perf_counter()
        conversion = self._conversion(space, batch, shared)
        conversion.calibration, conversion.kind = calibration, kind
        facts = RUNTIMES[runtime](**options).convert(conversion, Path(file))
        return {**facts, "convert_s": time.perf_counter() - start}

    def full(self, runtime: str, options: dict[str, Any], space: tuple[int, ...], shared: str) -> tuple[str, list[str]]:
        """The float32 file with whose layers those of a runtime's quantised file are compared, and all layers' names.

        The file takes one image a call. Raises ConversionError where the runtime's layers cannot be looked into.
        """
        from ...runtimes import RUNTIMES

        layers = RUNTIMES[runtime](**options).layers
        if layers is None:
            raise ConversionError(f"the layers of {runtime} cannot be looked into")
        names = [layer.name for layer in self.networks["float32"]._flatten_layers(include_self=False)]
        return str(layers.full(self._conversion(space, 1, shared))), names

    def reference(self, images: np.ndarray) -> np.ndarray:
        """Logits (n, *space, k) float64 of images, every operation in float64, one image after the other."""
        from .trained import recast

        if "float64" not in self.networks:
            self.networks["float64"] = recast(self.networks["float32"], "float64")
        return self._eager("float64", images.astype(np.float64))

    def float32(self, images: np.ndarray) -> np.ndarray:
        """The same in float32, as Keras computes it."""
        return self._eager("float32", images)

    def group_pixels(self, space: tuple[int, ...]) -> int:
        """The most pixels times channels that one normalisation takes its mean over, 1 without any."""
        import keras

        from ...models.anatomy.trace import trace

        found = [1]
        for step in trace(self.networks["float32"], space):
            if isinstance(step.operation, keras.layers.GroupNormalization):
                shape: Any = step.outputs[0].shape
                groups = shape[-1] if step.operation.groups == -1 else step.operation.groups
                found.append(math.prod(shape[1:]) // groups)
        return max(found)

    def _conversion(self, space: tuple[int, ...], batch: int, shared: str) -> Any:
        from ...runtimes.conversion import Conversion
        from .trained import recast

        key = (space, batch)
        if key not in self.conversions:
            network = self.networks["float32"]
            sliced = partial(recast, network, "float32", sliced=True)
            self.conversions[key] = Conversion(network, space, batch, Path(shared), sliced)
        return self.conversions[key]

    def _eager(self, precision: str, images: np.ndarray) -> np.ndarray:
        import keras

        made = []
        for image in images:
            found = self.networks[precision](keras.ops.convert_to_tensor(image[None]), training=False)
            made.append(keras.ops.convert_to_numpy(found[0] if isinstance(found, list | tuple) else found))
        return np.concatenate(made)


if __name__ == "__main__":
    os.environ["KERAS_BACKEND"] = "tensorflow"  # the converters are TensorFlow's; weights are the same on every backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    converter = Converter()
    orders = ("build", "open", "convert", "full", "reference", "float32", "group_pixels")
    serve({name: getattr(converter, name) for name in orders})
