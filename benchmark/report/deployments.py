"""What deployments say: Dice lost with its interval, whether a file agrees with the network, how fast it is."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ...core.counted import counted
from ..timing.interleave import NOISY, spread
from .statistics.intervals import Estimate, estimate

MARGIN = 0.005
"""Mean Dice that a file of reduced precision may lose; the whole 95 % interval must lie below it."""

Verdict = Literal[
    "baseline", "exact", "within margin", "off", "loses Dice", "constant", "unknown", "failed", "unfit", "unavailable"
]

AGREEING: tuple[Verdict, ...] = ("baseline", "exact", "within margin")
"""Verdicts of what may be recommended."""


Key = tuple[str, str]
"""A case and a class."""


@dataclass(frozen=True)
class CaseDice:
    """Dice of whole cases, 2 TP / (2 TP + FP + FN), NaN where truth and prediction are both empty.

    groups: which cases belong together. constant: whether every case got no foreground, or nothing else, in all
    classes.
    """

    dice: Mapping[Key, float]
    groups: Mapping[Key, str]
    constant: bool

    @classmethod
    def of(cls, scores: Sequence[Mapping[str, Any]]) -> "CaseDice":
        """From the counts of each case and class."""
        dice = {}
        for entry in scores:
            size = 2 * entry["tp"] + entry["fp"] + entry["fn"]
            dice[entry["case"], entry["class"]] = 2 * entry["tp"] / size if size else math.nan
        groups = {(entry["case"], entry["class"]): entry["group"] for entry in scores}
        return cls(dice, groups, _constant(scores))

    @property
    def mean(self) -> float:
        """Over cases and classes that have a Dice; NaN where none has."""
        return mean_of_known(list(self.dice.values()))

    def by_case(self) -> dict[str, float]:
        """Mean over the classes of each case, NaN where none has a Dice."""
        found: dict[str, list[float]] = {}
        for (case, _), value in self.dice.items():
            found.setdefault(case, []).append(value)
        return {case: mean_of_known(values) for case, values in found.items()}

    def group_of(self) -> dict[str, str]:
        """The group of each case."""
        return {case: group for (case, _), group in self.groups.items()}


@dataclass(frozen=True)
class Deployment:
    """A trial on a runtime in a setting.

    trial: its id. row: as `records.deployments` has it. baseline: Keras' row in the same setting. test, validation: its
    Dice of those cases, None where they were not segmented; keras_test: that of Keras. lost: of the differences
    Keras - this on test cases, validation_lost: on validation cases. as_keras: whether it was not run on whole cases
    and has the scores of Keras, of which it is an exact copy.
    """

    trial: str
    machine: str
    row: Mapping[str, Any]
    baseline: Mapping[str, Any]
    test: CaseDice | None
    validation: CaseDice | None
    keras_test: CaseDice | None
    lost: Estimate | None
    validation_lost: Estimate | None
    verdict: Verdict
    as_keras: bool = False

    @property
    def dice(self) -> float:
        """Mean over test cases and classes, NaN without any."""
        return math.nan if self.test is None else self.test.mean

    @property
    def choosing(self) -> CaseDice | None:
        """The Dice by which it may be chosen: of validation cases; of test cases where only those were segmented."""
        return self.test if self.validation is None else self.validation

    @property
    def chosen_on(self) -> str:
        """Of which cases those are."""
        return "test" if self.validation is None and self.test is not None else "validation"

    @property
    def runtime(self) -> str:
        """Its label."""
        return str(self.row["runtime"])

    @property
    def setting(self) -> str:
        """Batch, size and threads in words."""
        size = "×".join(map(str, self.row["size"]))
        threads = self.row["threads"]
        return f"batch {self.row['batch']}, {size}, {counted(threads, 'thread')}"

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
    def energy_j(self) -> float:
        """Joules of a call, the mean over the rounds; NaN where the machine does not tell."""
        return mean_of_known(self.row.get("energy_j") or [])

    @property
    def times_baseline(self) -> float:
        """Median over Keras' in the same setting."""
        own = np.array(self.baseline.get("samples_s") or [math.nan], float)
        return self.latency_s(50) / float(np.median(own))

    @property
    def spread(self) -> float:
        """(largest - smallest) / median of the reference computation, 0 without any."""
        reference = self.row.get("reference_s") or []
        return spread(reference) if reference else 0.0

    @property
    def noisy(self) -> bool:
        """Whether the machine's own speed changed between the rounds."""
        return self.spread > NOISY

    @property
    def agrees(self) -> bool:
        """Whether it may be recommended."""
        return self.verdict in AGREEING


