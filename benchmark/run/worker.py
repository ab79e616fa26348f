"""The process a trial trains in. It is spawned: after TensorFlow was used, a fork hangs."""

import contextlib
import faulthandler
import io
import multiprocessing
import os
import sys
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from ...core.errors import Stopped
from ...core.registry import load_plugin
from ..records.machine import machine
from ..trial.context import Context
from ..trial.micro_batches import Again
from ..trial.own_parts import PartCheck
from ..trial.places import Place
from ..trial.search_trial import SearchTrial
from .tensorflow_log import quiet_tensorflow

STOP = "stop"
"""Comes while a trial runs: it is to end at its next epoch."""


def work(pipe: Connection, context: Context, place: Place, log: Path) -> None:
    """Do what comes through the pipe, trials and checks of parts, until None comes; all of it computes in one place.

    Trials of a search come as `SearchTrial`; their records have no scores. Sends ("tell", event) while a trial runs,
    and at its end ("record", json, resident_bytes), or ("stopped",) where it ended at a checkpoint; for a check, the
    record of a trial that it fails, or None in place of the json. What libraries print goes to the log file.
    """
    _redirect(log)
    faulthandler.enable(all_threads=False)
    threading.Thread(target=_end_with_driver, daemon=True).start()
    machine()  # named before the environment below limits threads or GPUs: a share of a machine is no other machine
    _go_to(place)
    _share(context.threads)
    quiet_tensorflow()
    from ..trial.run_search import run_search_trial
    from ..trial.run_trial import (  # Keras and its backend are loaded here, after the environment is set
        WorkerCache,
        failed_check,
        run_trial,
    )

    for plugin in context.plugins:
        load_plugin(plugin)
    cache, stops = WorkerCache(), [False]

    def tell(event: dict[str, Any]) -> bool:
        pipe.send(("tell", event))
        stops[0] = stops[0] or (pipe.poll() and pipe.recv() == STOP)
        return stops[0]

    with contextlib.suppress(EOFError, BrokenPipeError, KeyboardInterrupt):  # the driver is gone: so is the work
        while (order := pipe.recv()) is not None:
            if order == STOP:  # its trial ended while it was sent
                continue
            try:
                if isinstance(order, PartCheck):
                    pipe.send(("tell", {"phase": "check"}))
                    record = failed_check(order, context)
                elif isinstance(order, Again):
                    record = run_trial(order.trial, context, cache, tell, parts=order.parts)
                elif isinstance(order, SearchTrial):
                    record = run_search_trial(order, context, cache, tell)
                else:
                    record = run_trial(order, context, cache, tell)
            except Stopped:
                pipe.send(("stopped",))
                continue
            pipe.send(("record", record and record.to_json(), psutil.Process().memory_info().rss))


def _end_with_driver() -> None:
    """A driver that is killed says nothing; what it began must not compute on beside whoever takes its trial over."""
    driver = multiprocessing.parent_process()
    if driver is not None:
        driver.join()
        os._exit(1)


def _redirect(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(file, stream.fileno())
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)  # what is printed is there when the process is killed


def _go_to(place: Place) -> None:
    for name, value in place.environment().items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _share(threads: int) -> None:
    """Leave the other workers their cores, and their part of a GPU's memory."""
    if threads:
        for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
            os.environ[name] = str(threads)
        os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
