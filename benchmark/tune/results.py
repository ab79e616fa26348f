"""A tuning read back from its folder: the searches as they went, and the test scores of winners beside the defaults."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import SpecError, StoreError, one_line
from ...core.measure import measure
from ...core.trial import Trial
from ..naming.labels import Labels
from ..naming.trial_names import TrialName, TrialNames
from ..records.store import read_sweep
from ..report.frame import PRIMARY, Frames, frames
from ..report.statistics.compare import compare
from ..report.statistics.intervals import Estimate, estimate, interval
from ..sweep.tuning import Budget, Tuning
from .attempt import Attempt
from .files import budget_of
from .hyperband import HyperbandSearch
from .importance import Importance, importance
from .oracle import is_whole, propose
from .search import AllFailed, Ask, Search
from .store import FOLDER, SEARCH, Proposals, SearchStore, tuning_of


@dataclass(frozen=True)
class Scores:
    """Test Dice of one setting, trained with several seeds. values (s, n): of each seed and case, NaN if undefined.

    collapsed: how many of its trainings predict nothing that tells; see `report.frame.collapsed`.
    """

    values: np.ndarray
    estimate: Estimate
    collapsed: int = 0


@dataclass(frozen=True)
class Difference:
    """Dice of the winner less that of the default, seed by seed and case by case.

    low, high: ends of the 95 % interval, NaN where too few groups allow none; see `report.statistics.intervals`.
    """

    mean: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class Tested:
    """Test scores of the winner and the default of one search, trained with the same seeds, on the same cases.

    difference: None where the default won. cases, groups (n,): names, and which belong together.
    """

    default: Scores
    tuned: Scores
    difference: Difference | None
    seeds: tuple[int, ...]
    cases: tuple[str, ...]
    groups: np.ndarray


@dataclass(frozen=True)
class Tuned:
    """A search and what came of it. winner: None where all failed or the search is not at its end; problem: why.

    test: None before winner and default are trained with one seed at least.
    """

    name: TrialName
    machine: str
    search: Search
    about: dict[str, Any]
    importance: Importance
    winner: Attempt | None = None
    problem: str = ""
    test: Tested | None = None

    @property
    def label(self) -> str:
        """Model and loss."""
        return f"{self.name.model} · {self.name.loss}"


def read_tuning(sweep: Path, policy: str) -> list[Tuned]:
    """The searches below a sweep's folder, by machine, data set and name. policy: for empty masks.

    Raises StoreError for a file that cannot be read.
    """
    searches = searches_of(sweep)
    labels = Labels(read_sweep(sweep), str(sweep / "sweep.yaml"))
    names = TrialNames([search.default for _, search, _ in searches], labels)
    read = frames(sweep, policy) if any(sweep.glob("records/*/*.json")) else None
    found = [_tuned(names[search.default], machine, search, about, read) for machine, search, about in searches]
    return sorted(found, key=lambda one: (one.machine, one.name.dataset, one.label))


def searches_of(sweep: Path) -> list[tuple[str, Search, dict[str, Any]]]:
    """Machine, search and what its file says of each search below a sweep's folder. Raises StoreError."""
    budget = Budget(**budget_of(read_sweep(sweep), sweep / "sweep.yaml"))
    files = sorted(sweep.glob(f"{FOLDER}/searches/*/*/{SEARCH}"))
    return [(file.parents[1].name, *_searched(sweep, file, budget)) for file in files]


def new_search(
    default: Trial, tuning: Tuning, kept: Proposals, *, width: int = 1, ask: Ask = propose
) -> Search | HyperbandSearch:
    """A search of the kind that the engine asks for."""
    kind = HyperbandSearch if tuning.engine == "hyperband" else Search
    return kind(default, tuning, kept, width=width, ask=ask)


def _searched(sweep: Path, file: Path, budget: Budget) -> tuple[Search, dict[str, Any]]:
    """The search as far as its files tell; nothing new is proposed."""
    store = SearchStore(sweep, file.parents[1].name)
    kept = store.search(file.parent.name)
    about, budget = kept.about(), kept.budget() or budget
    try:
        default, tuning = Trial.from_json(about["default"]), tuning_of(about, budget)
        search = new_search(default, tuning, kept, ask=lambda *_, **__: None)
        search.advance(store.outcome)
        if search.exhausted and budget != Budget():  # it has asked for a further proposal
            search.exhausted = is_whole(search.space, search.is_new)
            search.awaits = not search.exhausted
    except SpecError as error:
        raise SpecError(f"{file}: {error}; a part of your own needs its file, --plugin FILE") from None
    except (AttributeError, LookupError, TypeError, ValueError) as error:  # each file is sound, but not with the others
        raise StoreError(f"{file}: is no search ({one_line(error)}); delete {file.parent}") from None
    return search, about


def _tuned(name: TrialName, machine: str, search: Search, about: dict[str, Any], read: Frames | None) -> Tuned:
    found = Tuned(name, machine, search, about, importance(search.attempts, search.space))
    if search.awaits and not search.open:
        return replace(found, problem="its budget is not used up; the same command goes on")
    if not search.finished:
        return replace(found, problem=f"{len(search.open)} trials are still to be trained; the same command goes on")
    try:
        winner = search.winner()
    except AllFailed as error:
        return replace(found, problem=str(error))
    found = replace(found, winner=winner)
    return found if read is None else replace(found, test=_tested(found, winner, read))


def _tested(found: Tuned, winner: Attempt, read: Frames) -> Tested | None:
    """The scores of those seeds that winner and default were both trained with after the search."""
    default, own = (_by_seed(trial, found.machine, read) for trial in (found.search.default, winner.trial))
    seeds = tuple(sorted(set(default) & set(own)))
    if not seeds:
        return None
    scores: Any = read.scores
    rows = scores[scores["record"].isin([*default.values(), *own.values()])]
    cases = dict(sorted(zip(rows["case"], rows["group"], strict=True)))
    groups = np.array(list(cases.values()), dtype=str)
    trained = [[keys[seed] for seed in seeds] for keys in (default, own)]
    first, second = (_values(rows, keys, list(cases)) for keys in trained)
    bounds = measure(PRIMARY).bounds
    fallen = {key for key, names in zip(read.trials["record"], read.trials["collapsed"], strict=True) if names}
    both = [
        Scores(values, estimate(values, groups, bounds=bounds), len(fallen.intersection(keys)))
        for values, keys in zip((first, second), trained, strict=True)
    ]
    difference = None
    if winner.number:
        low, high = interval(second - first, groups)
        tested = compare([second, first], groups)
        difference = Difference(float(tested.difference[0]), low, high, float(tested.p[0]))
    return Tested(both[0], both[1], difference, seeds, tuple(cases), groups)


def _by_seed(trial: Trial, machine: str, read: Frames) -> dict[int, str]:
    """Records of a trial with other seeds than the search's that are done, by seed."""
    return {
        record.trial.seed: key
        for key, record in read.records.items()
        if key.split("/")[0] == machine
        and record.status == "done"
        and record.trial.seed != trial.seed
        and replace(record.trial, seed=trial.seed).id == trial.id
    }


def _values(rows: Any, keys: list[str], cases: list[str]) -> np.ndarray:
    """Dice of each record and case, a mean over classes, (s, n)."""
    means = rows.groupby(["record", "case"])[PRIMARY].mean().unstack("case")
    return means.reindex(index=keys, columns=cases).to_numpy(dtype=float)
