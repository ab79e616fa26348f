"""Every file of a sweep's data is decoded once before anything is trained: a damaged one costs no training."""

import contextlib
import hashlib
from collections.abc import Container, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

from ...core.errors import DataError, one_line
from ...core.processor import cores
from ...core.trial import Choice, canonical
from ...datasets.case import Case
from ..trial.context import OpenedDataset
from .plan import Planned


def decoded(planned: Sequence[Planned], memory: Path, settled: Container[str]) -> list[Planned]:
    """Return the trials; those whose data holds a case that cannot be used have it as their problem.

    memory: folder of the marks by which data that was sound is known again, by the digest of its contents and the
    options it is read with. Data that is generated, not read from files, and that of settled trials is not looked at.
    settled: ids of trials.
    """
    problems: dict[int, str] = {}
    found: list[Planned] = []
    for entry in planned:
        opened = entry.opened
        if opened is not None and entry.trial.id not in settled:
            if id(opened) not in problems:
                from_files = any(case.files for case in opened.dataset.cases)
                mark = memory / _key(entry.trial.dataset, opened)
                problems[id(opened)] = _problem(opened, mark) if from_files else ""
            if problems[id(opened)]:
                entry = replace(entry, problem=entry.problem or problems[id(opened)])
        found.append(entry)
    return found


def _key(choice: Choice, opened: OpenedDataset) -> str:
    options = {name: value for name, value in choice.options.items() if name != "path"}
    told = canonical([asdict(replace(choice, options=options)), opened.split.digest])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _problem(opened: OpenedDataset, mark: Path) -> str:
    if mark.exists():
        return ""
    cases = opened.dataset.cases
    with ThreadPoolExecutor(cores()) as pool:
        errors = [error for error in pool.map(lambda case: _error(opened, case), cases) if error]
    if errors:
        more = f", and {len(errors) - 1} more of {len(cases)} cases" if len(errors) > 1 else ""
        return f"{errors[0]}{more}"
    with contextlib.suppress(OSError):  # read-only or full: the next run decodes again
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    return ""


def _error(opened: OpenedDataset, case: Case) -> str:
    try:
        opened.prepare(case)
    except DataError as error:
        return str(error)
    except Exception as error:  # a data set's own bug is told like a damaged file
        return f"{case.name}: {one_line(error)}"
    return ""
