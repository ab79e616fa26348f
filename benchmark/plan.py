"""From a sweep to its trials, and what they would cost."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..core.errors import DataError, Instead, Unfit, one_line
from ..core.record import Record
from ..core.task import Task
from ..core.trial import Trial
from .context import Context, Listed, open_dataset
from .sweep import DataChoice, Sweep

UNLISTED = "unlisted"
"""Begins the digest of a split whose data set could not be listed."""


@dataclass(frozen=True)
class Planned:
    """A trial of a sweep; task is None and problem one line when its data set cannot be listed."""

    trial: Trial
    listed: Listed | None
    problem: str = ""


def trials(sweep: Sweep, context: Context) -> list[Planned]:
    """Every trial of a sweep: data sets × models × losses × seeds, seeds innermost."""
    return [planned for data in sweep.datasets for planned in _of(data, sweep, context)]


def _of(data: DataChoice, sweep: Sweep, context: Context) -> Iterator[Planned]:
    listed, problem, split = None, "", dict(data.split)
    try:
        listed = open_dataset(data.choice, data.split, context)
        split["digest"] = listed.split.digest
    except DataError as error:
        problem = str(error)
        split["digest"] = f"{UNLISTED} {data.choice.options.get('path', '')}".strip()
    for model in sweep.models:
        for loss in sweep.losses:
            for seed in sweep.seeds:
                yield Planned(Trial(data.choice, split, model, loss, data.recipe, seed), listed, problem)


@dataclass(frozen=True)
class Cost:
    """What a graph of trials takes. seconds: expected for one trial, None when nothing comparable was run here.

    unfit: why nothing can be trained, in one line. warning: what the model begins with in place of what was asked for.
    """

    trial: Trial
    seeds: int
    unfit: str
    parameters: int
    macs: int
    seconds: float | None
    warning: str = ""


def costs(planned: list[Planned], earlier: list[Record]) -> list[Cost]:
    """Build each distinct model once, without training, and tell its size; unfit ones with their reason.

    Time is the multiply-accumulates of training (three times the forward pass, each patch, each epoch) over the rate
    that the earlier records of this machine reached, the median over those of the same spatial rank.
    """
    rates = _rates(earlier)
    groups: dict[tuple[Any, ...], list[Planned]] = {}
    for entry in planned:
        trial = entry.trial
        groups.setdefault((trial.dataset.label, trial.model.label, trial.loss.label), []).append(entry)
    return [_cost(group, rates) for group in groups.values()]


def _cost(group: list[Planned], rates: dict[int, float]) -> Cost:
    from ..models.cost import cost
    from .graph import build, check_patch, start

    entry, seeds = group[0], len(group)
    if entry.listed is None:
        return Cost(entry.trial, seeds, entry.problem, 0, 0, None)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Instead)  # told with the cost
            model = build(entry.trial, entry.listed.task)
        check_patch(entry.trial, model)
        spent = cost(model, entry.trial.recipe.patch)
    except Unfit as error:
        return Cost(entry.trial, seeds, str(error), 0, 0, None)
    except Exception as error:  # a part's own bug must not hide the rest of the plan
        return Cost(entry.trial, seeds, one_line(error), 0, 0, None)
    rate = rates.get(entry.listed.task.rank)
    work = _work(entry.trial, spent.macs, len(entry.listed.split.cases("train")))
    missing = start(model).get("missing_weights", "")
    return Cost(entry.trial, seeds, "", spent.trainable, spent.macs, work / rate if rate else None, missing)


def _work(trial: Trial, macs: int, cases: int) -> float:
    recipe = trial.recipe
    steps = recipe.steps or -(-cases // recipe.batch)
    return 3.0 * macs * steps * recipe.batch * recipe.epochs


def _rates(earlier: list[Record]) -> dict[int, float]:
    found: dict[int, list[float]] = {}
    for record in earlier:
        if record.status == "done" and record.history:
            task_rank = Task(**_task(record.task)).rank
            share = len(record.history) / record.trial.recipe.epochs
            work = share * _work(record.trial, record.model["macs"], record.data["train"])
            found.setdefault(task_rank, []).append(work / record.timing["train_s"])
    return {rank: sorted(values)[len(values) // 2] for rank, values in found.items()}


def _task(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
