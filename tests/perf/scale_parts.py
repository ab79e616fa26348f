"""The parts of `scale.py`, each run in a process of its own: `python scale_parts.py PART FOLDER ARGUMENTS`."""

import argparse
import contextlib
import io
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from unetbench.benchmark.run.progress import Progress
from unetbench.core.memory import peak_bytes, reset_peak

SMALL = {
    "name": "small",
    "datasets": [{"name": "cells", "count": 12, "size": [64, 64]}],
    "models": [{"name": "unet", "width": 2, "depth": 1}],
    "losses": ["bce_dice"],
    "recipe": {"patch": [64, 64], "batch": 4, "epochs": 1},
    "previews": 0,
}

STARTED = {
    "models": [
        {"name": "unet", "width": 8},
        {"name": "attention_unet", "width": 8},
        {"name": "residual_unet", "width": 8},
        {"name": "unet_plus_plus", "width": 8},
    ],
    "losses": ["bce_dice", "tversky", "focal"],
}

WORKER_MIB = 100
"""A child of the driver with more memory than this is a worker that has loaded Keras."""


def _planning(folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
    from unetbench.benchmark.commands.status import status
    from unetbench.benchmark.naming.trial_names import TrialNames
    from unetbench.benchmark.records.planned import write_planned
    from unetbench.benchmark.records.store import Store
    from unetbench.benchmark.run.order import Queue
    from unetbench.benchmark.run.worker_process import WorkerProcess
    from unetbench.benchmark.sweep import plan
    from unetbench.benchmark.sweep.decode import decoded
    from unetbench.benchmark.trial.places import Place

    wanted, context = _sweep(folder, "planned", _many(arguments["count"]))
    store, seconds = Store(context.results, "planned", "nobody"), {}
    plan.trials(_sweep(folder, "few", _many(100))[0], context)  # what is imported is no part of it
    reset_peak()
    before, spent = peak_bytes(), time.process_time()
    planned = _timed(seconds, "trials and ids", lambda: _with_ids(plan.trials(wanted, context)))
    trials = [entry.trial for entry in planned]
    _timed(seconds, "records of them (none)", lambda: store.found(trials, rows=False))
    names = _timed(seconds, "names", lambda: TrialNames(trials, wanted.labels))
    planned = _timed(seconds, "data decoded (generated)", lambda: decoded(planned, folder / "decoded", {}))
    _timed(
        seconds, "planned.json", lambda: write_planned(store.folder, {trial.id: str(names[trial]) for trial in trials})
    )
    expected = {trial.id: float(trial.model.options["width"]) for trial in trials}
    queue = _timed(seconds, "queue, longest first", lambda: Queue(trials, expected, 8))
    workers = [WorkerProcess(None, None, None, Place("tensorflow"), Path()) for _ in range(8)]
    _timed(seconds, "handing all out to 8 workers", lambda: _hand_out(queue, workers))
    mib = (peak_bytes() - before) / 2**20
    store.put_sweep(wanted.resolved)
    words = argparse.Namespace(results=store.folder, json=False)
    _timed(seconds, "status", lambda: _silent(lambda: status(words)))
    return {"trials": len(trials), "seconds": seconds, "mib": mib, "cpu_s": time.process_time() - spent}


def _command(folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
    from unetbench.benchmark.cli import main

    _sweep(folder, "asked", _many(arguments["count"]))
    begun = time.perf_counter()
    words = ["plan", str(folder / "asked.yaml"), "--results", str(folder / "results")]
    status = _silent(lambda: main(words))
    seconds = time.perf_counter() - begun
    assert status == 0
    cpu_s = time.process_time()
    return {"trials": arguments["count"], "seconds": seconds, "mib": peak_bytes() / 2**20, "cpu_s": cpu_s}


def _with_ids(planned: list[Any]) -> list[Any]:
    for entry in planned:
        assert entry.trial.id
    return planned


def _hand_out(queue: Any, workers: list[Any]) -> None:
    """Each worker ends its trial as soon as all have one."""
    while len(queue):
        for worker in workers:
            worker.trial = None
            trial = queue.take(workers, {}, worker)
            worker.trial = worker.before = trial or worker.before


def _records(folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
    from unetbench.benchmark.commands.status import status
    from unetbench.benchmark.records.machine import machine
    from unetbench.benchmark.records.planned import write_planned
    from unetbench.benchmark.records.sample import sample
    from unetbench.benchmark.records.store import Store
    from unetbench.benchmark.sweep import plan
    from unetbench.benchmark.sweep.estimates import expected_seconds
    from unetbench.benchmark.sweep.incomplete import incomplete
    from unetbench.benchmark.sweep.throughput import Throughput
    from unetbench.core.record import Record

    wanted, context = _sweep(folder, "recorded", _many(arguments["count"]))
    planned = plan.trials(wanted, context)
    store, seconds = Store.here(context.results, "recorded"), {}
    epochs = [
        {"epoch": k, "loss": 0.1, "val_loss": 0.1, "val_dice": 0.9, "train_s": 1.0, "validate_s": 0.1}
        for k in range(60)
    ]
    rows = [
        {"case": f"cell_{k:05}", "class": "cell", "empty": "none", "tp": 1000, "fp": 1, "dice": 0.9, "iou": 0.8}
        for k in range(100)
    ]
    about = {"machine": machine(), "versions": {"backend": "tensorflow"}, "training": {"device": "cpu"}}
    about |= {"data": {"train": 8, "validation": 1, "test": 3}, "timing": {"train_s": 66.0}}
    for entry in planned[: arguments["recorded"]]:
        record = Record(entry.trial, "done", history=epochs, scores=rows, **about)
        file = store.records / f"{entry.trial.id}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(record.to_json(), "utf-8")
    write_planned(store.folder, {entry.trial.id: entry.trial.label for entry in planned})
    store.put_sweep(wanted.resolved)
    trials = [entry.trial for entry in planned]
    _timed(seconds, "checked for other hardware", store.check)
    found = _timed(seconds, "found, without rows", lambda: store.found(trials, rows=False))
    _timed(seconds, "found, whole", lambda: store.found(trials))
    _timed(seconds, "looked through for unlisted data", lambda: list(store.own_records()))
    _timed(seconds, "what they lack", lambda: incomplete(found, store, {"": context}))
    _timed(seconds, "copied from other sweeps (none)", lambda: store.copy_from_other_sweeps(trials))
    _timed(
        seconds,
        "expected times by 300 of them",
        lambda: expected_seconds(planned, Throughput(sample(context.results))),
    )
    words = argparse.Namespace(results=store.folder, json=False)
    _timed(seconds, "status", lambda: _silent(lambda: status(words)))
    return {"seconds": seconds}


class Watch(Progress):
    """Reads the clock where the driver tells of a trial. rows: of the trials in their order."""

    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.rows: list[dict[str, Any]] = []
        self._row: dict[str, Any] = {}
        self._workers: dict[int, psutil.Process] = {}
        self._ended = self._own_s = 0.0
        self._cpu_s: dict[int, float] = {}

    def start(self, trial: Any, where: str = "", host: str = "") -> None:
        super().start(trial, where, host)
        now = time.perf_counter()
        driver_s = now - self._ended - self._own_s if self._ended else 0.0
        self._row = {"begun": now, "driver_s": driver_s, "network": trial.network_key, "compiled": trial.compile_key}

    def on_progress(self, trial: Any, event: Any) -> None:
        super().on_progress(trial, event)
        if event["phase"] == "epoch" and "starting_s" not in self._row:
            spent = event["train_s"] + event["validate_s"]
            self._row["starting_s"] = time.perf_counter() - self._row["begun"] - spent

    def finish(self, record: Any, *, elsewhere: bool = False) -> None:
        now = time.perf_counter()
        super().finish(record, elsewhere=elsewhere)
        looking = time.perf_counter()
        own_s, ended = self._own_s, self._ended
        if not all(process.is_running() for process in self._workers.values()) or not self._workers:
            self._workers |= {
                child.pid: child
                for child in psutil.Process().children()
                if child.memory_info().rss > WORKER_MIB * 2**20
            }
        alive = [process for process in self._workers.values() if process.is_running()]
        self._row |= {"wall_s": now - ended - own_s if ended else now - self._row["begun"]}
        self._row |= {"workers": len(self._workers), "driver_mib": psutil.Process().memory_info().rss / 2**20}
        self._row["worker_mib"] = max((process.memory_info().rss for process in alive), default=0) / 2**20
        cpu_s = {process.pid: sum(process.cpu_times()[:2]) for process in alive}
        self._row["worker_cpu_s"] = sum(spent - self._cpu_s.get(process, 0.0) for process, spent in cpu_s.items())
        self._cpu_s = cpu_s
        self._row |= {"build_s": record.timing.get("build_s"), "first_step_s": record.training.get("first_step_s")}
        self.rows.append(self._row)
        self._ended, self._own_s = now, time.perf_counter() - looking  # looking is no part of what it costs


def _sweep_of_trials(folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
    watch = Watch()
    outcome, cpu_s = _run(folder, {**SMALL, "seeds": arguments["count"]}, 1, watch)
    done = sum(record.status == "done" for record in outcome.made)
    return {"trials": watch.rows, "driver_cpu_s": cpu_s, "done": done == arguments["count"]}


def _starting(folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
    """Each row says what the worker had done before: `nothing`, or a trial of the same or of another thing."""
    watch = Watch()
    _run(folder, {**SMALL, **STARTED, "seeds": arguments["seeds"]}, 1, watch)
    networks: dict[str, None] = {}
    before = ""
    for row in watch.rows:
        row["after"] = "nothing" if not networks else "another network"
        if row["compiled"] == before:
            row["after"] = "another seed"
        elif row["network"] in networks:
            row["after"] = "another loss"
        networks[row["network"]], before = None, row["compiled"]
    return {"trials": watch.rows}


def _workers(folder: Path, arguments: dict[str, Any]) -> dict[str, Any]:
    begun = time.perf_counter()
    outcome, _ = _run(folder, {**SMALL, "seeds": arguments["count"]}, arguments["workers"], Progress(quiet=True))
    assert outcome.fine
    return {"wall_s": time.perf_counter() - begun}


def _run(folder: Path, content: dict[str, Any], workers: int, progress: Progress) -> tuple[Any, float]:
    """Run trials in a folder of their own; the outcome, and the processor time of this process meanwhile."""
    from unetbench.benchmark.run.runner import Runner
    from unetbench.benchmark.sweep import plan

    place = Path(tempfile.mkdtemp(dir=folder))
    wanted, context = _sweep(place, "small", content)
    planned = plan.trials(wanted, context)
    spent = time.process_time()
    outcome = Runner(context, workers=workers, progress=progress).run([entry.trial for entry in planned], settled={})
    return outcome, time.process_time() - spent


def _many(count: int) -> dict[str, Any]:
    """25 networks × 4 losses × seeds."""
    models = [{"name": "unet", "width": 4 + k} for k in range(25)]
    return {**SMALL, "models": models, "losses": ["bce", "dice", "bce_dice", "tversky"], "seeds": max(1, count // 100)}


def _sweep(folder: Path, name: str, content: dict[str, Any]) -> tuple[Any, Any]:
    """The sweep and its run settings, without timing of runtimes."""
    import yaml

    from unetbench.benchmark.sweep import file as sweep
    from unetbench.benchmark.trial.context import Context
    from unetbench.datasets.source import Source

    file = folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump({**content, "name": name}), "utf-8")
    source = Source(None, folder / "cache", False)
    return sweep.read(file), Context(source, folder, folder / "results", name, previews=0)


def _timed(seconds: dict[str, float], step: str, act: Callable[[], Any]) -> Any:
    begun = time.perf_counter()
    found = act()
    seconds[step] = time.perf_counter() - begun
    return found


def _silent(act: Callable[[], Any]) -> Any:
    with contextlib.redirect_stdout(io.StringIO()):
        return act()


PARTS = {
    "planning": _planning,
    "command": _command,
    "records": _records,
    "starting": _starting,
    "sweep": _sweep_of_trials,
    "workers": _workers,
}

if __name__ == "__main__":
    part, place, arguments = sys.argv[1:]
    print(json.dumps(PARTS[part](Path(place), json.loads(arguments))))
