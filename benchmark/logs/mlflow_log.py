"""A sweep in MLflow: one run for each trial."""

import contextlib
import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...core.errors import SpecError, Unavailable
from ...core.record import Record
from ...core.trial import Trial
from ..run.listener import Listener, SweepState
from ..run.progress_text import without_password
from ..run.running import Running
from .facts import ended, readings, settings, test_means, timed

TRIAL, MACHINE = "unetbench.trial", "unetbench.machine"
"""Tags by which the run of a trial is found again: ids, and the machine whose record it is."""

SEND_S = 2.0
"""Seconds between two messages about the epochs of a trial, which may be short."""

AT_ONCE = 900
"""Readings in one message; a server takes 1000."""

ENVIRONMENT = {
    # A server that is down is to hold the sweep up for seconds, and not for the minutes of MLflow's defaults.
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",  # it is the user's to say who hears of a sweep
}
"""What holds for MLflow where the user has not said otherwise."""

QUIETER = {"mlflow": logging.WARNING, "alembic": logging.WARNING, "urllib3.connectionpool": logging.ERROR}
"""Levels of loggers whose news, of a database that is made or of a second try, would stand between the lines of
progress; an error is raised as well."""

WAITS_S = (1.0, 2.0, 4.0, 8.0)
"""Pauses after which a new database is opened once more: of several that begin it at once, only one can."""


class MlflowLog(Listener):
    """Logs settings, readings of each epoch, means on the test cases and the record of each trial.

    address: of a tracking server or a database. sweep: name of the experiment. machine: tagged beside the trial's id,
    by both of which a run is found again. policy: for empty masks, as in the sweep file. is_elsewhere(id): whether a
    driver that lives has the trial.

    A trial that is run again has a new run in the place of the one before, which is deleted (MLflow keeps it for
    `mlflow gc`); from a checkpoint it takes along the epochs that this had. Runs that a killed driver left RUNNING are
    ended. A trial that was settled before is logged from its record where it has no run that ended. Raises
    Unavailable when MLflow is not installed, and SpecError for the address of a folder.
    """

    def __init__(
        self, address: str, sweep: str, *, machine: str, policy: str, is_elsewhere: Callable[[str], bool]
    ) -> None:
        if not re.match(r"(?!file:)[a-z0-9+]{2,}:|databricks", address):
            advice = f"give a server, http://…, or a database, sqlite:///{Path(address).name or 'mlflow'}.db"
            raise SpecError(f"--mlflow {address}: MLflow logs to folders no longer; {advice}")
        if find_spec("mlflow") is None:
            raise Unavailable("--mlflow needs the package mlflow; install it with pip install 'unetbench[mlflow]'")
        self.name, self.address, self.sweep = f"MLflow at {without_password(address)}", address, sweep
        self.machine, self.policy, self.is_elsewhere = machine, policy, is_elsewhere
        self.client: Any = None
        self.experiment = ""
        self.runs: dict[str, str] = {}
        self.waiting: dict[str, list[Any]] = {}
        self.sent: dict[str, float] = {}
        self.complete: set[str] = set()

    def begin(self, state: SweepState) -> None:
        """Make the database and the experiment, end what a killed driver left, and see what is there."""
        self.client = _client(self.address)
        self.experiment = self._experiment()
        for run in self._found(f"tags.`{MACHINE}` = '{self.machine}'"):
            key = run.data.tags.get(TRIAL, "")
            if run.info.status == "RUNNING" and not self.is_elsewhere(key):
                self.client.set_terminated(run.info.run_id, "KILLED")
            elif run.info.status == "FINISHED":
                self.complete.add(key)

    def known(self, state: SweepState, record: Record, name: str) -> None:
        """Log it, if it is not there."""
        if record.trial.id not in self.complete:
            self._log_whole(record, name)

    def reject(self, state: SweepState, record: Record, name: str) -> None:
        """Log that it failed."""
        self._log_whole(record, name)

    def start(self, state: SweepState, running: Running) -> None:
        """Begin its run."""
        self._begin(running.trial, running.name, time.time())

    def on_progress(self, state: SweepState, running: Running, event: Mapping[str, Any]) -> None:
        """Log an epoch, or those that a checkpoint had."""
        key = running.trial.id
        if event["phase"] == "epoch":
            self._epochs(key, [event], time.time())
            if time.monotonic() - self.sent[key] > SEND_S:
                self._send(key)
        elif event["phase"] == "resume":
            self._epochs(key, event["history"], time.time())

    def stop(self, state: SweepState, running: Running) -> None:
        """End its run as killed."""
        self._kill(running.trial.id)

    def finish(self, state: SweepState, record: Record, name: str, running: Running | None) -> None:
        """Log means, record and status, and end its run; of another driver's, that is up to that one."""
        if record.trial.id in self.runs:
            self._end(record)

    def end(self, state: SweepState) -> None:
        """End the runs of what is broken off."""
        for key in list(self.runs):
            self._kill(key)

    def _log_whole(self, record: Record, name: str) -> None:
        at, took = ended(record, time.time()), sum(record.timing.get(f"{phase}_s", 0.0) for phase in ("load", "train"))
        self._begin(record.trial, name, at - took)
        self._epochs(record.trial.id, record.history, at)
        self._end(record)

    def _begin(self, trial: Trial, name: str, at: float) -> None:
        for run in self._found(f"tags.`{TRIAL}` = '{trial.id}' and tags.`{MACHINE}` = '{self.machine}'"):
            self.client.delete_run(run.info.run_id)
        tags = {TRIAL: trial.id, MACHINE: self.machine}
        run = self.client.create_run(self.experiment, start_time=_ms(at), tags=tags, run_name=name)
        self.runs[trial.id], self.waiting[trial.id], self.sent[trial.id] = run.info.run_id, [], time.monotonic()
        from mlflow.entities import Param  # pyright: ignore[reportMissingImports]  # an optional part

        params = [Param(key, str(value)) for key, value in settings(trial).items()]
        self.client.log_batch(run.info.run_id, params=params)

    def _epochs(self, key: str, rows: Any, end: float) -> None:
        for at, row in timed(rows, end):
            self._wait(key, readings(row), int(row["epoch"]), at)

    def _wait(self, key: str, values: Mapping[str, float], step: int, at: float) -> None:
        from mlflow.entities import Metric  # pyright: ignore[reportMissingImports]  # an optional part

        self.waiting[key] += [Metric(_allowed(name), value, _ms(at), step) for name, value in values.items()]

    def _send(self, key: str) -> None:
        waiting, self.waiting[key] = self.waiting[key], []
        for first in range(0, len(waiting), AT_ONCE):
            self.client.log_batch(self.runs[key], metrics=waiting[first : first + AT_ONCE])
        self.sent[key] = time.monotonic()

    def _end(self, record: Record) -> None:
        key, at = record.trial.id, ended(record, time.time())
        run = self.runs[key]
        self._wait(key, test_means(record, self.policy), int(record.selection.get("epoch", 0)), at)
        self._send(key)
        for tag, value in (("unetbench.status", record.status), ("unetbench.reason", record.reason)):
            self.client.set_tag(run, tag, value)
        self.client.log_text(run, record.to_json(), "record.json")
        fine = record.status in ("done", "unfit")
        self._terminate(key, "FINISHED" if fine else "FAILED", at)

    def _kill(self, key: str) -> None:
        self._send(key)
        self._terminate(key, "KILLED", time.time())

    def _terminate(self, key: str, status: str, at: float) -> None:
        self.client.set_terminated(self.runs.pop(key), status, _ms(at))
        del self.waiting[key], self.sent[key]

    def _experiment(self) -> str:
        found = self.client.get_experiment_by_name(self.sweep)
        if found is not None:
            return found.experiment_id
        from mlflow.exceptions import MlflowException  # pyright: ignore[reportMissingImports]  # an optional part

        try:
            return self.client.create_experiment(self.sweep, artifact_location=_artifacts(self.address))
        except MlflowException:
            found = self.client.get_experiment_by_name(self.sweep)  # another driver was faster
            if found is None:
                raise
            return found.experiment_id

    def _found(self, wanted: str) -> Iterator[Any]:
        token: str | None = None
        while True:
            page = self.client.search_runs([self.experiment], wanted, max_results=1000, page_token=token)
            yield from page
            token = page.token
            if not token:
                return


