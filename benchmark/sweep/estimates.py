"""What the trials of a sweep cost: parameters, arithmetic, memory and time, before anything is trained."""

import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heapreplace

from ...core.errors import FallbackWarning, UnetbenchError, Unfit, one_line
from ...core.trial import Trial
from ...datasets.held import Held
from ...datasets.weak.kinds import options_of
from ..records.machine import machine
from ..trial.context import Context, OpenedDataset
from ..trial.own_parts import part_checks
from ..trial.validate import SHARE
from .plan import Planned, epoch_patches, looked_at, training_bytes
from .throughput import Basis, Expected, Size, Throughput, Work


@dataclass(frozen=True)
class TrialEstimate:
    """What the trials of one compiled model take.

    seconds: expected for one trial, None when nothing comparable was run here; basis: what the trials that say so have
    in common with it. unfit: why the model cannot serve the task, in one line. failed: why nothing can be trained
    although it should, in one line: the data cannot be listed, or a part raised an error of its own. warning: what the
    model begins with in place of what was asked for. training_bytes: memory that the training set takes, None when no
    case of it can be read.
    """

    trial: Trial
    seeds: int
    unfit: str
    parameters: int
    macs: int
    seconds: float | None
    warning: str = ""
    failed: str = ""
    training_bytes: int | None = None
    basis: Basis | None = None

    @property
    def fits(self) -> bool:
        """Whether the trials can be trained."""
        return not self.unfit and not self.failed


@dataclass(frozen=True)
class _Network:
    """What building a network tells."""

    parameters: int = 0
    size: Size | None = None
    unfit: str = ""
    failed: str = ""
    warning: str = ""


def estimates(
    planned: list[Planned], throughput: Throughput, context: Context, threads: int = 0
) -> list[TrialEstimate]:
    """Build each distinct network once, without training, and tell its size; unfit and failed ones with their reason.

    throughput: of this machine, which says how long trials take. threads: of a processor that each is given, 0 for as
    many as earlier trials had. Work and memory are those of a few training cases, taken for all. Parts of the user's
    own are run once; raises PartError for a metric or a runtime that does not do what it must.
    """
    looks: dict[int, list[Held]] = {}
    networks: dict[tuple[object, ...], _Network] = {}
    groups: dict[tuple[object, ...], list[Planned]] = {}
    for entry in _checked(planned, context):
        groups.setdefault(kind(entry.trial), []).append(entry)
    return [_estimate(group, throughput, threads, looks, networks) for group in groups.values()]


def expected_seconds(planned: Iterable[Planned], throughput: Throughput, threads: int = 0) -> dict[str, float]:
    """Seconds that trials are expected to take, by id, as far as earlier trials tell. No network is built.

    throughput, threads: as `estimates` has them. A network that no record names has no size, and no expected time.
    """
    looks: dict[int, list[Held]] = {}
    kinds: dict[tuple[object, ...], Expected | None] = {}
    found: dict[str, float] = {}
    for entry in planned if len(throughput) else ():
        key = kind(entry.trial)
        if key not in kinds:
            work = work_of(entry.trial, entry.opened, looks) if entry.opened and not entry.problem else None
            kinds[key] = throughput.expected(entry.trial, work, threads=threads) if work else None
        expected = kinds[key]
        if expected is not None:
            found[entry.trial.id] = expected.seconds
    return found


def makespan(seconds: Sequence[float], workers: int) -> float:
    """Seconds until all trials are done when each worker that is free takes the longest one left."""
    ends = [0.0] * workers
    heapify(ends)
    for spent in sorted(seconds, reverse=True):
        heapreplace(ends, ends[0] + spent)
    return max(ends)


