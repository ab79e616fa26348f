"""A folder's cases by annotation files: which images there are, what they show, and what is left out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ..core.errors import DataError, SpecError, unknown
from .annotated_classes import Wanted, chosen_labels, meaning_of, meaning_of_values
from .annotated_files import ImageFiles
from .case import Role
from .drawing import IGNORED, LEFT_OUT, Drawing
from .listing import listed
from .meaning import Meaning
from .notes import skipped
from .pairing import Pair, Rules, bare, taken_empty
from .readers import Channels, suffix
from .readers.annotations import AnnotatedImage, Annotations, Described, read_annotations

_FOURTH = (".nii", ".nii.gz")


class Listing(NamedTuple):
    """What a folder holds.

    channels: names of the modalities, one for each file of a pair or, where `together`, one for each channel of its
    one file; one name that is empty where there is one modality.
    """

    pairs: list[Pair]
    notes: tuple[str, ...]
    meant: Meaning
    channels: tuple[str, ...] = ("",)
    together: bool = False

    @property
    def axis(self) -> Channels:
        """Which axis of an image is channels, where the annotation file says it: the fourth one of a NIfTI."""
        return "last" if self.together and suffix(self.pairs[0].image) in _FOURTH else ""

    def check_channels(self, depth: int) -> None:
        """Raise DataError where the one file of a case has not the channels that are named."""
        if self.together and depth != len(self.channels):
            raise DataError(
                f"{self.pairs[0].image} has {depth} channels and {self.pairs[0].annotation} names "
                f"{len(self.channels)}: {', '.join(self.channels)}; correct one of them"
            )

    def modalities(self, parts: Sequence[int] | None) -> tuple[tuple[str, int], ...]:
        """Names and numbers of channels of the modalities, as a task has them.

        parts: the channels of each file, or None where a case has one. Colours of one file are no modalities.
        """
        if parts is not None:
            return tuple(zip(self.channels, parts, strict=True))
        return tuple((name, 1) for name in self.channels) if self.axis else ()


def annotated(home: Path, pattern: str, images: str, rules: Rules, wanted: Wanted) -> Listing:
    """The cases that annotation files below a folder say, sorted by name.

    pattern: one file, or a glob. images: a glob, or "" for any image file below the folder. An image of an annotation
    file without objects shows none; one that `images` finds and no annotation file names is not annotated, which is an
    error unless the rules say otherwise, as is one that is named and not there.

    Raises SpecError, DataError.
    """
    files = [home / path for path in listed(home, pattern)]
    if not files:
        raise DataError(
            f"folder: {home / pattern} matches no file; `annotations` names those that say what images show"
        )
    name, found = read_annotations(files, wanted.asked)
    notes = (f"annotations were read as {name}",)
    described = [one for one in found if isinstance(one, Described)]
    if described and described[0].classes is not None and images:
        raise SpecError(f"folder.images: {name} says which images there are; drop `images`")
    if described:
        listing = _of_described(home, files, described, rules, wanted, notes)
    else:
        drawn = [one for one in found if isinstance(one, Annotations)]
        listing = _of_drawn(ImageFiles(home, images or "**/*"), drawn, rules, wanted, notes)
    if not images:
        return listing
    seen = ImageFiles(home, images)
    used = {file for pair in listing.pairs for file in pair.files}.union(files)
    others = [path for path in seen.paths if home / path not in used]
    bare_pairs, told = _unannotated(home, others, listing, rules)
    pairs = sorted([*listing.pairs, *bare_pairs], key=lambda pair: pair.name)
    return listing._replace(pairs=pairs, notes=(*listing.notes, *told))


def _of_described(
    home: Path, files: Sequence[Path], found: Sequence[Described], rules: Rules, wanted: Wanted, notes: tuple[str, ...]
) -> Listing:
    first = found[0]
    for file, other in zip(files, found, strict=True):
        if (other.channels, other.classes, other.ignore) != (first.channels, first.classes, first.ignore):
            raise DataError(f"{file} has other channels or labels than {files[0]}; give a data set of each")
    lacking = [line for one in found for line in one.lacking]
    _check_lacking(lacking, files[0], rules)
    cases = [(file, case) for file, one in zip(files, found, strict=True) for case in one.cases]
    names = [case.name for _, case in cases]
    masks: dict[Path, Path] = {}
    for _, case in cases:
        if (first_mask := masks.setdefault(case.images[0], case.mask)) != case.mask:
            raise DataError(f"{case.images[0]} has two masks, {first_mask.name} and {case.mask.name}; drop one of them")
    own = len(set(names)) == len(names)
    pairs = []
    for file, case in cases:
        role: Role | None = "test" if case.role == "test" else None
        name = case.name if own else bare(case.images[0].relative_to(home))
        pairs.append(Pair(name, case.images[0], ((case.mask,),), role=role, further=case.images[1:], annotation=file))
    if not pairs:
        raise DataError(f"{files[0]}: none of its cases has an image and a mask; check that its folders lie beside it")
    notes += skipped(lacking, "incomplete case", "incomplete cases")
    together = len(first.channels) > 1 and not pairs[0].further
    return Listing(
        sorted(pairs, key=lambda pair: pair.name),
        notes,
        meaning_of_values(found, wanted),
        first.channels if len(first.channels) > 1 else ("",),
        together,
    )


def _of_drawn(
    files: ImageFiles, found: Sequence[Annotations], rules: Rules, wanted: Wanted, notes: tuple[str, ...]
) -> Listing:
    every = [image for one in found for image in one.images]
    paths, lacking = _paths(files, every)
    _check_lacking([f"its image {name} is not there" for name in lacking], files.home, rules)
    meant, codes, more = _classes(found, every, wanted)
    pairs = [
        Pair(
            bare(Path(path)),
            files.home / path,
            (),
            annotation=image.file,
            drawing=_drawing(image, codes, wanted),
        )
        for path, image in paths.items()
    ]
    if not pairs:
        raise DataError(f"folder: none of the annotated images is below {files.home}; check `images`")
    notes += tuple(dict.fromkeys(note for one in found for note in one.notes))
    notes += skipped(lacking, "annotated image that is not there", "annotated images that are not there")
    empty = [path for path, image in paths.items() if not image.regions]
    if empty:
        notes += (f"annotated images without any region, taken for empty: {len(empty)} (first: {empty[0]})",)
    return Listing(sorted(pairs, key=lambda pair: pair.name), (*notes, *more), meant)


def _classes(
    found: Sequence[Annotations], every: Sequence[AnnotatedImage], wanted: Wanted
) -> tuple[Meaning, dict[str, int], tuple[str, ...]]:
    """What the labels mean, the code of each that is drawn, and notes of those that are not."""
    regions = [region for image in every for region in image.regions]
    seen = {region.label for region in regions}
    declared = dict.fromkeys(label for one in found for label in one.labels)
    labels = (*declared, *sorted(seen - declared.keys()))
    if wanted.classes is None:
        labels = tuple(label for label in labels if label in seen)
    ignore = wanted.ignore if wanted.ignore is not None else ""
    if ignore != "" and not (isinstance(ignore, str) and ignore in seen):
        raise SpecError(f"folder.ignore: {unknown('label', str(ignore), seen)}; no loss and no metric looks at it")
    own = chosen_labels(wanted.classes, labels, ignore=ignore)
    crowds = wanted.instances and not all(region.single for region in regions)
    meant, codes = meaning_of(own, wanted, ignored=bool(ignore) or crowds)
    codes |= {ignore: IGNORED} if ignore else {}
    notes = ()
    if unused := [label for label in declared if label not in seen and wanted.classes is None]:
        notes += (f"labels that no region has are no classes: {', '.join(unused[:8])}",)
    if left := [region for region in regions if region.label not in codes]:
        notes += (f"{len(left)} regions of labels that are no class are left out (first: {left[0].label})",)
    return meant, codes, notes


def _drawing(image: AnnotatedImage, codes: Mapping[str, int], wanted: Wanted) -> Drawing:
    own = tuple(
        IGNORED
        if wanted.instances and not region.single and region.label in codes
        else codes.get(region.label, LEFT_OUT)
        for region in image.regions
    )
    return Drawing(image.file, image.regions, own, image.size, wanted.asked)


def _paths(files: ImageFiles, every: Sequence[AnnotatedImage]) -> tuple[dict[str, AnnotatedImage], list[str]]:
    """The annotated image of each file, and those that are not there. Raises DataError for one annotated twice."""
    paths: dict[str, AnnotatedImage] = {}
    lacking = []
    for image in every:
        path = files.find(image.name, image.file)
        if path is None:
            lacking.append(image.name)
        elif path in paths:
            both = (f"{paths[path].file} as {paths[path].name}", f"{image.file} as {image.name}")
            raise DataError(f"folder: {path} is annotated twice: by {both[0]} and by {both[1]}; drop one")
        else:
            paths[path] = image
    return paths, lacking


def _check_lacking(lacking: Sequence[str], file: Path, rules: Rules) -> None:
    if lacking and not rules.skip:
        more = f", and {len(lacking) - 1} more such" if len(lacking) > 1 else ""
        raise DataError(f"{file}: {lacking[0]}{more}; add it, or say `unpaired: skip`")


def _unannotated(
    home: Path, others: Sequence[str], listing: Listing, rules: Rules
) -> tuple[list[Pair], tuple[str, ...]]:
    """Cases and notes of the images that no annotation file names. Raises DataError."""
    if rules.empty:
        first, meant = listing.pairs[0].annotation, listing.meant
        nothing = ((),) * (len(meant.names) if meant.kind == "multilabel" else 1)
        return [Pair(bare(Path(p)), home / p, nothing, annotation=first) for p in others], taken_empty(others)
    if others and not rules.skip:
        more = f", and {len(others) - 1} more" if len(others) > 1 else ""
        raise DataError(
            f"folder: image without annotation: {others[0]}{more}; annotate it, say `missing: empty` if it shows no "
            "object, or `unpaired: skip`"
        )
    return [], skipped(others, "image without annotation", "images without annotation")
