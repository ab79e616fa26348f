"""The kinds of annotation that training can be left with, and what a sweep file may say of each."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, Literal

from ...core.errors import SpecError, unknown


@dataclass(frozen=True)
class Fraction:
    """Full masks of some training cases.

    fraction: share of the training cases that keep theirs, rounded, at least one.
    rest: what becomes of the others: `leave`, they are left out; `open`, they train with all pixels unknown, for what
        learns from those.
    seed: which they are; those of a smaller fraction are among those of a larger one.
    """

    MAIN: ClassVar[str] = "fraction"
    fraction: float
    rest: Literal["leave", "open"] = "leave"
    seed: int = 0


@dataclass(frozen=True)
class Points:
    """Clicks: on each object and, as many times `background` for each of these, on the background.

    points: clicks on each object. radius: pixels around a click, of the same object or background, that count with it.
    pseudo: what becomes of the rest: `none`, it is ignored; `voronoi` and `cluster`, see `pseudo`, of binary tasks;
        `watershed`, see `pseudo.watershed`.
    seed: with the name of a case, where they lie.
    """

    MAIN: ClassVar[str] = "points"
    points: int = 1
    background: float = 1.0
    radius: int = 2
    pseudo: Literal["none", "voronoi", "cluster", "watershed"] = "none"
    seed: int = 0


@dataclass(frozen=True)
class Boxes:
    """The bounding box of each object, its edges along the axes; outside of all boxes is background.

    boxes: what is inside: `fill`, the object, the smaller of two boxes above the larger; `ignore`, nothing is known;
        `grabcut`, see `pseudo.grabcut`.
    """

    MAIN: ClassVar[str] = "boxes"
    boxes: Literal["fill", "ignore", "grabcut"] = "fill"


@dataclass(frozen=True)
class Scribbles:
    """Strokes along the middle of each object and of the background, slice by slice in a volume.

    scribbles: strokes on each object. background: strokes on the background of an image or slice. width: pixels, an odd
        number.
    pseudo: what becomes of the rest: `none`, it is ignored; `watershed`, see `pseudo.watershed`.
    """

    MAIN: ClassVar[str] = "scribbles"
    scribbles: int = 1
    background: int = 2
    width: int = 1
    pseudo: Literal["none", "watershed"] = "none"
    seed: int = 0


WeakLabels = Fraction | Points | Boxes | Scribbles

KINDS: dict[str, type[WeakLabels]] = {kind.MAIN: kind for kind in (Fraction, Points, Boxes, Scribbles)}
"""By the key that names them in a sweep file; `full` is none of them."""


def weak_labels(said: Any) -> WeakLabels | None:
    """The kind that a sweep file names, as `full`, `boxes` or `{points: 3}`; None for `full`. Raises SpecError."""
    if said in ("full", None):
        return None
    options: Mapping[str, Any] = {said: ...} if isinstance(said, str) else said if isinstance(said, Mapping) else {}
    named = [key for key in options if key in KINDS]
    if len(named) != 1:
        text = f"{said!r} names {' and '.join(named) or 'none'}"
        text = unknown("kind of labels", said, ["full", *KINDS]) if isinstance(said, str) else text
        raise SpecError(f"labels: {text}; name one of full, {', '.join(KINDS)}, as in `{{points: 1}}`")
    kind = KINDS[named[0]]
    known = {field.name: field for field in fields(kind)}
    strange = [key for key in options if key not in known]
    if strange:
        raise SpecError(f"labels: {named[0]}: {unknown('option', str(strange[0]), known)}")
    given = {key: value for key, value in options.items() if value is not ...}
    if known[named[0]].default is MISSING and named[0] not in given:
        raise SpecError(f"labels: {named[0]} needs its number, as in `{{{named[0]}: 0.1}}`")
    try:
        return _checked(kind(**given), named[0])
    except TypeError as error:
        raise SpecError(f"labels: {named[0]}: {error}") from None


def options_of(labels: WeakLabels | None) -> dict[str, Any]:
    """What `weak_labels` makes the same of: the key that names the kind, and options that differ from the defaults."""
    if labels is None:
        return {}
    own = {field.name: getattr(labels, field.name) for field in fields(labels)}
    usual = {field.name: field.default for field in fields(labels) if field.name != labels.MAIN}
    return {labels.MAIN: own.pop(labels.MAIN)} | {key: value for key, value in own.items() if value != usual[key]}


def drawn_alone(labels: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """What was drawn, without what is guessed from it before training, and that in a word: `watershed`, or none."""
    own = dict(labels)
    made = [str(own.pop(key)) for key in ("pseudo", "rest") if key in own]
    if "boxes" in own:
        made.append(str(own["boxes"]))
        own["boxes"] = "fill"
    return own, " ".join(word for word in made if word not in ("none", "leave", "fill"))


def words(labels: Mapping[str, Any]) -> str:
    """Options of labels as tables name them: `1 point`, `boxes (ignore)`, `0.1 of the masks`. Their order is free."""
    kind = next(key for key in labels if key in KINDS)
    main = labels[kind]
    rest = [f"{value}" if key == "pseudo" else f"{key} {value}" for key, value in labels.items() if key != kind]
    if kind == "fraction":
        text = f"{main:g} of the masks"
    elif kind == "boxes":
        text, rest = "boxes", [*([main] if main != "fill" else []), *rest]
    else:
        text = kind if (kind, main) == ("scribbles", 1) else f"{main} {kind if main != 1 else kind.removesuffix('s')}"
    return f"{text} ({', '.join(rest)})" if rest else text


def _checked(labels: WeakLabels, name: str) -> WeakLabels:
    for field in fields(labels):
        value = getattr(labels, field.name)
        allowed = _words(field.type)
        if allowed:
            if value not in allowed:
                raise SpecError(f"labels: {name}: {unknown(field.name, str(value), allowed)}")
            continue
        whole = field.type is int
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
            raise SpecError(f"labels: {name}: {field.name}: {value!r} is no {'whole number' if whole else 'number'}")
        least = 1 if field.name in (labels.MAIN, "width") and whole else 0
        if value < least:
            raise SpecError(f"labels: {name}: {field.name}: {value} is below {least}")
    if isinstance(labels, Scribbles) and labels.width % 2 == 0:
        raise SpecError(f"labels: scribbles: width: {labels.width} is even; a stroke has a middle, as 1 or 3 have")
    if isinstance(labels, Fraction) and not 0 < labels.fraction <= 1:
        raise SpecError(f"labels: fraction: {labels.fraction} is not above 0 and at most 1")
    return labels


def _words(hint: Any) -> tuple[str, ...]:
    return getattr(hint, "__args__", ()) if hint not in (int, float) else ()
