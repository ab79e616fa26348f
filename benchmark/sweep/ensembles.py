"""The steps of a sweep file that make ensembles of trained trials, and average the weights of one training."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator

from ...core.errors import SpecError
from ...core.recipe import Recipe
from ...core.trial import Choice, Derivation, Member, Trial
from ..naming.labels import Labels
from ..trial.averaging import Averaging
from .steps import chosen
from .validate import validate

Axis = Literal["seeds", "models", "losses"]

QUARTER = 90.0
"""Degrees to which training must turn images for an ensemble of turned copies."""


class _Step(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    models: list[str] | None = Field(default=None, min_length=1)
    losses: list[str] | None = Field(default=None, min_length=1)


class CopiesStep(_Step):
    """`{copies: mirror}`: test-time augmentation, see `models.parts.orientations`."""

    mean: Literal["probabilities", "logits"] = "probabilities"
    copies: Literal["mirror", "turns"] | None = None


class _Chosen(CopiesStep):
    choose: Literal["all", "greedy"] = "all"
    rounds: int | None = Field(default=None, ge=1, le=1000)
    most: int | None = Field(default=None, ge=1)


class OverStep(_Chosen):
    """`{over: seeds}` or `{over: [models, losses]}`: see `models.parts.ensemble` and `trial.choose`."""

    over: list[Axis] = Field(min_length=1)

    @field_validator("over", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value


class SnapshotsStep(_Chosen):
    """`{snapshots: 3}`: the last weights of so many cycles of the rate, see `trial.averages`."""

    snapshots: int = Field(ge=2)


class AverageStep(_Step):
    """`{average: ema, decay: 0.999}` or `{average: swa, begin: 0.75}`: see `trial.averages`."""

    average: Literal["ema", "swa"]
    decay: float | None = Field(default=None, gt=0, lt=1)
    begin: float | None = Field(default=None, ge=0, lt=1)


KINDS: dict[str, type[_Step]] = {"over": OverStep, "snapshots": SnapshotsStep, "average": AverageStep}
"""Steps by the key that names them; a step with none of these is one of copies alone."""

DECAY, BEGIN = 0.999, 0.75
"""Of ema and of swa where the step says nothing else."""


@dataclass(frozen=True)
class EnsembleStep:
    """One step. models, losses: whose trials take part. over: the axes whose trials one ensemble has for members.

    averaging: what trainings keep for it, None where stored weights suffice.
    """

    name: str
    options: dict[str, Any]
    models: tuple[Choice, ...]
    losses: tuple[Choice, ...]
    over: tuple[str, ...] = ()
    averaging: Averaging | None = None

    def trials(self, trained: Sequence[Trial]) -> Iterator[Trial]:
        """The trials that the step makes of those of one data set and one kind of training labels."""
        groups: dict[tuple[object, ...], list[Trial]] = {}
        for trial in trained:
            if trial.model in self.models and trial.loss in self.losses:
                groups.setdefault(self._apart(trial), []).append(trial)
        return (derived(group, self.name, self.options) for group in groups.values())

    def _apart(self, trial: Trial) -> tuple[object, ...]:
        """What members of one ensemble have in common."""
        axes = {"models": trial.model.canonical, "losses": trial.loss.canonical, "seeds": trial.seed}
        fixed = [value for axis, value in axes.items() if axis not in self.over]
        return (*fixed, trial.recipe.canonical, trial.backend, trial.device)


def derived(members: Sequence[Trial], step: str, options: Mapping[str, Any]) -> Trial:
    """The trial that is made of these by a step."""
    first = members[0]
    listed = tuple(Member(one.id, one.model, one.loss, one.seed) for one in members)
    sources = {name: digest for one in members for name, digest in one.sources.items()}
    derivation = Derivation(step, first.id, first.model, dict(options), listed)
    return replace(first, sources=dict(sorted(sources.items())), derivation=derivation)


def ensembles(
    entries: Sequence[Mapping[str, Any]],
    axes: Mapping[str, Sequence[Any]],
    recipes: Sequence[Recipe],
    labels: Labels,
    where: str,
) -> tuple[EnsembleStep, ...]:
    """Return the steps as chosen. axes: seeds, models and losses of the sweep. recipes: of its data sets.

    Raises SpecError that begins with `where`.
    """
    found: list[EnsembleStep] = []
    for index, entry in enumerate(entries):
        place = f"{where}[{index}]"
        step = _step(entry, axes, labels, place)
        for recipe in recipes:
            _check_recipe(step, recipe, place)
        if step in found:
            raise SpecError(f"{place}: is the same step as {where.rpartition(': ')[2]}[{found.index(step)}]")
        found.append(step)
    return tuple(found)


def _step(entry: Mapping[str, Any], axes: Mapping[str, Sequence[Any]], labels: Labels, place: str) -> EnsembleStep:
    named = [key for key in KINDS if key in entry]
    if len(named) > 1:
        raise SpecError(f"{place}: {' and '.join(named)} are steps of their own; give each an entry")
    if not named and "copies" not in entry:
        raise SpecError(f"{place}: {dict(entry)} names no step; begin with over, copies, snapshots or average")
    step = validate(TypeAdapter(KINDS[named[0]] if named else CopiesStep), dict(entry), place)
    picked = {
        "models": _picked(step.models, axes["models"], labels.model, "model", f"{place}.models"),
        "losses": _picked(step.losses, axes["losses"], labels.loss, "loss", f"{place}.losses"),
    }
    if isinstance(step, AverageStep):
        return _averaged(step, picked, place)
    options: dict[str, Any] = step.model_dump(exclude={"models", "losses", "snapshots", "over"}, exclude_defaults=True)
    if isinstance(step, _Chosen) and step.choose != "greedy":
        for key in ("rounds", "most"):
            if key in options:
                raise SpecError(f"{place}.{key}: goes with choose: greedy")
    if isinstance(step, SnapshotsStep):
        kept = Averaging("snapshots", 0.0, tuple(model.canonical for model in picked["models"]))
        return EnsembleStep(
            "snapshots", {**options, "last": step.snapshots}, picked["models"], picked["losses"], averaging=kept
        )
    over = tuple(dict.fromkeys(step.over)) if isinstance(step, OverStep) else ()
    lengths = {"seeds": len(axes["seeds"]), **{name: len(parts) for name, parts in picked.items()}}
    if over and all(lengths[axis] < 2 for axis in over):
        raise SpecError(f"{place}.over: {' and '.join(over)}: the sweep has one of each; an ensemble needs two members")
    if over:
        options["over"] = list(over)
    return EnsembleStep("ensemble", options, picked["models"], picked["losses"], over=over)


def _averaged(step: AverageStep, picked: dict[str, tuple[Choice, ...]], place: str) -> EnsembleStep:
    own, other = ("decay", "begin") if step.average == "ema" else ("begin", "decay")
    if getattr(step, other) is not None:
        raise SpecError(f"{place}.{other}: is none of {step.average}'s; {own} is")
    value = getattr(step, own)
    value = float({"decay": DECAY, "begin": BEGIN}[own] if value is None else value)
    kept = Averaging(step.average, value, tuple(model.canonical for model in picked["models"]))
    return EnsembleStep(
        "averaged", {"by": step.average, own: value}, picked["models"], picked["losses"], averaging=kept
    )


def _check_recipe(step: EnsembleStep, recipe: Recipe, place: str) -> None:
    """Raise SpecError where the recipe does not train what the step relies on."""
    if step.options.get("copies"):
        check_copies(step.options["copies"], recipe, f"{place}.copies")
    if step.name == "snapshots" and recipe.cycles < step.options["last"]:
        raise SpecError(
            f"{place}.snapshots: {step.options['last']} need as many cycles of the rate; set recipe.schedule: cosine "
            f"and recipe.cycles (it is {recipe.cycles})"
        )
    whole = step.name == "snapshots" or step.options.get("by") == "swa"
    if whole and recipe.stop_patience:
        raise SpecError(
            f"{place}: {step.options.get('by', step.name)} takes weights up to the last epoch; set "
            f"recipe.stop_patience: 0 (it is {recipe.stop_patience})"
        )


def check_copies(copies: str, recipe: Recipe, place: str) -> None:
    """Raise SpecError that begins with `place` for copies that training does not show, or that are averaged already."""
    if recipe.mirror:
        raise SpecError(f"{place}: recipe.mirror averages over mirrored copies already; leave one out")
    if not recipe.augment.flips:
        raise SpecError(f"{place}: training does not mirror images (recipe.augment.flips: false)")
    if copies != "turns":
        return
    if len(recipe.patch) != 2 or len(set(recipe.patch)) > 1:
        raise SpecError(f"{place}: turns need a square patch, recipe.patch is {list(recipe.patch)}")
    if recipe.augment.rotation_deg < QUARTER:
        raise SpecError(
            f"{place}: training turns images by up to {recipe.augment.rotation_deg:g} degrees; turns need "
            f"recipe.augment.rotation_deg: {QUARTER:g}, or say copies: mirror"
        )


def _picked(
    names: Sequence[str] | None, parts: Sequence[Choice], label_of: Any, kind: str, place: str
) -> tuple[Choice, ...]:
    return tuple(parts) if names is None else chosen(names, parts, label_of, kind, place)
