"""A trained trial of the store, ready to segment images."""

import math
import os
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...core import onednn
from ...core.errors import DataError, FallbackWarning, SpecError, StoreError, Unfit, one_line
from ...core.record import Record
from ...core.sources import source_digest
from ...core.task import Task
from ...core.trial import Trial
from ..deploy.trained_trial import find_record
from ..trial.segmenter import Segmenter

NOT_KEPT = "say `weights: true` in the sweep file and run it again with --retrain-incomplete"


def open_trial(model: Path, precision: str = "") -> Segmenter:
    """The network of a trial with its trained weights, from its record or from its weights beside it.

    model: `results/<sweep>/records/<machine>/<id>.json` or `results/<sweep>/weights/<machine>/<id>.keras`. The network
    is built as the trial built it and computes as it was trained, so that it predicts what was scored; or in another
    precision, such as `float32`. An ensemble, and one whose channels were pruned, is as its file has it, precision too.
    Of several outputs the first is used. A model of the user's own needs its plugin.

    Raises StoreError when record or weights are missing or the trial was not finished, SpecError when a part of the
    user's own is another than the one that was trained.
    """
    record, weights = find_record(model)
    trial = record.trial
    if record.status != "done":
        raise StoreError(f"{model}: the trial is {record.status} and has no network: {record.reason}")
    if not weights.is_file():
        raise StoreError(f"{model}: the weights of this trial were not kept, {weights} is not there; {NOT_KEPT}")
    _check_source(trial, model)
    task = _task(record, model)
    network = _network(trial, task, weights, precision or trial.recipe.precision)

    from ...runtimes import RUNTIMES
    from ..trial.image_options import preprocess_of, reading_of
    from ..trial.windows import AUTO_MIB, Windows

    windows = Windows.of(network, trial.recipe)
    asked = AUTO_MIB if trial.recipe.predict_mib == "auto" else max(1, trial.recipe.predict_mib)
    preprocess = preprocess_of(trial.dataset)
    return Segmenter(
        source=task if preprocess.colour == "keep" else replace(task, channels=3, modalities=()),
        task=task,
        preprocess=preprocess,
        forward=RUNTIMES["keras"](network),
        windows=windows.options,
        threshold=record.selection["threshold"],
        mirror=trial.recipe.mirror,
        mirrored_axes=trial.recipe.augment.flips,
        name=trial.id,
        objects=trial.dataset.options.get("objects", "components"),
        reading=reading_of(trial.dataset),
        windows_within=_within(windows, asked),
    )


def _task(record: Record, model: Path) -> Task:
    own = dict(record.task)
    spacing = own.get("spacing_mm")
    try:
        own |= {"classes": tuple(own["classes"]), "spacing_mm": tuple(spacing) if spacing else None}
        return Task(**{**own, "modalities": tuple((name, count) for name, count in own.get("modalities", ()))})
    except (KeyError, TypeError, ValueError, DataError) as error:
        raise StoreError(f"{model}: its record does not say what it segments ({one_line(error)})") from None


def _check_source(trial: Trial, file: Path) -> None:
    from ...models import MODELS

    members = trial.derivation.members if trial.derivation is not None else ()
    for name in dict.fromkeys([trial.model.name, *(member.model.name for member in members)]):
        trained = trial.sources.get(f"models {name}", "")
        if trained and name not in MODELS:
            raise SpecError(f"{file}: its model {name} is one of your own; give its file with --plugin")
        if (source_digest(MODELS.part(name)) or "") != trained:
            raise SpecError(
                f"{file}: the source of the model {name} is another than the one that was trained; give that "
                "one with --plugin"
            )


def _network(trial: Trial, task: Task, weights: Path, precision: str) -> Any:
    if task.rank == 3:  # read when TensorFlow is loaded; in 2D neither of its ways is the faster one
        os.environ.update(onednn.turned_on())
    import keras

    from ..deploy.trained import load_network
    from ..trial.compiled_model import build
    from ..trial.saved_network import put_weights

    if trial.is_untrained or (trial.derivation is not None and trial.derivation.step == "channels"):
        return load_network(weights)
    policy = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy(precision)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FallbackWarning)  # of weights to begin with, which the trained ones replace
            network = build(trial, task)
        put_weights(network, weights, trial.model.label)
    except Unfit:  # weights to begin with that are not on this machine
        return load_network(weights)
    finally:
        keras.mixed_precision.set_dtype_policy(policy)
    return network


def _within(windows: Any, asked_mib: int) -> Callable[[tuple[int, ...], int], dict[str, Any]]:
    def options(space: tuple[int, ...], mib: int) -> dict[str, Any]:
        least = math.prod(windows.patch)
        fewer = replace(windows, pixels=max(least, min(windows.pixels, windows.pixels * mib // asked_mib)))
        found = fewer.options(space)
        return {**found, "batch": max(1, min(found["batch"], fewer.pixels // math.prod(found["window"])))}

    return options
