"""From a sweep to its trials, and how much of its data each of them is to see."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from ...core.errors import DataError, SpecError, UnetbenchError, one_line
from ...core.recipe import MAX_STEPS, Recipe
from ...core.trial import Choice, Trial
from ...datasets.batches import arrived_of
from ...datasets.held import Held
from ...datasets.patches import PatchSampler, times_shown
from ...datasets.weak.kinds import weak_labels
from ..trial.context import Context, OpenedDataset, open_dataset
from ..trial.places import lacking
from .choices import part_sources
from .file import DataChoice, Sweep
from .modality_axis import Given, given

LOOKED_AT = 3
"""Training cases that stand for all in an estimate."""

UNLISTED = "unlisted"
"""Begins the digest of a split whose data set could not be listed."""


@dataclass(frozen=True)
class Planned:
    """A trial of a sweep. problem: why nothing can be trained; opened is None when its data set cannot be listed."""

    trial: Trial
    opened: OpenedDataset | None
    problem: str = ""


def trials(sweep: Sweep, context: Context) -> list[Planned]:
    """Every trial of a sweep: data sets × modalities × labels × models × losses × hardware × seeds, then further steps.

    Raises SpecError when two data sets of the sweep are the same data, so that one record would stand for both, and
    when the source of a part of the user's own cannot be read.
    """
    found: list[Planned] = []
    first: dict[str, int] = {}
    for index, data in enumerate(sweep.datasets):
        for planned in _of(data, sweep, context):
            earlier = first.setdefault(planned.trial.id, index)
            if earlier != index:
                places = [f"datasets[{k}] ({_place(sweep.datasets[k].choice)})" for k in (earlier, index)]
                raise SpecError(
                    f"{sweep.name}: {' and '.join(places)} hold the same files and are split and trained alike; "
                    "leave one out"
                )
            found.append(planned)
    return found


def _place(choice: Choice) -> str:
    return str(choice.options.get("path") or choice.label)


def _of(data: DataChoice, sweep: Sweep, context: Context) -> Iterator[Planned]:
    """The trials of a data set, which is listed once for all modalities and kinds of training labels."""
    opened, problem, split = None, "", dict(data.split)
    try:
        opened = open_dataset(data.choice, data.split, context)
        split["digest"] = opened.split.digest
    except Exception as error:  # a data set's own bug must not hide the rest of the plan
        problem = (
            one_line(error) if isinstance(error, UnetbenchError) else f"dataset {data.choice.name}: {one_line(error)}"
        )
        split["digest"] = f"{UNLISTED} {data.choice.options.get('path', '')}".strip()
    for way in _given(data, sweep, opened):
        shown = opened and (opened.with_modalities(way.names) if not way.problem else None)
        for more in sweep.training_labels:
            choice = replace(data.choice, options=data.choice.options | way.options | more)
            labelled, why = shown, problem or way.problem
            try:
                labelled = shown and shown.with_labels(weak_labels(more.get("labels")))
            except SpecError as error:
                labelled, why = None, one_line(error)
            seen: dict[str, OpenedDataset | None] = {}
            for trial, lacks in _trials(choice, split, way.recipe, sweep, labelled):
                key = trial.dataset.canonical
                if key not in seen:
                    seen[key] = labelled and labelled.with_batches(arrived_of(trial.dataset.options.get("arrived")))
                yield Planned(trial, seen[key], why or lacks)


def _given(data: DataChoice, sweep: Sweep, opened: OpenedDataset | None) -> Iterator[Given]:
    """What a data set is trained with; as it is where it cannot be listed."""
    if opened is None:
        yield Given((), data.recipe, {})
        return
    dataset = opened.dataset
    yield from given(sweep.modalities, sweep.test_modalities, dataset.task, dataset.name, data.recipe)


def _trials(
    choice: Choice, split: dict[str, Any], recipe: Recipe, sweep: Sweep, opened: OpenedDataset | None
) -> Iterator[tuple[Trial, str]]:
    """The trials on a data set, those of further steps last, and what this machine lacks for each.

    opened: None where the data set cannot be listed; then nothing is known of its batches, and there are no stages.
    """
    trained: list[Trial] = []
    settings = list(sweep.hardware.settings(recipe))
    for model, loss in product(sweep.models, sweep.losses):
        sources = part_sources(choice, model, loss)
        for (backend, device, own), seed in product(settings, sweep.seeds):
            trained.append(Trial(choice, split, model, loss, own, seed, sources, backend=backend, device=device))
    lacks: dict[tuple[str, str], str] = {}
    further = [trial for step in (*sweep.lighter, *sweep.ensembles) for trial in step.trials(trained)]
    if sweep.continual is not None and opened is not None:
        try:
            further += sweep.continual.trials(trained, opened.split)
        except UnetbenchError as error:
            raise SpecError(f"{sweep.name}: continual: {error}") from None
    for trial in (*trained, *further):
        place = trial.backend, trial.device
        if place not in lacks:
            lacks[place] = lacking(trial, sweep.hardware.gpus)
        yield trial, lacks[place]


def looked_at(opened: OpenedDataset, looks: dict[int, list[Held]]) -> list[Held]:
    """A few training cases; none when one cannot be read, which `data check` and the trial tell."""
    if id(opened) not in looks:
        cases = opened.split.cases("train")
        try:
            looks[id(opened)] = [opened.hold(case) for case in cases[:: max(1, len(cases) // LOOKED_AT)][:LOOKED_AT]]
        except DataError:
            looks[id(opened)] = []
    return looks[id(opened)]


def epoch_patches(trial: Trial, opened: OpenedDataset, looks: Sequence[Held]) -> int:
    """Patches an epoch; where it depends on the images' areas, by the mean area of a few training cases."""
    recipe, cases = trial.recipe, opened.split.cases("train")
    if isinstance(recipe.steps, int):
        return recipe.steps * recipe.batch
    times = 1.0
    if recipe.steps == "area":
        times = sum(times_shown(case, recipe.patch) for case in looks) / len(looks)
    steps = -(-max(1, round(times * len(cases))) // recipe.batch)
    return recipe.batch * (min(steps, MAX_STEPS) if recipe.steps == "area" else steps)


def training_bytes(trial: Trial, opened: OpenedDataset, looks: Sequence[Held]) -> int:
    """Memory that the training set takes; by a few of its cases, taken for all."""
    recipe, nameless = trial.recipe, [""] * len(looks)
    sampler = PatchSampler(
        looks, nameless, recipe.patch, recipe.batch, foreground=recipe.foreground, ignore=opened.task.ignore
    )
    return sampler.nbytes * len(opened.split.cases("train")) // len(looks)
