"""The calls of a model on an image of one size, in the order in which they are made."""

from dataclasses import dataclass
from typing import Any

import keras

from ..parts.fit import require


@dataclass(frozen=True)
class Step:
    """One call of a layer or operation: arguments as they were given, and the symbolic tensors in and out."""

    operation: Any
    arguments: tuple[Any, ...]
    inputs: tuple[keras.KerasTensor, ...]
    outputs: tuple[keras.KerasTensor, ...]


def trace(model: keras.Model, size: tuple[int, ...]) -> list[Step]:
    """Return every call that one image of that spatial size makes, models inside the model included.

    A layer that is called twice gives two steps. Nothing is computed. Raises Unfit when the model does not take
    the size.
    """
    require(model, size)
    steps: list[Step] = []
    _walk(model, [keras.KerasTensor((1, *size, model.inputs[0].shape[-1]), dtype=model.inputs[0].dtype)], steps)
    return steps


def _walk(model: keras.Function, inputs: list[keras.KerasTensor], steps: list[Step]):
    # Keras infers shapes on the same path (Function.compute_output_spec) but keeps those in between to itself.
    def traced(operation):
        def infer(*arguments, **options):
            if isinstance(operation, keras.Function):
                return _walk(operation, _tensors(arguments), steps)
            made = operation.compute_output_spec(*arguments, **options)
            given = (*_tensors(arguments), *_tensors(options))
            steps.append(Step(operation, arguments, given, tuple(_tensors(made))))
            return made

        return infer

    return model._run_through_graph(inputs, operation_fn=traced)


def _tensors(structure) -> list[keras.KerasTensor]:
    return [leaf for leaf in keras.tree.flatten(structure) if isinstance(leaf, keras.KerasTensor)]
