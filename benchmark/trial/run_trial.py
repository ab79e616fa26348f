"""One trial from listing to record. Whatever goes wrong becomes a record with its reason."""

import contextlib
import gc
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from typing import Any

import keras

from ...core import memory
from ...core.errors import OutOfMemory, UnetbenchError, Unfit, one_line
from ...core.files import written_aside
from ...core.recipe import Recipe
from ...core.record import Record, Status
from ...core.task import Task
from ...core.trial import Trial
from ...datasets.weak.cost import annotation
from ...datasets.weak.kinds import options_of
from ...losses.readable_labels import check_labels
from ..records.machine import now, provenance
from ..records.store import IN_PARTS, WHOLE, Store
from . import device
from .assemble import assemble_trial
from .averages import Averages, save_averages
from .averaging import wanted_of
from .compiled_model import CompiledModel
from .conditions import conditions
from .context import Context, open_dataset
from .evaluate import evaluate
from .micro_batches import in_parts, lacks_memory, out_of_memory
from .origin import Origin, lighter_facts, origin_of, pruning_of
from .own_parts import PartCheck, own_metrics
from .part_checks import check_loss, check_network, check_part
from .probabilities import KIND, write_probabilities
from .step_clock import StepClock
from .timed import latency, peaks
from .train import ProgressCallback, train
from .trained import Trained, WorkerCache, data_facts, network_facts
from .training_set import fits_memory, training_set
from .update import averaged, kept_facts, prepared
from .windows import Windows


def run_trial(
    trial: Trial, context: Context, cache: WorkerCache, on_progress: ProgressCallback, *, parts: int = 0
) -> Record:
    """Run a trial and return its record; only KeyboardInterrupt and SystemExit pass through.

    parts: how many a step takes its batch in, whatever the recipe says; 0: as it says.
    """

    def perform(fields: dict[str, Any]) -> None:
        if trial.is_untrained:
            made = assemble_trial(trial, context, cache, on_progress, fields)
        else:
            made = train_trial(trial, context, cache, on_progress, fields, parts=parts)
        _test(trial, context, made, on_progress, fields)

    return recorded(trial, context, cache, perform)


def recorded(trial: Trial, context: Context, cache: WorkerCache, perform: Callable[[dict[str, Any]], None]) -> Record:
    """The record of what `perform` does, which fills in its fields; only what passes through `run_trial` does."""
    started, fields = now(), {}
    status: Status = "done"
    reason = trace = ""
    memory.reset_peak()
    try:
        perform(fields)
    except Exception as error:  # a part's own bug must not end the sweep; the record keeps where it was
        status, reason, trace = _outcome(error)
        if not isinstance(error, UnetbenchError) or isinstance(error, OutOfMemory):
            cache.compiled = None
    timing = fields.setdefault("timing", {})
    timing["peak_bytes"] = max(timing.get("peak_bytes", 0.0), float(memory.peak_bytes()))
    about = provenance(keras.backend.backend(), context.threads)
    return Record(trial, status, reason, started, now(), **about, traceback=trace, **fields)


def failed_check(check: PartCheck, context: Context) -> Record | None:
    """Run a part of the user's own as the trial uses it; the trial's record when it does not do what it must.

    None too where the trial's own run tells: for data that cannot be listed and a model that is unfit.
    """
    started, trial = now(), check.trial
    try:
        check_part(check, open_dataset(trial.dataset, trial.split, context), context)
    except Unfit:
        return None
    except Exception as error:  # whatever it is, it would meet every trial with that part
        _, reason, trace = _outcome(error)
        about = provenance(keras.backend.backend(), context.threads)
        return Record(trial, "failed", reason, started, now(), **about, traceback=trace)
    return None


def _outcome(error: Exception) -> tuple[Status, str, str]:
    """Status, reason and traceback of a record; none of the latter for what is the input's fault."""
    inner = not isinstance(error, UnetbenchError) or error.__cause__ is not None
    trace = "".join(traceback.format_exception(error)) if inner else ""
    return "unfit" if isinstance(error, Unfit) else "failed", one_line(error), trace


