"""Trained networks as Keras saved them, brought to the precision that a conversion or a reference needs."""

import hashlib
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np

from ..trial.saved_network import saved_network
from .sliced_pooling import SlicedAveragePooling3D, SlicedMaxPooling3D

Float = Literal["float32", "float64"]

SLICED = {"MaxPooling3D": SlicedMaxPooling3D, "AveragePooling3D": SlicedAveragePooling3D}
"""Pooling of volumes, which TensorFlow lacks in float64 and LiteRT at all, and what computes the same."""


def load_network(file: Path, precision: Float | None = None) -> keras.Model:
    """Read a .keras file of a network of the registry, of one that was pruned, or of a user's own.

    precision: of every layer, whatever trained it; None for the one it was trained in. bfloat16 networks export without
    an error and run nowhere, so conversions take float32. Raises StoreError naming the file.
    """
    found = saved_network(file)
    return found if precision is None else recast(found, precision)


def recast(network: keras.Model, precision: Float, *, sliced: bool = False) -> keras.Model:
    """The same network with the same weights, computed in another precision throughout.

    sliced: with pooling of volumes made of slices, as it always is in float64.
    """
    config = _recast(network.get_config(), precision, sliced or precision == "float64")
    made: keras.Model = type(network).from_config(config)
    made.set_weights([_array(weight).astype(precision) for weight in network.weights])
    return made


def weights_digest(network: keras.Model) -> str:
    """Sixteen hexadecimal digits of the SHA-256 of architecture and weights: what a conversion is a function of."""
    digest = hashlib.sha256(network.to_json().encode())
    for weight in network.weights:
        digest.update(np.ascontiguousarray(_array(weight)).tobytes())
    return digest.hexdigest()[:16]


def _array(variable: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(variable.value))


def _recast(config: Any, precision: str, sliced: bool) -> Any:
    """The configuration with every dtype policy and every float dtype replaced, and pooling of volumes if wanted."""
    if isinstance(config, list | tuple):
        return type(config)(_recast(entry, precision, sliced) for entry in config)
    if not isinstance(config, dict):
        return config
    name = config.get("class_name")
    if name == "DTypePolicy":
        return {**config, "config": {**config["config"], "name": precision}}
    if sliced and name in SLICED:
        kind = SLICED[name]
        registered = keras.saving.get_registered_name(kind)
        config = {**config, "module": kind.__module__, "class_name": kind.__name__, "registered_name": registered}
    return {key: _dtype(key, value, precision, sliced) for key, value in config.items()}


def _dtype(key: str, value: Any, precision: str, sliced: bool) -> Any:
    floats = ("float16", "bfloat16", "float32", "float64", "mixed_bfloat16", "mixed_float16")
    return precision if key == "dtype" and value in floats else _recast(value, precision, sliced)
