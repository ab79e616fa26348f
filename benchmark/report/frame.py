"""Records as tidy pandas frames: trials, case scores, training history and latency samples, one fact a row."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ...core.errors import StoreError
from ...core.measure import MEASURES
from ...core.record import Record
from ...core.trial import canonical, without_paths
from ...metrics.empty import apply
from ..naming.labels import Labels
from ..naming.names import without_batches
from ..naming.trial_names import TrialNames
from ..records.deployments import Deployments, deployments
from ..records.peaks import Peaks, read_peaks
from ..records.runs import further_runs, score_differences
from ..records.store import read, read_sweep
from .machines import Host, hosts
from .replaced import latest

PRIMARY = "dice"
"""The measure that orders the tables."""

FACTS = ("case", "group", "class", "tp", "fp", "fn", "tn", "empty")
"""Keys of a score that are not measures."""

ASIDE = ("diagonal", "objects", "matched")
"""Keys of a score that are neither measures nor columns: the image's diagonal, numbers of objects and matches."""

SETTING = ("runtime", "device", "batch", "size", "channels", "dtype")
"""What latency depends on besides model and machine."""

OLDER = ", older record"
"""Ends the setting of a latency whose machine is not fully known, so that no table compares it with the others."""

COLLAPSED_SHARE, COLLAPSED_DICE = 0.95, 0.05


@dataclass(frozen=True)
class Frames:
    """The records of a sweep. The column `record` is `<machine>/<trial id>`, the key of `records`.

    trials: record, table, machine, older (see `machines.hosts`), dataset, model, loss, seed, status, reason, collapsed
    (names of the collapsed classes); data set, model and loss by their labels or short names. labels: those of the
    sweep as it was run. files: by the name of a data set, what its files are called.
    runs: of the records that have further runs (see `records.runs`), how each of these differs, in words.
    peaks: of the machines, see `records.peaks`. deployments: by the folder of their machine.
    replaced: of the records that stand in for earlier ones, how many those are (see `replaced`); these are left out.
    scores: record, case, group, class, counts, empty, and each measure with the empty-mask policy applied.
    history: record and the fields of an epoch. latency: record, the setting, `setting` as text and latency_s.
    """

    sweep: str
    policy: str
    records: dict[str, Record]
    labels: Labels
    measures: tuple[str, ...]
    trials: pd.DataFrame
    scores: pd.DataFrame
    history: pd.DataFrame
    latency: pd.DataFrame
    replaced: dict[str, int]
    files: dict[str, str]
    runs: dict[str, list[str]] = field(default_factory=dict)
    peaks: tuple[Peaks, ...] = ()
    deployments: tuple[tuple[str, Deployments], ...] = ()

    @cached_property
    def deployed(self) -> dict[str, list[dict[str, Any]]]:
        """By record, its rows on other runtimes that are done."""
        return {
            f"{folder}/{found.trial}": [row for row in found.rows if row["status"] == "done"]
            for folder, found in self.deployments
        }


def frames(sweep: Path, policy: str) -> Frames:
    """Read the records of one sweep folder.

    Raises StoreError when there are none, one cannot be read or has an infinite Dice, SpecError for a label that cannot
    be one.
    """
    files = sorted(sweep.glob("records/*/*.json"))
    if not files:
        raise StoreError(f"{sweep}: no records/<machine>/*.json inside; `unetbench run` makes them")
    records, replaced = latest({f"{file.parent.name}/{file.stem}": read(file) for file in files})
    labels = Labels(read_sweep(sweep), str(sweep / "sweep.yaml"))
    measures = tuple(_measures(records.values()))
    machines = hosts(records)
    scores = _scores(records, measures, policy)
    names = TrialNames((record.ran for record in records.values()), labels)
    trials = _trials(records, scores, machines, labels, names)
    return Frames(
        sweep=sweep.resolve().name,
        policy=policy,
        records=records,
        labels=labels,
        measures=measures,
        trials=trials,
        scores=scores,
        history=pd.DataFrame([{"record": key, **epoch} for key, record in records.items() for epoch in record.history]),
        latency=pd.DataFrame(
            _latency(records, machines, labels, _told_by_rows(records, trials)),
            columns=["record", *SETTING, "warmup", "setting", "latency_s"],
        ),
        replaced=replaced,
        files={name.dataset: name.file for name in (names[record.ran] for record in records.values())},
        runs=_runs(sweep, records),
        peaks=tuple(read_peaks(sweep)),
        deployments=tuple(deployments(sweep)),
    )