def train_trial(
    asked: Trial,
    context: Context,
    cache: WorkerCache,
    on_progress: ProgressCallback,
    fields: dict[str, Any],
    *,
    parts: int = 0,
    until: int = 0,
) -> Trained:
    """Train and select; what a record tells of it is put into `fields` as it becomes known.

    parts: as `run_trial` has it. until: as `train` has it.
    """
    store, trial = Store.here(context.results, context.sweep), in_parts(asked, parts)
    timing: dict[str, float] = {}
    fields["timing"] = timing
    on_progress({"phase": "load"})
    device.require(trial.device)
    clock = time.perf_counter()
    opened = open_dataset(trial.dataset, trial.split, context)
    fields["task"], fields["data"] = opened.task.to_json(), data_facts(opened)
    check_labels(trial.loss.name, trial.loss.options, options_of(opened.labels))
    origin = prepared(trial, origin_of(trial, store), context, store)
    compiled = _compiled(trial, opened.task, cache, fields, origin)
    if "missing_weights" in compiled.initialisation:
        on_progress({"phase": "warning", "text": f"{compiled.initialisation['missing_weights']}; it starts at random"})
    timing["build_s"] = time.perf_counter() - clock
    clock = time.perf_counter()
    with fits_memory(opened, context):
        training = cache.cases.of("train", trial, opened, context, on_progress)
        validation = cache.cases.of("validation", trial, opened, context, on_progress)
    timing["load_s"] = time.perf_counter() - clock
    if opened.arrived is not None:
        fields["data"]["kept"] = kept_facts(opened, training, validation)
    if opened.labels is not None:
        fields["data"]["annotation"] = annotation(opened.labels, cache.cases.objects.drawn)
    for remark in cache.cases.objects.remarks():
        fields["data"]["notes"].append(remark)
        on_progress({"phase": "warning", "text": remark})

    clock, recipe = time.perf_counter(), trial.training
    checkpoint = store.path("checkpoints", asked, IN_PARTS if parts else WHOLE)
    with fits_memory(opened, context):
        sampler, cases = training_set(trial, opened, training, validation, context.cases)
    patches = len(sampler) * recipe.batch
    fields["data"] |= {"epoch_patches": patches, "validation_tiles": len(cases.tiles.images)}
    steps = StepClock(recipe.batch, recipe.micro_batches)
    timing["peak_bytes"] = float(steps.before_bytes)
    wanted = wanted_of(asked, context.averagings)
    averages = Averages(compiled.network, wanted, recipe, compiled.model) if wanted else None
    with _memory_told(recipe, fields):
        selection, fields["history"] = train(
            compiled,
            sampler,
            cases,
            recipe,
            on_progress=on_progress,
            checkpoint=checkpoint,
            pruning=pruning_of(trial),
            clock=steps,
            until=until,
            averages=averages,
        )
    if origin is not None and not until:
        selection = averaged(trial, origin, compiled, sampler, cases, selection=selection)
    if averages is not None and not until:
        with _kept_going("averaged weights", fields["data"]["notes"]):
            save_averages(store.path("averages", asked, ".npz"), averages)
    fields["model"] |= lighter_facts(trial, origin, compiled.network)
    fields["selection"], fields["training"] = asdict(selection), steps.reading()
    if recipe.micro_batches > 1:
        fields["training"]["batch_statistics"] = compiled.takes_batch_statistics
    timing["train_s"] = time.perf_counter() - clock
    return Trained(trial, opened, compiled, cases, selection, store)


def _test(asked: Trial, context: Context, made: Trained, on_progress: ProgressCallback, fields: dict[str, Any]) -> None:
    """Score the selected model on test cases and time it."""
    trial, opened, compiled, store = made.trial, made.opened, made.compiled, made.store
    recipe, timing = trial.training, fields["timing"]
    windows = Windows.of(compiled.model, recipe)
    result = evaluate(
        compiled.forward,
        made.selection,
        opened.split.cases("test"),
        opened,
        windows=windows,
        mirror=recipe.mirror,
        previews=context.previews,
        on_progress=on_progress,
        keep=partial(write_probabilities, store.path(KIND, asked, "")) if context.probabilities else None,
    )
    fields["scores"], fields["prediction"] = result.scores, result.prediction()
    timing |= {"test_load_s": result.load_s, "predict_s": result.predict_s, "score_s": result.score_s}
    notes = fields["data"]["notes"]
    notes += result.notes()
    clock = time.perf_counter()
    if tested := conditions(
        compiled.forward,
        made.selection,
        opened,
        trial.dataset,
        windows=windows,
        mirror=recipe.mirror,
        on_progress=on_progress,
    ):
        fields["prediction"]["conditions"] = tested
        timing["conditions_s"] = time.perf_counter() - clock
        notes += [
            f"test case not scored with {' and '.join(one['modalities'])} alone: {reason}"
            for one in tested
            for reason in one["unscored"]
        ]
    fields["data"] |= {"unscored": len(result.missing), "metrics": own_metrics()}
    with _kept_going("previews", notes):
        if result.previews:
            store.put_previews(asked, result.previews)
    with _kept_going("weights", notes):
        if context.weights:
            with written_aside(store.path("weights", asked, ".keras")) as aside:
                compiled.network.save(aside)
    fields["latency"] = latency(compiled, trial, opened.task, context, on_progress, notes)
    if context.latency is not None and context.latency.peaks:
        timing["peak_bytes"] = max(timing.get("peak_bytes", 0.0), float(memory.peak_bytes()))
        peaks(store, recipe.precision, context, on_progress, notes)
        memory.reset_peak()  # what was measured beside the trial is none of its memory


def _compiled(
    trial: Trial, task: Task, cache: WorkerCache, fields: dict[str, Any], origin: Origin | None
) -> CompiledModel:
    same = cache.compiled is not None and cache.compiled.network_key == trial.network_key
    if cache.compiled is None or cache.compiled.key != trial.compile_key:
        check_loss(f"loss {trial.loss.name}", trial.loss, task, trial.recipe.patch)
    if same and cache.compiled is not None:
        cache.compiled.take(trial)
    else:
        cache.compiled = None
        keras.backend.clear_session()
        gc.collect()
        cache.compiled = CompiledModel(trial, task, origin)
        check_network(f"model {trial.model.name}", cache.compiled.network, trial, task, cache.compiled.forward)
    fields["model"] = network_facts(cache.compiled.model, trial.recipe) | cache.compiled.initialisation
    return cache.compiled


@contextlib.contextmanager
def _memory_told(recipe: Recipe, fields: dict[str, Any]) -> Iterator[None]:
    """Tell an error for want of memory, and how many patches were too many, from all others."""
    try:
        yield
    except Exception as error:
        if not lacks_memory(error):
            raise
        fields["training"] = {"out_of_memory": recipe.micro_batch}
        raise out_of_memory(error, recipe) from error


@contextlib.contextmanager
def _kept_going(what: str, notes: list[str]) -> Iterator[None]:
    """Note that an extra could not be written; scores that took hours are worth more than their pictures."""
    try:
        yield
    except OSError as error:
        notes.append(f"{what} not written: {error}")
