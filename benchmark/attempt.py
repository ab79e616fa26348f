"""One trial from listing to record. Whatever goes wrong becomes a record with its reason."""

import contextlib
import gc
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import keras
import numpy as np
import psutil

from ..core.errors import UnetbenchError, Unfit, one_line
from ..core.record import Record, Status
from ..core.task import Task
from ..core.trial import Trial, canonical
from ..datasets.case import ROLES, Role
from ..datasets.patches import PatchSampler
from ..datasets.prepare import Prepared
from ..models.cost import cost
from ..runtimes import RUNTIMES
from .context import Context, Listed, open_dataset
from .evaluate import evaluate
from .graph import Graph
from .latency import time_calls
from .machine import git, machine, versions
from .store import Store
from .train import Tell, train
from .validate import Tiles


@dataclass
class Bench:
    """What a worker keeps from one trial to the next: the traced graph, and the prepared training cases.

    Test cases are never kept: each trial reads them again, after its own selection is frozen.
    """

    graph: Graph | None = None
    key: str = ""
    prepared: dict[str, list[Prepared]] = field(default_factory=dict)


def attempt(trial: Trial, context: Context, bench: Bench, tell: Tell) -> Record:
    """Run a trial and return its record; only KeyboardInterrupt and SystemExit pass through."""
    started, about, facts = now(), surroundings(), {}
    status: Status = "done"
    reason = trace = ""
    try:
        _perform(trial, context, bench, tell, facts)
    except Unfit as error:
        status, reason = "unfit", one_line(error)
    except UnetbenchError as error:
        status, reason = "failed", one_line(error)
    except Exception as error:  # a part's own bug must not end the sweep; the record keeps where it was
        status, reason, trace = "failed", one_line(error), traceback.format_exc()
        bench.graph = None
    facts.setdefault("timing", {})["peak_bytes"] = float(_peak_bytes())
    return Record(trial, status, reason, started, now(), **about, traceback=trace, **facts)


def surroundings() -> dict[str, Any]:
    """The fields of a record that say where and with what it was made."""
    return {"machine": machine(), "versions": versions(keras.backend.backend()), "git": git()}


def now() -> str:
    """The time, ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _perform(trial: Trial, context: Context, bench: Bench, tell: Tell, facts: dict[str, Any]) -> None:
    store = Store(context.results, context.sweep, machine()["name"])
    timing: dict[str, float] = {}
    facts["timing"] = timing
    tell({"phase": "load"})
    clock = time.perf_counter()
    listed = open_dataset(trial.dataset, trial.split, context)
    facts["task"], facts["data"] = asdict(listed.task), _data(listed)
    graph = _graph(trial, listed.task, bench, facts)
    if "missing_weights" in graph.start:
        tell({"phase": "warning", "text": f"{graph.start['missing_weights']}; it starts at random"})
    timing["build_s"] = time.perf_counter() - clock
    clock = time.perf_counter()
    training, validation = _prepared(trial, listed, bench, "train"), _prepared(trial, listed, bench, "validation")
    timing["load_s"] = time.perf_counter() - clock

    clock, recipe = time.perf_counter(), trial.recipe
    sampler = PatchSampler(
        training,
        [case.name for case in listed.split.cases("train")],
        recipe.patch,
        recipe.batch,
        steps=recipe.steps,
        seed=trial.seed,
        augment=recipe.augment,
        foreground=recipe.foreground,
        ignore=listed.task.ignore,
    )
    cut = Tiles.of(validation, recipe.patch)
    checkpoint = store.path("checkpoints", trial, ".npz")
    selection, facts["history"] = train(graph, sampler, cut, recipe, tell=tell, checkpoint=checkpoint)
    facts["selection"] = asdict(selection)
    timing["train_s"] = time.perf_counter() - clock

    result = evaluate(
        graph.forward,
        selection,
        listed.split.cases("test"),
        listed,
        recipe=recipe,
        previews=context.previews,
        tell=tell,
    )
    facts["scores"] = result.scores
    timing |= {"test_load_s": result.load_s, "predict_s": result.predict_s, "score_s": result.score_s}
    notes = facts["data"]["notes"]
    with _kept_going("previews", notes):
        if result.previews:
            store.put_previews(trial, result.previews)
    with _kept_going("weights", notes):
        if context.weights:
            graph.model.save(store.path("weights", trial, ".keras"))
    facts["latency"] = _latency(graph, trial, listed.task, context, tell)
    checkpoint.unlink(missing_ok=True)


def _graph(trial: Trial, task: Task, bench: Bench, facts: dict[str, Any]) -> Graph:
    if bench.graph is not None and bench.graph.key == trial.graph:
        bench.graph.reset(trial)
    else:
        bench.graph = None
        keras.backend.clear_session()
        gc.collect()
        bench.graph = Graph(trial, task)
    spent = cost(bench.graph.model, trial.recipe.patch)
    size = "×".join(map(str, trial.recipe.patch))
    facts["model"] = {**asdict(spent), "size": size, "weights_bytes": _weights_bytes(bench.graph.model)}
    facts["model"] |= bench.graph.start
    return bench.graph


def _prepared(trial: Trial, listed: Listed, bench: Bench, role: Role) -> list[Prepared]:
    key = canonical([asdict(trial.dataset), trial.split])
    if bench.key != key:
        bench.key, bench.prepared = key, {}
    if role not in bench.prepared:
        cases = listed.split.cases(role)
        bench.prepared[role] = [listed.prepare(case) for case in cases]
    return bench.prepared[role]


def _data(listed: Listed) -> dict[str, Any]:
    dataset, split = listed.dataset, listed.split
    counts = {role: len(split.cases(role)) for role in ROLES}
    groups = {f"{role}_groups": len({case.group for case in split.cases(role)}) for role in ROLES}
    return counts | groups | {"licence": dataset.licence, "citation": dataset.citation, "notes": list(dataset.notes)}


def _latency(graph: Graph, trial: Trial, task: Task, context: Context, tell: Tell) -> list[dict[str, Any]]:
    options = context.latency
    if options is None:
        return []
    images = np.random.default_rng(0).standard_normal((options.batch, *trial.recipe.patch, task.channels), np.float32)
    rows: list[dict[str, Any]] = []
    for runtime in context.runtimes:
        tell({"phase": f"time {runtime.label}"})
        plain = runtime.label == "keras"
        call = graph.forward if plain else RUNTIMES[runtime.name](graph.model, **runtime.options)
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
