"""How a layer that was renamed keeps loading from files saved under its first name."""

from collections.abc import Callable
from typing import Any, TypeVar

import keras

L = TypeVar("L")


def saved_as(name: str) -> Callable[[L], L]:
    """Register a Keras class as `unetbench>name`, and make that its `__name__` too.

    Keras finds a class by its registered name, but the weights inside a `.keras` file by a path made of `__name__`.
    With `register_keras_serializable(name=...)` alone, files saved before a renaming load their architecture and then
    fail at the weights (Keras 3.15.1).
    """

    def mark(layer: Any) -> Any:
        layer.__name__ = layer.__qualname__ = name
        return keras.saving.register_keras_serializable("unetbench", name)(layer)

    return mark
