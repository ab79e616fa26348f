"""The trials of one configuration with their scores, and the row that they make."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ....core.measure import measure
from ....core.record import Record
from ..frame import PRIMARY, Frames, size_text
from ..statistics.intervals import Estimate, estimate
from .latency import Latency
from .row import Row


class Configuration:
    """The trials of one configuration and their scores as arrays (seeds, cases of the table)."""

    def __init__(self, frames: Frames, scores: pd.DataFrame, cases: dict[str, str], trials: pd.DataFrame) -> None:
        self.frames, self.trials, self.groups = frames, trials, np.array(list(cases.values()), dtype=str)
        self.scores: Any = scores[scores["record"].isin(trials["record"])]  # Any: pandas annotates this too widely
        places = {case: place for place, case in enumerate(cases)}
        self.case = np.array([places[case] for case in self.scores["case"]], dtype=int)
        self.seeds, self.seed = np.unique(self.scores["seed"].to_numpy(dtype=int), return_inverse=True)
        self.name = (str(trials["model"].iloc[0]), str(trials["loss"].iloc[0]))
        self.everything = np.ones(len(self.scores), dtype=bool)
        self.dice = self.values(PRIMARY, self.everything)
        self.estimates = self.measured(self.everything)

    @property
    def covered(self) -> bool:
        """Whether it has a score of every case of the table."""
        return len(set(self.case)) == len(self.groups)

    def values(self, name: str, chosen: np.ndarray) -> np.ndarray:
        """Mean over classes of each case, (seeds, cases) of the chosen score rows; at least one row of NaN."""
        values = self.scores[name].to_numpy(dtype=float)
        chosen = chosen & ~np.isnan(values)
        shape = max(len(self.seeds), 1), len(self.groups)
        place = self.seed[chosen] * shape[1] + self.case[chosen]
        sums, counts = (np.bincount(place, weight, math.prod(shape)) for weight in (values[chosen], None))
        return np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0).reshape(shape)

    def measured(self, chosen: np.ndarray) -> dict[str, Estimate]:
        """The estimates of the chosen score rows, by measure."""
        return {
            name: estimate(self.values(name, chosen), self.groups, bounds=measure(name).bounds)
            for name in self.frames.measures
        }

    def by_class(self) -> dict[str, dict[str, Estimate]]:
        """The estimates of each class."""
        names = self.scores["class"].to_numpy(dtype=str)
        if len(set(names)) == 1:
            return {str(names[0]): self.estimates}
        return {str(name): self.measured(names == name) for name in dict.fromkeys(names)}

    def without_score(self) -> int:
        """How many trials are done and have no defined Dice."""
        done = self.trials["record"][self.trials["status"] == "done"]
        return len(set(done) - set(self.scores["record"][self.scores[PRIMARY].notna()]))

    def row(self, rank: tuple[int, int] | None) -> Row:
        """The row of the table."""
        trials, scores = self.trials, self.scores
        records = [self.frames.records[key] for key in trials["record"]]
        done = [record.timing for record in records if record.status == "done"]
        defined = ~np.isnan(self.dice)
        sums = np.where(defined, self.dice, 0.0).sum(axis=0)
        return Row(
            model=self.name[0],
            loss=self.name[1],
            records=tuple(trials["record"]),
            statuses=Counter(trials["status"]),
            collapsed={key: names for key, names in zip(trials["record"], trials["collapsed"], strict=True) if names},
            estimates=self.estimates,
            by_class=self.by_class(),
            rank=rank,
            without_score=self.without_score(),
            seeds=len(self.seeds),
            cases=len(set(self.case)),
            scored=len(scores),
            undefined=int(scores[PRIMARY].isna().sum()),
            empty=Counter(scores["empty"]),
            case_means=np.divide(sums, defined.sum(0), out=np.full(len(sums), np.nan), where=defined.any(0)),
            values=self.dice,
            covered=self.covered,
            latencies=self.latencies(),
            trainable=_first(records, "trainable"),
            total=_first(records, "total"),
            macs=_first(records, "macs"),
            size=next((size_text(record.model["size"]) for record in records if record.model.get("size")), ""),
            train_s=_average([timing.get("train_s") for timing in done]),
            peak_bytes=_average([timing.get("peak_bytes") for timing in done]),
        )

    def latencies(self) -> tuple[Latency, ...]:
        """The samples under each setting."""
        taken: Any = self.frames.latency[self.frames.latency["record"].isin(self.trials["record"])]
        return tuple(
            Latency(str(setting), part["latency_s"].to_numpy(dtype=float))
            for setting, part in taken.groupby("setting", sort=False)
        )


def _first(records: Sequence[Record], key: str) -> float:
    return next((float(record.model[key]) for record in records if record.model.get(key) is not None), math.nan)


def _average(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else math.nan