def _runs(sweep: Path, records: dict[str, Record]) -> dict[str, list[str]]:
    """By record, its further runs against it."""
    found: dict[str, list[str]] = {}
    for key, number, run in further_runs(sweep):
        if key in records:
            found.setdefault(key, []).append(f"run {number}: {score_differences(records[key], run).text()}")
    return found


def table_key(record: Record, machine: str) -> str:
    """What must be equal for two trials to stand in one table: data, split, recipe and machine; folds are pooled.

    The digest of a split without folds takes part, so that data that changed in between makes another table. Precision
    does not, for it is hardware like backend and device: rows of one table are told apart by it. The stages of
    continual learning, whichever batches they have seen, have a table of their own, and so have updates with the same
    new data, whichever their method.
    """
    split = {name: value for name, value in record.trial.split.items() if name not in ("fold", "digest")}
    digest = "" if split.get("folds") else record.trial.split.get("digest", "")
    recipe = replace(record.trial.recipe, precision="float32").describe()
    dataset, arrived = without_batches(record.trial.dataset)
    stages = ["stages"] if arrived else []
    if arrived and "later" in record.trial.dataset.options:
        stages.append(canonical(without_paths(record.trial.dataset.options)["later"]))
    return canonical([dataset.canonical, split, digest, recipe, machine, *stages])


def collapsed(scores: pd.DataFrame) -> list[str]:
    """Return the classes of one trial whose predictions carry no information.

    Such a class is predicted nowhere on at least 95 % of the cases that have it, or everywhere on at least 95 % of all
    cases although the truth is not everywhere, or has a mean Dice below 0.05 after the empty-mask policy.
    """
    found = []
    rows: Any  # pandas annotates a column as a Series or a frame
    for name, rows in scores.groupby("class", sort=False):
        present = rows[rows["empty"].isin(["none", "prediction"])]
        missed = bool(len(present)) and (present["empty"] == "prediction").mean() >= COLLAPSED_SHARE
        flooded = ((rows["fn"] + rows["tn"] == 0) & (rows["fp"] > 0)).mean() >= COLLAPSED_SHARE
        if missed or flooded or rows[PRIMARY].mean() < COLLAPSED_DICE:
            found.append(str(name))
    return found


def _measures(records: Any) -> Iterator[str]:
    names = {name: None for record in records for score in record.scores for name in score if name not in FACTS + ASIDE}
    names = {PRIMARY: None, **names}
    order = {name: place for place, name in enumerate(MEASURES)}
    yield from sorted(names, key=lambda name: order.get(name.partition("(")[0], len(order)))


def _scores(records: dict[str, Record], measures: tuple[str, ...], policy: str) -> pd.DataFrame:
    rows = []
    for key, record in records.items():
        for score in record.scores:
            values = {name: score_value(policy, name, score) for name in measures}
            group = str(score.get("group") or score["case"])
            rows.append((key, score["case"], group, *(score.get(fact) for fact in FACTS[2:]), *values.values()))
    table = pd.DataFrame(rows, columns=["record", *FACTS, *measures])
    table = table.astype(dict.fromkeys(("tp", "fp", "fn", "tn", *measures), "float64"))
    _refuse_infinite(table)
    return table


