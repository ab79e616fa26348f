"""The search space as a sweep file has it; every error names the key, what came and what could."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from ...core.errors import SpecError, unknown
from ...core.recipe import Augmentation, Recipe
from ...core.trial import Choice, canonical
from ...losses import LOSSES
from ...models import MODELS
from .choices import losses
from .space import MOST_STEPS, Dimension, Kind, Space, entry_of, with_options, with_recipe
from .validate import validate

UNSEEN = {
    "epochs": "it is the unit of the budget",
    "overlap": "validation, which is all that a search sees, has no overlapping windows",
    "mirror": "validation, which is all that a search sees, is predicted without mirrored copies",
    "predict_mib": "it changes no score of validation, which is all that a search sees",
}
"""Keys of the recipe that are not searched, and why."""


class RangeKeys(BaseModel):
    """`{from: 1e-4, to: 1e-2, log: true}`; step: distance between possible values."""

    model_config = ConfigDict(extra="forbid", strict=True)
    low: float = Field(alias="from", allow_inf_nan=False)
    high: float = Field(alias="to", allow_inf_nan=False)
    log: bool = False
    step: float | None = Field(default=None, gt=0, allow_inf_nan=False)


def read_space(
    entries: Mapping[str, Any], models: Sequence[Choice], own_losses: Sequence[Choice], recipe: Recipe, where: str
) -> Space:
    """Return the space of a sweep file, the choice of losses first. Raises SpecError that names the key.

    models, own_losses: of the sweep; options must be theirs. recipe: with which the values are tried.
    """
    if "loss" in entries and len(own_losses) > 1:
        raise SpecError(
            f"{where}.loss: the sweep has {len(own_losses)} losses, each tuned by itself; leave one of the two out"
        )
    order = sorted(entries, key=lambda key: key != "loss")
    found: list[Dimension] = []
    for key in order:
        drawn = next((dimension.values for dimension in found if dimension.kind == "loss"), ())
        reached = [*own_losses, *losses(list(drawn), f"{where}.loss")]
        found.append(_dimension(key, entries[key], models, reached, f"{where}.{key}"))
        _try(found[-1], models, reached, recipe, f"{where}.{key}")
    return tuple(found)


def _dimension(key: str, value: Any, models: Sequence[Choice], reached: Sequence[Choice], where: str) -> Dimension:
    head, _, option = key.partition(".")
    if key == "loss":
        return Dimension(key, "loss", values=tuple(map(entry_of, losses(_listed(value, where), where))))
    if head == "augment" and option in {field.name for field in fields(Augmentation)}:
        return _bounded(Dimension(key, "augment", option), value, getattr(Augmentation(), option), where)
    if head == "augment":
        raise SpecError(f"{where}: {unknown('key of augment', option, [f.name for f in fields(Augmentation)])}")
    if head in ("model", "loss") and option:
        return _of_part(key, value, models if head == "model" else reached, where)
    names = [field.name for field in fields(Recipe) if field.name != "augment"]
    if key in UNSEEN:
        raise SpecError(f"{where}: cannot be searched, for {UNSEEN[key]}")
    if key not in names:
        possible = [
            *(name for name in names if name not in UNSEEN),
            "augment.shift",
            "loss",
            "loss.weight",
            "model.depth",
        ]
        raise SpecError(f"{where.removesuffix(f'.{key}')}: {unknown('key', key, possible)}")
    return _bounded(Dimension(key, "recipe", key), value, getattr(Recipe(), key), where)


def _of_part(key: str, value: Any, parts: Sequence[Choice], where: str) -> Dimension:
    """The dimension of `model.OPTION`, which every model must have, or of `model.NAME.OPTION`; so of losses."""
    head, _, rest = key.partition(".")
    only, _, option = rest.rpartition(".")
    registry = MODELS if head == "model" else LOSSES
    names = list(dict.fromkeys(part.name for part in parts))
    if only and only not in names:
        raise SpecError(f"{where}: {unknown(f'{head} of the sweep', only, names)}")
    for name in [only] if only else names:
        try:
            registry.check(name, {option: value})
        except SpecError as error:
            others = f"; {head}.NAME.{option} is of one {head} alone" if not only and len(names) > 1 else ""
            raise SpecError(f"{where}: {error}{others}") from None
    usual = registry.part(only or names[0]).options[option]
    kind: Kind = "model option" if head == "model" else "loss option"
    return _bounded(Dimension(key, kind, option, only), value, usual, where)


def _bounded(dimension: Dimension, value: Any, usual: Any, where: str) -> Dimension:
    """The dimension with its choices or its range. usual: the default, which tells whether numbers are whole."""
    if not isinstance(value, Mapping):
        return replace(dimension, values=tuple(_listed(value, where)))
    keys: RangeKeys = validate(TypeAdapter(RangeKeys), dict(value), where)
    if isinstance(usual, bool) or not (isinstance(usual, int | float) or usual is None or dimension.key == "steps"):
        raise SpecError(f"{where}: the default is {usual!r}, which has no range; give a list of choices")
    low, high, step = keys.low, keys.high, keys.step
    if not low < high:
        raise SpecError(f"{where}: from {low:g} to {high:g} is empty; `to` must be more than `from`")
    if keys.log and low <= 0:
        raise SpecError(f"{where}: from {low:g} has no logarithm; begin above 0, or leave log out")
    if keys.log and step is not None:
        raise SpecError(f"{where}: step and log do not go together; leave one of them out")
    if step is not None and step > high - low:
        raise SpecError(f"{where}: step {step:g} is longer than the range from {low:g} to {high:g}")
    if step is not None and step * MOST_STEPS < high - low:
        raise SpecError(
            f"{where}: step {step:g} makes more than {MOST_STEPS} values of the range from {low:g} to {high:g}; leave "
            "step out for any value"
        )
    whole = all(number.is_integer() for number in (low, high, step or 1.0))
    integer = (isinstance(usual, int) or dimension.key == "steps") or (usual is None and whole)
    if integer and not whole:
        steps = "" if step is None else f" with step {step:g}"
        raise SpecError(f"{where}: from {low:g} to {high:g}{steps} must be whole numbers; the default is {usual!r}")
    return replace(dimension, low=low, high=high, log=keys.log, step=step, integer=integer)


def _listed(value: Any, where: str) -> list[Any]:
    texts = [canonical(entry) for entry in value] if isinstance(value, list) else []
    if len(texts) < 2 or len(set(texts)) < len(texts):
        raise SpecError(f"{where}: {value!r} is neither a list of at least two different values nor {{from: …, to: …}}")
    return value


def _try(dimension: Dimension, models: Sequence[Choice], reached: Sequence[Choice], recipe: Recipe, where: str) -> None:
    """Raise SpecError where one of the values, or an end of the range, cannot be."""
    ends = [dimension.rounded(end) for end in (dimension.low, dimension.high)]
    for value in dimension.values or ends:
        if dimension.kind == "recipe":
            with_recipe(recipe, {dimension.option: value}, {}, where)
        elif dimension.kind == "augment":
            with_recipe(recipe, {}, {dimension.option: value}, where)
        elif dimension.kind != "loss":
            registry, parts = (MODELS, models) if dimension.kind == "model option" else (LOSSES, reached)
            for part in parts:
                if dimension.only in ("", part.name):
                    with_options(registry, part, {dimension.option: value}, where)
