"""Means of the weights that a training passes through, kept while it trains, and networks made of them afterwards."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ...core.arrays import read_npz
from ...core.errors import StoreError, one_line
from ...core.files import written_aside
from ...core.recipe import Recipe
from ...datasets.patches import PatchSampler
from .averaging import ABOUT, KEPT, Averaging, cycle_epochs, first_averaged, kept, share_after

ops: Any = keras.ops  # its functions state no types, and the types inferred say None


class Averages:
    """What a training keeps of the weights that it passes through: call it after each step and each epoch.

    The means are computed by the backend where the weights are, so that they cost no copy from a GPU. With the arrays
    of `arrays` put back, the numbers that follow are the same to the last bit. model: the one that is trained, where
    it is another with the same weights.
    """

    def __init__(
        self, network: keras.Model, wanted: Sequence[Averaging], recipe: Recipe, model: keras.Model | None = None
    ) -> None:
        self.network, self.wanted, self.recipe = network, tuple(wanted), recipe
        self._model: Any = model or network
        self._of_steps = [one for one in self.wanted if one.by == "ema"]
        self._values: dict[str, list[Any]] = {}
        self._counts: dict[str, int] = {}

    def after_step(self) -> None:
        """After step t = 0, 1, …: e_t = e_(t-1) + s (w_t - e_(t-1)) with s of `share_after`, e_0 = w_0."""
        if self._of_steps and hasattr(self._model, "jax_state_sync"):
            self._model.jax_state_sync()  # with JAX the weights are elsewhere while an epoch lasts
        for one in self._of_steps:
            self._mix(one.name, share_after(self._counts.get(one.name, 0), one.value))

    def after_epoch(self, epoch: int) -> None:
        """Take up the weights after that epoch, counted from 1."""
        for one in self.wanted:
            if one.by == "swa" and epoch >= first_averaged(self.recipe, one.value):
                self._mix(one.name, 1 / (self._counts.get(one.name, 0) + 1))
            ends = epoch % cycle_epochs(self.recipe) == 0 or epoch == self.recipe.epochs
            if one.by == "snapshots" and ends:
                number = 1 + sum(name.startswith("snapshot ") for name in self._values)
                self._values[f"snapshot {number}"] = self._weights()
                self._counts[f"snapshot {number}"] = epoch

    def arrays(self) -> dict[str, np.ndarray]:
        """All of it, under names that begin with `KEPT`."""
        about = {"wanted": [one.name for one in self.wanted], "counts": self._counts}
        found = {ABOUT: np.array(json.dumps(about))}
        for name, values in self._values.items():
            found |= {f"{KEPT}_{name}_{k}": _array(value) for k, value in enumerate(values)}
        return found

    def restore(self, found: Mapping[str, np.ndarray]) -> None:
        """Put back what `arrays` gave. Raises ValueError where it is not of this network or not what is wanted."""
        wanted, counts = kept(found)
        lacking = [one.name for one in self.wanted if one.name not in wanted]
        if lacking:
            raise ValueError(f"it does not keep {', '.join(lacking)}")
        values = {name: kept_weights(found, name, self.network) for name in counts}
        for name, arrays in values.items():
            self._values[name] = [
                ops.convert_to_tensor(array, variable.dtype)
                for array, variable in zip(arrays, self.network.variables, strict=True)
            ]
        self._counts = counts

    def _mix(self, name: str, share: float) -> None:
        """Move the mean towards the present weights by a share; the first ones are taken as they are."""
        now, before = self._weights(), self._values.get(name)
        self._counts[name] = self._counts.get(name, 0) + 1
        if before is not None:
            now = [
                mean + share * (weight - mean) if _is_float(variable) else weight
                for mean, weight, variable in zip(before, now, self.network.variables, strict=True)
            ]
        self._values[name] = now

    def _weights(self) -> list[Any]:
        # Without a gradient: PyTorch would keep the graph of every step.
        return [ops.stop_gradient(ops.copy(variable.value)) for variable in self.network.variables]


def save_averages(file: Path, averages: Averages) -> None:
    """Write what a training kept, aside and renamed. Raises OSError."""
    with written_aside(file) as aside:
        np.savez(aside, **averages.arrays())  # pyright: ignore[reportArgumentType]  # keywords are arrays here


def read_averages(file: Path | None, label: str) -> dict[str, np.ndarray]:
    """The arrays that `save_averages` wrote. label: of the trial. Raises StoreError."""
    mend = "`unetbench run --retrain-incomplete` trains it anew and keeps them"
    if file is None:
        raise StoreError(f"{label} is done, but its training kept no averaged weights; {mend}")
    try:
        found = read_npz(file)
        kept(found)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{file}: holds no averaged weights ({one_line(error)}); delete it, and {mend}") from None
    return found


def kept_weights(found: Mapping[str, np.ndarray], name: str, network: keras.Model) -> list[np.ndarray]:
    """The arrays of a name for the network's variables. Raises ValueError where they are another network's."""
    arrays = [found.get(f"{KEPT}_{name}_{k}") for k in range(len(network.variables))]
    made = [array for array in arrays if array is not None]
    if [array.shape for array in made] != [tuple(variable.shape) for variable in network.variables]:
        raise ValueError(f"its {name} is of another network")
    return made


def put_averaged(network: keras.Model, found: Mapping[str, np.ndarray], name: str) -> None:
    """Give the network the weights of a name. Raises ValueError where they are another network's."""
    for variable, value in zip(network.variables, kept_weights(found, name, network), strict=True):
        variable.assign(value)


def recalibrate(network: keras.Model, sampler: PatchSampler, epoch: int) -> int:
    """Take the running statistics of batch normalisations anew, and return of how many batches.

    Averaged weights give activations whose statistics no training step has seen (Izmailov et al. 2018, section 3.2).
    Each statistic becomes the mean over the batches of one epoch of training patches, all weighing the same, with
    dropout as in training, as PyTorch's `update_bn` takes it. epoch: whose draw of patches is taken. 0 without any.
    """
    every: list[Any] = network._flatten_layers(include_self=False)
    layers = [layer for layer in every if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable]
    if not layers:
        return 0
    momenta = [layer.momentum for layer in layers]
    for index in range(len(sampler)):
        for layer in layers:
            layer.momentum = index / (index + 1)  # read at each call, which is no traced one
        network(sampler.batch(epoch, index)[0], training=True)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    return len(sampler)


def _array(value: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(value))


def _is_float(variable: Any) -> bool:
    return "float" in str(variable.dtype)
