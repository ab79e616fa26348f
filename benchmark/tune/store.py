"""Searches on disk, below a sweep's folder and apart from its records.

    tune/searches/<machine>/<search>/search.json     what the search is: its default trial, space and engine
    tune/searches/<machine>/<search>/0003.json       a proposal, by its number
    tune/searches/<machine>/<search>/budget.json     its budget, as it was last asked for
    tune/trials/<machine>/<trial>-<epoch>.json       what came of a trial that was trained until that epoch

Each file but the budget is written once; all are written aside and renamed. Checkpoints and claims stand in `tune` as
those of a sweep in its folder.
"""

import json
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ...core.errors import SpecError, StoreError
from ...core.files import write
from ...core.record import Record, finite
from ...core.trial import Trial
from ..records.machine import machine
from ..records.store import IN_PARTS, WHOLE, Store
from ..sweep.space import Dimension, values_of
from ..sweep.tuning import Budget, Tuning
from .files import read_budget, read_proposal, read_search
from .oracle import Proposal
from .outcome import Outcome

FOLDER = "tune"
SEARCH = "search.json"
BUDGET = "budget.json"
SCHEMA = 1

NAMES = {
    "engine": "engine",
    "seed": "seed of the engine",
    "space": "space",
    "initial": "number of initial trials",
    "factor": "factor of Hyperband",
    "stop_after": "rule for stopping",
    "stop_level": "level for stopping",
}
"""What makes a search another one, besides its default trial, and how errors name it."""


class SearchStore(Store):
    """The trials of searches, as the runner writes and finds them. until: by trial, the epoch that it is trained to."""

    def __init__(self, sweep: Path, machine: str, hardware: dict[str, Any] | None = None) -> None:
        super().__init__(sweep, FOLDER, machine, hardware)
        self.until: dict[str, int] = {}
        self.trials = self.folder / "trials" / machine

    @classmethod
    def below(cls, sweep: Path) -> "SearchStore":
        """The store below a sweep's folder, as seen from the machine that this runs on."""
        return cls(sweep, machine()["name"], machine())

    def outcome(self, key: str, until: int) -> Outcome | None:
        """What came of a trial, None where that is not there. Raises StoreError."""
        file = self.trials / f"{key}-{until}.json"
        try:
            return Outcome.from_json(file.read_text("utf-8"), str(file))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"{file}: cannot be read: {error.strerror}") from None

    def search(self, key: str) -> "Proposals":
        """The proposals of a search by the id of its default trial."""
        return Proposals(self.folder / "searches" / self.machine / key)

    def own_ids(self) -> set[str]:
        """Ids of the trials that have come to the epoch that they are trained to, from one look."""
        try:
            names = {file.name for file in self.trials.iterdir()}
        except FileNotFoundError:
            return set()
        return {key for key, until in self.until.items() if f"{key}-{until}.json" in names}

    def record_of(self, key: str, *, rows: bool = True) -> Record | None:
        """The record of the trial at the epoch that it is trained to. rows: as `Store.record_of` has it."""
        found = self.outcome(key, self.until[key])
        if found is None:
            return None
        return found.record if rows else replace(found.record, history=[], scores=[])

    def settled(self, trials: Iterable[Trial], *, rows: bool = True) -> dict[str, Record]:
        """The records there are: what failed is not tried again, for the search went on from it."""
        return self.found(trials, rows=rows)

    def put(self, record: Record) -> Path:
        """Write what came of a trial."""
        until = self.until[record.trial.id]
        file = self.trials / f"{record.trial.id}-{until}.json"
        try:
            write(file, Outcome(until, record).to_json().encode())
        except OSError as error:
            raise StoreError(f"{file}: {error.strerror}; free some space, and the same command goes on") from None
        return file

    def tidy(self, record: Record) -> None:
        """Leave the checkpoint, from which a later rung may go on: see `forget`."""

    def forget(self, key: str) -> None:
        """Remove the checkpoint of a trial that is not trained any further, and what is half written of it."""
        folder = self.folder / "checkpoints" / self.machine
        for file in (folder / f"{key}{WHOLE}", folder / f"{key}{IN_PARTS}", *folder.glob(f".*.part.{key}.*")):
            file.unlink(missing_ok=True)


