"""The search space of a tuning: what of recipe, augmentation, loss and model may vary, and trials with such values."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from pydantic import TypeAdapter

from ...core.errors import SpecError, unknown
from ...core.recipe import Augmentation, Recipe
from ...core.registry import Registry
from ...core.trial import Choice, Trial, canonical
from ...losses import LOSSES
from ...models import MODELS
from .choices import Entry, choices, losses, part_sources
from .validate import validate

DIGITS = 4
"""Significant digits of a number that is drawn, so that another library's last bits make no other trial."""

MOST_STEPS = 1000
"""Values of a range with a step at most; what is finer is as well a range without one."""

Kind = Literal["recipe", "augment", "loss", "loss option", "model option"]


@dataclass(frozen=True)
class Dimension:
    """One thing that is searched. key: as the sweep file has it. option: the field or option of what `kind` says.

    only: the model or loss that has the option, "" for every one. values: the choices, as JSON has them; empty for a
    range from `low` to `high`, both possible, of whole numbers where `integer`. log: evenly in the logarithm.
    """

    key: str
    kind: Kind
    option: str = ""
    only: str = ""
    values: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    step: float | None = None
    integer: bool = False

    def to_json(self) -> dict[str, Any]:
        """As JSON has it."""
        return {**asdict(self), "values": list(self.values)}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "Dimension":
        """Rebuild it."""
        return cls(**{**fields, "values": tuple(fields["values"])})

    def described(self) -> str:
        """As a table has it: `0.0001 to 0.01, log` or `adam, sgd`."""
        if self.values:
            return ", ".join(text_of(value) for value in self.values)
        more = f", step {self.step:g}" if self.step else ""
        return f"{self.low:g} to {self.high:g}{', log' if self.log else ''}{more}"

    def holds(self, value: Any) -> bool:
        """Whether a value is one of those that can be drawn."""
        if self.values:
            return any(canonical(value) == canonical(other) for other in self.values)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and self.low <= value <= self.high and (self.step is None or value in self.steps)

    def is_active(self, values: Mapping[str, Any]) -> bool:
        """Whether what the others are leaves it a meaning: an option of a loss has none beside another loss."""
        drawn = values.get("loss")
        return self.kind != "loss option" or not self.only or drawn is None or part_name(drawn) == self.only

    def rounded(self, value: Any) -> Any:
        """A drawn number as it is used: whole, or of four digits and inside the range."""
        if self.values:
            return value
        inside = min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high)
        return round(min(max(value, self.low), self.high)) if self.integer else inside

    @property
    def steps(self) -> tuple[int | float, ...]:
        """The values of a range with a step, both ends where it divides the range; () where there is no step."""
        if self.step is None:
            return ()
        count = int((self.high - self.low) / self.step + 1e-9) + 1
        return tuple(self.rounded(self.low + number * self.step) for number in range(count))

    @property
    def possible(self) -> Sequence[Any]:
        """Every value that can be drawn; empty for a range of any numbers."""
        return self.values or self.steps or (range(int(self.low), int(self.high) + 1) if self.integer else ())


Space = tuple[Dimension, ...]


def of_search(space: Space, model: Choice, loss: Choice) -> Space:
    """The part of a space that a search of that model and that loss has; the loss may be one of several."""
    several = any(dimension.kind == "loss" for dimension in space)
    return tuple(
        dimension
        for dimension in space
        if not dimension.only
        or (dimension.kind == "model option" and dimension.only == model.name)
        or (dimension.kind == "loss option" and (several or dimension.only == loss.name))
    )


def with_values(trial: Trial, values: Mapping[str, Any], space: Space) -> Trial:
    """The trial with these values by key, and digests of the parts that it has then. Raises SpecError."""
    by_key = {dimension.key: dimension for dimension in space}
    changes: dict[str, dict[str, Any]] = {"recipe": {}, "augment": {}, "loss option": {}, "model option": {}}
    loss = trial.loss
    for key, value in values.items():
        if key not in by_key:
            raise SpecError(f"{unknown('key of the search space', key, list(by_key))}")
        dimension = by_key[key]
        if dimension.kind == "loss":
            loss = losses([value], key)[0]
        else:
            changes[dimension.kind][dimension.option] = value
    recipe = with_recipe(trial.recipe, changes["recipe"], changes["augment"], "recipe")
    model = with_options(MODELS, trial.model, changes["model option"], "model")
    loss = with_options(LOSSES, loss, changes["loss option"], "loss")
    sources = part_sources(trial.dataset, model, loss)
    return replace(trial, recipe=recipe, model=model, loss=loss, sources=sources)


def values_of(trial: Trial, space: Space) -> dict[str, Any]:
    """What a trial has for each dimension that has a meaning in it, also where that is outside the bounds."""
    found: dict[str, Any] = {}
    for dimension in space:
        if dimension.kind == "loss":
            own = {d.option for d in space if d.kind == "loss option" and d.only in ("", trial.loss.name)}
            rest = {name: value for name, value in trial.loss.options.items() if name not in own}
            found[dimension.key] = entry_of(Choice(trial.loss.name, rest))
        elif dimension.kind == "recipe":
            value = getattr(trial.recipe, dimension.option)
            found[dimension.key] = list(value) if isinstance(value, tuple) else value
        elif dimension.kind == "augment":
            found[dimension.key] = getattr(trial.recipe.augment, dimension.option)
        else:
            part, registry = (trial.model, MODELS) if dimension.kind == "model option" else (trial.loss, LOSSES)
            if not dimension.only or dimension.only == part.name:
                usual = registry.part(part.name).options[dimension.option]
                found[dimension.key] = part.options.get(dimension.option, usual)
    return found


def entry_of(choice: Choice) -> Entry:
    """A part as a sweep file names it."""
    return {"name": choice.name, **choice.options} if choice.options else choice.name


def text_of(value: Any) -> str:
    """A value as tables print it."""
    if isinstance(value, dict) and "name" in value:
        return Choice(value["name"], {name: entry for name, entry in value.items() if name != "name"}).label
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "none"}[value]
    if isinstance(value, list):
        return "×".join(map(text_of, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def part_name(entry: Entry) -> str:
    """The name of a part that a sweep file names."""
    return entry if isinstance(entry, str) else str(entry["name"])


def with_recipe(recipe: Recipe, changes: Mapping[str, Any], augment: Mapping[str, Any], where: str) -> Recipe:
    """The recipe with these fields, and these of its augmentation. Raises SpecError that begins with `where`."""
    if not changes and not augment:
        return recipe
    own: dict[str, Any] = {field.name: getattr(recipe, field.name) for field in fields(Recipe)}
    if augment:
        moved: dict[str, Any] = {**asdict(recipe.augment), **augment}
        own["augment"] = validate(TypeAdapter(Augmentation), moved, where)
    for key, value in changes.items():
        if isinstance(value, bool) != isinstance(getattr(Recipe(), key), bool):  # pydantic takes true for 1
            raise SpecError(f"{where}: {text_of(value)} does not belong here; try {getattr(Recipe(), key)}")
    return validate(TypeAdapter(Recipe), {**own, **changes}, where)


def with_options(registry: Registry, part: Choice, changes: Mapping[str, Any], where: str) -> Choice:
    """The part with these options. Raises SpecError that begins with `where`."""
    if not changes:
        return part
    entry = {"name": part.name, **part.options, **changes}
    if registry is LOSSES:
        return losses([entry], where)[0]
    return choices(registry, [entry], where, indexed=False)[0]
