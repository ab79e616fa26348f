"""Which classes the labels of annotation files are, and what these mean as values of a truth."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..core.errors import SpecError, unknown
from . import truth
from .class_values import BACKGROUND
from .meaning import Meaning
from .readers.annotations import Asked, Described

BACKGROUNDS = (BACKGROUND, "_background_")
"""Labels, in small letters, of what is drawn as background; labelme's examples call it so."""

MOST_CLASSES = 250
"""That a truth of bytes has room for."""


class Wanted(NamedTuple):
    """What the sweep file says beside the annotation files, as `folder` has it."""

    classes: Any = None
    overlapping: bool = False
    instances: bool = False
    ignore: Any = None
    asked: Asked = Asked()


def chosen_labels(classes: Any, labels: Sequence[str], *, ignore: str = "") -> dict[str, tuple[str, ...]]:
    """The labels of each class, the background left out where no label is drawn as it.

    classes: None for all labels, a list of some, or a mapping from names to a label or a list of them. Labels without a
    name (of a table without classes) are the one class that is named. Raises SpecError.
    """
    known = [label for label in labels if label and label != ignore]
    if classes is None:
        if not known:
            raise SpecError("folder.classes: the annotations name no class; name it, as in `classes: [nucleus]`")
        grounds = tuple(label for label in known if label.lower() in BACKGROUNDS)
        own = {label: (label,) for label in known if label not in grounds}
        return {**({BACKGROUND: grounds} if grounds else {}), **own}
    if not isinstance(classes, Mapping | list | tuple) or not classes:
        raise SpecError("folder.classes: give a list of labels, or a mapping from names to labels")
    for name in classes:
        if not isinstance(name, str):
            raise SpecError(f"folder.classes: the name {name!r} is no text; write it in quotes")
    if isinstance(classes, Mapping):
        own = {name: tuple(given) if isinstance(given, list | tuple) else (given,) for name, given in classes.items()}
    else:
        own = {name: (name,) for name in classes if name.lower() not in BACKGROUNDS or name in known}
        if not known and len(own) == 1:
            return dict.fromkeys(own, ("",))
    _check(own, known)
    return own


def _check(own: Mapping[str, tuple[Any, ...]], known: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for name, labels in own.items():
        for label in labels:
            if label not in known:
                raise SpecError(f"folder.classes: {unknown('label', str(label), known)}")
            if label in seen:
                raise SpecError(f"folder.classes: {seen[label]} and {name} both are the label {label}; one can")
            seen[label] = name
    if all(name.lower() in BACKGROUNDS for name in own):
        raise SpecError("folder.classes: names the background alone; name what is to be found")


def meaning_of(own: Mapping[str, tuple[str, ...]], wanted: Wanted, *, ignored: bool) -> tuple[Meaning, dict[str, int]]:
    """What regions of labels mean, and the code of each label that is drawn. Raises SpecError.

    ignored: whether some regions are such that nothing looks at.
    """
    names = tuple(name for name in own if name.lower() not in BACKGROUNDS)
    if wanted.overlapping and wanted.instances:
        raise SpecError(
            "folder.instances: an image of numbers holds one object a pixel; drop `overlapping`, and later objects lie "
            "over earlier ones"
        )
    if len(names) > MOST_CLASSES:
        raise SpecError(f"folder.classes: there are {len(names)} classes, and {MOST_CLASSES} can be; name those wanted")
    code = truth.IGNORED if ignored else None
    if wanted.overlapping:
        codes = {label: plane for plane, name in enumerate(names) for label in own[name]}
        return Meaning("multilabel", names, code=code), codes
    codes = {label: 1 + names.index(name) if name in names else 0 for name, labels in own.items() for label in labels}
    if len(names) == 1:
        return Meaning("binary", names, instances=wanted.instances, code=code), codes
    return Meaning("exclusive", (BACKGROUND, *names), instances=wanted.instances, code=code), codes


def meaning_of_values(described: Sequence[Described], wanted: Wanted) -> Meaning:
    """What the values of a described data set's masks mean. Raises SpecError."""
    first = described[0]
    if wanted.ignore is not None:
        raise SpecError("folder.ignore: the data set says itself which pixels do not count; drop `ignore`")
    if first.classes is None:
        own = chosen_labels(wanted.classes or ["cell"], [])
        if len(own) != 1:
            raise SpecError("folder.classes: masks of instances have one foreground class; write a list of one name")
        return Meaning("binary", tuple(own), instances=True)
    if wanted.instances:
        raise SpecError("folder.instances: the values of these masks are classes and number no objects; drop it")
    background, *labels = first.classes
    own = chosen_labels(wanted.classes, labels)
    values = {name: tuple(v for label in own[name] for v in first.classes[label]) for name in own}
    known = tuple(sorted({value for given in first.classes.values() for value in given}))
    ignore = first.ignore
    code = None if ignore is None else truth.ignore_code(ignore, len(values) + 1)
    marked = {"ignore": ignore, "code": code, "known": known}
    if first.regions or wanted.overlapping:
        return Meaning("multilabel", tuple(values), tuple(values.values()), **marked)
    if len(values) == 1:
        return Meaning("binary", tuple(values), tuple(values.values()), **marked)
    rest = tuple(value for value in known if not any(value in given for given in values.values()))
    return Meaning("exclusive", (background, *values), (rest, *values.values()), **marked)
