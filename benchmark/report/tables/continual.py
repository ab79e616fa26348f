"""The stages of continual learning put together to runs, and what each method keeps, forgets and costs."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ....core.record import Record
from ....core.trial import Derivation, Trial, canonical
from ...naming.names import without_batches
from ...naming.trial_names import TrialNames
from ..frame import PRIMARY, Frames, table_key
from ..statistics.continual import Run, estimates
from ..statistics.intervals import Estimate
from .apart import is_stage, is_update
from .summary import ComparisonTable

JOINT = "joint"
"""The method that trains on all batches at once."""

FLOAT_BYTES = 4


@dataclass(frozen=True)
class ContinualRow:
    """A model and loss under one method. complete, runs: how many orders and seeds are done, and how many there are.

    matrix: R, the mean over runs, NaN where training is joint. batches: in their order where all runs have the same
    one, else none. readings: see `statistics.continual`. parameters: after the last stage; growth: over those after the
    first. kept_cases, kept_bytes: what the last stage has of earlier batches beside the model, the mean over runs.
    """

    model: str
    loss: str
    method: str
    complete: int
    runs: int
    matrix: np.ndarray
    batches: tuple[str, ...]
    readings: dict[str, Estimate]
    parameters: float
    growth: float
    kept_cases: float
    kept_bytes: float

    @property
    def label(self) -> str:
        """How plots name it."""
        return f"{self.method} · {self.model} · {self.loss}"


@dataclass(frozen=True)
class ContinualRuns:
    """The stages of one data set on one machine. stages: the table of them. joint: the other of the same data."""

    frames: Frames
    stages: ComparisonTable
    joint: ComparisonTable | None

    @cached_property
    def rows(self) -> tuple[ContinualRow, ...]:
        """Joint training first for each model and loss, then its methods, the best final Dice first."""
        made = [self._row(key, ends) for key, ends in self._ends.items()]
        made += [self._joint_row(keys) for keys in self._joint_records.values()]
        known = [row for row in made if row is not None]
        return tuple(
            sorted(
                known, key=lambda row: (row.model, row.loss, row.method != JOINT, -_known(row.readings["final"].mean))
            )
        )

    @cached_property
    def _records(self) -> dict[str, Record]:
        return {**(self.joint.records if self.joint else {}), **self.stages.records}

    @cached_property
    def _dice(self) -> pd.DataFrame:
        """Dice of each case, a mean over classes; a row a record."""
        scores: Any = self.frames.scores[self.frames.scores["record"].isin(list(self._records))]
        return scores.groupby(["record", "case"])[PRIMARY].mean().unstack()

    @cached_property
    def _groups(self) -> np.ndarray:
        scores: Any = self.frames.scores[self.frames.scores["record"].isin(list(self._records))]
        groups = dict(zip(scores["case"], scores["group"], strict=True))
        return np.array([groups[case] for case in self._dice.columns], dtype=str)

    @cached_property
    def _names(self) -> TrialNames:
        """Of the trials without what tells stages apart."""
        return TrialNames((_plain(record.ran) for record in self._records.values()), self.frames.labels)

    @cached_property
    def _methods(self) -> dict[str, str]:
        """Methods in words by their options: with all of these where the short words are those of two methods."""
        found = {
            canonical(one.options): one
            for one in (record.trial.derivation for record in self.stages.records.values())
            if one is not None
        }
        briefs = [one.brief for one in found.values()]
        return {key: one.brief if briefs.count(one.brief) == 1 else one.label for key, one in found.items()}

    @cached_property
    def _ends(self) -> dict[tuple[str, str], list[str]]:
        """Keys of the records of last stages, by what their model and loss, and method are."""
        count = len(
            {batch for record in self.stages.done.values() for batch in record.data.get("batches", {}).values()}
        )
        found: dict[tuple[str, str], list[str]] = {}
        for key, record in self.stages.records.items():
            derivation = record.trial.derivation
            if derivation is not None and len(_batches(record)) == count:
                found.setdefault((_configuration(record.ran), canonical(derivation.options)), []).append(key)
        return found

    @cached_property
    def _joint_records(self) -> dict[str, list[str]]:
        configurations = {configuration for configuration, _ in self._ends}
        found: dict[str, list[str]] = {}
        for key, record in (self.joint.records if self.joint else {}).items():
            configuration = _configuration(record.ran)
            if record.trial.derivation is None and configuration in configurations:
                found.setdefault(configuration, []).append(key)
        return found

    def _row(self, key: tuple[str, str], ends: Sequence[str]) -> ContinualRow | None:
        chains = [chain for chain in map(self._chain, ends) if chain]
        if not chains:
            return None
        runs = [self._run(chain) for chain in chains]
        first, last = [chain[0] for chain in chains], [chain[-1] for chain in chains]
        orders = {_batches(self._records[end]) for end in last}
        name, trainable = self._names[_plain(self._records[last[0]].ran)], self._trainable(last)
        derivation = self._records[last[0]].trial.derivation
        return ContinualRow(
            name.model,
            name.loss,
            self._methods[key[1]],
            len(chains),
            len(ends),
            np.mean([run.matrix for run in runs], axis=0),
            next(iter(orders)) if len(orders) == 1 else (),
            estimates(runs, self._groups),
            trainable,
            trainable / self._trainable(first) - 1,
            self._kept(last, "cases"),
            self._kept(last, "bytes") + _method_bytes(derivation, trainable),
        )

    def _joint_row(self, keys: Sequence[str]) -> ContinualRow | None:
        done = [key for key in keys if self._records[key].status == "done"]
        of = next((record.data["batches"] for record in self.stages.done.values() if "batches" in record.data), None)
        if not done or of is None:
            return None
        places = {batch: place for place, batch in enumerate(sorted(set(of.values())))}
        place = np.array([places.get(of.get(case), -1) for case in self._dice.columns])
        runs = [Run(self._dice.loc[[key]].to_numpy(), place, np.full(len(place), np.nan)) for key in done]
        name = self._names[_plain(self._records[done[0]].ran)]
        empty = np.full((len(places),) * 2, np.nan)
        readings = estimates(runs, self._groups)
        return ContinualRow(
            name.model,
            name.loss,
            JOINT,
            len(done),
            len(keys),
            empty,
            (),
            readings,
            self._trainable(done),
            0.0,
            0.0,
            0.0,
        )

    def _run(self, chain: Sequence[str]) -> Run:
        last = self._records[chain[-1]]
        places = {batch: place for place, batch in enumerate(_batches(last))}
        of = last.data["batches"]
        place = np.array([places[of[case]] if case in of else -1 for case in self._dice.columns])
        alone = np.full(len(place), np.nan)
        for batch, at in places.items():
            key = self._alone.get((_configuration(last.ran), last.trial.seed, canonical(last.trial.split), batch))
            if key is not None:
                alone[place == at] = self._dice.loc[key].to_numpy()[place == at]
        return Run(self._dice.loc[list(chain)].to_numpy(), place, alone)

    @cached_property
    def _alone(self) -> dict[tuple[str, int, str, str], str]:
        """Records of networks that were trained on one batch and nothing else."""
        return {
            (_configuration(record.ran), record.trial.seed, canonical(record.trial.split), _batches(record)[0]): key
            for key, record in self.stages.done.items()
            if len(_batches(record)) == 1
        }

    def _chain(self, end: str) -> list[str]:
        """Keys of the stages up to this one, the first of them first; none where one is not done."""
        found: list[str] = []
        key: str | None = end
        while key is not None:
            record = self.stages.done.get(key)
            if record is None or key not in self._dice.index:
                return []
            found.insert(0, key)
            derivation = record.trial.derivation
            key = None if derivation is None else f"{key.rpartition('/')[0]}/{derivation.parent}"
        return found

    def _trainable(self, keys: Sequence[str]) -> float:
        return float(np.mean([self._records[key].model.get("trainable") or math.nan for key in keys]))

    def _kept(self, keys: Sequence[str], what: str) -> float:
        return float(np.mean([self._records[key].data.get("kept", {}).get(what, 0) for key in keys]))


def continual_runs(tables: Sequence[ComparisonTable], frames: Frames) -> Iterator[ContinualRuns]:
    """One for each table of stages, with the table of the same data, split, recipe and machine beside it."""
    whole = {_beside(table): table for table in tables if not is_stage(table.example.trial)}
    for table in tables:
        if is_stage(table.example.trial) and not is_update(table.example.trial):
            yield ContinualRuns(frames, table, whole.get(_beside(table)))


def _beside(table: ComparisonTable) -> str:
    """Equal for the two tables of one data set, split, recipe and machine."""
    record = table.example
    whole = replace(record.trial, dataset=without_batches(record.trial.dataset)[0])
    return canonical([table.name, table_key(replace(record, trial=whole), table.machine)])


def _plain(trial: Trial) -> Trial:
    return replace(trial, dataset=without_batches(trial.dataset)[0], derivation=None)


def _configuration(trial: Trial) -> str:
    """Equal for trials of one model and loss that ran on the same kind of hardware."""
    return canonical([trial.model.canonical, trial.loss.canonical, trial.backend, trial.device, trial.recipe.precision])


def _batches(record: Record) -> tuple[str, ...]:
    return tuple(without_batches(record.trial.dataset)[1].get("batches", ()))


def _method_bytes(derivation: Derivation | None, trainable: float) -> float:
    """What the method keeps beside model and cases: ewc a Fisher matrix's diagonal, a number a trainable weight."""
    is_ewc = derivation is not None and derivation.options.get("method") == "ewc"
    return FLOAT_BYTES * trainable if is_ewc else 0.0


def _known(value: float) -> float:
    return -math.inf if math.isnan(value) else value
