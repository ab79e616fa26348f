"""What an ensemble gains over its best member, and over one network of equal latency, case by case."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ....core.record import Record
from ..frame import PRIMARY, Frames
from ..statistics.intervals import Estimate, estimate
from .row import Row
from .summary import ComparisonTable

EQUAL = 1.05
"""Latency of a network of equal latency at most, as a share of the ensemble's: measured twice, one differs so much."""


@dataclass(frozen=True)
class EnsembleRow:
    """A row of the table whose network is made of stored weights.

    taken: how many networks it holds, of how many candidates, over its records the least and the most. over_best: Dice
    of it less that of its best member by validation, each case at one seed. rival: the single network of equal latency
    or less that is the best by validation, None where there is none; over_rival: Dice of it less the rival's.
    """

    row: Row
    taken: str
    over_best: Estimate
    rival: Row | None
    over_rival: Estimate
    latency_s: float
    weights_bytes: float


@dataclass(frozen=True)
class Ensembles:
    """The rows of one table that are made of stored weights, and what they are compared with."""

    frames: Frames
    table: ComparisonTable

    @cached_property
    def rows(self) -> tuple[EnsembleRow, ...]:
        """In the table's order; none without a score."""
        return tuple(self._row(row) for row in self.table.compared if self._is_untrained(row))

    @cached_property
    def _dice(self) -> pd.DataFrame:
        """Dice of each case, a mean over classes; a row a record."""
        scores: Any = self.frames.scores[self.frames.scores["record"].isin(list(self.table.records))]
        return scores.groupby(["record", "case"])[PRIMARY].mean().unstack()

    @cached_property
    def _groups(self) -> np.ndarray:
        scores: Any = self.frames.scores[self.frames.scores["record"].isin(list(self.table.records))]
        groups = dict(zip(scores["case"], scores["group"], strict=True))
        return np.array([groups[case] for case in self._dice.columns], dtype=str)

    def _row(self, row: Row) -> EnsembleRow:
        done = [key for key in row.records if key in self.table.done]
        best = [_beside(key, str(self.table.done[key].selection.get("best", ""))) for key in done]
        latency_s = self._latency(row)
        rival = self._rival(latency_s)
        pairs = [] if rival is None else [(key, other) for key in done for other in self._opponents(key, rival)]
        return EnsembleRow(
            row,
            taken=taken_text([self.table.done[key] for key in done]),
            over_best=self._gain(list(zip(done, best, strict=True))),
            rival=rival,
            over_rival=self._gain(pairs),
            latency_s=latency_s,
            weights_bytes=float(self.table.done[done[0]].model.get("weights_bytes", math.nan)),
        )

    def _gain(self, pairs: Sequence[tuple[str, str]]) -> Estimate:
        """Mean Dice of the first less that of the second of each pair, with its interval over groups and pairs."""
        known = [(one, other) for one, other in pairs if one in self._dice.index and other in self._dice.index]
        if not known:
            return Estimate(math.nan, math.nan, math.nan, math.nan, ())
        differences = [self._dice.loc[one].to_numpy() - self._dice.loc[other].to_numpy() for one, other in known]
        return estimate(np.stack(differences), self._groups, bounds=(-1.0, 1.0))

    def _rival(self, latency_s: float) -> Row | None:
        """The single network that is no slower and the best by validation; test scores have no say."""
        slowest = EQUAL * latency_s
        able = [
            row
            for row in self.table.compared
            if not self._is_untrained(row) and self._latency(row) <= slowest and not math.isnan(self._validation(row))
        ]
        return max(able, key=self._validation, default=None)

    def _opponents(self, key: str, rival: Row) -> list[str]:
        """The rival's records that a record is compared with: of its seed, or all where it has members of several."""
        trial = self.table.records[key].trial
        seeds = {member.seed for member in trial.derivation.members} if trial.derivation else set()
        done = [other for other in rival.records if other in self.table.done]
        same = [other for other in done if self.table.records[other].trial.seed in seeds]
        return same if len(seeds) == 1 and same else done

    def _validation(self, row: Row) -> float:
        found = [validation_dice(self.table.done[key]) for key in row.records if key in self.table.done]
        return float(np.mean(found)) if found else math.nan

    def _latency(self, row: Row) -> float:
        entry = row.latency(self.table.setting)
        return entry.median_s if entry else math.nan

    def _is_untrained(self, row: Row) -> bool:
        return any(self.table.records[key].trial.is_untrained for key in row.records)


def validation_dice(record: Record) -> float:
    """Validation Dice of the selected weights, also where the loss was what selected them."""
    if record.selection.get("monitor") == "dice":
        return float(record.selection.get("score") or math.nan)
    epoch = record.selection.get("epoch")
    return next((float(row["val_dice"] or math.nan) for row in record.history if row.get("epoch") == epoch), math.nan)


def taken_text(records: Sequence[Record]) -> str:
    """How many networks an ensemble is of, as `3`, or `2 of 6` where some were not chosen; `2–3 of 6` over seeds."""
    members = [record.selection.get("members", []) for record in records]
    counts = sorted({sum(member["weight"] > 0 for member in rows) for rows in members})
    of = max(len(rows) for rows in members)
    text = "–".join(map(str, dict.fromkeys([counts[0], counts[-1]])))
    return text if counts == [of] else f"{text} of {of}"


def _beside(key: str, trial: str) -> str:
    """The key of another trial of the same machine's folder."""
    return f"{key.rpartition('/')[0]}/{trial}"
