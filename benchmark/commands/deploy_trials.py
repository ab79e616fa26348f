"""The second part of a sweep: its trained trials on the runtimes that run apart from the process that trained them."""

import sys
from collections.abc import Sequence

from ...core.errors import UnetbenchError, one_line
from ...core.sources import source_digest
from ...core.trial import Choice, Trial
from ...runtimes import RUNTIMES
from ...runtimes.file_runtime import file_runtime
from ..deploy.deploy import deploy, lacking
from ..deploy.measure import KERAS, Setting
from ..deploy.trained_trial import TrainedTrial
from ..records.store import Store
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
) -> bool:
    """Measure every trial that is done and lacks a runtime; one after the other, for a clock wants a quiet machine.

    Returns whether nothing failed. What cannot be measured is told in a line, and the others go on.
    """
    store, fine = Store.here(context.results, context.sweep), True
    for trial in trials if runtimes else ():
        record = store.find(trial)
        if record is None or record.status != "done":
            continue
        setting = Setting(latency.batch, trial.recipe.patch)
        try:
            wanted = lacking(store, trial, runtimes, setting)
            if not wanted:  # its data need not be opened either
                continue
            weights = store.weights_of(trial.id) or store.path("weights", trial, ".keras")
            trained = TrainedTrial.of(record, weights, context)
            tell = (lambda _: None) if quiet else (lambda text, name=trial.label: _tell(f"{name}: {text}"))
            rows = deploy(trained, wanted, [setting], latency, tell)
            fine &= all(row["status"] != "failed" for row in rows)
            for row in rows:
                if row["status"] not in ("done", "unfit"):
                    _tell(f"{trial.label}: {row['problem']}")
        except UnetbenchError as error:
            _tell(one_line(error))
            fine = False
    return fine


def _on_the_spot(runtime: Choice) -> bool:
    own = bool(source_digest(RUNTIMES.part(runtime.name)))
    return own and file_runtime(runtime.name, runtime.options) is None


def _tell(text: str) -> None:
    print(f"unetbench: {text}", file=sys.stderr)
