"""Where a training stands, on disk: enough to go on bit for bit."""

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from .compiled_model import CompiledModel


@dataclass
class TrainingState:
    """Where training stands after an epoch: enough, with the arrays, to go on bit for bit.

    best: (epoch, score) of the best epochs so far, best first; the higher score is the better, whatever is monitored.
    """

    epoch: int = 0
    best: list[tuple[int, float]] = field(default_factory=list)
    since_best: int = 0
    since_drop: int = 0
    rate: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)

    @property
    def best_score(self) -> float:
        """The best score so far, minus infinity before there is one."""
        return self.best[0][1] if self.best else -math.inf


def save(file: Path, compiled: CompiledModel, state: TrainingState, weights: list[list[np.ndarray]]) -> None:
    """Write model, optimizer, state and the weights of the best epochs, aside and renamed. Raises OSError."""
    arrays = {f"state_{index}": value for index, value in enumerate(compiled.state())}
    for place, kept in enumerate(weights):
        arrays |= {f"{_kept_name(place)}_{index}": value for index, value in enumerate(kept)}
    aside = file.with_suffix(".part.npz")
    np.savez(aside, progress=np.array(json.dumps(asdict(state))), **arrays)  # pyright: ignore[reportArgumentType]
    aside.replace(file)


def load(file: Path, compiled: CompiledModel) -> tuple[TrainingState, list[list[np.ndarray]]]:
    """Put model and optimizer back as `save` found them; return the state and the weights of the best epochs."""
    with np.load(file) as arrays:
        fields = json.loads(str(arrays["progress"]))
        if "best_epoch" in fields:  # written when one epoch was kept
            epoch, score = fields.pop("best_epoch"), fields["best"]
            fields["best"] = [(epoch, score)] if epoch else []
        state = TrainingState(**{**fields, "best": [tuple(entry) for entry in fields["best"]]})

        def of(name: str) -> list[np.ndarray]:
            count = sum(key.rpartition("_")[0] == name for key in arrays.files)
            return [arrays[f"{name}_{index}"] for index in range(count)]

        compiled.restore(of("state"))
        return state, [of(_kept_name(place)) for place in range(len(state.best))]


def _kept_name(place: int) -> str:
    return f"best{place or ''}"
