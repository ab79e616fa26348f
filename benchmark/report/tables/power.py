"""The pairs of configurations of a table, what their scores vary by, and what telling them apart needs."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd

from ....core.errors import SpecError, StoreError, unknown
from ..frame import Frames
from ..statistics.components import Components, components, pooled, trainings, typical
from ..statistics.needed import UNLIMITED, detectable, needed_groups, needed_seeds
from ..statistics.power import Question, design
from .apart import is_stage, told_apart


@dataclass(frozen=True)
class Entry:
    """A row of the report's table. short: what tells it from the others. collapsed: whether one of its trials did."""

    model: str
    loss: str
    short: str
    records: tuple[str, ...]
    collapsed: bool


@dataclass(frozen=True)
class Subject:
    """Trials that may be compared: those of one table of the report. title: data set, what tells it apart, machine."""

    title: str
    file: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Pair:
    """Two configurations.

    detectable: the smallest true difference that the present cases and seeds find. groups: how many the difference
    asked for needs at the present seeds; with_seeds: how many seeds at the present groups. inf: no number is enough.
    """

    first: str
    second: str
    found: Components
    detectable: float
    groups: float
    with_seeds: float

    @property
    def label(self) -> str:
        """Both names."""
        return f"{self.first} and {self.second}" if self.second else self.first


@dataclass(frozen=True)
class Needed:
    """What the typical pair needs with so many seeds a configuration: groups, and cases at their present size.

    present: the difference found with the present cases. unlimited: with any number of them.
    """

    seeds: int
    groups: float
    cases: float
    present: float
    unlimited: float


