"""What the values of a folder's mask files mean, as the sweep file says it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..core.errors import SpecError
from ..core.task import Kind
from . import truth
from .object_labels import pieces

BACKGROUND = "background"


class Meaning(NamedTuple):
    """Names and values of the classes.

    names: as `Task.classes` has them, the background of exclusive classes first. values: those of each class, or empty
    for a two-valued mask. instances: values are numbers of objects; components: each connected piece of one is an
    object. ignore: the value of ignored pixels in the files; code: the one in the truth.
    """

    kind: Kind
    names: tuple[str, ...]
    values: tuple[tuple[int, ...], ...] = ()
    instances: bool = False
    components: bool = False
    ignore: int | None = None
    code: int | None = None

    def plane(self, mask: np.ndarray, where: object) -> np.ndarray:
        """A mask (*space,) → truth (*space, 1) uint8. Raises DataError that begins with `where`."""
        marked = {"ignore": self.ignore, "code": self.code}
        if self.instances:
            return truth.chosen(mask, mask != 0, **marked)
        if self.kind == "binary" and self.values:
            return truth.chosen(mask, np.isin(mask, self.values[0]), **marked)
        if self.values:
            return truth.classes(mask, where, self.values, names=self.names, **marked)
        return truth.binary(mask, where, **marked)

    def objects(self, mask: np.ndarray) -> np.ndarray | None:
        """A mask (*space,) → the numbers of its objects (*space,) int32, or None where values are classes."""
        if not self.instances:
            return None
        if self.ignore is not None:
            mask = np.where(mask == self.ignore, 0, mask)
        if not self.components:
            return mask.astype(np.int32)
        return pieces(mask)


def meaning(
    classes: Any, masks: Any, *, background: str = "", instances: bool = False, components: bool = False, ignore: Any
) -> Meaning:
    """Read the options of `folder` that say what a mask holds. Raises SpecError."""
    if ignore is not None and (not isinstance(ignore, int) or isinstance(ignore, bool)):
        raise SpecError(f"folder.ignore: {ignore!r} is not a whole number; give the value that ignored pixels have")
    if components and not instances:
        raise SpecError("folder.components: says what an object is; it goes with `instances: true`")
    if isinstance(masks, Mapping):
        if classes is not None or instances or background:
            raise SpecError(
                "folder: masks by class name already name the classes; drop `classes`, `background` and `instances`"
            )
        return _ignoring(Meaning("multilabel", _names(masks, "masks")), ignore)
    if not isinstance(classes, Mapping | list | tuple) or not classes:
        raise SpecError("folder.classes: give a list of names, or a mapping from names to mask values")
    names = _names(classes, "classes")
    if instances and (len(names) > 1 or isinstance(classes, Mapping)):
        raise SpecError(f"folder.classes: masks of instances have one foreground class, came {len(names)}")
    if len(names) == 1:
        if background or names[0].lower() == BACKGROUND:
            raise SpecError(
                f"folder.classes: {names[0]!r} is the only class, so it is the object and not the background; "
                "name the object"
            )
        own = (_whole(names[0], classes[names[0]]),) if isinstance(classes, Mapping) else ()
        return _ignoring(Meaning("binary", names, own, instances, components), ignore)
    if not isinstance(classes, Mapping):
        _check_list(names, background)
        return _ignoring(Meaning("exclusive", names, tuple((index,) for index in range(len(names)))), ignore)
    first = background_of(classes, background)
    names = (first, *(name for name in names if name != first))
    values = tuple(_whole(name, classes[name]) for name in names)
    _check_apart(names, values)
    return _ignoring(Meaning("exclusive", names, values), ignore)


def background_of(classes: Mapping[str, Any], background: str = "") -> str:
    """The class of a mapping that is the background: as said, the one of that name, or the one of value 0.

    Raises SpecError that asks where none is.
    """
    names = list(classes)
    if background:
        if background not in names:
            raise SpecError(f"folder.background: {background!r} is no class; there are {', '.join(names)}")
        return background
    named = [name for name in names if name.lower() == BACKGROUND]
    zero = [name for name in names if 0 in _whole(name, classes[name])]
    if len(named) > 1 or not (named or zero):
        raise SpecError(
            f"folder.classes: which of {', '.join(names)} is the background? None has the value 0 or is called "
            f"{BACKGROUND}; say `background: NAME`, which is never scored"
        )
    return (named or zero)[0]


def spelled_out(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of `folder` with the background said in words where `classes` does not begin with it.

    A trial's id does not see the order of a mapping, and earlier versions took the first class for the background:
    so a record made then, with another background, is not taken for this trial's. Raises SpecError.
    """
    classes, asked = options.get("classes"), options.get("background") or ""
    if not isinstance(classes, Mapping) or len(classes) < 2 or not isinstance(asked, str):
        return dict(options)
    first = _names(classes, "classes")[0]
    found = background_of(classes, asked)
    rest = {key: value for key, value in options.items() if key != "background"}
    return rest if found == first else {**rest, "background": found}


def _names(classes: Any, option: str) -> tuple[str, ...]:
    for name in classes:
        if not isinstance(name, str):
            raise SpecError(
                f"folder.{option}: the name {name!r} is no text; YAML reads no, off, yes, null and numbers as other "
                'things: write the name in quotes, for instance "no" or "1"'
            )
    return tuple(classes)


def _check_list(names: tuple[str, ...], background: str) -> None:
    stated = [background] if background else [name for name in names if name.lower() == BACKGROUND]
    if stated and stated[0] != names[0]:
        pairs = ", ".join(f"{name}: {value}" for value, name in enumerate(names))
        raise SpecError(
            f"folder.classes: a list gives the values 0, 1 … in its order, and its first class is the background, not "
            f"{stated[0]!r}; put the background first, or say each class's value: {{{pairs}}}"
        )


def _check_apart(names: tuple[str, ...], values: tuple[tuple[int, ...], ...]) -> None:
    owner: dict[int, str] = {}
    for name, own in zip(names, values, strict=True):
        for value in own:
            if value in owner:
                raise SpecError(f"folder.classes: {owner[value]} and {name} both have the value {value}; one can")
            owner[value] = name


def _whole(name: object, value: Any) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not values or not all(isinstance(entry, int) and not isinstance(entry, bool) for entry in values):
        raise SpecError(f"folder.classes: {name}: {value!r} is not a whole number or a list of them")
    return values


def _ignoring(found: Meaning, ignore: int | None) -> Meaning:
    """The meaning with the value of ignored pixels. Raises SpecError where it is a class's, too."""
    if ignore is None:
        return found
    owner = next((name for name, own in zip(found.names, found.values, strict=False) if ignore in own), None)
    if owner is None and not found.values and ignore == 0:
        owner = BACKGROUND
    if owner is not None:
        raise SpecError(
            f"folder.ignore: {ignore} is the value of the class {owner}, which would never be seen; drop one of the two"
        )
    return found._replace(ignore=ignore, code=truth.ignore_code(ignore, len(found.names)))
