"""Run lengths in a CSV table, a row an object, as competitions on Kaggle have them."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ....core.errors import DataError
from .regions import AnnotatedImage, Annotations, Region
from .registry import Asked, annotates
from .run_lengths import from_starts

_IMAGE = ("imageid", "image_id", "id", "img", "image", "filename")
_RUNS = ("encodedpixels", "rle", "rle_mask", "annotation", "encoding", "segmentation")
_LABEL = ("classid", "class_id", "class", "label", "cell_type")


def _column(row: Mapping[Any, Any], known: tuple[str, ...]) -> str | None:
    """The column of a table whose name is one of these, in small letters; None where not exactly one is."""
    found = [key for key in row if isinstance(key, str) and key.lower().strip() in known]
    return found[0] if len(found) == 1 else None


def _is_kaggle(_file: Path, value: Any) -> bool:
    is_table = isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)
    return is_table and all(_column(value[0], known) for known in (_IMAGE, _RUNS))


@annotates("Kaggle run lengths", _is_kaggle)
def kaggle(file: Path, value: Any, asked: Asked) -> Annotations:
    """Columns of images (`ImageId`, `id` …), of `start length start length …` (`EncodedPixels`, `rle` …), of classes.

    Pixels are numbered from 1 down the columns, as in DSB 2018, or along the rows with `run_order: rows`, as in
    Sartorius: no file says which. A row without run lengths, or with -1, is an image without object there.
    `width` and `height`, where there are such columns, must be the image's. Later rows lie over earlier ones.

    Raises DataError that names the line.
    """
    image, runs, label = (_column(value[0], known) for known in (_IMAGE, _RUNS, _LABEL))
    own: dict[str, list[Region]] = defaultdict(list)
    sizes: dict[str, tuple[int, int] | None] = {}
    for number, row in enumerate(value, 2):
        where = f"{file}, line {number}"
        name, text = (str(row.get(key) or "").strip() for key in (image, runs))
        if not name:
            raise DataError(f"{where}: names no image")
        sizes[name] = _size(row, where)
        if text in ("", "-1"):
            own[name] += ()
            continue
        try:
            part = from_starts(text, asked.run_order)
        except ValueError as error:
            raise DataError(f"{where}: {error}; run lengths are `start length start length …`") from None
        own[name].append(Region(str(row.get(label) or "").strip(), (part,), f"{where} ({name})"))
    return Annotations(tuple(AnnotatedImage(name, file, tuple(own[name]), sizes[name]) for name in own))


def _size(row: Mapping[Any, Any], where: str) -> tuple[int, int] | None:
    if not row.get("width") or not row.get("height"):
        return None
    try:
        return int(row["height"]), int(row["width"])
    except ValueError:
        raise DataError(f"{where}: its width and height are no whole numbers") from None
