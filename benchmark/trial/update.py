"""A trained network that learns data which came later: what is taken from its parent before and after training."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...core.errors import StoreError
from ...core.recipe import Augmentation
from ...core.trial import Trial
from ...datasets.held import Held
from ...datasets.object_labels import ObjectLabels
from ...datasets.patches import PatchSampler
from ..records.store import Store
from .averages import recalibrate
from .context import Context, OpenedDataset, open_dataset
from .fisher import fisher
from .holding import method_of
from .origin import Origin, trained_origin
from .selection import Selection
from .validate import ValidationCases, best_threshold, mean_dice

PATCHES = 200
"""Of a stage's training cases, one each, from which a Fisher matrix is taken at most."""


def prepared(trial: Trial, origin: Origin | None, context: Context, store: Store) -> Origin | None:
    """The origin with the Fisher matrices that `ewc` needs, summed over the trials that it comes from; else as it is.

    Each is taken of the network as it was after its own stage, on the training cases of that stage; the sum holds the
    weights of the last: online EWC without decay (Schwarz et al. 2018, arXiv:1805.06370).
    """
    if origin is None or method_of(trial) != "ewc":
        return origin
    total: tuple[np.ndarray, ...] = ()
    before: Origin | None = origin
    while before is not None:
        past = before.record.trial
        opened = open_dataset(past.dataset, past.split, context)
        own = fisher(before.network, _patches(past, opened, context), opened.task)
        total = tuple(a + b for a, b in zip(total, own, strict=True)) if total else own
        further = past.derivation if method_of(past) else None
        before = None if further is None else trained_origin(further.parent, f"parent {further.of.label}", store)
    return replace(origin, fisher=total)


def averaged(
    trial: Trial,
    origin: Origin,
    compiled: Any,
    sampler: PatchSampler,
    cases: ValidationCases,
    *,
    selection: Selection,
) -> Selection:
    """For `average`: put (1 - a) w* + a w into the model, w* of the parent, w selected, and return what holds for it.

    All variables of floating point are averaged (Wortsman et al. 2022, arXiv:2109.01903); statistics of batch
    normalisations are then taken anew on the stage's training patches, see `averages.recalibrate`. Score and threshold
    are those of the mean on validation cases. The selection as it is for other trials.
    """
    if trial.derivation is None or method_of(trial) != "average":
        return selection
    share, recipe = trial.derivation.options["share"], trial.training
    for own, before in zip(compiled.network.variables, origin.network.variables, strict=True):
        if "float" in str(own.dtype):
            own.assign((1 - share) * before.value + share * own.value)
    recalibrate(compiled.network, sampler.in_parts(recipe.micro_batches), recipe.epochs)
    threshold, batch = selection.threshold, recipe.micro_batch
    if recipe.threshold == "tuned":
        threshold, _ = best_threshold(compiled.forward, cases.whole(), compiled.task, batch=batch)
    score = mean_dice(compiled.forward, cases.whole(), compiled.task, batch=batch, threshold=threshold)
    return replace(selection, score=score, monitor="dice", threshold=float(threshold))


def kept_facts(opened: OpenedDataset, training: Sequence[Held], validation: Sequence[Held]) -> dict[str, int]:
    """How many cases of earlier batches a stage has, and their bytes as training holds them."""
    pairs = [
        *zip(opened.split.cases("train"), training, strict=True),
        *zip(opened.split.cases("validation"), validation, strict=True),
    ]
    own = [held for case, held in pairs if case.name in opened.kept]
    return {"cases": len(own), "bytes": sum(held.nbytes for held in own)}


def _patches(past: Trial, opened: OpenedDataset, context: Context) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """One patch of each training case of a stage, as the images are; without labels' marks."""
    cases = opened.split.cases("train")
    held = opened.held("train", context.cases, ObjectLabels())
    if not cases:
        raise StoreError(f"parent {past.label}: has no training cases any more, of which ewc takes the Fisher matrix")
    sampler = PatchSampler(
        held,
        [case.name for case in cases],
        past.recipe.patch,
        1,
        seed=past.seed,
        augment=Augmentation.none(),
        ignore=opened.task.ignore,
    )
    return (sampler.batch(0, index) for index in range(min(len(sampler), PATCHES)))