def judged(trial: str, machine: str, rows: Sequence[Mapping[str, Any]]) -> list[Deployment]:
    """The rows of a trial on a machine, each compared with Keras' of the same setting.

    Scores are taken from the row of the same runtime, size and instruction sets that has them: they depend on no batch
    and no thread, but kernels of int8 are others on other instruction sets.
    The verdict on a file of reduced precision comes from validation cases, from test cases where only those were
    segmented.
    """
    found = {
        (name, row["runtime"], *_arithmetic(row)): CaseDice.of(row[name])
        for row in rows
        for name in ("scores", "validation_scores")
        if row.get(name)
    }
    baselines = {_place(row): row for row in rows if row["runtime"] == "keras"}
    made = []
    for row in rows:
        (test, keras_test), (validation, keras_validation) = (
            tuple(found.get((name, runtime, *_arithmetic(row))) for runtime in (row["runtime"], "keras"))
            for name in ("scores", "validation_scores")
        )
        lost, validation_lost = _lost(keras_test, test), _lost(keras_validation, validation)
        constant = any(
            own is not None and keras is not None and own.constant and not keras.constant
            for own, keras in ((test, keras_test), (validation, keras_validation))
        )
        verdict = _verdict(row, lost if validation is None else validation_lost, constant=constant)
        as_keras = verdict == "exact" and test is None and validation is None
        if as_keras:
            test, validation = keras_test, keras_validation
        baseline = baselines.get(_place(row), {})
        made.append(
            Deployment(
                trial,
                machine,
                row,
                baseline,
                test,
                validation,
                keras_test,
                lost,
                validation_lost,
                verdict,
                as_keras,
            )
        )
    return made


def lost_by_case(keras: CaseDice, own: CaseDice) -> dict[Key, float]:
    """Dice by Keras less Dice by this, of the cases and classes that both have.

    A case that one of both left empty is a whole loss, or gain; only where both are empty is there nothing to tell.
    """
    pairs = [(key, keras.dice[key], own.dice[key]) for key in keras.dice if key in own.dice]
    return {key: _or_one(b) - _or_one(a) for key, b, a in pairs if not (math.isnan(b) and math.isnan(a))}


def _arithmetic(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """What may change the values of a file: size and instruction sets."""
    return tuple(row["size"]), tuple(row.get("instructions", ()))


def _place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["batch"], row["threads"], *_arithmetic(row)


def mean_of_known(values: Sequence[float]) -> float:
    """The mean of what is not NaN, NaN where nothing is."""
    known = [value for value in values if not math.isnan(value)]
    return float(np.mean(known)) if known else math.nan


def _lost(keras: CaseDice | None, own: CaseDice | None) -> Estimate | None:
    """Mean of Dice by Keras less Dice by this, over cases and classes, with the interval over groups."""
    gaps = {} if keras is None or own is None else lost_by_case(keras, own)
    if keras is None or not gaps:
        return None
    return estimate(np.array([list(gaps.values())]), np.array([keras.groups[key] for key in gaps]))


def _or_one(dice: float) -> float:
    """Dice, 1 where truth and prediction are both empty: the other of the pair then has 0 there."""
    return 1.0 if math.isnan(dice) else dice


def _verdict(row: Mapping[str, Any], lost: Estimate | None, *, constant: bool) -> Verdict:
    if row["status"] != "done":
        return row["status"]
    if row["runtime"] == "keras":
        return "baseline"
    if constant:
        return "constant"
    apart = row.get("difference")
    if apart is None or not math.isfinite(apart):  # an infinite one becomes null in a file
        return "off" if "difference" in row else "unknown"
    if row["precision"] == "float32":
        return "exact" if apart <= row["gate"] else "off"
    if lost is None:
        return "unknown"
    most = lost.mean if math.isnan(lost.high) else lost.high
    return "within margin" if most <= MARGIN else "loses Dice"


def _constant(scores: Sequence[Mapping[str, Any]]) -> bool:
    found = [entry["tp"] + entry["fp"] for entry in scores]
    size = [entry["tp"] + entry["fp"] + entry["fn"] + entry["tn"] for entry in scores]
    return all(count == 0 for count in found) or all(count == every for count, every in zip(found, size, strict=True))
