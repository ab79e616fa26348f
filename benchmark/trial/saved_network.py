"""Networks as Keras saved them."""

import warnings
from pathlib import Path
from typing import Any

import keras

from ...core.errors import StoreError, UnetbenchError, one_line
from ...models import MODELS
from ...models.parts import means, orientations
from .saved_file import require_plain

ENSEMBLE = (means, orientations)
"""Modules whose layers an ensemble has beside its members': registered once they are imported."""


def saved_network(file: Path) -> Any:
    """Read a .keras file of a network of the registry, of one that was pruned, of an ensemble, or of a user's own.

    Nothing that the file holds or names is run: see `saved_file`. Raises StoreError naming the file. Each recipe's
    layers are registered when it is imported; a user's own are by the plugin.
    """
    for name in MODELS:
        MODELS[name]
    try:
        require_plain(file)
        with warnings.catch_warnings():
            # Keras leaves layers that the file has no weights of as they began and only warns.
            warnings.filterwarnings("error", ".*freshly-initialized weights", UserWarning)
            return keras.saving.load_model(file, compile=False, safe_mode=True)
    except UnetbenchError:
        raise
    except Exception as error:  # Keras raises whatever its layers, h5py and the backend do
        raise StoreError(f"{file}: is no network that Keras can load ({one_line(error)[:300]})") from None


def put_weights(network: keras.Model, file: Path, label: str) -> None:
    """Put the weights of a .keras file into a network of that label. Raises StoreError naming both."""
    try:
        require_plain(file)
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # Keras leaves layers as they began and only warns
            network.load_weights(file)
    except Exception as error:  # as above
        raise StoreError(f"{file}: cannot be loaded into {label}: {one_line(error)[:300]}") from None
