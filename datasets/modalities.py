"""Which modalities of a data set a trial is given: in training, and in each test."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import numpy as np

from ..core.errors import DataError, SpecError, unknown
from ..core.task import Task
from .case import Dataset, Sample

ALL, EACH = "all", "each"
"""Words of a sweep file for all modalities of a data set, and for every one of them alone."""


@dataclass(frozen=True)
class ChannelsOf:
    """Reads a case and keeps some of its channels. name: of the case. total: how many its image must have."""

    name: str
    read: Callable[[], Sample]
    channels: tuple[int, ...]
    total: int

    def __call__(self) -> Sample:
        """Decode the case. Raises DataError."""
        sample = self.read()
        if sample.image.shape[-1] != self.total:
            raise DataError(
                f"{self.name}: the image has {sample.image.shape[-1]} channels, its modalities {self.total}; give it "
                "all of them"
            )
        return replace(sample, image=np.ascontiguousarray(sample.image[..., list(self.channels)]))


def channels_of(task: Task, names: Sequence[str]) -> tuple[int, ...]:
    """The channels of those modalities, in that order."""
    stops = list(accumulate(task.parts))
    places = {name: range(stop - count, stop) for (name, count), stop in zip(task.modalities, stops, strict=True)}
    return tuple(channel for name in names for channel in places[name])


def only(dataset: Dataset, names: Sequence[str]) -> Dataset:
    """The data set with these of its modalities alone, in that order."""
    task, counts = dataset.task, dict(dataset.task.modalities)
    channels, own = channels_of(task, names), tuple((name, counts[name]) for name in names)
    cases = tuple(
        replace(case, read=ChannelsOf(case.name, case.read, channels, task.channels)) for case in dataset.cases
    )
    return replace(dataset, task=replace(task, channels=len(channels), modalities=own), cases=cases)


@dataclass(frozen=True)
class Wanted:
    """An entry of `modalities` or `test_modalities` in a sweep file.

    use: `all`, `each`, or names. dropout: what `recipe.modality_dropout` is for it, None where the recipe says.
    """

    use: str | tuple[str, ...] = ALL
    dropout: float | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """As the file has them."""
        return (self.use,) if isinstance(self.use, str) else self.use

    def of(self, task: Task, name: str) -> Iterator[tuple[str, ...]]:
        """The modalities, in the order of the channels, of each that it stands for. Raises SpecError.

        Of a data set that names none, `all` is nothing. name: of the data set, for the error.
        """
        known = tuple(modality for modality, _ in task.modalities)
        if self.use == ALL:
            yield known
            return
        if not known:
            raise SpecError(f"modalities: {self.use!r}: {name} names no modalities; only `all` is possible")
        if self.use == EACH:
            yield from ((modality,) for modality in known)
            return
        for modality in self.use:
            if modality not in known:
                raise SpecError(f"modalities: {unknown(f'modality of {name}', modality, known)}")
        yield tuple(modality for modality in known if modality in self.use)


def wanted(said: Any, *, test: bool = False) -> Wanted:
    """Read an entry: `all`, `each`, a name, a list of names, or, but for tests, `{use: …, dropout: 0.3}`.

    Raises SpecError.
    """
    if isinstance(said, Mapping) and not test:
        strange = [key for key in said if key not in ("use", "dropout")]
        if strange or "use" not in said:
            problem = unknown("key", str(strange[0]), ("use", "dropout")) if strange else "it has no `use`"
            raise SpecError(f"{problem}; write {{use: all, dropout: 0.3}}")
        dropout = said.get("dropout")
        if dropout is not None and (isinstance(dropout, bool) or not isinstance(dropout, int | float)):
            raise SpecError(f"dropout: {dropout!r} is no number; it is the share of patches without a modality")
        return replace(wanted(said["use"], test=True), dropout=dropout)
    names: list[Any] = list(said) if isinstance(said, list | tuple) else [said]
    if not names or not all(isinstance(one, str) and one for one in names):
        mapping = "" if test else ", or {use: all, dropout: 0.3}"
        raise SpecError(f"{said!r} is none of all, each, a name and a list of names{mapping}")
    if len(set(names)) < len(names):
        raise SpecError(f"{names} names one twice")
    if len(names) > 1 and {ALL, EACH} & set(names):
        raise SpecError(f"{names}: all and each stand alone")
    return Wanted(names[0] if names[0] in (ALL, EACH) else tuple(names))


def option(names: Sequence[str]) -> str | list[str]:
    """The names as an option of a data set: one as text, several as a list."""
    return names[0] if len(names) == 1 else list(names)


def named(value: Any) -> tuple[str, ...]:
    """What `option` was made of; nothing of None."""
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)


@dataclass(frozen=True)
class Seen:
    """What a network gets where a test has some modalities.

    how: `given`, all that it was trained with; `missing`, some of it, and 0 in place of the others; `replaced`, others
    in its place; `impossible`. blank: channels of the network that are 0. reason: why it is impossible.
    """

    how: str
    blank: tuple[int, ...] = ()
    reason: str = ""


def seen(trained: Task, whole: Task, names: Sequence[str]) -> Seen:
    """How a network is tested where only `names` of a data set's modalities are there.

    trained: the task that it was trained for, whole: the data set's. A network that knows one of them or more gets
    these, and 0, which scaling makes of a constant image, for the others. One that knows none gets the same number of
    others in the same places, where their channels agree in number.
    """
    known, counts = tuple(name for name, _ in trained.modalities), dict(whole.modalities)
    if set(known) & set(names):
        blank = channels_of(trained, [name for name in known if name not in names])
        return Seen("missing", blank) if blank else Seen("given")
    given = tuple(counts[name] for name in names)
    if given == trained.parts:
        return Seen("replaced")
    own = " and ".join(f"{name} ({count})" for name, count in trained.modalities)
    other = " and ".join(f"{name} ({counts[name]})" for name in names)
    return Seen("impossible", reason=f"trained on {own}, tested on {other}: their channels differ in number")
