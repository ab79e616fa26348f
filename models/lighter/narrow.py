"""A model without some of its channels: fewer parameters, fewer multiplications, the same layers."""

from collections.abc import Callable, Collection
from typing import Any

import keras
import numpy as np
from keras.src.ops.numpy import Split

from ...core.errors import Unfit
from .channels import Channels
from .follow import kept_places


def narrowed(model: Any, channels: Channels, removed: Collection[int]) -> keras.Model:
    """Return a functional model without the coupled sets of channels `removed`, its weights those that remain.

    channels: what `follow` found in the model, which stays as it is; models inside it become layers of the new one.
    Where all that makes and reads the removed channels is zero, both give the same values, but for layers in
    `channels.pooling`, which compute over the channels that remain. Raises Unfit when a tensor would lose its last
    channel.
    """
    gone = set(removed)
    for array in channels.arrays():
        if gone.issuperset(array.tolist()):
            raise Unfit(f"channel pruning: all {len(array)} channels of a layer of {model.name} would go; keep one")
    image = model.inputs[0]
    entry = keras.Input(image.shape[1:], dtype=image.dtype, name=image.name)
    rebuilt = _Rebuilt(channels, gone)
    outputs = rebuilt.run(model, [entry])
    made = keras.Model(entry, outputs, name=model.name)
    for old, new in rebuilt.layers:
        new.set_weights([rebuilt.cut(variable) for variable in old.weights])
    return made


class _Rebuilt:
    """New layers for old ones, each once. layers: pairs of them."""

    def __init__(self, channels: Channels, removed: set[int]) -> None:
        self.channels, self.removed = channels, removed
        self.layers: list[tuple[Any, Any]] = []
        self._made: dict[int, Any] = {}
        self._names: set[str] = set()

    def run(self, model: Any, inputs: list[Any]) -> Any:
        """Call the new layers as the model calls the old ones."""

        def of(operation: Any) -> Callable[..., Any]:
            if isinstance(operation, keras.Function):
                return lambda *arguments, **_: self.run(operation, _tensors(arguments))
            return self._renewed(operation)

        return model._run_through_graph(inputs, operation_fn=of)

    def cut(self, variable: Any) -> np.ndarray:
        """What remains of a weight."""
        value = np.asarray(keras.ops.convert_to_numpy(variable))
        for axis in self.channels.weights.get(id(variable), ()):
            value = np.take(value, kept_places(self.channels, axis.ids, self.removed), axis.axis)
        return value

    def _renewed(self, operation: Any) -> Any:
        if id(operation) not in self._made:
            self._made[id(operation)] = self._renew(operation)
        return self._made[id(operation)]

    def _renew(self, operation: Any) -> Any:
        given, made = self.channels.inputs[id(operation)], self.channels.outputs[id(operation)]
        if isinstance(operation, Split):
            return Split(tuple(np.cumsum([self._count(ids) for ids in made[:-1]]).tolist()), axis=operation.axis)
        if not isinstance(operation, keras.layers.Layer):
            return operation
        counts = len(given[0]), self._count(given[0])
        config = operation.get_config() | _changed(operation, counts, self._count(made[0]))
        config["name"] = self._name(config["name"])
        new = type(operation).from_config(config)
        self.layers.append((operation, new))
        return new

    def _count(self, ids: np.ndarray) -> int:
        return len(kept_places(self.channels, ids, self.removed))

    def _name(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self._names:
            number += 1
            name = f"{wanted}_{number}"
        self._names.add(name)
        return name


def _changed(layer: Any, inputs: tuple[int, int], outputs: int) -> dict[str, Any]:
    """What a layer's configuration says of numbers of channels. inputs: how many came before, and how many come now."""
    before, now = inputs
    if isinstance(layer, keras.layers.Dense):
        return {"units": outputs}
    if isinstance(layer, keras.layers.GroupNormalization):
        return {"groups": 1 if layer.groups == 1 else now * layer.groups // before}
    if isinstance(layer, keras.layers.Reshape):
        return {"target_shape": (*layer.target_shape[:-1], outputs)}
    if not hasattr(layer, "filters"):
        return {}
    alone = 1 < getattr(layer, "groups", 1) == before
    return {"filters": outputs} | ({"groups": now} if alone else {})


def _tensors(structure: Any) -> list[Any]:
    return [leaf for leaf in keras.tree.flatten(structure) if isinstance(leaf, keras.KerasTensor)]
