"""Networks as Keras saved them."""

from pathlib import Path
from typing import Any

import keras

from ...models import MODELS


def saved_network(file: Path) -> Any:
    """Read a .keras file of a network of the registry, of one that was pruned, or of a user's own.

    Raises what Keras raises. Each recipe's layers are registered when it is imported; a user's own are by the plugin.
    """
    for name in MODELS:
        MODELS[name]
    return keras.saving.load_model(file, compile=False)
