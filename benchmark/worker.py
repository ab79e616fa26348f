"""The process a trial trains in. It is spawned: after TensorFlow was used, a fork hangs."""

import contextlib
import os
import sys
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

from ..core.registry import plug
from .context import Context


def work(pipe: Connection, context: Context, log: Path) -> None:
    """Run trials that come through the pipe until None comes.

    Sends ("tell", event) while a trial runs and ("record", json, resident_bytes) at its end. What libraries print goes
    to the log file.
    """
    _redirect(log)
    _limit_threads(context.threads)
    from .attempt import Bench, attempt  # Keras and TensorFlow are loaded here, after the environment is set

    for plugin in context.plugins:
        plug(plugin)
    bench = Bench()
    with contextlib.suppress(EOFError, BrokenPipeError, KeyboardInterrupt):  # the driver is gone: so is the work
        while (trial := pipe.recv()) is not None:
            record = attempt(trial, context, bench, lambda event: pipe.send(("tell", event)))
            pipe.send(("record", record.to_json(), psutil.Process().memory_info().rss))


def _redirect(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(file, stream.fileno())


def _limit_threads(threads: int) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if threads:
        for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
            os.environ[name] = str(threads)
