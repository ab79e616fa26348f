"""Where a training stands, on disk: enough to go on bit for bit."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...core.arrays import read_npz
from ...core.errors import one_line
from ...core.files import written_aside
from ...core.json_text import parsed
from ...core.structure import COUNT, NUMBER, ROWS, Kind, check, list_of

if TYPE_CHECKING:
    from .averages import Averages
    from .compiled_model import CompiledModel  # loads Keras, which a file can be read without


class Epoch(NamedTuple):
    """An epoch as it was validated. score: the higher the better, whatever is monitored. loss: of validation."""

    epoch: int
    score: float
    loss: float

    def beats(self, other: "Epoch") -> bool:
        """Whether it is to be preferred: by score, of equal scores by the lower loss; an earlier one needs neither."""
        return (self.score, -_or_most(self.loss)) > (other.score, -_or_most(other.loss))


def _or_most(loss: float) -> float:
    return math.inf if math.isnan(loss) else loss


_PAIR = Kind("an epoch and its score", lambda value: list_of(NUMBER, least=2).holds(value))
_KINDS = {
    **dict.fromkeys(("epoch", "since_best", "since_drop"), COUNT),
    "rate": NUMBER,
    "best": list_of(_PAIR),
    "history": ROWS,
}


@dataclass
class TrainingState:
    """Where training stands after an epoch: enough, with the arrays, to go on bit for bit.

    best: the best epochs so far, best first.
    """

    epoch: int = 0
    best: list[Epoch] = field(default_factory=list)
    since_best: int = 0
    since_drop: int = 0
    rate: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)

    @property
    def best_score(self) -> float:
        """The best score so far, minus infinity before there is one."""
        return self.best[0].score if self.best else -math.inf


def save(
    file: Path,
    compiled: "CompiledModel",
    state: TrainingState,
    weights: list[list[np.ndarray]],
    averages: "Averages | None" = None,
) -> None:
    """Write model, optimizer, state, the weights of the best epochs and averages, aside and renamed. Raises OSError."""
    arrays = {f"state_{index}": value for index, value in enumerate(compiled.state())}
    for place, kept in enumerate(weights):
        arrays |= {f"{_kept_name(place)}_{index}": value for index, value in enumerate(kept)}
    if averages is not None:
        arrays |= averages.arrays()
    with written_aside(file) as aside:
        np.savez(aside, progress=np.array(json.dumps(asdict(state))), **arrays)  # pyright: ignore[reportArgumentType]


class Damaged(Exception):
    """A checkpoint that cannot be read, or is not of this model; str() says why."""


def load(
    file: Path, compiled: "CompiledModel", averages: "Averages | None" = None
) -> tuple[TrainingState, list[list[np.ndarray]]]:
    """Put model, optimizer and averages back as `save` found them; return the state and the best epochs' weights.

    Raises Damaged, with the model untouched, when the file is not a checkpoint of it.
    """
    try:
        found = read_npz(file)
        state = _state(parsed(str(found["progress"])))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Damaged(one_line(error)) from None
    whole, kept = compiled.state(), compiled.get_weights()
    best = [_arrays(found, _kept_name(place), kept) for place in range(len(state.best))]
    state_now = _arrays(found, "state", whole)
    try:
        if averages is not None:
            averages.restore(found)
    except ValueError as error:
        raise Damaged(one_line(error)) from None
    compiled.restore(state_now)
    return state, best


def _state(fields: Any) -> TrainingState:
    """Raises ValueError, KeyError or TypeError for what is none."""
    check(fields, "progress", {**_KINDS, **({"best": NUMBER} if "best_epoch" in fields else {})}, *_KINDS)
    if "best_epoch" in fields:  # written when one epoch was kept
        epoch, score = fields.pop("best_epoch"), fields["best"]
        fields["best"] = [(epoch, score)] if epoch else []
    for row in fields["history"]:
        check(row, "history", dict.fromkeys(row, NUMBER.or_null()), "epoch", "val_loss")
    losses = {row["epoch"]: row["val_loss"] for row in fields["history"]}
    best = [Epoch(entry[0], entry[1], losses.get(entry[0], math.nan)) for entry in fields["best"]]
    return TrainingState(**{**fields, "best": best})


def _arrays(found: Mapping[str, np.ndarray], name: str, wanted: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The arrays of a name, in order. Raises Damaged where they are not as those of the model."""
    arrays = [found.get(f"{name}_{index}") for index in range(len(wanted))]
    more = sum(key.rpartition("_")[0] == name for key in found) > len(wanted)
    made = [array for array in arrays if array is not None]
    if more or [(a.shape, a.dtype) for a in made] != [(a.shape, a.dtype) for a in wanted]:
        raise Damaged("it holds arrays of another model or optimizer")
    return made


def _kept_name(place: int) -> str:
    return f"best{place or ''}"
