"""The trained trial that another one comes from: whose network is made lighter, teaches, or learns new data."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ...core.errors import StoreError, Unfit
from ...core.record import Record
from ...core.task import Task
from ...core.trial import Trial
from ...losses.distillation import distillation
from ...models.lighter.follow import follow
from ...models.lighter.importance import least
from ...models.lighter.magnitude import Magnitude, sparsities, total
from ...models.lighter.narrow import narrowed
from ..records.store import Store
from .saved_network import saved_network

Teaching = Callable[[Any, Any, Any, Any], Any]
"""From images, targets, logits and the value of the task's loss, one a case, to the value that is learnt by."""


@dataclass(frozen=True)
class Origin:
    """A trained trial, its network with the selected weights, and the file of these.

    fisher: what an update by `ewc` holds weights fast by, see `trial.fisher`; empty for every other step.
    """

    record: Record
    network: Any
    file: Path
    fisher: tuple[np.ndarray, ...] = ()


def origin_of(trial: Trial, store: Store) -> Origin | None:
    """What the trial comes from, read from the results; None where it is a trial of its own.

    Raises Unfit when the parent is unfit, StoreError when it is not done or its weights are not there.
    """
    if trial.derivation is None:
        return None
    return trained_origin(trial.derivation.parent, f"parent {trial.derivation.of.label}", store)


def trained_origin(key: str, called: str, store: Store) -> Origin:
    """The done trial of that id with its network. called: how errors name it, a word of its part first.

    Raises Unfit when it is unfit, StoreError when it is not done or its weights are not there.
    """
    record = store.record_of(key)
    if record is None:
        raise StoreError(f"{called} ({key}) has no record in {store.results}; run its sweep")
    called = f"{called.partition(' ')[0]} {record.trial.label}"
    if record.status == "unfit":
        raise Unfit(f"{called} is unfit: {record.reason}")
    if record.status != "done":
        raise StoreError(f"{called} ({key}) is {record.status}: {record.reason}")
    file = store.weights_of(key)
    if file is None:
        raise StoreError(
            f"{called} ({key}) is done, but {store.folder / 'weights'} has no {key}.keras; "
            "`unetbench run --retrain-incomplete` trains it anew and keeps them"
        )
    try:
        network = saved_network(file)
    except StoreError as error:
        raise StoreError(f"{error}; delete it and train anew") from None
    network.initial_weights = f"trial {key}"
    return Origin(record, network, file)


def starting_network(trial: Trial, origin: Origin | None) -> keras.Model | None:
    """The network that a pruning or an update starts from, with its weights; None where the trial builds its own.

    An update has a network of its own, since its parent's still teaches or holds it.

    Raises Unfit naming the layer through which channels cannot be followed.
    """
    if origin is None or trial.derivation is None or trial.derivation.step == "distil":
        return None
    update = trial.derivation.step == "update"
    network: Any = saved_network(origin.file) if update else lightened(trial, origin.network)
    network.initial_weights = origin.network.initial_weights
    return network


def lightened(trial: Trial, network: Any) -> Any:
    """The network with the channels that the trial's step takes out, or the network itself. Raises Unfit."""
    if trial.derivation is None or trial.derivation.step != "channels":
        return network
    options = trial.derivation.options
    channels = follow(network)
    removed = least(channels, options["share"], options.get("ranking", "layer"), options.get("multiple", 1))
    if not removed:
        raise Unfit(f"channel pruning: a share of {options['share']} takes no channel out of {trial.model.label}")
    return narrowed(network, channels, removed)


def pruning_of(trial: Trial) -> Magnitude | None:
    """The magnitude pruning that the trial's training does."""
    if trial.derivation is None or trial.derivation.step != "magnitude":
        return None
    options = trial.derivation.options
    return Magnitude(options["sparsity"], options.get("ranking", "layer"))


def teaching(trial: Trial, origin: Origin | None, task: Task) -> Teaching | None:
    """(1 - a) L + a T² KL(teacher || student), the teacher fixed and shown the very images that the student sees.

    See `losses.distillation`. Where a model gives several outputs, L is of all of them and KL of the first, both sides.
    """
    if origin is None or trial.derivation is None or trial.derivation.step != "distil":
        return None
    share, temperature = trial.derivation.options["weight"], trial.derivation.options["temperature"]
    network = origin.network

    def taught(images: Any, targets: Any, logits: Any, values: Any) -> Any:
        given = network(images, training=False)
        given = given[0] if isinstance(given, list | tuple) else given
        return (1 - share) * values + share * distillation(targets, logits, given, task, temperature)

    return taught


def lighter_facts(trial: Trial, origin: Origin | None, network: keras.Model) -> dict[str, Any]:
    """What the record tells of the network of a trial that comes from another."""
    if origin is None or trial.derivation is None:
        return {}
    facts: dict[str, Any] = {"parent": trial.derivation.parent}
    if trial.derivation.step == "magnitude":
        found = sparsities(network)
        layers = [{"path": entry.path, "zeros": entry.zeros, "size": entry.size} for entry in found]
        facts |= {"sparsity": {"total": total(found), "layers": layers}, "compressed_bytes": compressed_bytes(network)}
    if trial.derivation.step == "channels":
        facts["channels"] = {"before": kernel_channels(origin.network), "after": kernel_channels(network)}
    return facts


def kernel_channels(network: keras.Model) -> int:
    """Channels that all convolutions and matrix products of the network make."""
    return sum(len(ids) for ids in follow(network).made())


def compressed_bytes(network: keras.Model) -> int:
    """Bytes of all weights through zlib, as an archive would hold them."""
    packer, size = zlib.compressobj(6), 0
    for weight in network.weights:
        size += len(packer.compress(np.ascontiguousarray(keras.ops.convert_to_numpy(weight)).tobytes()))
    return size + len(packer.flush())
