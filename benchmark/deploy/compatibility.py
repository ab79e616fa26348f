"""Which recipe runs on which runtime, tried with random weights on noise."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import ConversionError, SpecError, Unavailable, UnetbenchError, Unfit, one_line
from ...core.json_text import read_json
from ...core.record import finite
from ...core.structure import COUNT, NUMBER, TEXT, check, list_of, one_of
from ...core.task import Task
from ...core.trial import Choice
from .agreement import difference, gate
from .candidate import Converters
from .child import Child
from .untrained import UntrainedRecipe

SPACES = {2: ((64, 64), (96, 96), (128, 128), (224, 224)), 3: ((32, 32, 32), (64, 64, 64))}
"""Sizes that are tried, by rank: the first that a recipe takes."""

RECYCLED = 6
"""Networks that one process builds and converts, for each leaves some 90 MB behind."""

VERDICTS = ("exact", "within margin", "off", "failed", "unfit", "unavailable")

_ROW = {
    **dict.fromkeys(("recipe", "runtime", "problem"), TEXT),
    "rank": COUNT,
    "verdict": one_of(*VERDICTS),
    "size": list_of(COUNT),
    **dict.fromkeys(("difference", "error"), NUMBER.or_null()),
}
"""Kinds of the fields of a row as JSON."""

FAR = 0.25
"""Root-mean-square error of the logits, as a share of theirs, from which a file of reduced precision is off.

With random weights and noise there is no Dice to lose; eight bits give some per cent.
"""


@dataclass(frozen=True)
class Compatibility:
    """A recipe on a runtime. verdict: `exact`, `within margin` by `FAR`, or what is wrong; problem: in one line.

    difference: largest of a probability from float64. error: of the logits, root mean square as a share. space: tried.
    """

    recipe: str
    rank: int
    runtime: str
    verdict: str
    space: tuple[int, ...] = ()
    difference: float = inf
    error: float = inf
    problem: str = ""


def compatibilities(
    recipes: Sequence[str], runtimes: Sequence[Choice], ranks: Sequence[int] = (2, 3)
) -> Iterator[list[Compatibility]]:
    """A list of rows, one a runtime, for each recipe and rank that it serves; none where a rank is not its own."""
    with tempfile.TemporaryDirectory(prefix="unetbench-", ignore_cleanup_errors=True) as folder:
        yield from _compatibilities(recipes, runtimes, ranks, Path(folder))


def _compatibilities(
    recipes: Sequence[str], runtimes: Sequence[Choice], ranks: Sequence[int], place: Path
) -> Iterator[list[Compatibility]]:
    """place: an empty folder, for files of networks."""
    child, count = None, 0
    try:
        for recipe in recipes:
            for rank in ranks:
                rows: list[Compatibility] = []
                while len(rows) < len(runtimes):
                    if child is None or count >= RECYCLED or not child.is_alive():
                        if child is not None:
                            child.close()
                        child, count = Child("deploy.converter"), 0
                    count += 1
                    left = runtimes[len(rows) :]
                    try:
                        made = _of(recipe, rank, left, place / f"{recipe}-{rank}-{len(rows)}", child)
                    except ConversionError as error:
                        made = [
                            Compatibility(recipe, rank, one.label, "failed", problem=one_line(error)) for one in left
                        ]
                    if not made:
                        break
                    rows += made
                if rows:
                    yield rows
    finally:
        if child is not None:
            child.close()


def _of(recipe: str, rank: int, runtimes: Sequence[Choice], folder: Path, child: Child) -> list[Compatibility]:
    """A row a runtime, up to the one over which the process ends; none where the recipe does not serve the rank."""
    folder.mkdir()
    task = Task(rank, 3 if rank == 2 else 1, ("object",))
    built = UntrainedRecipe(Choice(recipe), task, folder)
    try:
        child.ask("build", recipe, {}, task, str(built.weights), ())
    except Unfit:
        return []
    converters = Converters(built.weights, built.exports, child=child)
    space, reference = _reference(built, converters)
    plan, images = built.plan(space), built.windows("test", space, 1)
    own = difference(child.ask("float32", images), reference, task)
    bound = gate(child.ask("group_pixels", space), own)
    calibration = built.windows("validation", space, 8)
    rows = []
    for runtime in runtimes:
        row = Compatibility(recipe, rank, runtime.label, "failed", space)
        try:
            candidate = converters.open(runtime, plan, calibration=calibration)
            try:
                logits = candidate.forward(images)
            finally:
                candidate.child.close()
            rows.append(_judged(row, logits, reference, task, str(candidate.facts["precision"]), bound))
        except UnetbenchError as error:
            kind = {Unfit: "unfit", Unavailable: "unavailable"}.get(type(error), "failed")
            rows.append(replace(row, verdict=kind, problem=one_line(error)))
        if not child.is_alive():
            break
    shutil.rmtree(folder)
    return rows


def _reference(built: UntrainedRecipe, converters: Converters) -> tuple[tuple[int, ...], np.ndarray]:
    """The first size that the network takes, and its logits of float64. Raises Unfit where it takes none of them."""
    fixed = converters.network["space"]
    spaces = [tuple(fixed)] if None not in fixed else SPACES[built.task.rank]
    for space in spaces:
        try:
            return space, converters.reference(built.windows("test", space, 1))
        except Unfit:
            continue
    raise ConversionError(f"{built.model.label} takes none of the sizes {', '.join(map(str, spaces))}")


def _judged(
    row: Compatibility, logits: np.ndarray, reference: np.ndarray, task: Task, precision: str, bound: float
) -> Compatibility:
    apart = difference(logits, reference, task)
    error = float(np.sqrt(np.mean((logits - reference) ** 2) / np.mean(reference**2)))
    if precision == "float32":
        verdict = "exact" if apart <= bound else "off"
    else:
        verdict = "within margin" if error <= FAR else "off"
    return replace(row, verdict=verdict, difference=apart, error=error)


def as_row(one: Compatibility) -> dict[str, Any]:
    """As JSON values, what is not finite as null."""
    return {
        "recipe": one.recipe,
        "rank": one.rank,
        "runtime": one.runtime,
        "verdict": one.verdict,
        "size": list(one.space),
        "difference": finite(one.difference),
        "error": finite(one.error),
        "problem": one.problem,
    }


def read_rows(file: Path) -> list[Compatibility]:
    """The rows of a file that `unetbench check runtimes --json` wrote. Raises SpecError."""
    try:
        rows = read_json(file)
        if not isinstance(rows, list):
            raise ValueError("it is no list")
        for index, row in enumerate(rows):
            check(row, f"[{index}]", _ROW, *_ROW)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SpecError(f"{file}: is not what `unetbench check runtimes --json` prints ({reason})") from None
    return [_from_row(row) for row in rows]


def _from_row(row: dict[str, Any]) -> Compatibility:
    apart, error = (inf if row[key] is None else row[key] for key in ("difference", "error"))
    return Compatibility(
        row["recipe"], row["rank"], row["runtime"], row["verdict"], tuple(row["size"]), apart, error, row["problem"]
    )
