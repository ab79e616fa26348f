"""From a sweep to its trials, and what they would cost."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

from ...core.errors import DataError, FallbackWarning, SpecError, UnetbenchError, Unfit, one_line
from ...core.recipe import MAX_STEPS
from ...core.record import Record
from ...core.task import Task
from ...core.trial import Choice, Trial, canonical
from ...datasets.patches import PatchSampler, times_shown
from ...datasets.prepare import Held
from ..trial.context import Context, OpenedDataset, open_dataset
from ..trial.own_parts import part_checks
from ..trial.places import lacking
from .choices import part_sources
from .file import DataChoice, Sweep

LOOKED_AT = 3
"""Training cases that stand for all in an estimate."""

Setting = tuple[int, str, str, str]
"""What speed depends on besides the model: spatial rank, backend, device, precision."""

UNLISTED = "unlisted"
"""Begins the digest of a split whose data set could not be listed."""


@dataclass(frozen=True)
class Planned:
    """A trial of a sweep. problem: why nothing can be trained; opened is None when its data set cannot be listed."""

    trial: Trial
    opened: OpenedDataset | None
    problem: str = ""


def trials(sweep: Sweep, context: Context) -> list[Planned]:
    """Every trial of a sweep: data sets × models × losses × hardware × seeds, then those of the lighter steps.

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
    for model in sweep.models:
        for loss in sweep.losses:
            sources = part_sources(data.choice, model, loss)
            for (backend, device, recipe), seed in product(sweep.hardware.settings(data.recipe), sweep.seeds):
                trained.append(
                    Trial(data.choice, split, model, loss, recipe, seed, sources, backend=backend, device=device)
                )
    for trial in (*trained, *(trial for step in sweep.lighter for trial in step.trials(trained))):
        yield Planned(trial, opened, problem or lacking(trial, sweep.hardware.gpus))


@dataclass(frozen=True)
class TrialEstimate:
    """What the trials of one compiled model take.

    seconds: expected for one trial, None when nothing comparable was run here. unfit: why the model cannot serve the
    task, in one line. failed: why nothing can be trained although it should, in one line: the data cannot be listed, or
    a part raised an error of its own. warning: what the model begins with in place of what was asked for.
    training_bytes: memory that the training set takes, None when no case of it can be read.
    """

    trial: Trial
    seeds: int
    unfit: str
    parameters: int
    macs: int
    seconds: float | None
    warning: str = ""
    failed: str = ""
    training_bytes: int | None = None

    @property
    def fits(self) -> bool:
        """Whether the trials can be trained."""
        return not self.unfit and not self.failed


def estimates(planned: list[Planned], earlier: list[Record], context: Context) -> list[TrialEstimate]:
    """Build each distinct model once, without training, and tell its size; unfit and failed ones with their reason.

    Time is the multiply-accumulates of training (three times the forward pass, each patch, each epoch) over the rate
    that the earlier records of this machine reached, the median over those of the same spatial rank, backend, device
    and precision. Time and memory
    are those of a few training cases, taken for all. Parts of the user's own are run once; raises PartError for a
    metric or a runtime that does not do what it must.
    """
    planned = _checked(planned, context)
    looks: dict[int, list[Held]] = {}
    rates = _rates(earlier)
    groups: dict[tuple[Any, ...], list[Planned]] = {}
    for entry in planned:
        trial = entry.trial
        recipe = canonical(asdict(trial.recipe))  # a data set may be listed again with another one
        step = trial.derivation.label if trial.derivation else ""
        on = (trial.backend, trial.device, step)
        key = (trial.dataset.label, trial.model.label, trial.loss.label, recipe, *on)
        groups.setdefault(key, []).append(entry)
    return [_estimate(group, rates, looks) for group in groups.values()]


def _checked(planned: list[Planned], context: Context) -> list[Planned]:
    """The trials; those of a part of the user's own that does not do what it must have it as their problem."""
    from ..trial.part_checks import check_part

    opened = {entry.trial.id: entry.opened for entry in planned if entry.opened is not None}
    problems: dict[str, str] = {}
    for check, users in part_checks([entry.trial for entry in planned if entry.trial.id in opened], context):
        try:
            check_part(check, opened[check.trial.id], context)
        except Unfit:  # told where the model is built
            continue
        except UnetbenchError as error:
            if not users:
                raise
            problems |= {trial.id: one_line(error) for trial in users}
    return [replace(entry, problem=problems.get(entry.trial.id, entry.problem)) for entry in planned]


def _estimate(group: list[Planned], rates: dict[Setting, float], looks: dict[int, list[Held]]) -> TrialEstimate:
    from ...models.anatomy.cost import cost
    from ..trial.compiled_model import build, check_patch, initialisation_info
    from ..trial.origin import lightened

    entry, seeds = group[0], len(group)
    if entry.opened is None or entry.problem:
        return TrialEstimate(entry.trial, seeds, "", 0, 0, None, failed=entry.problem)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FallbackWarning)  # told with the cost
            model = build(entry.trial, entry.opened.task)
        model = lightened(entry.trial, model)
        check_patch(entry.trial, model)
        spent = cost(model, entry.trial.recipe.patch)
    except Unfit as error:
        return TrialEstimate(entry.trial, seeds, str(error), 0, 0, None)
    except Exception as error:  # a part's own bug must not hide the rest of the plan
        return TrialEstimate(entry.trial, seeds, "", 0, 0, None, failed=one_line(error))
    work = size = None
    cases = looked_at(entry.opened, looks)
    if cases:
        work = _work(entry.trial, spent.macs, epoch_patches(entry.trial, entry.opened, cases))
        size = training_bytes(entry.trial, entry.opened, cases)
    rate = rates.get(_setting(entry.trial, entry.opened.task.rank))
    seconds = work / rate if rate and work else None
    missing = initialisation_info(model).get("missing_weights", "")
    return TrialEstimate(entry.trial, seeds, "", spent.trainable, spent.macs, seconds, missing, training_bytes=size)


def _work(trial: Trial, macs: int, epoch_patches: int) -> float:
    return 3.0 * macs * epoch_patches * trial.training.epochs


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


def _setting(trial: Trial, rank: int) -> Setting:
    return rank, trial.backend, trial.device, trial.recipe.precision


def _rates(earlier: list[Record]) -> dict[Setting, float]:
    """Multiply-accumulates a second of training, by what they depend on."""
    found: dict[Setting, list[float]] = {}
    for record in earlier:
        if record.status == "done" and record.history:
            share = len(record.history) / record.trial.training.epochs
            recipe = record.trial.recipe
            steps = recipe.steps if isinstance(recipe.steps, int) else -(-record.data["train"] // recipe.batch)
            patches = record.data.get("epoch_patches", steps * recipe.batch)
            work = share * _work(record.trial, record.model["macs"], patches)
            rate, rank = work / record.timing["train_s"], Task(**_task(record.task)).rank
            for trial in {record.trial, record.ran, replace(record.ran, device=record.trial.device)}:
                found.setdefault(_setting(trial, rank), []).append(rate)
    return {setting: sorted(values)[len(values) // 2] for setting, values in found.items()}


def _task(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