def _refuse_infinite(table: pd.DataFrame) -> None:
    """Raise StoreError for an infinite Dice: in means and paired tests it would outweigh all other cases."""
    infinite = np.flatnonzero(np.isinf(table[PRIMARY].to_numpy()))
    if len(infinite):
        record, case, value = (table[name].iloc[infinite[0]] for name in ("record", "case", PRIMARY))
        raise StoreError(
            f"records/{record}.json: the {PRIMARY} of case {case} is {value}; scores are finite, or null where "
            "undefined; delete the file to have the trial run again"
        )


def _trials(
    records: dict[str, Record], scores: pd.DataFrame, machines: dict[str, Host], labels: Labels, everywhere: TrialNames
) -> pd.DataFrame:
    fallen = {key: collapsed(rows) for key, rows in scores.groupby("record", sort=False)}
    keys = {key: table_key(record, machines[key].name) for key, record in records.items()}
    datasets = {key: everywhere[record.ran].dataset for key, record in records.items()}
    keys = {key: f"{text}{datasets[key]}" for key, text in keys.items()}  # one with another label is another's table
    here = {  # what the rows of one table share is left out of its names
        table: TrialNames((record.ran for key, record in records.items() if keys[key] == table), labels)
        for table in set(keys.values())
    }
    rows = [
        {
            "record": key,
            "table": keys[key],
            "machine": machines[key].name,
            "older": machines[key].older,
            "dataset": datasets[key],
            "model": here[keys[key]][record.ran].model,
            "loss": here[keys[key]][record.ran].loss,
            "seed": record.trial.seed,
            "status": record.status,
            "reason": record.reason,
            "collapsed": fallen.get(key, []) if record.status == "done" else [],
        }
        for key, record in records.items()
    ]
    return pd.DataFrame(rows)


def _told_by_rows(records: dict[str, Record], trials: pd.DataFrame) -> dict[str, list[str]]:
    """By record, what of `SETTING` the names of its table's rows tell already."""
    found: dict[str, list[str]] = {}
    for _, keys in trials.groupby("table", sort=False)["record"]:
        ran = [records[key].ran for key in keys]
        axes = {"device": {trial.device for trial in ran}, "dtype": {trial.recipe.precision for trial in ran}}
        found |= {key: [name for name, values in axes.items() if len(values) > 1] for key in keys}
    return found


def _latency(
    records: dict[str, Record], machines: dict[str, Host], labels: Labels, told: dict[str, list[str]]
) -> Iterator[tuple[Any, ...]]:
    for key, record in records.items():
        for entry in record.latency:
            values = [_hashable(entry.get(name)) for name in SETTING]
            named = {**entry, "runtime": labels.runtime(str(entry.get("runtime")))}
            setting = setting_text({name: value for name, value in named.items() if name not in told[key]})
            setting += OLDER * machines[key].older
            for sample in entry["samples_s"]:
                yield key, *values, entry.get("warmup"), setting, _number(sample)


def setting_text(entry: dict[str, Any]) -> str:
    """How tables write what latency was measured on: runtime, device, batch, size and dtype, if they are told."""
    size = "×".join(part for part in (size_text(entry.get("size")), str(entry.get("channels") or "")) if part)
    where = f" on {entry['device']}" if "device" in entry else ""
    parts = [f"{entry.get('runtime')}{where}, batch {entry.get('batch')}, {size}", entry.get("dtype")]
    return ", ".join(str(part) for part in parts if part)


def size_text(size: Any) -> str:
    """Edge lengths, which records hold as a list or as text, as `256×256`."""
    return size if isinstance(size, str) else "×".join(map(str, size or ()))


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def score_value(policy: str, name: str, score: dict[str, Any]) -> float:
    """The measure after the policy; NaN where the case was not measured, for want of instances or spacing, say."""
    if name not in score:
        return np.nan
    return apply(policy, name, _number(score[name]), score["empty"], score.get("diagonal"))


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)
