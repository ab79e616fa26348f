"""The second part of a sweep: its trained trials on the runtimes that run apart from the process that trained them."""

import sys
import time
from collections.abc import Sequence
from threading import Event

from ...core.errors import UnetbenchError, one_line
from ...core.sources import source_digest
from ...core.trial import Choice, Trial
from ...runtimes import RUNTIMES
from ...runtimes.file_runtime import file_runtime
from ..deploy.deploy import deploy, lacking
from ..deploy.measure import KERAS, Setting
from ..deploy.trained_trial import TrainedTrial
from ..records.claims import Claims
from ..records.store import Store
from ..run.shared import LOOK_S
from ..timing.options import LatencyOptions
from ..trial.context import Context


def apart(runtimes: Sequence[Choice]) -> list[Choice]:
    """Those that run from a file or in another process, in turns with Keras.

    Keras itself, and a function of the model in a file of the user's own, are timed where the trial was trained.
    """
    return [runtime for runtime in runtimes if runtime != KERAS and not _on_the_spot(runtime)]


def deploy_trials(
    trials: Sequence[Trial],
    runtimes: Sequence[Choice],
    context: Context,
    latency: LatencyOptions,
    *,
    quiet: bool = False,
    wait: bool = True,
    stop: Event | None = None,
) -> bool:
    """Measure every trial that is done and lacks a runtime; one after the other, for a clock wants a quiet machine.

    Returns whether nothing failed. What cannot be measured is told in a line, and the others go on. wait: for what
    other drivers measure, and do it where they die. stop: once set, no further trial is begun.
    """
    store, fine = Store.here(context.results, context.sweep), True
    left = [trial for trial in trials if runtimes and (record := store.find(trial)) and record.status == "done"]
    with Claims.of(store) as claims:
        while left:
            elsewhere: list[Trial] = []
            for trial in left:
                if stop is not None and stop.is_set():
                    return fine
                if not claims.take(key := f"{trial.id}-runtimes"):
                    elsewhere.append(trial)
                    continue
                try:
                    fine &= _deploy(trial, runtimes, store, context, latency, quiet=quiet)
                except UnetbenchError as error:
                    _tell(one_line(error))
                    fine = False
                claims.drop(key)
            left = elsewhere if wait else []
            time.sleep(LOOK_S if left else 0.0)
    return fine


def _deploy(
    trial: Trial,
    runtimes: Sequence[Choice],
    store: Store,
    context: Context,
    latency: LatencyOptions,
    *,
    quiet: bool,
) -> bool:
    record, setting = store.find(trial), Setting(latency.batch, trial.recipe.patch)
    wanted = lacking(store, trial, runtimes, setting)
    if record is None or not wanted:  # its data need not be opened either
        return True
    weights = store.weights_of(trial.id) or store.path("weights", trial, ".keras")
    trained = TrainedTrial.of(record, weights, context)
    tell = (lambda _: None) if quiet else (lambda text: _tell(f"{trial.label}: {text}"))
    rows = deploy(trained, wanted, [setting], latency, tell)
    for row in rows:
        if row["status"] not in ("done", "unfit"):
            _tell(f"{trial.label}: {row['problem']}")
    return all(row["status"] != "failed" for row in rows)


def _on_the_spot(runtime: Choice) -> bool:
    own = bool(source_digest(RUNTIMES.part(runtime.name)))
    return own and file_runtime(runtime.name, runtime.options) is None


def _tell(text: str) -> None:
    print(f"unetbench: {text}", file=sys.stderr)
