"""The axis of modalities of a sweep: what each data set is trained with, and what its tests have."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...core.errors import SpecError, one_line
from ...core.recipe import Recipe
from ...core.task import Task
from ...datasets.modalities import ALL, Wanted, option, wanted


def read_axis(entries: Sequence[Any], where: str, *, test: bool = False) -> tuple[Wanted, ...]:
    """The entries of `modalities` or `test_modalities`. Raises SpecError that begins with `where`."""
    found: list[Wanted] = []
    for index, said in enumerate(entries):
        try:
            one = wanted(said, test=test)
        except SpecError as error:
            raise SpecError(f"{where}[{index}]: {error}") from None
        if one.dropout is not None and not 0 <= one.dropout < 1:
            raise SpecError(f"{where}[{index}]: dropout: {one.dropout} is not in [0, 1)")
        if one in found:
            raise SpecError(f"{where}[{index}]: {said} is there twice")
        found.append(one)
    return tuple(found)


@dataclass(frozen=True)
class Given:
    """What trials of a data set are trained with: names of modalities, the recipe for them, and options that say both.

    options: of the data set, with what its tests have. problem: why the data set cannot be trained so, "" where it can.
    """

    names: tuple[str, ...]
    recipe: Recipe
    options: dict[str, Any]
    problem: str = ""


def given(axis: Sequence[Wanted], tests: Sequence[Wanted], task: Task, name: str, recipe: Recipe) -> Iterator[Given]:
    """Every way in which a data set is trained, each once. task, name: of the data set with all its modalities.

    Where one modality is taken alone there is nothing to leave out, and the recipe says so. What the data set has not
    is a problem of the trials that ask for it.
    """
    tested, problem = _tested(tests, task, name)
    known = tuple(modality for modality, _ in task.modalities)
    done: list[tuple[tuple[str, ...], Recipe]] = []
    for entry in axis:
        dropout = recipe.modality_dropout if entry.dropout is None else entry.dropout
        own = replace(recipe, modality_dropout=dropout)
        try:
            found = list(entry.of(task, name))
            if dropout and len(known) < 2:
                raise SpecError(f"modality_dropout: {dropout:g} leaves out modalities, {name} does not name two")
        except SpecError as error:
            said = {} if entry.use == ALL else {"modalities": option(entry.names)}
            yield Given((), own, said | tested, one_line(error))
            continue
        for names in found:
            one = names, own if len(names) > 1 else replace(own, modality_dropout=0.0)
            if one not in done:
                done.append(one)
                more = {} if names == known else {"modalities": option(names)}
                yield Given(*one, more | tested, problem)


def _tested(tests: Sequence[Wanted], task: Task, name: str) -> tuple[dict[str, Any], str]:
    """The option that says what tests have, nothing where nothing is said; and what is wrong with it."""
    try:
        found = list(dict.fromkeys(names for entry in tests for names in entry.of(task, name) if names))
    except SpecError as error:
        return {"test_modalities": [option(entry.names) for entry in tests]}, f"test_{one_line(error)}"
    return ({"test_modalities": [option(names) for names in found]} if found else {}), ""
