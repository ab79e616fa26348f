"""Hardware as an axis of a sweep: backends, devices and precisions multiply the trials."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ...core.backend import default_backend
from ...core.errors import SpecError
from ...core.recipe import Recipe

DEVICE = re.compile(r"cpu|gpu(?::(\d+))?")


class HardwareKeys(BaseModel):
    """The keys of a sweep file that say what its trials are run on."""

    model_config = ConfigDict(extra="forbid")
    backends: list[Literal["tensorflow", "jax", "torch"]] = Field(default_factory=list)
    devices: list[str] = Field(default_factory=list)
    precisions: list[Literal["float32", "mixed_bfloat16", "mixed_float16"]] = Field(default_factory=list)


@dataclass(frozen=True)
class Hardware:
    """What every combination of data, model, loss and seed is run on.

    backends: of Keras, at least one. devices: `cpu`, `gpu` or "" for what the backend takes by itself. precisions:
    empty where the recipe's holds. gpus: numbers of the GPUs that trials on `gpu` share, one trial each at a time;
    empty for all there are.
    """

    backends: tuple[str, ...] = ("tensorflow",)
    devices: tuple[str, ...] = ("",)
    precisions: tuple[str, ...] = ()
    gpus: tuple[int, ...] = ()

    def settings(self, recipe: Recipe) -> Iterator[tuple[str, str, Recipe]]:
        """Backend, device and recipe of every combination, precision innermost."""
        for backend, device, precision in product(self.backends, self.devices, self.precisions or (recipe.precision,)):
            yield backend, device, replace(recipe, precision=precision)  # pyright: ignore[reportArgumentType]


def hardware(keys: HardwareKeys, raw: Mapping[str, Any], where: str) -> Hardware:
    """The axes of a sweep; raw: the file's content. Raises SpecError for a device that cannot be and for repetitions.

    `gpu:0` and `gpu:1` are two places of one device `gpu`: they share its trials, as which of two GPUs it is changes
    no outcome. `gpu` alone is every GPU that programs see.
    """
    for name in ("backends", "devices", "precisions"):
        _check_distinct(getattr(keys, name), f"{where}: {name}")
    if keys.precisions:
        _check_said_once(raw, where)
    kinds: dict[str, None] = {}
    gpus: list[int | None] = []
    for index, device in enumerate(keys.devices):
        found = DEVICE.fullmatch(device)
        if found is None:
            raise SpecError(f"{where}: devices[{index}]: {device!r} is no device; there are cpu, gpu, gpu:0, gpu:1 …")
        kinds[device.partition(":")[0]] = None
        gpus += [int(found[1]) if found[1] else None] if device != "cpu" else []
    if None in gpus and len(gpus) > 1:
        raise SpecError(
            f"{where}: devices: gpu is all GPUs, {', '.join(keys.devices)} names some beside; leave one out"
        )
    return Hardware(
        tuple(keys.backends) or (default_backend(),),
        tuple(kinds) or ("",),
        tuple(keys.precisions),
        tuple(number for number in gpus if number is not None),
    )


def _check_distinct(values: Sequence[str], where: str) -> None:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise SpecError(f"{where}[{index}]: {value} is there twice")


def _check_said_once(raw: Mapping[str, Any], where: str) -> None:
    """Raise SpecError where a recipe names a precision beside the sweep's axis of them."""
    named = [("recipe", raw.get("recipe"))]
    for index, entry in enumerate(raw.get("datasets") or ()):
        named.append((f"datasets[{index}].recipe", entry.get("recipe") if isinstance(entry, Mapping) else None))
    for place, recipe in named:
        if isinstance(recipe, Mapping) and "precision" in recipe:
            raise SpecError(f"{where}: {place}.precision stands beside precisions; leave one of them out")
