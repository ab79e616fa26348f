"""What is timed beside a trial: its runtimes, and what the machine can do at most."""

from typing import Any

import keras
import numpy as np

from ...core.errors import one_line
from ...core.task import Task
from ...core.trial import Trial
from ...runtimes import RUNTIMES
from ..records.peaks import put_peaks
from ..records.store import Store
from ..timing.latency import time_calls
from ..timing.peaks import measure_peaks
from . import device
from .context import Context
from .own_parts import own_runtimes
from .train import ProgressCallback
from .trained import RunnableModel


def latency(
    compiled: RunnableModel,
    trial: Trial,
    task: Task,
    context: Context,
    on_progress: ProgressCallback,
    notes: list[str],
) -> list[dict[str, Any]]:
    """Time each runtime; one that raises an error is noted, for the scores are worth keeping without its latency."""
    options = context.latency
    if options is None:
        return []
    images = np.random.default_rng(0).standard_normal((options.batch, *trial.recipe.patch, task.channels), np.float32)
    rows: list[dict[str, Any]] = []
    own = own_runtimes(context)
    for runtime in context.runtimes:
        on_progress({"phase": f"time {runtime.label}"})
        plain = runtime.label == "keras"
        try:
            call = compiled.forward if plain else RUNTIMES[runtime.name](compiled.model, **runtime.options)
            samples = time_calls(
                call, images, warmup=options.warmup, samples=options.samples, budget_s=options.budget_s
            )
        except Exception as error:  # a runtime's own fault must not cost the scores
            notes.append(f"latency of {runtime.label} not measured: {one_line(error)}")
            continue
        about = {"runtime": runtime.label, "device": device.name(), "batch": options.batch}
        about |= {"size": list(trial.recipe.patch), "channels": task.channels, "dtype": trial.recipe.precision}
        about |= {"source": own[runtime.name]} if runtime.name in own else {}
        rows.append({**about, "warmup": options.warmup, "samples_s": samples})
    return rows


def peaks(store: Store, precision: str, context: Context, on_progress: ProgressCallback, notes: list[str]) -> None:
    """Measure the machine's peaks for roofline plots, where they are not known."""
    on_progress({"phase": "peaks of the machine"})
    setting = keras.backend.backend(), device.kind(), precision
    try:
        put_peaks(store.folder, context.source.cache, setting, lambda: measure_peaks(precision))
    except Exception as error:  # scores are worth keeping without the roof over their latency
        notes.append(f"peaks of the machine not measured: {one_line(error)}")
