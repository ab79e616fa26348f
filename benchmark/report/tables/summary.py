"""What a table says, as numbers: one table a data set, split, recipe and machine; one row a model and loss."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ....core.record import Record
from ..frame import OLDER, PRIMARY, Frames
from ..statistics.compare import Comparison, compare, ranks
from .apart import told_apart
from .configuration import Configuration
from .labelled import labelled
from .lighter import AgainstParent, against_parents
from .row import Row

STATUSES = ("done", "failed", "timed_out", "unfit")


@dataclass(frozen=True)
class ComparisonTable:
    """Trials that can be compared: same data, split, recipe and machine. rows: best mean Dice first, undone last.

    name: of the data set. case_groups (cases,): which cases belong together. measures: those that any of its scores
    has. comparison: of `compared`, the rows with scores. setting: the latency setting that most rows have, or "".
    labelled: each label that appears and what it stands for. older: the records that tell less of their machine
    than the others, see `machines.hosts`. replaced: how many earlier records these stand in for. apart: what of
    split and recipe tells it from the other tables of the data set, "" where nothing does. lighter: the rows that
    come from others, against those. runs: further runs of its records.
    """

    name: str
    machine: str
    policy: str
    measures: tuple[str, ...]
    records: dict[str, Record]
    rows: tuple[Row, ...]
    groups: int
    case_groups: np.ndarray
    comparison: Comparison | None
    setting: str
    labelled: tuple[tuple[str, str], ...] = ()
    older: tuple[str, ...] = ()
    replaced: int = 0
    apart: str = ""
    lighter: tuple[AgainstParent, ...] = ()
    runs: tuple[tuple[str, str], ...] = ()

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

    def leading(self, count: int) -> "ComparisonTable":
        """The table with its first rows alone, for a plot that has no room for all."""
        rows = self.rows[:count]
        return replace(self, rows=rows, records={key: self.records[key] for row in rows for key in row.records})

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
        Configuration(frames, scores, cases, part) for _, part in trials.groupby(["model", "loss"], sort=False)
    ]
    scored = [configuration for configuration in configurations if not np.isnan(configuration.dice).all()]
    scored.sort(key=lambda configuration: (-configuration.estimates[PRIMARY].mean, configuration.name))
    comparison = _compared(scored, groups)
    covered = [configuration.covered for configuration in scored]
    places = ranks(comparison, len(scored), ranked=covered) if comparison else None
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
        case_groups=groups,
        comparison=comparison,
        setting=max(counts, key=lambda name: (not name.endswith(OLDER), counts[name]), default=""),
        labelled=labelled(frames.labels, list(records.values())),
        older=tuple(trials["record"][trials["older"]]),
        replaced=sum(frames.replaced.get(key, 0) for key in records),
        runs=tuple((key, text) for key in records for text in frames.runs.get(key, ())),
        lighter=against_parents(configurations, records, groups),
    )


def _compared(scored: Sequence["Configuration"], groups: np.ndarray) -> Comparison | None:
    if len(scored) < 2:
        return None
    return compare(
        [configuration.dice for configuration in scored],
        groups,
        stable=[not any(t.trials["collapsed"]) for t in scored],
    )
