"""From a sweep to its trials, and how much of its data each of them is to see."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, product

from ...core.errors import DataError, SpecError, UnetbenchError, one_line
from ...core.recipe import MAX_STEPS
from ...core.trial import Choice, Trial
from ...datasets.patches import PatchSampler, times_shown
from ...datasets.prepare import Held
from ..trial.context import Context, OpenedDataset, open_dataset
from ..trial.places import lacking
from .choices import part_sources
from .file import DataChoice, Sweep

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
    """Every trial of a sweep: data sets × training labels × models × losses × hardware × seeds, then lighter steps.

    Raises SpecError when two data sets of the sweep are the same data, so that one record would stand for both, and
    when the source of a part of the user's own cannot be read.
    """
    found: list[Planned] = []
    first: dict[str, int] = {}
    for index, data in enumerate(sweep.datasets):
        for planned in chain.from_iterable(_of(own, sweep, context) for own in _labelled(data, sweep)):
            earlier = first.setdefault(planned.trial.id, index)
            if earlier != index:
                places = [f"datasets[{k}] ({_place(sweep.datasets[k].choice)})" for k in (earlier, index)]
                raise SpecError(
                    f"{sweep.name}: {' and '.join(places)} hold the same files and are split and trained alike; "
                    "leave one out"
                )
            found.append(planned)
    return found


def _labelled(data: DataChoice, sweep: Sweep) -> Iterator[DataChoice]:
    """The data set under each kind of training labels."""
    for more in sweep.training_labels:
        yield replace(data, choice=replace(data.choice, options=data.choice.options | more))


def _place(choice: Choice) -> str:
    return str(choice.options.get("path") or choice.label)


def _of(data: DataChoice, sweep: Sweep, context: Context) -> Iterator[Planned]:
    opened, problem, split = None, "", dict(data.split)
    try:
        opened = open_dataset(data.choice, data.split, context)
        split["digest"] = opened.split.digest
    except Exception as error:  # a data set's own bug must not hide the rest of the plan
        problem = (
            one_line(error) if isinstance(error, UnetbenchError) else f"dataset {data.choice.name}: {one_line(error)}"
        )
        split["digest"] = f"{UNLISTED} {data.choice.options.get('path', '')}".strip()
    trained: list[Trial] = []
    settings = list(sweep.hardware.settings(data.recipe))
    for model, loss in product(sweep.models, sweep.losses):
        sources = part_sources(data.choice, model, loss)
        for (backend, device, recipe), seed in product(settings, sweep.seeds):
            trained.append(
                Trial(data.choice, split, model, loss, recipe, seed, sources, backend=backend, device=device)
            )
    lacks: dict[tuple[str, str], str] = {}
    for trial in (*trained, *(trial for step in sweep.lighter for trial in step.trials(trained))):
        place = trial.backend, trial.device
        if place not in lacks:
            lacks[place] = lacking(trial, sweep.hardware.gpus)
        yield Planned(trial, opened, problem or lacks[place])


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
