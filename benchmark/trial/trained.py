"""A trial whose selection is frozen, ready to be scored, and what a worker keeps from one trial to the next."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import keras
import numpy as np

from ...core.recipe import Recipe
from ...core.trial import Trial
from ...datasets.case import ROLES
from ...models.anatomy.cost import cost
from ..records.store import Store
from .compiled_model import CompiledModel
from .context import OpenedDataset
from .selection import Selection
from .training_set import HeldCases
from .validate import ValidationCases


@dataclass
class WorkerCache:
    """What a worker keeps from one trial to the next: the compiled model with its traces, and the training cases.

    Test cases are never kept: each trial reads them again, after its own selection is frozen.
    """

    compiled: CompiledModel | None = None
    cases: HeldCases = field(default_factory=HeldCases)


class RunnableModel(Protocol):
    """What is scored and timed."""

    @property
    def model(self) -> Any:
        """What is timed and counted."""
        ...

    @property
    def network(self) -> Any:
        """What is kept."""
        ...

    @property
    def forward(self) -> Callable[[np.ndarray], np.ndarray]:
        """Images (n, *space, c) to logits (n, *space, k)."""
        ...


@dataclass(frozen=True)
class AssembledModel:
    """A network that is trained no further."""

    network: Any
    forward: Callable[[np.ndarray], np.ndarray]

    @property
    def model(self) -> Any:
        """The network."""
        return self.network


@dataclass(frozen=True)
class Trained:
    """A trial after training, its selection frozen and its selected weights in the model. trial: as it was trained."""

    trial: Trial
    opened: OpenedDataset
    compiled: RunnableModel
    cases: ValidationCases
    selection: Selection
    store: Store


def network_facts(model: keras.Model, recipe: Recipe) -> dict[str, Any]:
    """What a record tells of the size of a model, multiply-accumulates and moved numbers those of a patch."""
    size = "×".join(map(str, recipe.patch))
    return {**asdict(cost(model, recipe.patch)), "size": size, "weights_bytes": _weights_bytes(model)}


def data_facts(opened: OpenedDataset) -> dict[str, Any]:
    """What a record tells of a data set."""
    dataset, split = opened.dataset, opened.split
    counts = {role: len(split.cases(role)) for role in ROLES}
    groups = {f"{role}_groups": len({case.group for case in split.cases(role)}) for role in ROLES}
    stage = {} if opened.arrived is None else {"batches": opened.test_batches}
    return (
        counts
        | groups
        | stage
        | {"licence": dataset.licence, "citation": dataset.citation, "notes": list(dataset.notes)}
    )


def _weights_bytes(model: keras.Model) -> int:
    sizes = {"float32": 4, "float16": 2, "bfloat16": 2}
    return int(sum(np.prod(weight.shape) * sizes.get(str(weight.dtype), 4) for weight in model.weights))
