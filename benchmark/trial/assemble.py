"""A trial that is made of the stored weights of others: put together, its choices frozen on validation cases."""

import gc
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import keras
import numpy as np

from ...core.errors import DataError, StoreError
from ...core.trial import Trial
from ...models.parts.ensemble import ensemble
from ...runtimes import RUNTIMES
from ..records.store import Store
from . import device
from .averages import put_averaged, read_averages, recalibrate
from .averaging import kept
from .choose import NO_FOREGROUND, greedy, votes
from .compiled_model import check_patch
from .context import Context, OpenedDataset, open_dataset
from .members import members_of
from .origin import Origin
from .saved_network import saved_network
from .selection import Selection
from .train import ProgressCallback
from .trained import AssembledModel, Trained, WorkerCache, data_facts, network_facts
from .training_set import fits_memory, training_set
from .validate import ValidationCases, best_threshold, mean_dice

ROUNDS = 10
"""Of a greedy choice where the step names no other number."""


@dataclass(frozen=True)
class Candidate:
    """A network that may become part of an ensemble. trial: whose weights they are. snapshot: which of them, or 0.

    dice: of its validation cases, at the threshold that was frozen for it.
    """

    network: Any
    trial: str
    snapshot: int
    dice: float


def assemble_trial(
    trial: Trial, context: Context, cache: WorkerCache, on_progress: ProgressCallback, fields: dict[str, Any]
) -> Trained:
    """Make the network of an `UNTRAINED` step; what a record tells of it is put into `fields` as it becomes known.

    Members, weights and threshold are chosen on validation cases. Raises as `members_of` does, and DataError when
    validation cannot choose.
    """
    store, recipe, timing = Store.here(context.results, context.sweep), trial.recipe, dict[str, float]()
    fields["timing"] = timing
    on_progress({"phase": "load"})
    device.require(trial.device)
    clock = time.perf_counter()
    opened = open_dataset(trial.dataset, trial.split, context)
    fields["task"], fields["data"] = opened.task.to_json(), data_facts(opened)
    cache.compiled = None
    keras.backend.clear_session()
    gc.collect()
    keras.mixed_precision.set_dtype_policy(recipe.precision)
    origins = members_of(trial, opened, context, store)
    timing["build_s"] = time.perf_counter() - clock
    clock = time.perf_counter()
    with fits_memory(opened, context):
        held = cache.cases.of("validation", trial, opened, context, on_progress)
        cases = ValidationCases.of(held, replace(recipe, validation="full"), 0, opened.task.ignore, context.cases)
    timing["load_s"] = time.perf_counter() - clock
    clock = time.perf_counter()
    networks, facts = _networks(trial, origins, opened, context, cache=cache, on_progress=on_progress)
    candidates = _judged(trial, networks, origins, cases=cases, opened=opened, on_progress=on_progress)
    network, told = _combined(trial, candidates, cases, opened, context)
    check_patch(trial, network)
    forward = RUNTIMES["keras"](network)
    selection = _selected(trial, forward, cases, opened)
    timing["choose_s"] = time.perf_counter() - clock
    best = max(origins, key=lambda origin: _known(_dice_of(candidates, origin.record.trial.id)))
    ids = ", ".join(origin.record.trial.id for origin in origins)
    fields["model"] = network_facts(network, recipe) | {"initial_weights": f"trials {ids}"} | facts
    fields["selection"] = {**asdict(selection), **told, "best": best.record.trial.id}
    return Trained(trial, opened, AssembledModel(network, forward), cases, selection, store)


def _networks(
    trial: Trial,
    origins: Sequence[Origin],
    opened: OpenedDataset,
    context: Context,
    *,
    cache: WorkerCache,
    on_progress: ProgressCallback,
) -> tuple[list[tuple[Any, str, int]], dict[str, Any]]:
    """Networks, each with the id of its trial and the number of its snapshot or 0; and facts for the record."""
    step, options = (trial.derivation.step, trial.derivation.options) if trial.derivation else ("", {})
    if step == "ensemble":
        return [(origin.network, origin.record.trial.id, 0) for origin in origins], {}
    (origin,) = origins
    parent, store = origin.record.trial, Store.here(context.results, context.sweep)
    found = read_averages(store.averages_of(parent.id), f"member {parent.label}")
    _, counts = kept(found)
    try:
        if step == "snapshots":
            numbers = [number for number in range(1, len(counts) + 1) if f"snapshot {number}" in counts]
            last = numbers[-options["last"] :]
            if len(last) < options["last"]:
                raise ValueError(f"its training kept {len(numbers)} snapshots, not {options['last']}")
            return [(_with(origin, store, found, f"snapshot {k}"), parent.id, k) for k in last], {}
        name = f"{options['by']} {options.get('decay', options.get('begin')):g}"
        if name not in counts:
            raise ValueError(f"its training kept no {name}; `unetbench run --retrain-incomplete` trains it anew")
        network = _with(origin, store, found, name)
    except ValueError as error:
        raise StoreError(f"member {parent.label} ({parent.id}): {error}") from None
    batches = _recalibrated(network, parent, opened, context, cache=cache, on_progress=on_progress)
    return [(network, parent.id, 0)], {"averaged": counts[name], "statistics_batches": batches}


