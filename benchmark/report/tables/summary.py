"""What a table says, as numbers: one table a data set, split, recipe and machine; one row a model and loss."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ....core.counted import counted
from ....core.measure import measure
from ....core.record import Record
from ..frame import OLDER, PRIMARY, Frames, size_text
from ..statistics.compare import Comparison, compare, ranks
from ..statistics.intervals import Estimate, estimate
from .apart import told_apart
from .labelled import labelled
from .latency import Latency
from .lighter import AgainstParent, against_parents

STATUSES = ("done", "failed", "timed_out", "unfit")


@dataclass(frozen=True)
class Row:
    """One configuration. `estimates` average over classes case by case; `by_class` do not.

    statuses: how many trials ended how. collapsed: record → collapsed classes. rank: see `statistics.ranks`.
    without_score: trials that are done and whose Dice are all undefined. seeds: how many gave scores. cases: test cases
    scored. scored: score rows (case × class × seed); empty: how many of them have which side empty; undefined: how many
    have no Dice under the policy. case_means (cases,): Dice of each case, averaged over classes and seeds.
    """

    model: str
    loss: str
    records: tuple[str, ...]
    statuses: Counter[str]
    collapsed: dict[str, list[str]]
    estimates: dict[str, Estimate]
    by_class: dict[str, dict[str, Estimate]]
    rank: tuple[int, int] | None
    without_score: int
    seeds: int
    cases: int
    scored: int
    undefined: int
    empty: Counter[str]
    case_means: np.ndarray
    latencies: tuple[Latency, ...]
    trainable: float
    total: float
    macs: float
    size: str
    train_s: float
    peak_bytes: float

    @property
    def label(self) -> str:
        """How plots name it."""
        return f"{self.model} · {self.loss}"

    @property
    def done(self) -> int:
        """Number of trials that gave scores."""
        return self.statuses["done"]

    @property
    def collapsed_text(self) -> str:
        """How many of the trials that are done collapsed."""
        return f"{len(self.collapsed)} of {counted(self.done, 'trial')} collapsed"

    @property
    def dice(self) -> Estimate:
        """The estimate that orders the table."""
        return self.estimates[PRIMARY]

    def latency(self, setting: str) -> Latency | None:
        """The samples under one setting."""
        return next((entry for entry in self.latencies if entry.setting == setting), None)


@dataclass(frozen=True)
class ComparisonTable:
    """Trials that can be compared: same data, split, recipe and machine. rows: best mean Dice first, undone last.

    name: of the data set. measures: those that any of its scores has. comparison: of `compared`, the rows with scores.
    setting: the latency setting that most rows have, or "". labelled: each label that appears and what it stands for.
    older: the records that tell less of their machine than the others, see `machines.hosts`. replaced: how many earlier
    records these stand in for. apart: what of split and recipe tells it from the other tables of the data set, ""
    where nothing does. lighter: the rows that come from others, against those.
    """

    name: str
    machine: str
    policy: str
    measures: tuple[str, ...]
    records: dict[str, Record]
    rows: tuple[Row, ...]
    groups: int
    comparison: Comparison | None
    setting: str
    labelled: tuple[tuple[str, str], ...] = ()
    older: tuple[str, ...] = ()
    replaced: int = 0
    apart: str = ""
    lighter: tuple[AgainstParent, ...] = ()

    @property
    def title(self) -> str:
        """Data set, what tells it from its other tables, and machine."""
        return f"{self.subject} on {self.machine}"

    @property
    def subject(self) -> str:
        """Data set and what tells the table from its other tables."""
        return f"{self.name} ({self.apart})" if self.apart else self.name

    @cached_property
    def done(self) -> dict[str, Record]:
        """The records with scores."""
        return {key: record for key, record in self.records.items() if record.status == "done"}

    @cached_property
    def example(self) -> Record:
        """A record to read common facts from, one with scores where there is one."""
        return next(iter({**self.done, **self.records}.values()))

    @cached_property
    def row_of(self) -> dict[str, Row]:
        """The row of each record."""
        return {key: row for row in self.rows for key in row.records}

    def short(self, row: Row) -> str:
        """What tells a row from the others: its model where all losses are the same, and the other way round."""
        models, losses = ({getattr(other, part) for other in self.rows} for part in ("model", "loss"))
        if len(models) == 1 and len(losses) > 1:
            return row.loss
        return row.model if len(losses) == 1 else row.label

    @property
    def compared(self) -> tuple[Row, ...]:
        """The rows with at least one defined score, in order."""
        return tuple(row for row in self.rows if not math.isnan(row.dice.mean))

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that are scored."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row.by_class))

    def differing(self, read: Callable[[Record], Any]) -> list[Any]:
        """The different values that the records give, in order."""
        return list(dict.fromkeys(read(record) for record in self.records.values()))


def comparison_tables(frames: Frames) -> list[ComparisonTable]:
    """Summarise every table of a sweep, by data set and machine."""
    found = [_comparison_table(frames, trials) for _, trials in frames.trials.groupby("table", sort=False)]
    apart = told_apart([(table.name, table.example.trial) for table in found])
    named = [replace(table, apart=words) for table, words in zip(found, apart, strict=True)]
    return sorted(named, key=lambda table: (table.name, table.machine, table.apart))


def _comparison_table(frames: Frames, trials: pd.DataFrame) -> ComparisonTable:
    records = {key: frames.records[key] for key in trials["record"]}
    scores = frames.scores.merge(trials[["record", "model", "loss", "seed"]], on="record")
    cases = dict(sorted(zip(scores["case"], scores["group"], strict=True)))
    groups = np.array(list(cases.values()), dtype=str)
    configurations = [
        _Configuration(frames, scores, cases, part) for _, part in trials.groupby(["model", "loss"], sort=False)
    ]
    scored = [configuration for configuration in configurations if not np.isnan(configuration.dice).all()]
    scored.sort(key=lambda configuration: (-configuration.estimates[PRIMARY].mean, configuration.name))
    comparison = _compared(scored, groups)
    places = ranks(comparison, len(scored)) if comparison else None
    rest = sorted(
        (configuration for configuration in configurations if configuration not in scored),
        key=lambda configuration: configuration.name,
    )
    rows = [configuration.row(places[index] if places else None) for index, configuration in enumerate(scored)]
    rows += [configuration.row(None) for configuration in rest]
    counts = Counter(entry.setting for row in rows for entry in row.latencies)
    return ComparisonTable(
        name=str(trials["dataset"].iloc[0]),
        machine=str(trials["machine"].iloc[0]),
        policy=frames.policy,
        measures=tuple(name for name in frames.measures if name == PRIMARY or not np.isnan(scores[name]).all()),
        records=records,
        rows=tuple(rows),
        groups=len(set(groups)),
        comparison=comparison,
        setting=max(counts, key=lambda name: (not name.endswith(OLDER), counts[name]), default=""),
        labelled=labelled(frames.labels, list(records.values())),
        older=tuple(trials["record"][trials["older"]]),
        replaced=sum(frames.replaced.get(key, 0) for key in records),
        lighter=against_parents(configurations, records, groups),
    )


def _compared(scored: Sequence["_Configuration"], groups: np.ndarray) -> Comparison | None:
    if len(scored) < 2:
        return None
    return compare(
        [configuration.dice for configuration in scored],
        groups,
        stable=[not any(t.trials["collapsed"]) for t in scored],
    )


class _Configuration:
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

    def values(self, name: str, chosen: np.ndarray) -> np.ndarray:
        """Mean over classes of each case, (seeds, cases) of the chosen score rows; at least one row of NaN."""
        values = self.scores[name].to_numpy(dtype=float)
        chosen = chosen & ~np.isnan(values)
        shape = max(len(self.seeds), 1), len(self.groups)
        place = self.seed[chosen] * shape[1] + self.case[chosen]
        sums, counts = (np.bincount(place, weight, math.prod(shape)) for weight in (values[chosen], None))
        return np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0).reshape(shape)

    def measured(self, chosen: np.ndarray) -> dict[str, Estimate]:
        return {
            name: estimate(self.values(name, chosen), self.groups, bounds=measure(name).bounds)
            for name in self.frames.measures
        }

    def by_class(self) -> dict[str, dict[str, Estimate]]:
        names = self.scores["class"].to_numpy(dtype=str)
        return {str(name): self.measured(names == name) for name in dict.fromkeys(names)}

    def without_score(self) -> int:
        done = self.trials["record"][self.trials["status"] == "done"]
        return len(set(done) - set(self.scores["record"][self.scores[PRIMARY].notna()]))

    def row(self, rank: tuple[int, int] | None) -> Row:
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
            latencies=self.latencies(),
            trainable=_first(records, "trainable"),
            total=_first(records, "total"),
            macs=_first(records, "macs"),
            size=next((size_text(record.model["size"]) for record in records if record.model.get("size")), ""),
            train_s=_average([timing.get("train_s") for timing in done]),
            peak_bytes=_average([timing.get("peak_bytes") for timing in done]),
        )

    def latencies(self) -> tuple[Latency, ...]:
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
