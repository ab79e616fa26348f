"""How long trials take on a machine, judged by those that it ran, and how good such a judgement is."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Literal, NamedTuple

import numpy as np

from ...core.record import Record
from ...core.trial import Trial

Basis = Literal["model and loss", "model", "size"]
"""What earlier trials have in common with the one whose time is expected: MACs and moved activations are its size."""

BASES: tuple[Basis, ...] = ("model and loss", "model", "size")

FURTHEST = 10.0
"""As times the MACs of the largest network that ran; of one beyond, small ones tell little but their overhead."""

LOOKED_BACK = 300
"""Records that are predicted from the others to see how good that is; more say no more."""


class Work(NamedTuple):
    """What a trial has to do. patches: of an epoch; tiles: scored after it; test: area of test cases, in patches."""

    epochs: int
    patches: int
    tiles: float
    test: float


class Size(NamedTuple):
    """What a patch costs a network: multiply-accumulates, and numbers moved, None where a record does not say."""

    macs: int
    moved: int | None


@dataclass(frozen=True)
class Expected:
    """Seconds of a trial, from start to record, and by what trials they are expected."""

    seconds: float
    basis: Basis


@dataclass(frozen=True)
class Quality:
    """How long earlier trials took, as times what was expected of them by the others. One number a trial, sorted."""

    ratios: tuple[float, ...]

    @property
    def median(self) -> float:
        """Of the ratios; 1 is neither too long nor too short."""
        return median(self.ratios)

    @property
    def within(self) -> float:
        """The factor, at least 1, by which nine of ten were off at most, whichever way."""
        off = sorted(max(ratio, 1 / ratio) for ratio in self.ratios)
        return off[math.ceil(0.9 * len(off)) - 1]


@dataclass(frozen=True)
class _Taken:
    """What a trial took. pixel_s: of training, a pixel of a patch; tile, test: the same of scoring, as times pixel_s.

    rest_s: building, tracing, choosing the epoch, timing of runtimes and all else. share: of its epochs that it
    trained. threads: of a processor, 0 on a GPU.
    """

    trial: Trial
    settings: tuple[tuple[object, ...], ...]
    size: Size
    work: Work
    pixel_s: float
    tile: float
    test: float
    rest_s: float
    share: float
    total_s: float
    threads: int


class Throughput:
    """What the trials of these records took; records that tell nothing of it are passed over.

    A patch takes the median of what it took in trials of the same model and loss, on the same data where there are
    such, else in those of the same model, else what a fit of MACs, moved activations and a constant gives for it (of
    MACs alone where records do not say the second). Always of the same rank, backend, device and precision. On a
    processor a patch is taken to need twice the time with half the threads.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        self._groups: dict[tuple[object, ...], list[_Taken]] = defaultdict(list)
        self.sizes: dict[tuple[str, tuple[int, ...]], Size] = {}
        self._all: list[_Taken] = []
        for taken in (found for record in records if (found := _taken(record)) is not None):
            self._all.append(taken)
            self.sizes[_model(taken.trial), taken.trial.recipe.patch] = taken.size
            for key in (key for setting in taken.settings for key in _keys(taken.trial, setting)):
                self._groups[key].append(taken)

    def __len__(self) -> int:
        return len(self._all)

    def size_of(self, trial: Trial) -> Size | None:
        """What a patch costs the trial's network, where a record says."""
        return self.sizes.get((_model(trial), trial.recipe.patch))

    def expected(self, trial: Trial, work: Work, size: Size | None = None, threads: int = 0) -> Expected | None:
        """What a trial takes, None where nothing comparable was run. size: of its network, None for unknown.

        threads: of a processor that it is given, 0 for as many as the earlier trials had.
        """
        setting = (len(trial.recipe.patch), trial.backend, trial.device, trial.recipe.precision)
        return self._expected(trial, setting, work, size or self.size_of(trial), threads, lambda _: True)

    def quality(self) -> dict[Basis, Quality]:
        """Predict each of up to LOOKED_BACK trials from the others, in every way that these allow.

        By size, trials of the same model are left out too.
        """
        ratios: dict[Basis, list[float]] = defaultdict(list)
        for taken in self._all[:: max(1, len(self._all) // LOOKED_BACK)]:
            for basis in BASES:
                found = self._without(taken, basis)
                if found is not None:
                    ratios[basis].append(taken.total_s / found)
        return {basis: Quality(tuple(sorted(ratios[basis]))) for basis in BASES if ratios[basis]}

    def _without(self, taken: _Taken, basis: Basis) -> float | None:
        """Seconds expected of a trial by all others, in one way."""

        def other(one: _Taken) -> bool:
            if basis == "size":
                return one.trial.model != taken.trial.model
            return one is not taken and (basis == "model and loss" or one.trial.loss != taken.trial.loss)

        found = self._expected(taken.trial, taken.settings[0], taken.work, taken.size, taken.threads, other)
        return found.seconds if found is not None and found.basis == basis else None

    def _expected(
        self,
        trial: Trial,
        setting: tuple[object, ...],
        work: Work,
        size: Size | None,
        threads: int,
        counts: Callable[[_Taken], bool],
    ) -> Expected | None:
        keys = list(_keys(trial, setting))
        found = [[taken for taken in self._groups.get(key, ()) if counts(taken)] for key in keys]
        like = next((group for group in found if group), [])
        if not like:
            return None
        basis: Basis = BASES[min(next(k for k, group in enumerate(found) if group) // 2, 2)]
        pixels = math.prod(trial.recipe.patch)
        if basis == "size":
            fitted = _fitted(like, size, threads) if size is not None else None
            if fitted is None:
                return None
            patch_s = fitted
        else:
            patch_s = median(_pixel_s(taken, threads) for taken in like) * pixels
        share = median(taken.share for taken in like)
        epoch_s = patch_s * (work.patches + median(taken.tile for taken in like) * work.tiles)
        test_s = patch_s * median(taken.test for taken in like) * work.test
        rest_s = median(taken.rest_s for taken in like)
        return Expected(share * work.epochs * epoch_s + test_s + rest_s, basis)


def _model(trial: Trial) -> str:
    """The network, without the trial that it comes from."""
    return trial.model.canonical if trial.derivation is None else f"{trial.model.canonical} {trial.derivation.label}"


def _keys(trial: Trial, setting: tuple[object, ...]) -> Iterator[tuple[object, ...]]:
    """What trials have in common, the closest first: two of model and loss, two of the model, one of all."""
    own = (_model(trial), *setting)
    recipe = trial.recipe
    yield "loss", trial.loss.canonical, trial.dataset.unplaced, recipe.patch, recipe.batch, own
    yield "loss", trial.loss.canonical, own
    yield "model", recipe.patch, own
    yield "model", own
    yield setting


def _pixel_s(taken: _Taken, threads: int) -> float:
    return taken.pixel_s * (taken.threads / threads if threads and taken.threads else 1.0)


def _fitted(like: Sequence[_Taken], size: Size, threads: int) -> float | None:
    """Seconds of a patch by the least relative squares of non-negative terms, over models.

    Terms: MACs, moved activations and a constant; with less than four models MACs alone. None for a far larger one.
    """
    from scipy.optimize import nnls  # a third of a second that only a network never run here needs

    by_model: dict[tuple[str, Size], list[float]] = defaultdict(list)
    for taken in like:
        patch_s = _pixel_s(taken, threads) * math.prod(taken.trial.recipe.patch)
        by_model[_model(taken.trial), taken.size].append(patch_s)
    rows = [(found, median(seconds)) for (_, found), seconds in by_model.items() if found.macs]
    if size.macs > FURTHEST * max((found.macs for found, _ in rows), default=0):
        return None
    both = [row for row in rows if row[0].moved]
    if size.moved and len(both) > 3:
        table = [[found.macs, found.moved, 1.0] for found, _ in both]
        wanted, times = [size.macs, size.moved, 1.0], [seconds for _, seconds in both]
    elif len(rows) > 3:
        table = [[found.macs, 1.0] for found, _ in rows]
        wanted, times = [size.macs, 1.0], [seconds for _, seconds in rows]
    else:
        return size.macs * median(seconds / found.macs for found, seconds in rows) if rows else None
    terms = np.array(table, float)
    scale = terms.max(0)
    weights, _ = nnls(terms / scale / np.array(times)[:, None], np.ones(len(times)))
    return float(np.array(wanted, float) / scale @ weights)


def _taken(record: Record) -> _Taken | None:
    """What the trial of a record took; None unless it was trained to its end in one go and says what that took."""
    if record.status != "done":
        return None
    try:
        found = _told(record)
    except (ArithmeticError, LookupError, TypeError, ValueError):  # a record of others may say none of it, or null
        return None
    if found is None or not all(map(math.isfinite, (found.tile, found.test, found.rest_s, found.share))):
        return None
    return found if found.pixel_s > 0 < found.total_s < math.inf else None


def _told(record: Record) -> _Taken | None:
    history, timing = record.history, record.timing
    trained = sum(row["train_s"] + row["validate_s"] for row in history)
    if not 0 < trained <= 1.05 * timing.get("train_s", 0.0):
        return None
    trial, recipe = record.ran, record.trial.recipe
    steady = history[1:] or history
    steps = recipe.steps if isinstance(recipe.steps, int) else -(-record.data["train"] // recipe.batch)
    patches = record.data.get("epoch_patches", steps * recipe.batch)
    tiles = record.data.get("validation_tiles", record.data["validation"])
    work = Work(trial.training.epochs, patches, tiles, _test_area(record))
    patch_s = median(row["train_s"] for row in steady) / patches
    tile_s = median(row["validate_s"] for row in steady) / max(1, tiles)
    test_s = sum(timing.get(phase, 0.0) for phase in ("test_load_s", "predict_s", "score_s"))
    whole = sum(seconds for phase, seconds in timing.items() if phase.endswith("_s"))
    if record.started and record.finished:
        begun, ended = (datetime.fromisoformat(moment) for moment in (record.started, record.finished))
        whole = max(whole, (ended - begun).total_seconds())
    devices = dict.fromkeys((record.trial.device, trial.device))  # the one that a backend takes by itself is one, too
    return _Taken(
        trial,
        tuple((len(recipe.patch), trial.backend, device, recipe.precision) for device in devices),
        Size(record.model.get("macs", 0), record.model.get("moved_activations")),
        work,
        pixel_s=patch_s / math.prod(recipe.patch),
        tile=tile_s / patch_s,
        test=test_s / patch_s / max(work.test, 1e-9),
        rest_s=max(0.0, whole - len(history) * (patches * patch_s + tiles * tile_s) - test_s),
        share=len(history) / trial.training.epochs,
        total_s=whole,
        threads=int(record.machine.get("threads") or record.machine.get("cores") or 0) * (trial.device == "cpu"),
    )


def _test_area(record: Record) -> float:
    """Of the test cases, in patches; where a record does not say in which windows they were predicted, one each."""
    windows = record.prediction.get("windows", [])
    area = sum(entry["cases"] * math.prod(entry["window"]) for entry in windows)
    return area / math.prod(record.trial.recipe.patch) if area else float(record.data["test"])
