"""The trials of an audit: data sets in folds, so that every case is tested once by each model and seed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ...core.errors import DataError, SpecError, unknown
from ...datasets.case import Case, Dataset
from ..records.store import Store
from ..sweep.file import DataChoice, Sweep
from ..sweep.plan import Planned
from ..trial.context import Context, list_dataset
from ..trial.probabilities import KIND, file_of, read_probabilities

MINIMUM_GROUPS = 5
"""Groups of cases under which there is no audit: models would learn from too little of the rest."""


@dataclass(frozen=True)
class AuditOptions:
    """folds: into how many parts groups are dealt. models: names of models of the sweep, all where empty."""

    folds: int = 5
    models: tuple[str, ...] = ()
    seeds: int = 2


def in_folds(sweep: Sweep, options: AuditOptions, context: Context) -> Sweep:
    """The sweep whose trials are those of the audit: the sweep's models, its first loss, so many seeds, no latency.

    Raises SpecError for models that the sweep has not and fewer than two folds, DataError for a data set that cannot be
    listed or has fewer than five groups of cases.
    """
    if options.folds < 2:
        raise SpecError(f"--folds {options.folds}: a case is predicted by models of the other folds; give 2 or more")
    for data in sweep.datasets:
        check_groups(list_dataset(data.choice, context))
    names = {choice.name: choice for choice in sweep.models}
    for name in options.models:
        if name not in names:
            raise SpecError(f"--models: {unknown('model of the sweep', name, names)}")
    chosen = tuple(choice for choice in sweep.models if not options.models or choice.name in options.models)
    return replace(
        sweep,
        datasets=tuple(fold for data in sweep.datasets for fold in _folds(data, options.folds)),
        training_labels=({},),
        models=chosen,
        losses=sweep.losses[:1],
        seeds=tuple(range(options.seeds)),
        lighter=(),
        tune=None,
    )


def check_groups(dataset: Dataset) -> None:
    """Raise DataError for a data set with too few groups of cases."""
    groups = len({case.group for case in dataset.cases})
    if groups < MINIMUM_GROUPS:
        raise DataError(
            f"{dataset.name}: {groups} group{'s' if groups != 1 else ''} of cases; an audit needs at least "
            f"{MINIMUM_GROUPS}, for each case is judged by models that saw none of its group; add data or group less "
            "coarsely"
        )


def _folds(data: DataChoice, folds: int) -> list[DataChoice]:
    """The data set once a fold. Roles of the publisher are passed over: his test cases have annotations too."""
    trained = 1 - 1 / folds
    validation = data.split["validation"] / (data.split["train"] + data.split["validation"])
    shares = {"train": (1 - validation) * trained, "validation": validation * trained, "test": 1 / folds}
    split = {**data.split, **shares, "folds": folds, "official": False}
    return [replace(data, split={**split, "fold": fold}) for fold in range(folds)]


def complete(entry: Planned, store: Store, unscored: int) -> bool:
    """Whether the probabilities of all test cases of a trial are there but of those that could not be read."""
    assert entry.opened is not None  # of planned trials without a problem
    folder = folder_of(entry, store)
    cases = entry.opened.split.cases("test")
    return sum(file_of(folder, case.name).is_file() for case in cases) >= len(cases) - unscored


def folder_of(entry: Planned, store: Store) -> Path:
    """Where the probabilities of a trial's test cases are."""
    return store.path(KIND, entry.trial, "")


def out_of_fold(entries: Sequence[Planned], case: Case, store: Store) -> np.ndarray:
    """Probabilities of a case by each of these trials, (m, *space, k) float32.

    Raises DataError for a trial that saw the case, or one of its group, in training or validation: such a model repeats
    the mask that it learnt, right or wrong. Raises StoreError for probabilities that are not there.
    """
    for entry in entries:
        assert entry.opened is not None
        role = entry.opened.split.roles.get(case.name)
        if role != "test":
            raise DataError(
                f"{case.name}: is a {role or 'foreign'} case of the trial {entry.trial.id}; an annotation is judged by "
                "models that never saw it, so give a trial of the fold that tests it"
            )
    return np.stack([read_probabilities(folder_of(entry, store), case.name) for entry in entries])
