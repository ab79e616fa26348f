"""Which mask files belong to which image of a folder: by the wildcards of two globs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from ..core.errors import DataError, SpecError
from .case import Role
from .drawing import Drawing
from .listing import WILDCARD, listed
from .notes import skipped
from .readers import FOLDER, suffix, suffixes

Rule = Literal["one", "shared", "parts"]


@dataclass(frozen=True)
class Pair:
    """An image and its mask files, those of each class apart; none where there is no object.

    shared: what images with one mask have in common, or "". further: images of the same field in other modalities.
    annotation: the file that says what the image shows, or which files belong together, and drawing: what it says.
    """

    name: str
    image: Path
    masks: tuple[tuple[Path, ...], ...]
    shared: str = ""
    group: str = ""
    stratum: str = ""
    role: Role | None = None
    further: tuple[Path, ...] = ()
    annotation: Path | None = None
    drawing: Drawing | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """All that the case is read from, the image first."""
        masks = (file for files in self.masks for file in files)
        return (self.image, *masks, *self.further, *(() if self.annotation is None else (self.annotation,)))


@dataclass(frozen=True)
class Rules:
    """How files pair.

    rule: `one` mask an image; `shared`: one for all images that begin with the same wildcards; `parts`: several masks
    an image. named_by: how many of the first wildcards name a case of several masks, 0 for all of the image's.
    skip: whether files without partner are left out; empty: whether a missing mask is an empty one.
    """

    rule: Rule = "one"
    named_by: int = 0
    skip: bool = False
    empty: bool = False

    @classmethod
    def of(cls, rule: str, named_by: int, unpaired: str, missing: str) -> "Rules":
        """Read the options of `folder`. Raises SpecError."""
        for option, value, possible in (
            ("pairing", rule, get_args(Rule)),
            ("unpaired", unpaired, ("error", "skip")),
            ("missing", missing, ("error", "empty")),
        ):
            if value not in possible:
                raise SpecError(f"folder.{option}: {value!r} is unknown; use {' or '.join(possible)}")
        if named_by < 0 or (named_by and rule != "parts"):
            raise SpecError("folder.named_by: counts the wildcards that name a case; it goes with `pairing: parts`")
        return cls(rule, named_by, unpaired == "skip", missing == "empty")  # pyright: ignore[reportArgumentType]


class _File(NamedTuple):
    texts: tuple[str, ...]
    path: Path

    def key(self, count: int | None = None) -> str:
        return "/".join(text.strip("/") for text in self.texts[:count] if text)


def by_globs(
    home: Path, images: str, masks: Mapping[str, str], rules: Rules, *, single: bool = False, itself: bool = False
) -> tuple[list[Pair], tuple[str, ...]]:
    """Pair the files that globs find, sorted by name, and what to note.

    masks: a glob for each plane of the truth, by the class it shows. single: `images` may name one file.
    itself: whether a file that is image and mask at once may be paired with itself, where both globs are the same.
    Raises SpecError for globs that make no sense, DataError for files that are missing or without partner.
    """
    alone, whole = single or rules.rule == "shared", rules.rule == "parts"
    found = [_listed(home, glob, "masks", single=alone, whole=whole) for glob in masks.values()]
    both = images in masks.values()
    if both and not itself:
        raise SpecError(
            f"folder: `images` and `masks` are both {images}; name the files of each, or the arrays of an NPZ by "
            "`image_array` and `mask_array`"
        )
    taken = set() if both else {file.path for files in found for file in files}
    pictures = [file for file in _listed(home, images, "images", single=single) if file.path not in taken]
    wilds = len(WILDCARD.findall(images))
    named = rules.named_by or wilds
    shared: dict[str, str] = {}
    if rules.rule == "parts":
        pictures = [file._replace(texts=file.texts[:named]) for file in pictures]
    keyed = {file.key(): file.path for file in _unique(pictures, images)}
    if rules.rule == "shared":
        planes, shared = _shared(pictures, found, masks, wilds)
    elif rules.rule == "parts":
        planes = [_parts(home, files, glob, keyed, named) for files, glob in zip(found, masks.values(), strict=True)]
    else:
        planes = [
            {file.key(): (file.path,) for file in _unique(files, glob)}
            for files, glob in zip(found, masks.values(), strict=True)
        ]
    kept, notes = _complete(home, keyed, planes, tuple(masks), rules)
    pairs = [
        Pair(
            key or bare(keyed[key].relative_to(home)),
            keyed[key],
            tuple(plane.get(key, ()) for plane in planes),
            shared.get(key, ""),
        )
        for key in kept
    ]
    return pairs, notes


def keyed_files(home: Path, pattern: str, rules: Rules, *, single: bool = False) -> dict[str, Path]:
    """The images that a glob finds, by what its wildcards stand for. Raises SpecError, DataError."""
    files = _listed(home, pattern, "images", single=single)
    if rules.named_by:
        files = [file._replace(texts=file.texts[: rules.named_by]) for file in files]
    return {file.key(): file.path for file in _unique(files, pattern)}


def _listed(home: Path, pattern: object, option: str, *, single: bool, whole: bool = False) -> list[_File]:
    """The files of a glob with the texts that its wildcards stand for. whole: whether all must be readable."""
    if not isinstance(pattern, str) or not pattern or not (single or WILDCARD.search(pattern)):
        raise SpecError(f"folder.{option}: {pattern!r} is no glob; for instance img/*.png")
    greedy, readable, found, strange = _regex(pattern), {*suffixes(), FOLDER}, [], []
    for name in listed(home, pattern):
        file = home / name
        kind = FOLDER if name.endswith("/") else suffix(file)
        if kind not in readable:
            strange.append(file)
            continue
        match = greedy.fullmatch(name[: len(name) - len(kind)])
        found.append(_File(tuple(text or "" for text in match.groups()) if match else (), file))
    if whole and strange:
        raise DataError(f"folder: {strange[0]} is no image file and would be left out of its truth; narrow {pattern}")
    if not found:
        seen = f" but {strange[0].name}, which cannot be read" if strange else " no image file"
        raise DataError(f"folder: {home / pattern} matches{seen}; {option} may be {', '.join(suffixes())}")
    return found


def _unique(files: Sequence[_File], pattern: str) -> Sequence[_File]:
    seen: dict[str, Path] = {}
    for file in files:
        key = file.key()
        if key in seen:
            raise DataError(
                f"folder: {seen[key]} and {file.path} are both {key!r} by {pattern}; narrow the glob, or, for several "
                "masks an image, say `pairing: parts`"
            )
        seen[key] = file.path
    return files


def _shared(
    pictures: Sequence[_File], found: Sequence[Sequence[_File]], masks: Mapping[str, str], wilds: int
) -> tuple[list[dict[str, tuple[Path, ...]]], dict[str, str]]:
    planes: list[dict[str, tuple[Path, ...]]] = []
    shared: dict[str, str] = {}
    for files, glob in zip(found, masks.values(), strict=True):
        count = len(WILDCARD.findall(glob))
        if count >= wilds:
            raise SpecError(
                f"folder.pairing: shared masks have fewer wildcards than images, {glob} has {count} of {wilds}; its "
                "wildcards stand for the first ones of `images`"
            )
        by_key = {file.key(): file.path for file in _unique(files, glob)}
        users = {picture.key(): picture.key(count) for picture in pictures}
        planes.append({key: (by_key[first],) for key, first in users.items() if first in by_key})
        planes[-1] |= {f"\0{first}": (path,) for first, path in by_key.items() if first not in users.values()}
        shared |= users
    return planes, shared


def _parts(
    home: Path, files: Sequence[_File], glob: str, keyed: Mapping[str, Path], named: int
) -> dict[str, tuple[Path, ...]]:
    if len(WILDCARD.findall(glob)) <= named:
        raise SpecError(
            f"folder.pairing: parts have more wildcards than the {named} that name a case, {glob} has not; add one, as "
            "in lab/*_*.png, or say with `named_by` how many of the first wildcards name a case"
        )
    lazy, plane = _regex(glob, lazy=True), {}
    for file in files:
        key = file.key(named)
        if key not in keyed and (match := lazy.fullmatch(bare(file.path.relative_to(home)))):
            key = _File(match.groups(), file.path).key(named)
        plane[key] = (*plane.get(key, ()), file.path)
    return plane


def _complete(
    home: Path,
    keyed: Mapping[str, Path],
    planes: Sequence[Mapping[str, tuple[Path, ...]]],
    classes: Sequence[str],
    rules: Rules,
) -> tuple[list[str], tuple[str, ...]]:
    """The images that are kept, and notes of what is left out or taken for empty. Raises DataError."""
    lacking = {key: [name for name, plane in zip(classes, planes, strict=True) if key not in plane] for key in keyed}
    strays = [
        str(file.relative_to(home))
        for plane in planes
        for key in sorted(plane)
        if key not in keyed
        for file in plane[key]
    ]
    bare = [key for key in sorted(keyed) if len(lacking[key]) == len(planes)]
    partly = [key for key in sorted(keyed) if lacking[key] and key not in bare]
    told = {key: str(keyed[key].relative_to(home)) for key in (*bare, *partly)}
    told |= {key: f"{told[key]} (no {', '.join(lacking[key])})" for key in partly}
    alone = [] if rules.empty else [f"image without mask: {told[key]}" for key in (*bare, *partly)]
    alone += [f"mask without image: {file}" for file in strays]
    if alone and not rules.skip:
        more = f", and {len(alone) - 1} more" if len(alone) > 1 else ""
        mend = "or say `unpaired: skip`"
        if alone[0].startswith("image"):
            mend = "say `missing: empty` if it shows no object, " + mend
        raise DataError(f"folder: {alone[0]}{more}; add it, fix the globs, {mend}")
    kept = sorted(key for key in keyed if rules.empty or not lacking[key])
    if not any(key in plane for key in keyed for plane in planes) or not kept:
        example = next(iter(keyed.values()), None)
        raise DataError(f"folder: no image has a mask of the same name ({example} has none); check both globs")
    notes = skipped(strays, "mask without image", "masks without image")
    if rules.empty:
        return kept, (*taken_empty([told[key] for key in (*bare, *partly)]), *notes)
    some = ("image without the masks of some classes", "images without the masks of some classes")
    return kept, (
        *skipped([told[key] for key in bare], "image without mask", "images without mask"),
        *skipped([told[key] for key in partly], *some),
        *notes,
    )


def taken_empty(images: Sequence[str]) -> tuple[str, ...]:
    """What is noted of images that are read as ones without object, by their names."""
    if not images:
        return ()
    if len(images) == 1:
        return (f"1 image without mask taken for empty: {images[0]}",)
    return (f"{len(images)} images without mask taken for empty (first: {images[0]})",)


def _regex(pattern: str, *, lazy: bool = False) -> re.Pattern[str]:
    """The pattern without its suffix as a regular expression with one group a wildcard."""
    pattern = pattern[: -len(end)] if (end := _ending(pattern)) else pattern
    few = "?" if lazy else ""
    wild = {"**/": "((?:.*/)?)", "**": f"(.*{few})", "*": f"([^/]*{few})", "?": "([^/])"}
    pieces = WILDCARD.split(pattern)
    return re.compile(
        "".join(wild.get(p, f"({p.replace('[!', '[^')})") if WILDCARD.fullmatch(p) else re.escape(p) for p in pieces)
    )


def _ending(pattern: str) -> str:
    if pattern.endswith("/"):
        return FOLDER
    name = pattern.rsplit("/", 1)[-1]
    return suffix(Path(name)) if "." in name else ""


def bare(path: Path) -> str:
    """A path without its suffix, where that is one of images, its parts apart by slashes."""
    text, end = path.as_posix(), suffix(path)
    return text.removesuffix(text[-len(end) :]) if end in suffixes() else text
