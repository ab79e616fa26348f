"""The `tune` section of a sweep file: engine, budget, search space, and the seeds that the winners are trained with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from ...core.errors import SpecError
from ...core.recipe import Recipe
from ...core.trial import Choice
from .brackets import brackets
from .space import Space
from .space_file import read_space
from .validate import validate

Engine = Literal["random", "bayesian", "hyperband"]

MORE_INITIAL = 2
"""By so many the trials before the model of Bayesian search is asked, the default among them, exceed the dimensions."""

FACTOR = 3
"""Of Hyperband, η, where the file gives none."""


class StopKeys(BaseModel):
    """`{after: [5], level: 0.05}`: epochs after which a trial is compared with the best one so far."""

    model_config = ConfigDict(extra="forbid", strict=True)
    after: list[int] = Field(min_length=1)
    level: float = Field(default=0.05, gt=0, lt=1)


class TuneKeys(BaseModel):
    """The keys of the section."""

    model_config = ConfigDict(extra="forbid", strict=True)
    engine: Engine = "bayesian"
    trials: int | None = Field(default=None, ge=2)
    epochs: int | None = Field(default=None, ge=1)
    seconds: float | None = Field(default=None, gt=0)
    space: dict[str, Any] = Field(min_length=1)
    retrain: int | list[int] = 3
    seed: int = Field(default=0, ge=0)
    initial: int | None = Field(default=None, ge=2)
    factor: int | None = Field(default=None, ge=2)
    stop: StopKeys | None = None


@dataclass(frozen=True)
class Budget:
    """What one search may take at most, None for any; it ends with what is used up first.

    trials: different settings, the default among them. epochs: really trained. seconds: of training and of the
    validation after its epochs.
    """

    trials: int | None = None
    epochs: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Tuning:
    """How each model is tuned on each data set.

    retrain: seeds that the winner and the default are trained with afterwards. seed: of what the engine draws.
    initial: of Bayesian search, trials before its model is asked. factor: of Hyperband, η. stop_after: epochs after
    which a trial is compared with the best one so far, and stopped where it is worse at the level `stop_level`.
    """

    engine: Engine
    space: Space
    budget: Budget
    retrain: tuple[int, ...]
    seed: int = 0
    initial: int = 2
    factor: int = FACTOR
    stop_after: tuple[int, ...] = ()
    stop_level: float = 0.05


def tuning(
    raw: Mapping[str, Any],
    models: Sequence[Choice],
    losses: Sequence[Choice],
    recipes: Sequence[Recipe],
    seed: int,
    where: str,
) -> Tuning:
    """Return the section as values. recipes: of the data sets. seed: of the search's trials. Raises SpecError."""
    keys: TuneKeys = validate(TypeAdapter(TuneKeys), raw, where)
    if keys.trials is keys.epochs is keys.seconds is None:
        raise SpecError(f"{where}: has no budget; give trials, epochs or seconds, the same for every model")
    space = read_space(keys.space, models, losses, recipes[0], f"{where}.space")
    stop = keys.stop or StopKeys.model_construct(after=[], level=0.05)
    found = Tuning(
        keys.engine,
        space,
        Budget(keys.trials, keys.epochs, keys.seconds),
        _retrain(keys.retrain, seed, f"{where}.retrain"),
        keys.seed,
        keys.initial or len(space) + MORE_INITIAL,
        keys.factor or FACTOR,
        tuple(stop.after),
        stop.level,
    )
    for recipe in recipes:
        _check_budget(found, recipe, where)
        _check_stop(found, recipe, f"{where}.stop")
    for name, engine in (("initial", "bayesian"), ("factor", "hyperband")):
        if getattr(keys, name) is not None and keys.engine != engine:
            raise SpecError(f"{where}.{name}: belongs to the engine {engine}, not to {keys.engine}; leave it out")
    return found


def _retrain(asked: int | list[int], seed: int, where: str) -> tuple[int, ...]:
    """The seeds as asked, or so many of the smallest that the search does not use."""
    seeds = asked if isinstance(asked, list) else [k for k in range(asked + 1) if k != seed][:asked]
    if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0:
        raise SpecError(f"{where}: {asked} is not a positive number or a list of different seeds")
    if seed in seeds:
        raise SpecError(f"{where}: seed {seed} is the one that the search trains with; give others")
    return tuple(seeds)


def _check_budget(found: Tuning, recipe: Recipe, where: str) -> None:
    budget, full = found.budget, recipe.epochs
    if budget.epochs is not None and budget.epochs < 2 * full:
        raise SpecError(
            f"{where}.epochs: {budget.epochs} are fewer than the default and one other trial take, {full} epochs each"
        )
    if found.engine == "hyperband" and full < found.factor:
        raise SpecError(
            f"{where}: {full} epochs cannot be divided by {found.factor}; give more epochs or a smaller factor"
        )
    if found.engine == "hyperband":
        first = brackets(full, found.factor)[0]
        bracket = (
            f"the default and the first bracket, {' → '.join(map(str, first.sizes))} trials of up to {full} epochs"
        )
        if budget.trials is not None and budget.trials < 1 + first.sizes[0]:
            raise SpecError(f"{where}.trials: {budget.trials} are fewer than {1 + first.sizes[0]}: {bracket}")
        if budget.epochs is not None and budget.epochs < full + first.cost:
            raise SpecError(f"{where}.epochs: {budget.epochs} are fewer than {full + first.cost}: {bracket}")
    if found.engine == "bayesian":
        limits = (budget.trials, None if budget.epochs is None else budget.epochs // full)
        most = min((limit for limit in limits if limit is not None), default=found.initial + 1)
        if most <= found.initial:
            raise SpecError(
                f"{where}: {most} trials are no more than the {found.initial} that come before the model of Bayesian "
                f"search is asked; raise the budget, set initial below {most}, or take engine: random"
            )


def _check_stop(found: Tuning, recipe: Recipe, where: str) -> None:
    after = found.stop_after
    if after and found.engine == "hyperband":
        raise SpecError(f"{where}: hyperband has rungs of its own; leave stop out, or take another engine")
    if list(after) != sorted(set(after)) or (after and not 1 <= after[0] <= after[-1] < recipe.epochs):
        raise SpecError(f"{where}.after: {list(after)} are not rising epochs from 1 to {recipe.epochs - 1}")
