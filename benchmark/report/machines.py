"""Which records were made on one machine, so that they may stand in one table."""

from collections import defaultdict
from dataclasses import dataclass

from ...core.record import Record
from ..records.machine import DIGITS, FIRST_FACTS, digest, first_name, names_itself, same_machine


@dataclass(frozen=True)
class Host:
    """The machine of a record. name: as tables print it. older: known by fewer facts than others of it.

    The scores of older records may stand beside the others. Their latency may not: stepping and instruction sets that
    they do not tell may be others.
    """

    name: str
    older: bool = False


def hosts(records: dict[str, Record]) -> dict[str, Host]:
    """Return the machine of every record, by key (`<folder>/<trial id>`).

    The records of a folder are of one machine unless their hardware differs, when the digest is added to its name. A
    record before schema 3 joins the only machine of the sweep that it can be of: of the same folder, or of the one that
    its folder would be called now, with all that it tells the same, and without a record of that trial. Otherwise it
    stays by itself.
    """
    prints = {key: (_folder(key), _fingerprint(record)) for key, record in records.items()}
    known = {prints[key]: record for key, record in records.items() if record.machine.get("digest")}
    trials = {(*prints[key], record.trial.id) for key, record in records.items()}
    joined = {}
    for key, record in records.items():
        if prints[key] not in known:
            others = [other for other in known if _may_be(_folder(key), record, other[0], known[other])]
            if len(others) == 1 and (*others[0], record.trial.id) not in trials:
                joined[key] = others[0]
    inside = defaultdict(set)
    for key in records:
        folder, fingerprint = joined.get(key, prints[key])
        inside[folder].add(fingerprint)
    found = {}
    for key in records:
        folder, fingerprint = joined.get(key, prints[key])
        apart = len(inside[folder]) > 1 and not folder.endswith(fingerprint[:DIGITS])
        found[key] = Host(f"{folder}-{fingerprint[:DIGITS]}" if apart else folder, key in joined)
    return found


def _folder(key: str) -> str:
    return key.split("/")[0]


def _fingerprint(record: Record) -> str:
    return record.machine.get("digest") or digest({name: record.machine.get(name) for name in FIRST_FACTS})


def _may_be(folder: str, record: Record, other: str, known: Record) -> bool:
    same_name = folder == other or (names_itself(known.machine, other) and first_name(known.machine) == folder)
    return same_name and same_machine(record.machine, known.machine)