def threads_of(workers: int) -> int:
    """Threads of a processor that a trial has beside so many others; 0 for all."""
    return max(1, machine()["cores"] // workers) if workers > 1 else 0


def work_of(trial: Trial, opened: OpenedDataset, looks: dict[int, list[Held]]) -> Work | None:
    """What a trial has to do, None where no training case can be read. looks: cases by data set, looked at before."""
    cases = looked_at(opened, looks)
    if not cases:
        return None
    recipe, patches = trial.recipe, epoch_patches(trial, opened, cases)
    area = sum(max(1.0, math.prod(case.content) / math.prod(recipe.patch)) for case in cases) / len(cases)
    validation = len(opened.split.cases("validation"))
    tiles = validation * area
    if recipe.validation == "sampled":
        tiles = min(tiles, max(validation, math.ceil(SHARE * patches)))
    return Work(
        0 if trial.is_untrained else trial.training.epochs, patches, tiles, area * len(opened.split.cases("test"))
    )


def kind(trial: Trial) -> tuple[object, ...]:
    """Equal for trials that differ in seed and split only, or in which trial they come from."""
    step = trial.derivation.label if trial.derivation else ""
    recipe = trial.recipe.canonical  # a data set may be listed again with another one
    return (
        trial.dataset.canonical,
        trial.model.canonical,
        trial.loss.canonical,
        recipe,
        trial.backend,
        trial.device,
        step,
    )


def _checked(planned: list[Planned], context: Context) -> list[Planned]:
    """The trials; those of a part of the user's own that does not do what it must have it as their problem."""
    from ..trial.part_checks import check_part

    opened = {entry.trial.id: entry.opened for entry in planned if entry.opened is not None}
    problems: dict[str, str] = {}
    for check, users in part_checks([entry.trial for entry in planned if entry.trial.id in opened], context):
        try:
            check_part(check, opened[check.trial.id], context)
        except Unfit:  # told where the model is built
            continue
        except UnetbenchError as error:
            if not users:
                raise
            problems |= {trial.id: one_line(error) for trial in users}
    if not problems:
        return planned
    return [replace(entry, problem=problems.get(entry.trial.id, entry.problem)) for entry in planned]


def _estimate(
    group: list[Planned],
    throughput: Throughput,
    threads: int,
    looks: dict[int, list[Held]],
    networks: dict[tuple[object, ...], _Network],
) -> TrialEstimate:
    entry, seeds = group[0], len(group)
    if entry.opened is None or entry.problem:
        return TrialEstimate(entry.trial, seeds, "", 0, 0, None, failed=entry.problem)
    trial, opened = entry.trial, entry.opened
    unread = _unread(trial, opened)
    if unread:
        return TrialEstimate(trial, seeds, unread, 0, 0, None)
    step = trial.derivation.label if trial.derivation else ""
    recipe = trial.recipe
    members = trial.derivation.members if trial.derivation else ()
    models = tuple(member.model.canonical for member in members) or (trial.model.canonical,)
    key = (models, step, opened.task, recipe.patch, recipe.precision, recipe.predict_mib)
    if key not in networks:
        networks[key] = _network(trial, opened)
    network = networks[key]
    if network.size is None:
        return TrialEstimate(trial, seeds, network.unfit, 0, 0, None, failed=network.failed)
    work, cases = work_of(trial, opened, looks), looked_at(opened, looks)
    expected = throughput.expected(trial, work, network.size, threads) if work is not None else None
    return TrialEstimate(
        trial,
        seeds,
        "",
        network.parameters,
        network.size.macs,
        expected.seconds if expected is not None else None,
        network.warning,
        training_bytes=training_bytes(trial, opened, cases) if cases else None,
        basis=expected.basis if expected is not None else None,
    )


def _unread(trial: Trial, opened: OpenedDataset) -> str:
    """Why the loss cannot read the training labels."""
    from ...losses.readable_labels import check_labels

    try:
        check_labels(trial.loss.name, trial.loss.options, options_of(opened.labels))
    except Unfit as error:
        return str(error)
    return ""


def _members(trial: Trial, opened: OpenedDataset) -> _Network:
    """What an ensemble of all its members would be: a greedy choice takes some of them."""
    from ...models.parts.orientations import orientations

    members, options = (trial.derivation.members, trial.derivation.options) if trial.derivation else ((), {})
    found = [_network(replace(trial, model=member.model, derivation=None), opened) for member in members]
    wrong = next((one for one in found if one.size is None), None)
    if wrong is not None:
        return wrong
    copies = len(orientations(options.get("copies", ""), opened.task.rank))
    sizes = [one.size for one in found * options.get("last", 1) if one.size is not None]
    moved = [size.moved for size in sizes if size.moved is not None]
    size = Size(copies * sum(size.macs for size in sizes), copies * sum(moved) if len(moved) == len(sizes) else None)
    return _Network(sum(one.parameters for one in found) * options.get("last", 1), size)


def _network(trial: Trial, opened: OpenedDataset) -> _Network:
    from ...models.anatomy.cost import cost
    from ..trial.compiled_model import build, check_patch, initialisation_info
    from ..trial.origin import lightened

    if trial.is_untrained:
        return _members(trial, opened)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FallbackWarning)  # told with the cost
            model = build(trial, opened.task)
        model = lightened(trial, model)
        check_patch(trial, model)
        spent = cost(model, trial.recipe.patch)
    except Unfit as error:
        return _Network(unfit=str(error))
    except Exception as error:  # a part's own bug must not hide the rest of the plan
        return _Network(failed=one_line(error))
    missing = initialisation_info(model).get("missing_weights", "")
    return _Network(spent.trainable, Size(spent.macs, spent.moved_activations), warning=missing)
