"""The key of a sweep file that lets batches of cases arrive one after the other, and the stages that it makes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from math import factorial
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from ...core.errors import SpecError, unknown
from ...core.trial import METHODS, Choice, Derivation, Trial
from ...datasets.batches import Arrived, batches_of, check_by
from ...datasets.split import Split
from .validate import validate

ORDERS = 3
"""Orders of arrival where the file says nothing else."""

JOINT = "joint training is the sweep's own trial of each model and is there in any case; leave it out"


class _Method(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    epochs: int | None = Field(default=None, ge=1)
    rate: float | None = Field(default=None, gt=0)


class FinetuneMethod(_Method):
    """`finetune`: training goes on with the new batch alone."""

    name: Literal["finetune"]


class ReplayMethod(_Method):
    """`{name: replay, keep: 8}`: with so many cases of earlier batches beside the new one, see `datasets.batches`."""

    name: Literal["replay"]
    keep: int = Field(default=8, ge=1)


class EwcMethod(_Method):
    """`{name: ewc, weight: 10000}`: see `trial.update`."""

    name: Literal["ewc"]
    weight: float = Field(default=10000.0, gt=0)


class LwfMethod(_Method):
    """`{name: lwf, weight: 1, temperature: 2}`: see `trial.update`."""

    name: Literal["lwf"]
    weight: float = Field(default=1.0, gt=0)
    temperature: float = Field(default=2.0, gt=0)


class AverageMethod(_Method):
    """`{name: average, share: 0.5}`: see `trial.update`."""

    name: Literal["average"]
    share: float = Field(default=0.5, gt=0, lt=1)


KINDS: dict[str, type[_Method]] = {
    "finetune": FinetuneMethod,
    "replay": ReplayMethod,
    "ewc": EwcMethod,
    "lwf": LwfMethod,
    "average": AverageMethod,
}
"""Methods by name, those of `core.trial.METHODS`."""


class ContinualKeys(BaseModel):
    """The keys of `continual`."""

    model_config = ConfigDict(extra="forbid", strict=True)
    by: str = Field(min_length=1)
    methods: list[Any] = Field(default_factory=lambda: list(METHODS), min_length=1)
    orders: int | list[list[str]] = ORDERS


@dataclass(frozen=True)
class Continual:
    """by: what names the batch of a case. methods: options of each update. orders: how many, or which."""

    by: str
    methods: tuple[dict[str, Any], ...]
    orders: int | tuple[tuple[str, ...], ...]

    def trials(self, trained: Sequence[Trial], split: Split) -> Iterator[Trial]:
        """The stages of the trials of one data set, parents first, each once; those trials are joint training.

        The first stage of an order has no parent and is the same for all methods; orders that begin alike share their
        stages. Each batch is also trained on alone. Raises DataError where the cases have no such batches, SpecError
        for an order of others.
        """
        batches = batches_of(split, self.by)
        orders = self._orders(batches)
        made: dict[str, Trial] = {}
        for joint in trained:
            for batch in batches:
                first = self._stage(joint, (batch,))
                made.setdefault(first.id, first)
            for options in self.methods:
                for order in orders:
                    parent = self._stage(joint, order[:1])
                    for count in range(2, len(order) + 1):
                        stage = self._stage(joint, order[:count], options.get("keep", 0))
                        derivation = Derivation("update", parent.id, parent.model, options)
                        parent = replace(stage, derivation=derivation)
                        made.setdefault(parent.id, parent)
        yield from made.values()

    def _stage(self, joint: Trial, batches: tuple[str, ...], keep: int = 0) -> Trial:
        arrived = Arrived(self.by, batches, keep, joint.seed)
        dataset = Choice(joint.dataset.name, {**joint.dataset.options, "arrived": arrived.options})
        return replace(joint, dataset=dataset)

    def _orders(self, batches: tuple[str, ...]) -> list[tuple[str, ...]]:
        if isinstance(self.orders, int):
            return orders_of(batches, self.orders)
        for order in self.orders:
            if sorted(order) != sorted(batches):
                raise SpecError(f"orders: {list(order)} is no order of the batches {list(batches)}")
        return list(self.orders)


def orders_of(batches: tuple[str, ...], count: int) -> list[tuple[str, ...]]:
    """So many different orders, as far as there are: rotations, rotations of the reverse, then all others.

    In as many rotations as batches each batch stands at each place once.
    """
    size, found = len(batches), dict[tuple[str, ...], None]()
    for row in (batches, batches[::-1]):
        found |= dict.fromkeys(row[k:] + row[:k] for k in range(size))
    others = permutations(batches)
    while len(found) < min(count, factorial(size)):
        found.setdefault(next(others))
    return list(found)[:count]


def continual(said: Mapping[str, Any], where: str) -> Continual:
    """What the key says. Raises SpecError that begins with `where`."""
    keys = validate(TypeAdapter(ContinualKeys), dict(said), where)
    try:
        check_by(keys.by)
    except SpecError as error:
        raise SpecError(f"{where}.{error}") from None
    methods: list[dict[str, Any]] = []
    for index, entry in enumerate(keys.methods):
        options = method(entry, f"{where}.methods[{index}]")
        if options in methods:
            raise SpecError(f"{where}.methods[{index}]: {entry} is there twice")
        methods.append(options)
    if isinstance(keys.orders, int):
        if keys.orders < 1:
            raise SpecError(f"{where}.orders: {keys.orders} is below 1")
        return Continual(keys.by, tuple(methods), keys.orders)
    orders = tuple(map(tuple, keys.orders))
    if not orders or len(set(orders)) != len(orders):
        raise SpecError(f"{where}.orders: give at least one order, each once")
    return Continual(keys.by, tuple(methods), orders)


def method(entry: Any, where: str) -> dict[str, Any]:
    """The options of an update, its `method` among them. Raises SpecError that begins with `where`."""
    given: dict[str, Any] = (
        {"name": entry} if isinstance(entry, str) else dict(entry) if isinstance(entry, Mapping) else {}
    )
    name = given.get("name")
    if name == "joint":
        raise SpecError(f"{where}: {JOINT}")
    if not isinstance(name, str) or name not in KINDS:
        raise SpecError(f"{where}: {unknown('method', str(name if given else entry), KINDS)}")
    found = validate(TypeAdapter(KINDS[name]), given, where).model_dump(exclude_none=True)
    return {"method": found.pop("name"), **found}
