"""Deploy trials of a sweep's folder: measure them on the runtimes asked for and keep what came out."""

from collections.abc import Callable, Sequence
from typing import Any

from ...core.trial import Choice
from ..records.deployments import Deployments, find, put
from ..records.machine import machine, now, versions
from ..records.store import Store
from ..timing.options import LatencyOptions
from .measure import Setting, measure
from .trained_trial import TrainedTrial


def deploy(
    trained: TrainedTrial,
    runtimes: Sequence[Choice],
    settings: Sequence[Setting],
    latency: LatencyOptions,
    on_progress: Callable[[str], None] = lambda _: None,
) -> list[dict[str, Any]]:
    """Measure a trial under each setting and write its deployments; returns the rows made now.

    Test cases are segmented under the first setting of each size; how they come out depends on no batch or thread.
    """
    store = Store.here(trained.context.results, trained.context.sweep)
    trial, rows, seen = trained.record.trial, [], set()
    for setting in settings:
        fresh = setting.window not in seen
        seen.add(setting.window)
        made = measure(trained, runtimes, setting, latency, agreement=fresh, on_progress=on_progress)
        rows += made
        about = Deployments(trial.id, trial.label, now(), machine(), versions(trained.backend), made)
        put(store, trial, about)
    return rows


def lacking(store: Store, trained: TrainedTrial, runtimes: Sequence[Choice], setting: Setting) -> list[Choice]:
    """The runtimes that have no row of this setting on this machine yet."""
    found = find(store, trained.record.trial)
    wanted = {"batch": setting.batch, "size": list(setting.window), "threads": setting.threads or machine()["threads"]}
    known = {
        row["runtime"]
        for row in (found.rows if found else ())
        if row["status"] in ("done", "unfit") and all(row[key] == value for key, value in wanted.items())
    }
    return [runtime for runtime in runtimes if runtime.label not in known]
