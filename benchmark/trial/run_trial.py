"""One trial from listing to record. Whatever goes wrong becomes a record with its reason."""

import contextlib
import gc
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import keras
import numpy as np
import psutil

from ...core.errors import DataError, UnetbenchError, Unfit, one_line
from ...core.memory import memory_bytes, told
from ...core.record import Record, Status
from ...core.task import Task
from ...core.trial import Trial, canonical
from ...datasets.case import ROLES, Role
from ...datasets.object_labels import ObjectLabels
from ...datasets.patches import PatchSampler
from ...datasets.prepare import Held
from ...models.anatomy.cost import cost
from ...runtimes import RUNTIMES
from ..records.machine import machine, provenance
from ..records.store import Store
from ..timing.latency import time_calls
from .compiled_model import CompiledModel
from .context import Context, OpenedDataset, open_dataset
from .evaluate import evaluate
from .train import ProgressCallback, train
from .validate import ValidationCases
from .windows import Windows


@dataclass
class WorkerCache:
    """What a worker keeps from one trial to the next: the traced compiled, and the prepared training cases.

    Test cases are never kept: each trial reads them again, after its own selection is frozen.
    """

    compiled: CompiledModel | None = None
    key: str = ""
    prepared: dict[str, Sequence[Held]] = field(default_factory=dict)
    objects: ObjectLabels = field(default_factory=ObjectLabels)


def run_trial(trial: Trial, context: Context, cache: WorkerCache, on_progress: ProgressCallback) -> Record:
    """Run a trial and return its record; only KeyboardInterrupt and SystemExit pass through."""
    started, about, fields = now(), provenance(keras.backend.backend(), context.threads), {}
    status: Status = "done"
    reason = trace = ""
    try:
        _perform(trial, context, cache, on_progress, fields)
    except Unfit as error:
        status, reason = "unfit", one_line(error)
    except UnetbenchError as error:
        status, reason = "failed", one_line(error)
    except Exception as error:  # a part's own bug must not end the sweep; the record keeps where it was
        status, reason, trace = "failed", one_line(error), traceback.format_exc()
        cache.compiled = None
    fields.setdefault("timing", {})["peak_bytes"] = float(_peak_bytes())
    return Record(trial, status, reason, started, now(), **about, traceback=trace, **fields)


