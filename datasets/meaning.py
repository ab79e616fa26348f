"""What the values of a folder's mask files mean, as the sweep file says it."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ..core.errors import DataError, SpecError
from ..core.task import Kind
from . import truth
from .class_values import BACKGROUND, background_of, ignored_value, values_of
from .mask_checks import check_chosen, check_colours, check_distances, check_known, check_labels
from .object_labels import numbered, pieces
from .readers.colours import colour_text


class Meaning(NamedTuple):
    """Names and values of the classes.

    names: as `Task.classes` has them, the background of exclusive classes first. values: those of each class, or empty
    for a two-valued mask. instances: values are numbers of objects; components: each connected piece of one is an
    object. ignore: the value of ignored pixels in the files; code: the one in the truth. coloured: values are colours,
    as `colours.packed` writes them. threshold: the least value that is foreground in two-valued masks of many values.
    known: the values that masks may hold where a data set says them all, else empty.
    """

    kind: Kind
    names: tuple[str, ...]
    values: tuple[tuple[int, ...], ...] = ()
    instances: bool = False
    components: bool = False
    ignore: int | None = None
    code: int | None = None
    coloured: bool = False
    threshold: float | None = None
    known: tuple[int, ...] = ()

    def plane(
        self, mask: np.ndarray, where: object, *, lossy: bool = False, highest: int | None = None, indexed: bool = False
    ) -> np.ndarray:
        """A mask (*space,) → truth (*space, t) uint8. Raises DataError that begins with `where`.

        t is 1, or the number of classes that may overlap where these have values.

        lossy, highest, indexed: as `Picture` has them, so that values that cannot be trusted or cannot occur are
        refused, and values that do not look like what they are explained.
        """
        try:
            return self._plane(mask, where, lossy, highest)
        except DataError as error:
            if not indexed:
                raise
            raise DataError(
                f"{error}; its values are indices into its palette, whose colours may be classes instead, as in "
                '`NAME: "#ff0000"`'
            ) from None

    def _plane(self, mask: np.ndarray, where: object, lossy: bool, highest: int | None) -> np.ndarray:
        marked = {"ignore": self.ignore, "code": self.code}
        if self.known:
            check_known(mask, where, (*self.known, *(() if self.ignore is None else (self.ignore,))))
        if self.kind == "multilabel" and self.values:
            return np.concatenate([truth.chosen(mask, np.isin(mask, own), **marked) for own in self.values], -1)
        if self.instances:
            check_labels(mask, where, ignore=self.ignore, lossy=lossy)
            return truth.chosen(mask, mask != 0, **marked)
        if self.kind == "binary" and self.values:
            check_chosen(mask, where, self.names[0], self.values[0], lossy=lossy, highest=highest, show=self.show)
            return truth.chosen(mask, np.isin(mask, self.values[0]), **marked)
        if self.values:
            if lossy:
                check_distances(mask, where, self.values, ignore=self.ignore)
            if self.coloured:
                check_colours(mask, where, self.values, ignore=self.ignore)
            return truth.classes(mask, where, self.values, names=self.names, **marked)
        return truth.binary(mask, where, lossy=lossy, **marked)

    def show(self, value: int) -> str:
        """A value as the sweep file writes it."""
        return colour_text(value) if self.coloured else str(value)

    def objects(self, mask: np.ndarray) -> np.ndarray | None:
        """A mask (*space,) → the numbers of its objects (*space,) int32, or None where values are classes."""
        if not self.instances:
            return None
        if self.ignore is not None:
            mask = np.where(mask == self.ignore, 0, mask)
        if not self.components:
            return numbered(mask)
        return pieces(mask)


def meaning(
    classes: Any,
    masks: Any,
    *,
    background: str = "",
    instances: bool = False,
    components: bool = False,
    ignore: Any = None,
    threshold: Any = None,
) -> Meaning:
    """Read the options of `folder` that say what a mask holds. Raises SpecError."""
    if components and not instances:
        raise SpecError("folder.components: says what an object is; it goes with `instances: true`")
    if isinstance(masks, Mapping):
        if classes is not None or instances or background:
            raise SpecError(
                "folder: masks by class name already name the classes; drop `classes`, `background` and `instances`"
            )
        return _marked(Meaning("multilabel", _names(masks, "masks")), ignore, threshold)
    if not isinstance(classes, Mapping | list | tuple) or not classes:
        raise SpecError("folder.classes: give a list of names, or a mapping from names to mask values")
    names = _names(classes, "classes")
    if instances and (len(names) > 1 or isinstance(classes, Mapping)):
        came = f"{len(names)} names" if len(names) > 1 else "a mapping"
        raise SpecError(
            f"folder.classes: masks of instances have one foreground class and numbers, not values, came {came}; "
            "write a list of one name, as in `classes: [cell]`, or drop `instances`"
        )
    own, coloured = values_of(classes) if isinstance(classes, Mapping) else ({}, False)
    if len(names) == 1:
        if background or names[0].lower() == BACKGROUND:
            raise SpecError(
                f"folder.classes: {names[0]!r} is the only class, so it is the object and not the background; "
                "name the object"
            )
        found = Meaning("binary", names, tuple(own.values()), instances, components, coloured=coloured)
        return _marked(found, ignore, threshold)
    if not isinstance(classes, Mapping):
        _check_list(names, background)
        found = Meaning("exclusive", names, tuple((index,) for index in range(len(names))))
        return _marked(found, ignore, threshold)
    first = background_of(classes, background)
    names = (first, *(name for name in names if name != first))
    found = Meaning("exclusive", names, tuple(own[name] for name in names), coloured=coloured)
    return _marked(found, ignore, threshold)


def spelled_out(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of `folder` with the background said in words where `classes` does not begin with it.

    A trial's id does not see the order of a mapping, and earlier versions took the first class for the background:
    so a record made then, with another background, is not taken for this trial's. Raises SpecError.
    """
    classes, asked = options.get("classes"), options.get("background") or ""
    if not isinstance(classes, Mapping) or len(classes) < 2 or not isinstance(asked, str) or options.get("annotations"):
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


def _marked(found: Meaning, ignore: Any, threshold: Any) -> Meaning:
    """The meaning with the value of ignored pixels and the threshold. Raises SpecError where they make no sense."""
    if threshold is not None:
        found = found._replace(threshold=_threshold(found, ignore, threshold))
    if ignore is None:
        return found
    value = ignored_value(ignore, coloured=found.coloured)
    owner = next((name for name, own in zip(found.names, found.values, strict=False) if value in own), None)
    if owner is None and not found.values and value == 0:
        owner = BACKGROUND
    if owner is not None:
        raise SpecError(
            f"folder.ignore: {ignore} is the value of the class {owner}, which would never be seen; drop one of the two"
        )
    return found._replace(ignore=value, code=truth.ignore_code(value, len(found.names)))


def _threshold(found: Meaning, ignore: Any, threshold: Any) -> float:
    number = isinstance(threshold, int | float) and not isinstance(threshold, bool)
    if not number or not 0 < threshold < math.inf:
        raise SpecError(f"folder.threshold: {threshold!r} is no number above 0; values from it on are the object")
    if found.values:
        raise SpecError(
            "folder.threshold: makes two values of many, for which `classes` is a list of one name, as in "
            "`classes: [cell]`; drop one of the two"
        )
    if found.instances and not found.components:
        raise SpecError("folder.threshold: leaves no numbers of objects; add `components: true`, or drop `instances`")
    if ignore is not None:
        raise SpecError("folder.threshold: sorts every value, so that `ignore` would mark none; drop one of the two")
    return threshold
