"""The trial that updates a trained one with a data set of its own."""

from dataclasses import replace
from typing import Any

from ...core.errors import DataError, SpecError
from ...core.trial import Choice, Derivation, Trial
from ...datasets.batches import STRATUM, Arrived
from ..naming.names import base
from ..sweep.choices import part_sources
from ..trial.context import Context, OpenedDataset, open_dataset
from ..trial.later import FIRST, SHARED, batch
from .new_data import NewData

UPDATED = ("distil", "update", "averaged")
"""Steps whose network can be trained further as its recipe builds it."""


def update_trial(
    parent: Trial, new: NewData, method: dict[str, Any], context: Context
) -> tuple[Trial, OpenedDataset, Arrived]:
    """The trial of an update, its data set (the parent's with the new one) and the batches in which that came.

    method: as `sweep.continual` has it.

    The first data set, its split and its test cases stay those of the trial that the parent comes from; every data set
    that came since stands under `later` with a split of its own, so that other data make another trial. Raises
    SpecError for a parent that cannot be updated, DataError for data that are not there, changed, or do not fit.
    """
    _check(parent)
    first = {name: value for name, value in parent.dataset.options.items() if name not in ("test_modalities", "later")}
    earlier = list(parent.dataset.options.get("later", ()))
    shared = {name: first[name] for name in SHARED if name in first}
    _open_parent(parent, context)
    try:
        opened = open_dataset(Choice(new.choice.name, {**new.choice.options, **shared}), new.split, context)
    except DataError as error:
        raise DataError(f"the new data: {error}") from None
    added = {"name": new.choice.name, "options": new.choice.options}
    added |= {"split": {**new.split, "digest": opened.split.digest}}
    batches = (FIRST, *(batch(number) for number in range(1, len(earlier) + 2)))
    arrived = Arrived(STRATUM, batches, method.get("keep", 0), parent.seed)
    dataset = Choice(parent.dataset.name, {**first, "later": [*earlier, added], "arrived": arrived.options})
    trial = replace(
        parent,
        dataset=dataset,
        derivation=Derivation("update", parent.id, parent.model, method),
        sources={**parent.sources, **part_sources(new.choice, parent.model, parent.loss)},
    )
    return trial, open_dataset(trial.dataset, trial.split, context), arrived


def _check(parent: Trial) -> None:
    step = parent.derivation.step if parent.derivation is not None else "update"
    if step not in UPDATED:
        raise SpecError(f"{parent.label}: is made by the step {step}; update a network that was trained as it is")
    if "labels" in parent.dataset.options:
        raise SpecError(
            f"{parent.label}: was trained on labels weaker than masks, which new data do not have; train anew"
        )
    if "arrived" in parent.dataset.options and "later" not in parent.dataset.options:
        raise SpecError(
            f"{parent.label}: is a stage of continual learning, which has seen a part of its data set; update a trial "
            "that was trained on all of it"
        )


def _open_parent(parent: Trial, context: Context) -> None:
    """Raise DataError where the data that a parent was trained and tested on are not there as they were."""
    planned = {key: value for key, value in parent.split.items() if key != "digest"}
    try:
        found = open_dataset(parent.dataset, planned, context).split.digest
    except DataError as error:
        raise DataError(f"the model's own data, without which no update can be judged: {error}") from None
    if found != parent.split.get("digest", found):
        raise DataError(
            f"{base(parent.dataset)}: the model's own data are not as they were when it was trained and tested: files "
            "were added, taken away or changed; put them back, new ones into a data set of their own"
        )
