"""Which image sizes a model takes."""

import keras

from ...core.errors import Unfit
from ...core.task import Task


@keras.saving.register_keras_serializable(package="unetbench")
class Divisible(keras.layers.Layer):
    """First layer of a model: passes the image on and states which sizes the model takes.

    divisor: each edge of the image must be a multiple of its entry. A size known at the call that is not raises
    Unfit. As a layer it survives cloning, saving and export.
    """

    channelwise = True

    def __init__(self, divisor: tuple[int, ...], **options) -> None:
        super().__init__(**options)
        self.divisor = tuple(divisor)

    def call(self, x):
        """Return x. Raises Unfit when its size is known and not a multiple."""
        try:
            _check("image", tuple(x.shape[1:-1]), self.divisor)
        except Unfit as error:
            # Keras would wrap the line in ten others unless it takes the error for one it has wrapped already.
            error._keras_call_info_injected = True  # pyright: ignore[reportAttributeAccessIssue]
            raise
        return x

    def compute_output_shape(self, input_shape):
        """Same as the input."""
        return input_shape

    def get_config(self):
        """Constructor arguments."""
        return {**super().get_config(), "divisor": self.divisor}


def divisor(model: keras.Model) -> tuple[int, ...]:
    """Return, for each axis, the number of which image edges must be multiples; ones if the model states none."""
    for layer in model.layers:
        if isinstance(layer, Divisible):
            return layer.divisor
    return (1,) * (len(model.inputs[0].shape) - 2)


def require(model: keras.Model, patch: tuple[int, ...], what: str = "patch") -> None:
    """Raise Unfit unless the model takes patches of that size; the error names the nearest size that it takes."""
    _check(what, tuple(patch), divisor(model))


def require_rank(task: Task, rank: int, name: str) -> None:
    """Raise Unfit unless the task has that number of spatial axes, which the model of that name needs."""
    if task.rank != rank:
        raise Unfit(f"{name} needs rank {rank}, the task has rank {task.rank}")


def _check(what: str, size: tuple[int | None, ...], divisor: tuple[int, ...]) -> None:
    if len(size) != len(divisor):
        raise Unfit(f"{what} {_text(size)} has {len(size)} axes, the model has {len(divisor)}")
    if any(edge is not None and (edge % d or not edge) for edge, d in zip(size, divisor, strict=True)):
        nearest = tuple(edge and max(d, round(edge / d) * d) for edge, d in zip(size, divisor, strict=True))
        multiples = f"takes multiples of {_text(divisor)}"
        raise Unfit(f"{what} {_text(size)} does not fit the model, which {multiples}; try {_text(nearest)}")


def _text(size: tuple[int | None, ...]) -> str:
    return "×".join("?" if edge is None else str(edge) for edge in size)
