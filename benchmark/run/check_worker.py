"""Parts of the user's own, run once in a worker process before anything is trained: they may kill it or never end."""

import time
from dataclasses import replace

from ...core.record import Record
from ..records.machine import now, provenance
from ..trial.context import Context
from ..trial.own_parts import PartCheck
from .worker_process import WorkerProcess


def checked(check: PartCheck, worker: WorkerProcess, context: Context, limit_s: float) -> Record | None:
    """The record of a check that failed, or that killed its process or took longer than `limit_s`, else None."""
    worker.forget_log()
    worker.send(check)
    since = 0.0
    try:
        while not since or not limit_s or time.monotonic() - since < limit_s:
            if not worker.pipe.poll(0.5):
                continue
            message = worker.pipe.recv()
            if message[0] == "record":
                record = Record.from_json(message[1]) if message[1] else None
                return record and replace(record, log=record.log or worker.last_lines())
            since = time.monotonic()  # loading TensorFlow is not the part's time
    except (EOFError, ConnectionResetError):
        status, reason = "failed", worker.exit_reason()
    else:
        worker.kill()
        status, reason = "timed_out", f"took longer than {limit_s:g} s"
    about = provenance(threads=context.threads)
    return Record(check.trial, status, f"{check.part}: {reason}", finished=now(), log=worker.last_lines(), **about)
