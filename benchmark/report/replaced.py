"""Which records a later one of the same trial stands in for, although its identity is another."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from ...core.record import Record


def latest(records: Mapping[str, Record]) -> tuple[dict[str, Record], dict[str, int]]:
    """Return the records to report, and for each that stands in for earlier ones how many those are.

    A part of the user's own that was changed makes another trial of the same name; with folds, so does data that was
    changed. The one that was finished last is reported. The others stay where they are.
    """
    same: dict[tuple[str, str], list[str]] = defaultdict(list)
    for key, record in records.items():
        same[_name(key, record)].append(key)
    kept: dict[str, Record] = {}
    replaced: dict[str, int] = {}
    for keys in same.values():
        last = max(keys, key=lambda key: records[key].finished)
        kept[last] = records[last]
        if len(keys) > 1:
            replaced[last] = len(keys) - 1
    return {key: record for key, record in records.items() if key in kept}, replaced


def _name(key: str, record: Record) -> tuple[str, str]:
    """Folder of the machine, and the id that the trial would have without what may differ."""
    trial = replace(record.ran, sources={})
    if trial.split.get("folds"):
        trial = replace(trial, split={name: value for name, value in trial.split.items() if name != "digest"})
    return key.rpartition("/")[0], trial.id
