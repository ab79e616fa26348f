"""COCO: one JSON of images, categories and annotations, whose outlines are polygons or run lengths."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ....core.errors import DataError
from .regions import AnnotatedImage, Annotations, Corners, Part, Region, outline_of
from .registry import Asked, annotates
from .run_lengths import from_coco_text, from_counts


def _is_coco(_file: Path, value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(value.get(key), list) for key in ("images", "annotations"))


@annotates("COCO", _is_coco)
def coco(file: Path, value: Any, asked: Asked) -> Annotations:
    """`segmentation` is a list of polygons, whose union is the object, or run lengths as columns, from 0.

    Run lengths are numbers or COCO's compressed text. Coordinates begin at the outer corner of the first pixel, as
    pycocotools has them. The format has no order of depth: later annotations lie over earlier ones, crowds (`iscrowd`)
    behind all. An image of the list without annotations shows no object. Classes are the categories, by their ids.

    Raises DataError for an annotation without outline (a box alone), of an image or a category that is not listed.
    """
    listed = _entries(file, value, "categories", id=int, name=str)
    categories = {one["id"]: one["name"] for one in listed}
    if len(set(categories.values())) < len(listed):
        raise DataError(f"{file}: two of its categories have one name, or one id; rename one")
    own: dict[Any, list[Region]] = defaultdict(list)
    images = _entries(file, value, "images", id=int, file_name=str, height=int, width=int)
    sizes = {one["id"]: (one["height"], one["width"]) for one in images}
    if len(sizes) < len(images):
        raise DataError(f"{file}: two of its images have one id; write it anew")
    for one in _entries(file, value, "annotations", image_id=int, category_id=int):
        where = f"{file}: annotation {one.get('id', '')}".rstrip()
        if one["category_id"] not in categories:
            raise DataError(f"{where}: its category_id {one['category_id']!r} is no category's")
        if one["image_id"] not in sizes:
            raise DataError(f"{where}: its image_id {one['image_id']!r} is no image's")
        parts = _parts(one.get("segmentation"), sizes[one["image_id"]], where, asked.corners)
        own[one["image_id"]].append(Region(categories[one["category_id"]], parts, where, not one.get("iscrowd")))
    return Annotations(
        tuple(
            AnnotatedImage(
                one["file_name"],
                file,
                tuple(sorted(own[one["id"]], key=lambda region: region.single)),
                sizes[one["id"]],
            )
            for one in images
        ),
        tuple(categories[key] for key in sorted(categories)),
    )


def _entries(file: Path, value: Mapping[str, Any], key: str, **needed: type) -> Sequence[Mapping[str, Any]]:
    """The entries of a list, of which each has these keys. Raises DataError."""
    entries = value.get(key)
    if not isinstance(entries, list):
        raise DataError(f"{file}: has no list {key!r}, which names the classes in COCO")
    for index, entry in enumerate(entries):
        for name, kind in needed.items():
            if not isinstance(entry, Mapping) or not isinstance(entry.get(name), kind) or entry.get(name) is True:
                came = entry.get(name) if isinstance(entry, Mapping) else entry
                raise DataError(f"{file}: {key}[{index}].{name} is {str(came)[:40]!r} and must be {_WORDS[kind]}")
    return entries


_WORDS = {int: "a whole number", str: "text"}


def _parts(segmentation: Any, size: tuple[int, int], where: str, corners: Corners) -> tuple[Part, ...]:
    if isinstance(segmentation, Mapping):
        counts = segmentation.get("counts")
        if segmentation.get("size") != list(size):
            raise DataError(
                f"{where}: its run lengths are of an image of {segmentation.get('size')} (height, width), its own is "
                f"{list(size)}"
            )
        try:
            runs = from_counts(from_coco_text(counts) if isinstance(counts, str) else counts or [], "columns")
        except (ValueError, TypeError) as error:
            raise DataError(f"{where}: {error}") from None
        return (runs,)
    if not isinstance(segmentation, list) or not segmentation:
        raise DataError(
            f"{where}: has no outline (`segmentation`), so that no pixel is known to be its own; boxes alone serve "
            "detection"
        )
    return tuple(outline_of(ring, where, corners) for ring in segmentation)