def _with(origin: Origin, store: Store, found: dict[str, np.ndarray], name: str) -> Any:
    """A further copy of a trained network with averaged weights in it."""
    file = store.weights_of(origin.record.trial.id)
    if file is None:
        raise ValueError("its weights are gone")
    network = saved_network(file)
    put_averaged(network, found, name)
    return network


def _recalibrated(
    network: Any,
    parent: Trial,
    opened: OpenedDataset,
    context: Context,
    *,
    cache: WorkerCache,
    on_progress: ProgressCallback,
) -> int:
    """Take running statistics anew on the patches of the epoch after the parent's last; of how many batches."""
    if not any(isinstance(layer, keras.layers.BatchNormalization) for layer in _layers(network)):
        return 0
    with fits_memory(opened, context):
        training = cache.cases.of("train", parent, opened, context, on_progress)
        validation = cache.cases.of("validation", parent, opened, context, on_progress)
        sampler, _ = training_set(parent, opened, training, validation, context.cases)
    return recalibrate(network, sampler.in_parts(parent.recipe.micro_batches), parent.recipe.epochs)


def _judged(
    trial: Trial,
    networks: Sequence[tuple[Any, str, int]],
    origins: Sequence[Origin],
    *,
    cases: ValidationCases,
    opened: OpenedDataset,
    on_progress: ProgressCallback,
) -> list[Candidate]:
    """Each candidate with its validation Dice, at the threshold that its trial froze on the same cases."""
    frozen = {origin.record.trial.id: float(origin.record.selection["threshold"]) for origin in origins}
    found: list[Candidate] = []
    for index, (network, key, snapshot) in enumerate(networks):
        on_progress({"phase": "validate members", "step": index, "of": len(networks)})
        forward, batch = RUNTIMES["keras"](network), trial.recipe.micro_batch
        dice = mean_dice(forward, cases.whole(), opened.task, batch=batch, threshold=frozen[key])
        found.append(Candidate(network, key, snapshot, dice))
    return found


def _combined(
    trial: Trial,
    candidates: Sequence[Candidate],
    cases: ValidationCases,
    opened: OpenedDataset,
    context: Context,
) -> tuple[Any, dict[str, Any]]:
    """One network of those that are chosen, and what a record's selection tells of the choice."""
    options, task = trial.derivation.options if trial.derivation else {}, opened.task
    mean, copies = options.get("mean", "probabilities"), options.get("copies", "")
    counts, rounds = [1] * len(candidates), []
    if options.get("choose") == "greedy":
        said = [
            votes(
                RUNTIMES["keras"](ensemble([one.network], task, mean=mean, copies=copies)),
                cases.whole(),
                task,
                mean=mean,
                batch=trial.recipe.micro_batch,
                scratch=context.cases,
            )
            for one in candidates
        ]
        chosen = greedy(
            said,
            cases.whole,
            task,
            threshold=_in_unit(_fixed_threshold(trial), mean),
            rounds=options.get("rounds", ROUNDS),
            most=options.get("most", 0),
        )
        counts = list(chosen.counts)
        rounds = [{"trial": candidates[k].trial, "dice": dice} for k, dice in chosen.rounds]
    taken = [(one.network, count) for one, count in zip(candidates, counts, strict=True) if count]
    networks, weights = [network for network, _ in taken], [count for _, count in taken]
    alone = len(networks) == 1 and not copies
    made = networks[0] if alone else ensemble(networks, task, weights=weights, mean=mean, copies=copies)
    rows = [
        {"trial": one.trial, "snapshot": one.snapshot, "weight": count / sum(counts), "dice": one.dice}
        for one, count in zip(candidates, counts, strict=True)
    ]
    return made, {"members": rows, **({"rounds": rounds} if rounds else {})}


def _selected(
    trial: Trial, forward: Callable[[np.ndarray], np.ndarray], cases: ValidationCases, opened: OpenedDataset
) -> Selection:
    """The frozen threshold and the validation Dice at it; nothing was trained here, so that the epoch is 0."""
    threshold, batch = _fixed_threshold(trial), trial.recipe.micro_batch
    if trial.recipe.threshold == "tuned":
        threshold, _ = best_threshold(forward, cases.whole(), opened.task, batch=batch)
    score = mean_dice(forward, cases.whole(), opened.task, batch=batch, threshold=threshold)
    if math.isnan(score):
        raise DataError(NO_FOREGROUND)
    return Selection(0, score, "dice", float(threshold))


def _fixed_threshold(trial: Trial) -> float:
    return 0.5 if trial.recipe.threshold == "tuned" else float(trial.recipe.threshold)


def _layers(network: Any) -> list[Any]:
    return network._flatten_layers(include_self=False)


def _in_unit(threshold: float, mean: str) -> float:
    """A probability as what is averaged."""
    return threshold if mean == "probabilities" else math.log(threshold / (1 - threshold))


def _dice_of(candidates: Sequence[Candidate], key: str) -> float:
    return next(one.dice for one in candidates if one.trial == key)


def _known(dice: float) -> float:
    return -math.inf if math.isnan(dice) else dice