def _client(address: str) -> Any:
    """Open the address; a database is made or brought up to date. Raises what MLflow raises."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient  # pyright: ignore[reportMissingImports]  # an optional part

    for name, level in QUIETER.items():  # after the import, which sets these levels
        logging.getLogger(name).setLevel(level)
    file = _sqlite(address)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    for pause in WAITS_S if file is not None else ():
        with contextlib.suppress(Exception):  # of a migration that another process began; the last try says what it is
            return _opened(MlflowClient, address)
        time.sleep(pause)
    return _opened(MlflowClient, address)


def _opened(client: Any, address: str) -> Any:
    made = client(tracking_uri=address, registry_uri=address)
    made.search_experiments(max_results=1)
    return made


def _sqlite(address: str) -> Path | None:
    """The file of an SQLite address: three slashes are before a path from here, four before one from the root."""
    return Path(address.removeprefix("sqlite:///")) if address.startswith("sqlite:///") else None


def _artifacts(address: str) -> str | None:
    """Where files of runs go: beside an SQLite file, where MLflow would take ./mlruns; a server has its own place."""
    file = _sqlite(address)
    return (file.resolve().parent / f"{file.stem}-artifacts").as_uri() if file is not None else None


def _allowed(name: str) -> str:
    """A name as MLflow takes it; classes and terms of losses are called as their users like."""
    return re.sub(r"[^\w/. :-]", "_", name)


def _ms(seconds: float) -> int:
    return round(1000 * seconds)
