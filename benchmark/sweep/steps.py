"""The steps of a sweep file that make trained models lighter: pruning and distillation."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from ...core.errors import SpecError, unknown
from ...core.trial import Choice, Derivation, Trial
from ..naming.labels import Labels
from .validate import validate

SHARE = 5
"""A pruned network is trained for the recipe's epochs over this, at least 1, where the step names no other number."""


class _Step(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    models: list[str] | None = Field(default=None, min_length=1)


class _Pruning(_Step):
    ranking: Literal["layer", "global"] = "layer"
    epochs: int | None = Field(default=None, ge=1)
    rate: float | None = Field(default=None, gt=0)


class MagnitudeStep(_Pruning):
    """`{prune: magnitude, sparsity: 0.8}`: see `models.lighter.magnitude`."""

    prune: Literal["magnitude"]
    sparsity: float = Field(gt=0, lt=1)


class ChannelsStep(_Pruning):
    """`{prune: channels, share: 0.5}`: see `models.lighter.importance`."""

    prune: Literal["channels"]
    share: float = Field(gt=0, lt=1)
    multiple: int = Field(default=1, ge=1)


class DistilStep(_Step):
    """`{distil: unet, models: [unet_quarter]}`: see `losses.distillation`. distil: the teacher."""

    distil: str
    models: list[str] | None = Field(min_length=1)
    weight: float = Field(default=0.5, gt=0, le=1)
    temperature: float = Field(default=2.0, gt=0)


STEPS = {"magnitude": MagnitudeStep, "channels": ChannelsStep}
"""Ways of pruning by name."""


@dataclass(frozen=True)
class LighterStep:
    """One step. models: those that it starts from, of distillation the students. teacher: of distillation, else None.

    epochs, rate: of the training that follows a pruning, None for the recipe's epochs over `SHARE` and its rate.
    """

    name: str
    options: dict[str, Any]
    models: tuple[Choice, ...]
    teacher: Choice | None = None
    epochs: int | None = None
    rate: float | None = None

    def trials(self, trained: Sequence[Trial]) -> Iterator[Trial]:
        """The trials that the step makes of those of one data set."""
        by_model = {(trial.model.label, *_alike(trial)): trial for trial in trained}
        for trial in trained:
            if trial.model not in self.models:
                continue
            if self.teacher is not None:
                parent = by_model[self.teacher.label, *_alike(trial)]
                yield replace(trial, derivation=Derivation(self.name, parent.id, parent.model, self.options))
                continue
            epochs = self.epochs or max(1, round(trial.recipe.epochs / SHARE))
            options = self.options | {"epochs": epochs, "rate": self.rate or trial.recipe.rate}
            yield replace(trial, derivation=Derivation(self.name, trial.id, trial.model, options))


def _alike(trial: Trial) -> tuple[object, ...]:
    """What a teacher and its student have in common."""
    return trial.loss.label, trial.seed, trial.recipe, trial.backend, trial.device


def steps(
    entries: Sequence[Mapping[str, Any]], models: Sequence[Choice], labels: Labels, where: str
) -> tuple[LighterStep, ...]:
    """Return the steps as chosen. models: of the sweep. Raises SpecError that begins with `where`."""
    found: list[LighterStep] = []
    for index, entry in enumerate(entries):
        place = f"{where}[{index}]"
        step = _distilled(entry, models, labels, place) if "distil" in entry else _pruned(entry, models, labels, place)
        if step in found:
            raise SpecError(f"{place}: is the same step as {where.rpartition(': ')[2]}[{found.index(step)}]")
        found.append(step)
    return tuple(found)


def _pruned(entry: Mapping[str, Any], models: Sequence[Choice], labels: Labels, place: str) -> LighterStep:
    if "prune" not in entry:
        raise SpecError(f"{place}: {dict(entry)} names no step; begin with prune: magnitude, prune: channels or distil")
    if not isinstance(entry["prune"], str) or entry["prune"] not in STEPS:
        raise SpecError(f"{place}.prune: {unknown('way of pruning', str(entry['prune']), STEPS)}")
    step = validate(TypeAdapter(STEPS[entry["prune"]]), dict(entry), place)
    if isinstance(step, ChannelsStep) and step.multiple > 1 and step.ranking == "global":
        raise SpecError(f"{place}.multiple: goes with ranking: layer; global takes channels out wherever they are")
    own = step.model_dump(exclude={"prune", "models", "epochs", "rate"}, exclude_defaults=True)
    picked = (
        tuple(models) if step.models is None else chosen(step.models, models, labels.model, "model", f"{place}.models")
    )
    return LighterStep(step.prune, own, picked, None, step.epochs, step.rate)


def _distilled(entry: Mapping[str, Any], models: Sequence[Choice], labels: Labels, place: str) -> LighterStep:
    if "models" not in entry:
        raise SpecError(f"{place}: models is missing; name the models that {entry['distil']} teaches")
    step = validate(TypeAdapter(DistilStep), dict(entry), place)
    teachers = chosen([step.distil], models, labels.model, "model", f"{place}.distil")
    if len(teachers) > 1:
        several = " and ".join(choice.label for choice in teachers)
        raise SpecError(f"{place}.distil: {step.distil!r} may be {several}; give the teacher a label")
    teacher, students = (
        next(iter(teachers)),
        chosen(step.models or (), models, labels.model, "model", f"{place}.models"),
    )
    if teacher in students:
        raise SpecError(f"{place}.models: {step.distil!r} would teach itself; leave it out")
    return LighterStep("distil", {"weight": step.weight, "temperature": step.temperature}, students, teacher)


def chosen(
    names: Sequence[str], parts: Sequence[Choice], label_of: Callable[[Choice], str], kind: str, place: str
) -> tuple[Choice, ...]:
    """The sweep's models, or losses, of these labels or names. Raises SpecError that begins with `place`."""
    found: dict[int, Choice] = {}
    for name in names:
        at = [index for index, choice in enumerate(parts) if label_of(choice) == name]
        named = [index for index, choice in enumerate(parts) if name in (choice.name, choice.label)]
        at = at or [index for index in named if not label_of(parts[index])] or named
        if not at:
            known = [label_of(choice) or choice.label for choice in parts]
            raise SpecError(f"{place}: {unknown(f'{kind} of the sweep', name, known)}")
        found |= {index: parts[index] for index in at}
    return tuple(found.values())
