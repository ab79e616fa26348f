"""Every way to run a trained trial on this machine: converted, compared with the original, and timed in turns."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...core.errors import Unavailable, UnetbenchError, Unfit, one_line
from ...core.trial import Choice
from ...datasets.case import Role
from ...runtimes.file_runtime import file_runtime
from ..records.machine import machine
from ..timing.energy import EnergyMeter
from ..timing.interleave import interleave
from ..timing.options import LatencyOptions
from ..trial.predict import to_labels
from .agreement import counts, difference, gate
from .candidate import Candidate, Converters
from .export import Plan
from .trained_trial import CALIBRATION, TrainedTrial
from .untrained import UntrainedRecipe

KERAS = Choice("keras")
"""The baseline of every comparison: Keras in float32, one traced call."""

WORST_LAYERS = 5
"""Layers of a quantised file that are kept, those with the largest errors."""

COMPARED = 3
"""Windows of real cases on which probabilities are compared with float64."""

OnProgress = Callable[[str], None]


@dataclass(frozen=True)
class Setting:
    """A configuration that is timed: batch, window of the images, threads (0 for one a core)."""

    batch: int
    window: tuple[int, ...]
    threads: int = 0


def measure(
    trained: TrainedTrial | UntrainedRecipe,
    runtimes: Sequence[Choice],
    setting: Setting,
    latency: LatencyOptions,
    *,
    cases: int | None = None,
    on_progress: OnProgress = lambda _: None,
) -> list[dict[str, Any]]:
    """A row of JSON values for each runtime, as `records.deployments` describes them.

    The first row is Keras', with which the others are compared. cases: of validation and of test that each segments at
    most, spread over all of them; None: every one.
    What cannot be had here, or goes wrong, is a row with its `problem`, and the others go on.
    """
    plan = trained.plan(setting.window)
    wanted = [KERAS, *(runtime for runtime in runtimes if runtime != KERAS)]
    rows: list[dict[str, Any]] = []
    with ExitStack() as stack:
        on_progress("load the network")
        converters = stack.enter_context(Converters(trained.weights, trained.exports, trained.plugins, trained.backend))
        comparison = Comparison.of(trained, converters, plan, cases=cases)
        calibration = _calibration(trained, wanted, plan)
        opened: dict[str, Candidate] = {}
        for runtime in wanted:
            row = begun(runtime, setting, trained)
            rows.append(row)
            try:
                on_progress(f"convert for {runtime.label}")
                candidate = converters.open(runtime, plan, threads=setting.threads, calibration=calibration)
                stack.callback(candidate.child.close)
                row |= candidate.facts
                on_progress(f"compare {runtime.label}")
                row |= comparison.with_candidate(candidate)
                row |= worst_layers(converters, runtime, plan, comparison.windows)
                opened[runtime.label] = _for_batch(candidate, converters, plan, setting, calibration, stack)
            except UnetbenchError as error:
                row["problem"] = one_line(error)
                row["status"] = _status(error)
        on_progress("time all in turns")
        meter = EnergyMeter.of_machine()
        for problem in meter.problems:
            on_progress(problem)
        _time(rows, opened, setting, latency, plan, meter)
    return rows


@dataclass
class Comparison:
    """What each candidate is compared with. windows: real prepared images; reference: their logits in float64.

    own: Keras' own difference from float64. group_pixels: of the network's normalisations at this size. cases: whole
    ones of a role that Keras and each file segment at most; None: all.
    """

    trained: TrainedTrial | UntrainedRecipe
    plan: Plan
    windows: np.ndarray
    reference: np.ndarray
    own: float
    group_pixels: int
    cases: int | None

    @classmethod
    def of(
        cls,
        trained: TrainedTrial | UntrainedRecipe,
        converters: Converters,
        plan: Plan,
        *,
        role: Role = "test",
        cases: int | None = 0,
    ) -> "Comparison":
        """Compute the references. role: of the cases that the windows are from."""
        windows = trained.windows(role, plan.window, COMPARED)
        reference = converters.reference(windows)
        own = difference(converters.child.ask("float32", windows), reference, plan.task)
        pixels = converters.child.ask("group_pixels", plan.window)
        return cls(trained, plan, windows, reference, own, pixels, cases)

    def with_candidate(self, candidate: Candidate) -> dict[str, Any]:
        """Difference from float64 and its gate, and the counts of every case by the export's own code.

        Validation cases, by which files are chosen, are segmented as test cases are, whose scores are shown.
        """
        logits = np.concatenate([candidate.forward(window[None]) for window in self.windows])
        found: dict[str, Any] = {
            "difference": difference(logits, self.reference, self.plan.task),
            "own_difference": self.own,
            "gate": gate(self.group_pixels, self.own),
        }
        if self.cases == 0 or ("backend" in candidate.facts and candidate.runtime != KERAS):
            return found
        found["validation_scores"] = self._scores(candidate, "validation")
        found["scores"] = self._scores(candidate, "test")
        return found

    def _scores(self, candidate: Candidate, role: Role) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for name, group, sample in self.trained.samples(role, self.cases):
            labels = to_labels(candidate.probabilities(sample.image), self.plan.task, self.plan.threshold)
            about = {"case": name, "group": group}
            rows += [about | row for row in counts(sample.truth, labels, self.plan.task)]
        return rows


def worst_layers(converters: Converters, runtime: Choice, plan: Plan, windows: np.ndarray) -> dict[str, Any]:
    """The `layer_errors` of a quantised file's row, or the `layer_errors_problem`; {} for other files.

    The file is there already, of batch 1. windows: images (n, *window, c) that are run by it and by a float32 file.
    """
    try:
        found = converters.layer_errors(runtime, plan, windows)
    except UnetbenchError as error:
        return {"layer_errors_problem": one_line(error)}
    worst = list((found or {}).items())[:WORST_LAYERS]
    return {} if found is None else {"layer_errors": [{"layer": name, "error": error} for name, error in worst]}


def begun(runtime: Choice, setting: Setting, trained: TrainedTrial | UntrainedRecipe) -> dict[str, Any]:
    """The fields of a row that are known before anything is tried."""
    here = machine()
    return {
        "runtime": runtime.label,
        "status": "done",
        "device": here["gpu"] or here["cpu"],
        "instructions": list(here["instructions"]),
        "batch": setting.batch,
        "size": list(setting.window),
        "channels": trained.task.channels,
        "threads": setting.threads or here["threads"],
    }


def _status(error: UnetbenchError) -> str:
    if isinstance(error, Unavailable):
        return "unavailable"
    return "unfit" if isinstance(error, Unfit) else "failed"


def _calibration(trained: TrainedTrial | UntrainedRecipe, runtimes: Sequence[Choice], plan: Plan) -> np.ndarray | None:
    """Windows of validation cases, never of test cases; None where no runtime wants any."""
    kinds = [file_runtime(runtime.name, runtime.options) for runtime in runtimes]
    wanted = any(kind is not None and kind.calibrated for kind in kinds)
    return trained.windows("validation", plan.window, CALIBRATION) if wanted else None


def _for_batch(
    candidate: Candidate,
    converters: Converters,
    plan: Plan,
    setting: Setting,
    calibration: np.ndarray | None,
    stack: ExitStack,
) -> Candidate:
    """The candidate, or one whose file takes the batch that is timed."""
    if setting.batch == 1 or candidate.facts.get("dynamic") or "backend" in candidate.facts:
        return candidate
    made = converters.open(
        candidate.runtime, plan, batch=setting.batch, threads=setting.threads, calibration=calibration
    )
    stack.callback(made.child.close)
    return made


def _time(
    rows: list[dict[str, Any]],
    opened: dict[str, Candidate],
    setting: Setting,
    latency: LatencyOptions,
    plan: Plan,
    meter: EnergyMeter,
) -> None:
    """Add first_call_s, samples, energy and the reference's spread to the rows of what is open."""
    shape = (setting.batch, *plan.window, plan.task.channels)
    images = np.random.default_rng(0).standard_normal(shape, np.float32)
    by_label = {row["runtime"]: row for row in rows}
    takes = {}
    for label, candidate in list(opened.items()):
        try:
            by_label[label]["first_call_s"] = candidate.child.ask("first", images)
        except UnetbenchError as error:
            by_label[label] |= {"problem": one_line(error), "status": "failed"}
            continue
        takes[label] = lambda count, child=candidate.child: child.ask("time", images, count)
    timings, reference = interleave(takes, samples=latency.samples, budget_s=latency.budget_s, meter=meter)
    for label, timing in timings.items():
        by_label[label] |= {
            "samples_s": timing.samples_s,
            "rounds": timing.rounds,
            "warmup": len(timing.warmup_s),
            "steady": timing.steady,
            "reference_s": reference,
            "peak_bytes": opened[label].child.ask("peak_bytes"),
            **({"energy_j": timing.energy_j} if timing.energy_j else {}),
        }