def now() -> str:
    """The time, ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _perform(
    trial: Trial, context: Context, cache: WorkerCache, on_progress: ProgressCallback, fields: dict[str, Any]
) -> None:
    store = Store.here(context.results, context.sweep)
    timing: dict[str, float] = {}
    fields["timing"] = timing
    on_progress({"phase": "load"})
    clock = time.perf_counter()
    opened = open_dataset(trial.dataset, trial.split, context)
    fields["task"], fields["data"] = asdict(opened.task), _data(opened)
    compiled = _compiled(trial, opened.task, cache, fields)
    if "missing_weights" in compiled.initialisation:
        on_progress({"phase": "warning", "text": f"{compiled.initialisation['missing_weights']}; it starts at random"})
    timing["build_s"] = time.perf_counter() - clock
    clock = time.perf_counter()
    with _fits_memory(opened, context):
        training = _prepared(trial, opened, cache, "train", context, on_progress)
        validation = _prepared(trial, opened, cache, "validation", context, on_progress)
    timing["load_s"] = time.perf_counter() - clock
    for remark in cache.objects.remarks():
        fields["data"]["notes"].append(remark)
        on_progress({"phase": "warning", "text": remark})

    clock, recipe = time.perf_counter(), trial.recipe
    with _fits_memory(opened, context):
        sampler = PatchSampler(
            training,
            [case.name for case in opened.split.cases("train")],
            recipe.patch,
            recipe.batch,
            steps=recipe.steps,
            seed=trial.seed,
            augment=recipe.augment,
            foreground=recipe.foreground,
            ignore=opened.task.ignore,
            scratch=context.cases,
        )
        shown = len(sampler) * recipe.batch
        cases = ValidationCases.of(validation, recipe, shown, opened.task.ignore, context.cases)
    fields["data"] |= {"epoch_patches": shown, "validation_tiles": len(cases.tiles.images)}
    checkpoint = store.path("checkpoints", trial, ".npz")
    selection, fields["history"] = train(
        compiled, sampler, cases, recipe, on_progress=on_progress, checkpoint=checkpoint
    )
    fields["selection"] = asdict(selection)
    timing["train_s"] = time.perf_counter() - clock

    windows = Windows.of(compiled.model, recipe)
    result = evaluate(
        compiled.forward,
        selection,
        opened.split.cases("test"),
        opened,
        windows=windows,
        mirror=recipe.mirror,
        previews=context.previews,
        on_progress=on_progress,
    )
    fields["scores"], fields["prediction"] = result.scores, result.prediction()
    timing |= {"test_load_s": result.load_s, "predict_s": result.predict_s, "score_s": result.score_s}
    notes = fields["data"]["notes"]
    notes += [f"test case not scored: {reason}" for reason in result.missing]
    fields["data"]["unscored"] = len(result.missing)
    with _kept_going("previews", notes):
        if result.previews:
            store.put_previews(trial, result.previews)
    with _kept_going("weights", notes):
        if context.weights:
            compiled.network.save(store.path("weights", trial, ".keras"))
    fields["latency"] = _latency(compiled, trial, opened.task, context, on_progress)
    checkpoint.unlink(missing_ok=True)


def _compiled(trial: Trial, task: Task, cache: WorkerCache, fields: dict[str, Any]) -> CompiledModel:
    if cache.compiled is not None and cache.compiled.network_key == trial.network_key:
        cache.compiled.take(trial)
    else:
        cache.compiled = None
        keras.backend.clear_session()
        gc.collect()
        cache.compiled = CompiledModel(trial, task)
    spent = cost(cache.compiled.model, trial.recipe.patch)
    size = "×".join(map(str, trial.recipe.patch))
    fields["model"] = {**asdict(spent), "size": size, "weights_bytes": _weights_bytes(cache.compiled.model)}
    fields["model"] |= cache.compiled.initialisation
    return cache.compiled


@contextlib.contextmanager
def _fits_memory(opened: OpenedDataset, context: Context) -> Iterator[None]:
    """Name the option that needs less memory where cases are held in it and it does not suffice."""
    try:
        yield
    except MemoryError:
        if context.cache == "disk":
            raise
        raise DataError(
            f"{opened.dataset.name}: its training and validation cases do not fit into memory ({told(memory_bytes())} "
            "here); say `cache: disk` in the sweep file, or --cache disk"
        ) from None


def _prepared(
    trial: Trial,
    opened: OpenedDataset,
    cache: WorkerCache,
    role: Role,
    context: Context,
    on_progress: ProgressCallback,
) -> Sequence[Held]:
    key = canonical([asdict(trial.dataset), trial.split])
    if cache.key != key:
        cache.key, cache.prepared, cache.objects = key, {}, ObjectLabels()
    if role not in cache.prepared:
        on_case = _loading(len(opened.split.cases(role)), on_progress)
        cache.prepared[role] = opened.held(role, context.cases, cache.objects, on_case)
    return cache.prepared[role]


def _loading(count: int, on_progress: ProgressCallback) -> Callable[[int], None]:
    """What tells of cases as they are read, ten times a second at most."""
    last = time.perf_counter()

    def tell(done: int) -> None:
        nonlocal last
        if time.perf_counter() - last > 0.1:
            last = time.perf_counter()
            on_progress({"phase": "load", "step": done, "of": count})

    return tell


def _data(opened: OpenedDataset) -> dict[str, Any]:
    dataset, split = opened.dataset, opened.split
    counts = {role: len(split.cases(role)) for role in ROLES}
    groups = {f"{role}_groups": len({case.group for case in split.cases(role)}) for role in ROLES}
    return counts | groups | {"licence": dataset.licence, "citation": dataset.citation, "notes": list(dataset.notes)}


def _latency(
    compiled: CompiledModel, trial: Trial, task: Task, context: Context, on_progress: ProgressCallback
) -> list[dict[str, Any]]:
    options = context.latency
    if options is None:
        return []
    images = np.random.default_rng(0).standard_normal((options.batch, *trial.recipe.patch, task.channels), np.float32)
    rows: list[dict[str, Any]] = []
    for runtime in context.runtimes:
        on_progress({"phase": f"time {runtime.label}"})
        plain = runtime.label == "keras"
        call = compiled.forward if plain else RUNTIMES[runtime.name](compiled.model, **runtime.options)
        samples = time_calls(call, images, warmup=options.warmup, samples=options.samples, budget_s=options.budget_s)
        about = {"runtime": runtime.label, "device": machine()["gpu"] or machine()["cpu"], "batch": options.batch}
        about |= {"size": list(trial.recipe.patch), "channels": task.channels, "dtype": trial.recipe.precision}
        rows.append({**about, "warmup": options.warmup, "samples_s": samples})
    return rows


@contextlib.contextmanager
def _kept_going(what: str, notes: list[str]) -> Iterator[None]:
    """Note that an extra could not be written; scores that took hours are worth more than their pictures."""
    try:
        yield
    except OSError as error:
        notes.append(f"{what} not written: {error}")


def _weights_bytes(model: keras.Model) -> int:
    sizes = {"float32": 4, "float16": 2, "bfloat16": 2}
    return int(sum(np.prod(weight.shape) * sizes.get(str(weight.dtype), 4) for weight in model.weights))


def _peak_bytes() -> int:
    info = psutil.Process().memory_info()
    if hasattr(info, "peak_wset"):
        return info.peak_wset
    import resource

    scale = 1 if psutil.MACOS else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale
