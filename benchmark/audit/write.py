"""What an audit leaves: a table of cases and of regions, a summary as JSON, and the gallery."""

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ...core.errors import DataError, SpecError
from ...core.files import write, written_aside
from ...core.printable import csv_cell
from ..records.store import Store
from ..sweep.plan import Planned
from .accuracy import Accuracy, Verdict, random_order
from .annotators import CaseAgreement
from .cases import SUSPECT, Audited, AuditedCase, judged, of_case
from .gallery import Part, Shown, gallery
from .picture import picture

PICTURES = 2
"""Regions of a case that the gallery draws at most."""


@dataclass(frozen=True)
class AuditedSet:
    """A data set of the audit: its name, its trials that are done, its cases, and what is known of its accuracy."""

    name: str
    entries: Sequence[Planned]
    found: Audited
    accuracy: Accuracy

    @property
    def suspect(self) -> int:
        """How many cases are called suspect."""
        return sum(row.score >= SUSPECT for row in self.found.rows)


def write_tables(folder: Path, audited: AuditedSet) -> None:
    """`cases.csv`, a row a case, and `regions.csv`, a row a suspect region, both in order of suspicion."""
    order = {name: place for place, name in enumerate(random_order(row.name for row in audited.found.rows), 1)}
    plain = [field.name for field in fields(AuditedCase) if field.name not in ("name", "suspects")]
    cases = [
        {"place": place, "case": row.name, "score": row.score}
        | {name: getattr(row, name) for name in plain if name != "score"}
        | {"review": order[row.name], "reasons": "; ".join(row.reasons)}
        for place, row in enumerate(audited.found.rows, 1)
    ]
    regions = [
        {"case": row.name, **{key: value for key, value in asdict(region).items() if key != "box"}}
        | {"box": " ".join(f"{start}:{stop}" for start, stop in region.box)}
        for row in audited.found.rows
        for region in row.suspects
    ]
    write(folder / "cases.csv", _csv(cases).encode())
    write(folder / "regions.csv", _csv(regions).encode())


def write_gallery(file: Path, title: str, sets: Sequence[AuditedSet], store: Store, most: int) -> None:
    """The page, written as it is drawn, so that no more than one case is in memory. Raises OSError."""
    parts = [Part(one.name, summary_lines(one), _shown(one, store, most)) for one in sets]
    with written_aside(file) as aside, aside.open("w", encoding="utf-8") as stream:
        stream.writelines(gallery(title, parts))


def summary_lines(one: AuditedSet) -> list[str]:
    """What is said of a data set in words."""
    rows, members = one.found.rows, one.found.members
    lines = [
        f"{one.suspect} of {len(rows)} cases are suspect (score of {SUSPECT} or more), judged by {members} "
        f"model{'s' if members > 1 else ''} that never saw their group.",
        f"Accuracy: {one.accuracy.text}.",
        "A shift of one or two pixels can hardly be told from the width of an outline: such masks are not found here.",
    ]
    return [*lines, *(f"left out: {reason}" for reason in one.found.unread)]


def described(one: AuditedSet) -> dict[str, Any]:
    """As JSON."""
    return {
        "cases": len(one.found.rows),
        "suspect": one.suspect,
        "models": one.found.members,
        "accuracy": {**asdict(one.accuracy), "conclusion": one.accuracy.conclusion},
        "first": [
            {"case": row.name, "score": row.score, "reasons": row.reasons}
            for row in one.found.rows[:20]
            if row.score >= SUSPECT
        ],
        "unread": one.found.unread,
    }


def write_agreement(file: Path, names: Sequence[str], found: Sequence[CaseAgreement]) -> None:
    """A row a case, the one in which annotators agree least first."""
    rows = [
        {"case": one.case, "dice": one.dice}
        | {f"{names[a]} and {names[b]}": value for (a, b), value in one.pairs.items()}
        | {f"{name} and the vote": value for name, value in zip(names, one.votes, strict=True)}
        for one in sorted(found, key=lambda one: (math.isnan(one.dice), one.dice))
    ]
    write(file, _csv(rows).encode())


def read_verdicts(file: Path) -> dict[str, Verdict]:
    """The verdicts of a reviewer: a CSV with the columns `case` and `verdict`, `right` or `wrong`; empty ones are none.

    Raises SpecError naming file and line.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(file.read_text("utf-8-sig"))))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SpecError(f"--reviewed {file}: cannot be read: {error}") from None
    found: dict[str, Verdict] = {}
    for number, row in enumerate(rows, 2):
        if "case" not in row or "verdict" not in row:
            raise SpecError(f"--reviewed {file}: has the columns {', '.join(map(str, row))}; give case and verdict")
        word = str(row["verdict"] or "").strip().lower()
        if word not in ("", "right", "wrong"):
            raise SpecError(
                f"--reviewed {file}: line {number}: verdict {row['verdict']!r}; give right, wrong or nothing"
            )
        if word and row["case"] in found:
            raise SpecError(f"--reviewed {file}: line {number}: {row['case']} has a verdict before; leave one out")
        if word:
            found[row["case"]] = "right" if word == "right" else "wrong"
    return found


def _shown(one: AuditedSet, store: Store, most: int) -> Iterator[Shown]:
    cases = {case.name: (case, own) for case, own in judged(one.entries)}
    for place, row in enumerate(one.found.rows[:most], 1):
        case, own = cases[row.name]
        try:
            sample = case.read()
            planes = of_case(own, case, sample, store)
        except DataError as error:
            yield Shown(place, row.name, row.score, [str(error)], "", [])
            continue
        regions = row.objects_seen[:PICTURES]
        pictures = [(picture(sample.image, planes, region), region.words) for region in regions]
        if not pictures or row.outline >= SUSPECT / 2:
            pictures.append((picture(sample.image, planes, None), "the whole image"))
        facts = (
            f"group {row.group}; Dice with the models {row.dice:.3f}, soft-min {row.soft_min:.3f}, outline uncertainty "
            f"{row.uncertainty:.2f}"
            + ("" if math.isnan(row.disagreement) else f", disagreement {row.disagreement:.3f}")
        )
        yield Shown(place, row.name, row.score, row.reasons, facts, pictures)


def _number(value: Any) -> Any:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.5g}"
    return csv_cell(value) if isinstance(value, str) else value


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    if rows:
        table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows({key: _number(value) for key, value in row.items()} for row in rows)
    return text.getvalue()


def json_text(sets: Mapping[str, Mapping[str, Any]]) -> str:
    """The summary of all data sets."""
    return json.dumps(sets, indent=2, ensure_ascii=False)