class Proposals(MutableMapping[int, Proposal]):
    """The proposals of one search, each a file. Raises StoreError for a file that is none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def _read(self) -> dict[int, Proposal]:
        """Those that are there, without those after a gap: they were proposed from what was lost."""
        found: dict[int, Proposal] = {}
        while (number := len(found) + 1) and (file := self._file(number)).is_file():
            fields = read_proposal(file)
            found[number] = Proposal(fields["values"], fields["source"], fields["bracket"])
        return found

    def __getitem__(self, number: int) -> Proposal:
        return self._read[number]

    def __setitem__(self, number: int, proposal: Proposal) -> None:
        content = json.dumps({"number": number, **asdict(proposal)}, indent=1) + "\n"
        try:
            write(self._file(number), content.encode())
        except OSError as error:
            raise StoreError(f"{self.folder}: {error.strerror}; free some space or give --results DIR") from None
        self._read[number] = proposal

    def __delitem__(self, number: int) -> None:
        self._file(number).unlink()
        del self._read[number]

    def __iter__(self) -> Iterator[int]:
        return iter(self._read)

    def __len__(self) -> int:
        return len(self._read)

    def begin(
        self, default: Trial, tuning: Tuning, space: tuple[Dimension, ...], versions: Callable[[], dict[str, str]]
    ) -> None:
        """Write what the search is. Raises SpecError where one of another space or engine was begun here.

        versions: of the engine, asked for where the search is new.
        """
        wanted = _signature(tuning, space)
        file = self.folder / SEARCH
        if not file.is_file():
            about = {"default": asdict(default), "values": values_of(default, space), **wanted, "versions": versions()}
            write(file, (json.dumps(finite({"schema": SCHEMA, **about}), indent=1) + "\n").encode())
            self._put_budget(tuning.budget)
            return
        before = read_search(file)
        for name, words in NAMES.items():
            if before.get(name) != wanted[name]:
                raise SpecError(
                    f"{file}: this search was begun with another {words}: {_difference(before.get(name), wanted[name])}"
                    f"; give the sweep another name, or delete {self.folder} to begin anew"
                )
        self._put_budget(tuning.budget)

    def budget(self) -> Budget | None:
        """What the search was last begun with; None where an earlier version has not written it. Raises StoreError."""
        file = self.folder / BUDGET
        return Budget(**read_budget(file)) if file.is_file() else None

    def about(self) -> dict[str, Any]:
        """What `begin` has written. Raises StoreError."""
        return read_search(self.folder / SEARCH)

    def _put_budget(self, budget: Budget) -> None:
        """Write it where it is another: a folder may hold searches of other recipes with budgets of their own."""
        if self.budget() != budget:
            write(self.folder / BUDGET, (json.dumps(asdict(budget)) + "\n").encode())

    def _file(self, number: int) -> Path:
        return self.folder / f"{number:04d}.json"


def tuning_of(about: dict[str, Any], budget: Budget, retrain: tuple[int, ...] = ()) -> Tuning:
    """The tuning that `Proposals.begin` wrote down, with a budget."""
    own = {name: about[name] for name in ("engine", "seed", "initial", "factor", "stop_level")}
    space = tuple(map(Dimension.from_json, about["space"]))
    return Tuning(space=space, budget=budget, retrain=retrain, stop_after=tuple(about["stop_after"]), **own)


def _signature(tuning: Tuning, space: tuple[Dimension, ...]) -> dict[str, Any]:
    found = {name: getattr(tuning, name) for name in NAMES}
    found |= {"space": [dimension.to_json() for dimension in space], "stop_after": list(tuning.stop_after)}
    return json.loads(json.dumps(found))


def _difference(before: Any, after: Any) -> str:
    """The first of two lists of dimensions that differs, or both values."""
    if not (isinstance(before, list) and isinstance(after, list) and all(isinstance(d, dict) for d in before + after)):
        return f"{before}, now {after}"
    old, new = ({d["key"]: Dimension.from_json(d).described() for d in listed} for listed in (before, after))
    key = next((key for key in {**old, **new} if old.get(key) != new.get(key)), "")
    if not key:
        return f"{', '.join(old)}, now {', '.join(new)}"
    return f"{key} {old.get(key, 'not searched')}, now {new.get(key, 'not searched')}"
