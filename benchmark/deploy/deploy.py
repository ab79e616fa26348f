"""Deploy trials of a sweep's folder: measure them on the runtimes asked for and keep what came out."""

from collections.abc import Callable, Sequence
from typing import Any

from ...core.trial import Choice, Trial
from ..records.deployments import Deployments, find, put
from ..records.machine import machine, now, versions
from ..records.store import Store
from ..timing.options import LatencyOptions
from .candidate import missing
from .measure import Setting, measure
from .trained_trial import TrainedTrial


def deploy(
    trained: TrainedTrial,
    runtimes: Sequence[Choice],
    settings: Sequence[Setting],
    latency: LatencyOptions,
    on_progress: Callable[[str], None] = lambda _: None,
    cases: int | None = None,
) -> list[dict[str, Any]]:
    """Measure a trial under each setting and write its deployments; returns the rows made now.

    Whole cases are segmented under the first setting of each size; how they come out depends on no batch or thread.
    cases: of validation and of test at most; where not all are wanted, nothing is written, for what is kept is of all.
    """
    store = Store.here(trained.context.results, trained.context.sweep)
    trial, rows, seen = trained.record.trial, [], set()
    for setting in settings:
        fresh = setting.window not in seen
        seen.add(setting.window)
        made = measure(trained, runtimes, setting, latency, cases=cases if fresh else 0, on_progress=on_progress)
        rows += made
        if cases is None:
            about = Deployments(trial.id, trial.label, now(), machine(), versions(trained.backend), made)
            put(store, trial, about)
    return rows


def lacking(store: Store, trial: Trial, runtimes: Sequence[Choice], setting: Setting) -> list[Choice]:
    """The runtimes that have no row of this setting on this machine yet, but for what this machine still lacks."""
    found = find(store, trial)
    wanted = {"batch": setting.batch, "size": list(setting.window), "threads": setting.threads or machine()["threads"]}
    rows = [row for row in (found.rows if found else ()) if all(row[key] == value for key, value in wanted.items())]
    status = {row["runtime"]: row["status"] for row in rows}
    return [
        runtime
        for runtime in runtimes
        if status.get(runtime.label) not in ("done", "unfit")
        and not (status.get(runtime.label) == "unavailable" and missing(runtime))
    ]
