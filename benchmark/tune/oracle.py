"""What keras-tuner is asked: settings to try next, each time of an oracle made anew from what was tried before.

A proposal depends on the space, the seed, its number and the outcomes it is told, and on nothing that a process would
have to remember, so that a search that goes on later proposes what it would have proposed.
"""

import hashlib
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ...core.errors import Unavailable, one_line
from ...core.trial import canonical
from ..sweep.space import Dimension, Space, part_name

ATTEMPTS = 200
"""Random draws that were all tried before, after which what is left of the space is looked for."""

MOST_LISTED = 10_000
"""Settings that a space may hold for each of them to be looked at; a larger one then counts as exhausted."""

MODEL_ATTEMPTS = 3
"""Proposals of the model that were tried before, after which settings are drawn at random."""

DIRECTION = "max"
"""Of the score, which is told: by itself keras-tuner takes a score called Dice for a loss."""

Source = Literal["default", "random", "model"]

Values = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """A trial that is over, as the oracle hears of it. score: the higher the better."""

    values: Values
    score: float


@dataclass(frozen=True)
class Proposal:
    """Settings to try. source: how they were found. bracket: of Hyperband, in which they are tried, else -1."""

    values: Values
    source: Source
    bracket: int = -1


def propose(
    space: Space, seed: int, number: int, told: Sequence[Told], is_new: Callable[[Values], bool], *, by_model: bool
) -> Proposal | None:
    """Ask for the settings of trial `number`; None where there are none that are new.

    by_model: by a Gaussian process of what was told, which takes the lowest -score - 2.6 standard deviations
    (keras-tuner's `BayesianOptimizationOracle`), else at random (its `RandomSearchOracle`). Settings that the space
    cannot hold, as the default's may be, are not told. Where the model proposes what was tried, settings are drawn.
    """
    known = [entry for entry in told if all(d.key not in entry.values or d.holds(entry.values[d.key]) for d in space)]
    for attempt in range(MODEL_ATTEMPTS if by_model and known else 0):
        values = _values(space, _by_model(space, _derived(seed, number, "model", attempt), known))
        if is_new(values):
            return Proposal(values, "model")
    for attempt in range(ATTEMPTS):
        values = _values(space, _at_random(space, _derived(seed, number, "random", attempt)))
        if is_new(values):
            return Proposal(values, "random")
    return _left_over(space, _derived(seed, number, "left over"), is_new)


def is_whole(space: Space, is_new: Callable[[Values], bool]) -> bool:
    """Whether every setting of a space was tried, as far as it holds few enough to look at each."""
    return _is_listed(space) and _left_over(space, 0, is_new) is None


def versions() -> dict[str, str]:
    """Of what proposes. Raises Unavailable where it is not installed."""
    try:
        import keras_tuner
        import sklearn
    except ImportError as error:
        raise Unavailable(
            f"keras-tuner cannot be imported ({one_line(error)}); pip install 'keras-tuner[bayesian]' six"
        ) from None
    return {"keras-tuner": keras_tuner.__version__, "scikit-learn": sklearn.__version__}


def _derived(*parts: object) -> int:
    """A seed from 1 to 2^31 - 1: keras-tuner takes 0 for none, and neighbouring seeds of it share trials."""
    digest = hashlib.sha256(canonical(parts).encode()).digest()
    return 1 + int.from_bytes(digest[:8], "big") % (2**31 - 1)


def _at_random(space: Space, seed: int) -> Mapping[str, Any]:
    from keras_tuner import Objective
    from keras_tuner.oracles import RandomSearchOracle

    oracle: Any = RandomSearchOracle(Objective("score", DIRECTION), seed=seed, hyperparameters=_hyperparameters(space))
    return oracle.populate_space("next")["values"]


def _left_over(space: Space, seed: int, is_new: Callable[[Values], bool]) -> Proposal | None:
    """Settings that draws at random have missed, in an order of their own; None where every one was tried."""
    listed = [dimension.possible for dimension in space]
    sizes = [len(values) for values in listed]
    order = np.random.default_rng(seed).permutation(math.prod(sizes)) if _is_listed(space) else ()
    for places in (np.unravel_index(number, sizes) for number in order):
        values: Values = {}
        for dimension, choices, place in zip(space, listed, places, strict=True):
            if dimension.is_active(values):
                values[dimension.key] = choices[place]
        if is_new(values):
            return Proposal(values, "random")
    return None


def _by_model(space: Space, seed: int, told: Sequence[Told]) -> Mapping[str, Any]:
    from keras_tuner import Objective
    from keras_tuner.engine.trial import Trial, TrialStatus
    from keras_tuner.oracles import BayesianOptimizationOracle
    from threadpoolctl import threadpool_limits

    oracle: Any = BayesianOptimizationOracle(
        Objective("score", DIRECTION),
        num_initial_points=1,  # else it draws 3 d times at random, whatever it was told
        seed=seed,
        hyperparameters=_hyperparameters(space),
    )
    for index, entry in enumerate(told):
        own = _hyperparameters(space)
        own.values = {d.key: _place(d, entry.values[d.key]) for d in space if d.key in entry.values}
        trial: Any = Trial(own, trial_id=str(index), status=TrialStatus.COMPLETED)
        trial.score = entry.score
        oracle.trials[trial.trial_id] = trial
    # Its matrices are tiny: threads of the linear algebra would only wait for each other, and for the training beside.
    with warnings.catch_warnings(), threadpool_limits(1):
        # A length scale at its bound is usual for few trials, and says nothing that could be changed.
        warnings.simplefilter("ignore")
        return oracle.populate_space("next")["values"]


def _hyperparameters(space: Space) -> Any:
    """The space as keras-tuner has it. Choices are numbers there, for it holds texts and numbers of one kind only."""
    from keras_tuner import HyperParameters

    found: Any = HyperParameters()
    losses = next((d for d in space if d.kind == "loss"), None)
    for dimension in space:
        condition: dict[str, Any] = {}
        if dimension.kind == "loss option" and dimension.only and losses is not None:
            which = [k for k, entry in enumerate(losses.values) if part_name(entry) == dimension.only]
            condition = {"parent_name": losses.key, "parent_values": which}
        if listed := dimension.values or dimension.steps:  # its own steps leave out the upper end: 0.1 // 0.02 is 4
            found.Choice(dimension.key, list(range(len(listed))), **condition)
            continue
        kind = found.Int if dimension.integer else found.Float
        number = int if dimension.integer else float
        sampling = "log" if dimension.log else "linear"
        kind(dimension.key, number(dimension.low), number(dimension.high), sampling=sampling, **condition)
    return found


def _is_listed(space: Space) -> bool:
    return 0 < math.prod(len(dimension.possible) for dimension in space) <= MOST_LISTED


def _place(dimension: Dimension, value: Any) -> Any:
    """A value as keras-tuner has it: the number of a choice."""
    if dimension.values:
        return [canonical(entry) for entry in dimension.values].index(canonical(value))
    return dimension.steps.index(value) if dimension.steps else value


def _values(space: Space, found: Mapping[str, Any]) -> Values:
    """What keras-tuner proposes as values; an option of a loss that was not drawn has none."""
    values: Values = {}
    for dimension in space:
        if dimension.key in found and dimension.is_active(values):
            value, listed = found[dimension.key], dimension.values or dimension.steps
            # A whole number in the logarithm may come one too large: keras-tuner's Int gives max + 1 at its upper end.
            values[dimension.key] = listed[value] if listed else dimension.rounded(value)
    return values
