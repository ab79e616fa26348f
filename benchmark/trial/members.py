"""The trained trials that an ensemble is made of: read from the results, and refused where they do not go together."""

from dataclasses import replace
from typing import Any

from ...core.errors import DataError, SpecError
from ...core.trial import Trial
from ...datasets.case import Role
from ..records.store import Store
from .context import Context, OpenedDataset, open_dataset
from .origin import Origin, trained_origin

PREDICTION = ("patch", "overlap", "mirror", "predict_mib", "precision")
"""Keys of a recipe that say how a network is called, which an ensemble's members have in common."""

SEEN: tuple[Role, ...] = ("train", "validation")
"""Roles whose cases have a say in a trained network."""

NAMED = 3
"""Cases that an error names."""


def members_of(trial: Trial, opened: OpenedDataset, context: Context, store: Store) -> list[Origin]:
    """The members of an untrained trial with their networks, in order.

    Raises Unfit when one is unfit, StoreError when one is not done or has no weights, SpecError for members of another
    task, data set or prediction, and for one that saw a test case of this trial.
    """
    members = trial.derivation.members if trial.derivation is not None else ()
    found: list[Origin] = []
    for member in members:
        called = f"member {member.model.label} · {member.loss.label} · seed {member.seed}"
        origin = trained_origin(member.trial, called, store)
        require_alike(trial, origin.record.trial, origin.record.task, opened, context)
        found.append(origin)
    return found


def require_alike(trial: Trial, member: Trial, task: dict[str, Any], opened: OpenedDataset, context: Context) -> None:
    """Raise SpecError, in one line, unless the member may be part of the trial. task: of the member's record."""
    name, own, task = f"member {member.label}", _jsonable(opened.task.to_json()), _jsonable(task)
    differing = [key for key in own if key in task and task[key] != own[key]]
    if differing:
        text = ", ".join(f"{key} {task[key]} where the others have {own[key]}" for key in differing)
        raise SpecError(f"{name}: is of another task, with {text}; combine trials of one task")
    if _data(member) != _data(trial):
        raise SpecError(f"{name}: is of the data set {member.dataset.label}, the others of {trial.dataset.label}")
    if member.split != trial.split:
        raise SpecError(f"{name}: {_seen(member, opened, context)}; combine trials of one split")
    for key in PREDICTION:
        theirs, ours = getattr(member.recipe, key), getattr(trial.recipe, key)
        if theirs != ours:
            raise SpecError(f"{name}: was trained with recipe.{key} {theirs}, the others with {ours}")


def _seen(member: Trial, opened: OpenedDataset, context: Context) -> str:
    """What is wrong with a member of another split: which test cases it saw, as far as its data can be listed."""
    try:
        theirs = open_dataset(member.dataset, member.split, context).split.roles
    except DataError:
        return f"is of another split ({member.split.get('digest', 'unknown')}), whose cases cannot be listed any more"
    seen = [case.name for case in opened.split.cases("test") if theirs.get(case.name) in SEEN]
    if not seen:
        return "is of another split, although it saw none of the test cases"
    more = f" and {len(seen) - NAMED} more" if len(seen) > NAMED else ""
    return f"saw {', '.join(seen[:NAMED])}{more} while it was trained, which are test cases here"


def _data(trial: Trial) -> str:
    """The data set without where it lies and what training cases have in place of full masks."""
    options = {name: value for name, value in trial.dataset.options.items() if name != "labels"}
    return replace(trial.dataset, options=options).unplaced


def _jsonable(task: dict[str, Any]) -> dict[str, Any]:
    """The fields as a record that was read has them."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in task.items()}
