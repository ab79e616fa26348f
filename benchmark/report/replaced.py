"""Which records a later one of the same trial stands in for, although its identity is another."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from ...core.record import Record


def latest(records: Mapping[str, Record]) -> tuple[dict[str, Record], dict[str, int]]:
    """Return the records to report, and for each that stands in for earlier ones how many those are.

    A part of the user's own that was changed makes another trial of the same name; with folds, so does data that was
    changed; and a sweep that names the backend or device that its trials ran on before makes others of them. Trials
    that come from these are others then too. The one that was finished last is reported. The others stay where they
    are.
    """
    same: dict[tuple[str, str], list[str]] = defaultdict(list)
    for key, record in records.items():
        same[_folder(key), _name(record, _folder(key), records)].append(key)
    kept: dict[str, Record] = {}
    replaced: dict[str, int] = {}
    for keys in same.values():
        last = max(keys, key=lambda key: records[key].finished)
        kept[last] = records[last]
        if len(keys) > 1:
            replaced[last] = len(keys) - 1
    return {key: record for key, record in records.items() if key in kept}, replaced


def _folder(key: str) -> str:
    """The machine's folder."""
    return key.rpartition("/")[0]


def _name(record: Record, folder: str, records: Mapping[str, Record]) -> str:
    """The id that the trial would have without what may differ, in its parent too."""
    trial = replace(record.ran, sources={})
    if trial.split.get("folds"):
        trial = replace(trial, split={name: value for name, value in trial.split.items() if name != "digest"})
    if trial.derivation is not None:
        derivation = trial.derivation
        members = tuple(replace(one, trial=_name_of(one.trial, folder, records)) for one in derivation.members)
        parent = _name_of(derivation.parent, folder, records)
        trial = replace(trial, derivation=replace(derivation, parent=parent, members=members))
    return trial.id


def _name_of(key: str, folder: str, records: Mapping[str, Record]) -> str:
    """The same for a trial by its id, that itself where there is no record."""
    record = records.get(f"{folder}/{key}")
    return key if record is None else _name(record, folder, records)
