"""Decode every case of a data set, count what it holds and say what is wrong with it."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from ..core.errors import DataError, one_line
from . import alignment
from .case import Case, Dataset, Role, Sample
from .case_numbers import CaseNumber, CaseNumbers
from .object_labels import ObjectLabels
from .prepare import Preprocess, prepare
from .remarks import Remark, missing_in_roles, remarks, same_masks
from .summary import CaseFacts, Summary
from .thumbnail import Thumbnail, chosen

THREADS = min(4, os.cpu_count() or 1)
"""Cases that are read at once at most; decoders leave the interpreter to the others while they work."""

Item = TypeVar("Item")
Made = TypeVar("Made")


@dataclass(frozen=True)
class Audit:
    """findings: one line each; none means every case can be trained on and scored. thumbnails: of a few cases.

    remarks: what is legal and worth a look, with the cases.
    """

    findings: list[str]
    summary: Summary
    thumbnails: list[Thumbnail]
    remarks: list[Remark] = field(default_factory=list)


@dataclass(frozen=True)
class _Look:
    """What one case adds. lines: its own findings; facts: None where it cannot be read."""

    case: Case
    lines: list[str]
    facts: CaseFacts | None = None
    labels: ObjectLabels = field(default_factory=ObjectLabels)
    fit: alignment.Fit | None = None
    numbers: CaseNumber | None = None
    pixels: int = 0
    mask: int = 0
    thumbnail: Thumbnail | None = None


def audit(
    dataset: Dataset,
    *,
    preprocess: Preprocess | None = None,
    progress: Callable[[], object] | None = None,
    pictures: bool = False,
    roles: Mapping[str, Role] | None = None,
) -> Audit:
    """Read every case once, several at a time, and look at them in their order.

    Findings are what a case raises when it is read and prepared as `preprocess` says (the default when None), and what
    is legal but worth a look: constant images, empty truths, a class that no case has, labels that are not those of
    single objects, cases with the same pixels in different groups, masks that fit better after a flip or a rotation, a
    class that no case of a role has. What the listing noticed is in `Dataset.notes`. progress is called after every
    case; pictures: make thumbnails. roles: of the cases by name, where the data set is split.
    """
    shown = {case.name for case in chosen(dataset.cases)} if pictures else set()
    findings: list[str] = []
    pixels: dict[int, Case] = {}
    masks: dict[int, Case] = {}
    copies: list[str] = []
    numbers = CaseNumbers()
    summary, labels, misaligned = Summary(), ObjectLabels(), alignment.Misaligned(dataset.task.rank)
    thumbnails = []

    def look(case: Case) -> _Look:
        return _look(case, dataset, preprocess or Preprocess(), picture=case.name in shown)

    for place, found in enumerate(_in_order(look, dataset.cases)):
        findings += found.lines
        if found.facts is not None:
            summary.add(found.facts)
            labels.merge(found.labels)
            misaligned.add(found.case.name, found.fit)
            twin = pixels.setdefault(found.pixels, found.case)
            if twin.group != found.case.group:
                findings.append(f"{found.case.name}: has the same image as {twin.name}, which is in another group")
            elif found.mask and (other := masks.setdefault(found.mask, found.case)).group != found.case.group:
                copies.append(f"{found.case.name} and {other.name}")
        if found.numbers is not None:
            numbers.add(place, found.numbers)
        thumbnails += [found.thumbnail] if found.thumbnail else []
        if progress is not None:
            progress()
    findings += [f"no case holds the class {name}" for name in _missing(summary, dataset)]
    findings += missing_in_roles(numbers, dataset, roles or {})
    seen = remarks(numbers, dataset, summary.described(dataset)["classes"], roles or {}) + same_masks(copies)
    return Audit(findings + labels.remarks() + misaligned.remarks(), summary, thumbnails, seen)


def _look(case: Case, dataset: Dataset, preprocess: Preprocess, *, picture: bool) -> _Look:
    task = dataset.task
    try:
        sample = case.read()
        prepare(case.name, sample, task, preprocess)
    except DataError as error:
        return _Look(case, [str(error)])
    except Exception as error:  # a data set's own bug is told like a damaged file
        return _Look(case, [f"{case.name}: {one_line(error)}"])
    labels = ObjectLabels()
    labels.add(case.name, sample.instances)
    return _Look(
        case,
        [f"{case.name}: {line}" for line in _odd(sample, task.ignore)],
        CaseFacts.of(case.name, sample, task),
        labels,
        alignment.fit(sample),
        CaseNumber.of(sample, task),
        hash(sample.image.tobytes()),
        hash(sample.truth.tobytes()) if sample.truth.min() != sample.truth.max() else 0,
        Thumbnail.of(case.name, sample, task) if picture else None,
    )


def _in_order(act: Callable[[Item], Made], items: Iterable[Item]) -> Iterator[Made]:
    """What `act` makes of each item, in their order; a few are ahead at most."""
    with ThreadPoolExecutor(THREADS) as pool:
        ahead: deque[Future[Made]] = deque()
        for item in items:
            ahead.append(pool.submit(act, item))
            if len(ahead) > 2 * THREADS:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _odd(sample: Sample, ignore: int | None) -> list[str]:
    lines = []
    if sample.image.min() == sample.image.max():
        lines.append("the image is constant")
    marked = sample.truth != 0
    if not marked.any():
        lines.append("the mask is empty")
    elif ignore is not None and (sample.truth[marked] == ignore).all():
        lines.append("the mask holds ignored pixels and no object; is the value of `ignore` the foreground's?")
    return lines


def _missing(summary: Summary, dataset: Dataset) -> list[str]:
    """Scored classes that no case which could be read holds."""
    present = dict(zip(dataset.task.classes, summary.present, strict=False))
    return [name for name in dataset.task.scored if not present.get(name)]