@dataclass(frozen=True)
class PowerTable:
    """The pairs of one table. name: of the measure. collapsed: configurations that are left out for that.

    pairs: all, or those that were named. configurations: how many the test of the report pools seeds over.
    """

    subject: Subject
    name: str
    question: Question
    pairs: tuple[Pair, ...]
    configurations: int
    collapsed: tuple[str, ...]
    asked_seeds: tuple[int, ...]

    @cached_property
    def typical(self) -> Pair:
        """A pair of the medians of all."""
        if len(self.pairs) == 1:
            return self.pairs[0]
        found = typical([pair.found for pair in self.pairs])
        return _pair(f"median of {len(self.pairs)} pairs", "", found, self.question, self.configurations)

    @property
    def known(self) -> bool:
        """Whether the records tell the variance between trainings."""
        return self.typical.found.known

    @cached_property
    def needed(self) -> tuple[Needed, ...]:
        """A line for each number of seeds that was asked for; one seed alone where nothing is known of seeds."""
        return tuple(self.needed_at(seeds) for seeds in self.seeds)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The numbers of seeds that can be told about."""
        return self.asked_seeds if self.known else (1,)

    def needed_at(self, seeds: int) -> Needed:
        """What so many seeds need."""
        found, more = self.typical.found, self.configurations
        groups = needed_groups(found, self.question, seeds=seeds, configurations=more)
        here, anywhere = (
            detectable(design(found, groups=count, seeds=seeds, configurations=more), self.question)
            for count in (found.groups, UNLIMITED)
        )
        return Needed(seeds, groups, _cases(groups, found), here, 0.0 if seeds == 1 else anywhere)

    def cases_for(self, question: Question, seeds: int) -> float:
        """Cases with which the typical pair is told apart."""
        found = self.typical.found
        groups = needed_groups(found, question, seeds=seeds, configurations=self.configurations)
        return _cases(groups, found)


def subjects(frames: Frames) -> list[Subject]:
    """The tables of a sweep, by data set and machine, without those of stages of continual learning."""
    parts: list[Any] = [part for _, part in frames.trials.groupby("table", sort=False)]
    parts = [part for part in parts if not is_stage(frames.records[part["record"].iloc[0]].trial)]
    examples = [(str(part["dataset"].iloc[0]), frames.records[part["record"].iloc[0]].trial) for part in parts]
    found: list[Subject] = []
    for part, (name, _), apart in zip(parts, examples, told_apart(examples), strict=True):
        machine = str(part["machine"].iloc[0])
        title = f"{name} ({apart}) on {machine}" if apart else f"{name} on {machine}"
        file = "-".join(filter(None, [frames.files[name], apart, machine]))
        found.append(Subject(title, file, _entries(part)))
    return sorted(found, key=lambda one: one.title)


def power_table(
    frames: Frames,
    subject: Subject,
    question: Question,
    *,
    name: str,
    models: str = "",
    seeds: Sequence[int] = (1, 3, 5, 10),
) -> PowerTable:
    """The pairs of a table, or those that `models` names as `A,B`. name: one of the measures of the records.

    Raises SpecError for a model that is not there, StoreError where no pair can be compared: why.
    """
    scored, groups = _scores(frames, subject, name)
    sound = [entry for entry in subject.entries if not entry.collapsed]
    known = [entry for entry in sound if entry.short in scored]
    _refuse_too_few(subject.title, name, known, groups)
    wanted = _named(known, models, subject.title) if models else list(combinations(known, 2))
    together = pooled([trainings(scored[entry.short], groups) for entry in known])
    pairs: list[Pair] = []
    for first, second in wanted:
        found = components(scored[first.short], scored[second.short], groups)
        if found is not None:
            pairs.append(_pair(first.short, second.short, found.with_trainings(together), question, len(known)))
    if not pairs:
        raise StoreError(
            f"{subject.title}: no two of the configurations have a defined {name} on cases of two groups or more in "
            "common, so that nothing can be compared; score them on the same cases"
        )
    collapsed = tuple(entry.short for entry in subject.entries if entry.collapsed)
    return PowerTable(subject, name, question, tuple(pairs), len(known), collapsed, tuple(seeds))


def _entries(trials: pd.DataFrame) -> tuple[Entry, ...]:
    models, losses = set(trials["model"]), set(trials["loss"])
    found: list[Entry] = []
    names: Any  # pandas annotates it as one key
    for names, part in trials.groupby(["model", "loss"]):
        model, loss = names
        short = f"{model} · {loss}" if len(losses) > 1 else str(model)
        short = str(loss) if len(models) == 1 and len(losses) > 1 else short
        found.append(Entry(str(model), str(loss), short, tuple(part["record"]), any(map(len, part["collapsed"]))))
    return tuple(found)


def _scores(frames: Frames, subject: Subject, name: str) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """By entry its scores (seeds, cases), means over classes, where one is defined; the group of each case."""
    entry = {key: one.short for one in subject.entries for key in one.records}
    scores: Any = frames.scores[frames.scores["record"].isin(list(entry))]
    seed = {key: frames.records[key].trial.seed for key in entry}
    of = scores.assign(entry=scores["record"].map(entry), seed=scores["record"].map(seed))
    wide = of.groupby(["entry", "seed", "case"])[name].mean().unstack("case")
    group = dict(zip(scores["case"], scores["group"], strict=True))
    found = {str(key): part.to_numpy(dtype=float) for key, part in wide.groupby(level="entry")}
    found = {key: values[~np.isnan(values).all(axis=1)] for key, values in found.items()}
    return {key: values for key, values in found.items() if len(values)}, np.array([group[case] for case in wide])


def _refuse_too_few(title: str, name: str, known: Sequence[Entry], groups: np.ndarray) -> None:
    """Raise StoreError where no pair can be made."""
    if not len(groups):
        raise StoreError(f"{title}: no trial is done, so there are no scores; `unetbench run` goes on")
    if len(set(groups)) < 2:
        raise StoreError(
            f"{title}: all {len(groups)} cases are one group ({groups[0]}), so that nothing tells how groups differ; "
            "take test cases of at least two patients, plates or slides"
        )
    if not known:
        raise StoreError(
            f"{title}: no configuration that did not collapse has a defined {name}; `unetbench report` shows collapsed "
            "trials and empty masks, --empty takes another policy for these"
        )
    if len(known) < 2:
        raise StoreError(
            f"{title}: {known[0].short} alone has a defined {name} and did not collapse; a comparison takes two "
            "configurations"
        )


def _named(entries: Sequence[Entry], models: str, title: str) -> list[tuple[Entry, Entry]]:
    """The pairs that `A,B` names: two rows, or two models with a loss in common, or two losses with a model.

    Names may hold commas: it is split at the first at which both sides are names.
    """
    parts = [(models[:at].strip(), models[at + 1 :].strip()) for at, mark in enumerate(models) if mark == ","]
    keys: tuple[tuple[Callable[[Entry], str], Callable[[Entry], str]], ...] = (
        (lambda entry: f"{entry.model} · {entry.loss}", lambda entry: ""),
        (lambda entry: entry.model, lambda entry: entry.loss),
        (lambda entry: entry.loss, lambda entry: entry.model),
    )
    for (one, other), (name, rest) in product(parts, keys):
        found = [
            (first, second)
            for first, second in product(entries, entries)
            if name(first) == one and name(second) == other and rest(first) == rest(second) and first is not second
        ]
        if found:
            return found
    known = sorted({name(entry) for name, _ in keys for entry in entries})
    for name in [name for name in (parts[0] if len(parts) == 1 else ()) if name not in known]:
        raise SpecError(unknown(f"{title}: --models", name, known))
    raise SpecError(f"{title}: --models {models}: names no pair; give two of {', '.join(known)} as A,B")


def _pair(first: str, second: str, found: Components, question: Question, configurations: int) -> Pair:
    more = {"configurations": configurations}
    with_seeds = needed_seeds(found, question, **more) if found.known else math.inf
    return Pair(
        first=first,
        second=second,
        found=found,
        detectable=detectable(design(found, **more), question),
        groups=needed_groups(found, question, **more),
        with_seeds=with_seeds,
    )


def _cases(groups: float, found: Components) -> float:
    return groups if math.isinf(groups) else float(math.ceil(groups * found.cases / found.groups - 1e-9))
