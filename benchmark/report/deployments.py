"""What deployments say: Dice lost with its interval, whether a file agrees with the network, how fast it is."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .statistics.compare import Estimate, estimate

MARGIN = 0.005
"""Mean Dice that a file of reduced precision may lose; the whole 95 % interval must lie below it."""

NOISY = 0.1
"""Spread of the reference computation, (largest - smallest) / median, from which the machine is called noisy."""

Verdict = Literal[
    "baseline", "exact", "within margin", "off", "loses Dice", "constant", "unknown", "failed", "unfit", "unavailable"
]

AGREEING: tuple[Verdict, ...] = ("baseline", "exact", "within margin")
"""Verdicts of what may be recommended."""


@dataclass(frozen=True)
class Deployment:
    """A trial on a runtime in a setting.

    trial: its id. row: as `records.deployments` has it. baseline: Keras' row in the same setting. dice: mean over test
    cases and classes; lost: of the differences Keras - this, case by case; NaN and None without test cases.
    """

    trial: str
    machine: str
    row: Mapping[str, Any]
    baseline: Mapping[str, Any]
    dice: float
    lost: Estimate | None
    verdict: Verdict

    @property
    def runtime(self) -> str:
        """Its label."""
        return str(self.row["runtime"])

    @property
    def setting(self) -> str:
        """Batch, size and threads in words."""
        size = "×".join(map(str, self.row["size"]))
        threads = self.row["threads"]
        return f"batch {self.row['batch']}, {size}, {threads} thread{'' if threads == 1 else 's'}"

    @property
    def samples_s(self) -> np.ndarray:
        """Seconds of single calls, empty where it was not timed."""
        return np.array(self.row.get("samples_s") or [], float)

    def latency_s(self, percentile: float) -> float:
        """A percentile of the calls, linear between samples; NaN where it was not timed."""
        return float(np.percentile(self.samples_s, percentile)) if len(self.samples_s) else math.nan

    @property
    def images_per_s(self) -> float:
        """At the median."""
        return self.row["batch"] / self.latency_s(50)

    @property
    def times_baseline(self) -> float:
        """Median over Keras' in the same setting."""
        own = np.array(self.baseline.get("samples_s") or [math.nan], float)
        return self.latency_s(50) / float(np.median(own))

    @property
    def noisy(self) -> bool:
        """Whether the machine's own speed changed between the rounds."""
        reference = self.row.get("reference_s") or []
        return bool(reference) and (max(reference) - min(reference)) / float(np.median(reference)) > NOISY

    @property
    def agrees(self) -> bool:
        """Whether it may be recommended."""
        return self.verdict in AGREEING


def judged(trial: str, machine: str, rows: Sequence[Mapping[str, Any]]) -> list[Deployment]:
    """The rows of a trial on a machine, each compared with Keras' of the same setting.

    Scores are taken from the row of the same runtime and size that has them: they depend on no batch and no thread.
    """
    scored = {(row["runtime"], *row["size"]): row for row in rows if row.get("scores")}
    baselines = {_place(row): row for row in rows if row["runtime"] == "keras"}
    made = []
    for row in rows:
        baseline = baselines.get(_place(row), {})
        own, keras = (scored.get((name, *row["size"])) for name in (row["runtime"], "keras"))
        dice, lost = _dice(own), _lost(keras, own)
        verdict = _verdict(row, own, keras, lost)
        made.append(Deployment(trial, machine, row, baseline, dice, lost, verdict))
    return made


def dice_by_case(row: Mapping[str, Any]) -> dict[tuple[str, str], float]:
    """2 TP / (2 TP + FP + FN) by case and class; NaN where truth and prediction are both empty."""
    found = {}
    for entry in row["scores"]:
        size = 2 * entry["tp"] + entry["fp"] + entry["fn"]
        found[entry["case"], entry["class"]] = 2 * entry["tp"] / size if size else math.nan
    return found


def _place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["batch"], tuple(row["size"]), row["threads"]


def _dice(row: Mapping[str, Any] | None) -> float:
    values = [value for value in dice_by_case(row).values() if not math.isnan(value)] if row else []
    return float(np.mean(values)) if values else math.nan


def _lost(keras: Mapping[str, Any] | None, own: Mapping[str, Any] | None) -> Estimate | None:
    """Mean of Dice by Keras less Dice by this, over cases and classes, with the interval over groups."""
    if keras is None or own is None:
        return None
    before, after = dice_by_case(keras), dice_by_case(own)
    groups = {(entry["case"], entry["class"]): entry["group"] for entry in keras["scores"]}
    # A case that one of both left empty is a whole loss, or gain; only where both are empty is there nothing to tell.
    pairs = [(key, before[key], after[key]) for key in before if key in after]
    kept = [(key, b, a) for key, b, a in pairs if not (math.isnan(b) and math.isnan(a))]
    if not kept:
        return None
    values = np.array([[_or_one(b) - _or_one(a) for _, b, a in kept]])
    return estimate(values, np.array([groups[key] for key, _, _ in kept]))


def _or_one(dice: float) -> float:
    """Dice, 1 where truth and prediction are both empty: the other of the pair then has 0 there."""
    return 1.0 if math.isnan(dice) else dice


def _verdict(
    row: Mapping[str, Any],
    own: Mapping[str, Any] | None,
    keras: Mapping[str, Any] | None,
    lost: Estimate | None,
) -> Verdict:
    if row["status"] != "done":
        return row["status"]
    if row["runtime"] == "keras":
        return "baseline"
    if own is not None and keras is not None and _constant(own) and not _constant(keras):
        return "constant"
    if row.get("difference") is None:
        return "off" if "difference" in row else "unknown"
    if row["precision"] == "float32":
        return "exact" if row["difference"] <= row["gate"] else "off"
    if lost is None:
        return "unknown"
    most = lost.mean if math.isnan(lost.high) else lost.high
    return "within margin" if most <= MARGIN else "loses Dice"


def _constant(row: Mapping[str, Any]) -> bool:
    """Whether every case got no foreground, or nothing else, in every class."""
    found = [entry["tp"] + entry["fp"] for entry in row["scores"]]
    size = [entry["tp"] + entry["fp"] + entry["fn"] + entry["tn"] for entry in row["scores"]]
    return all(count == 0 for count in found) or all(count == every for count, every in zip(found, size, strict=True))
