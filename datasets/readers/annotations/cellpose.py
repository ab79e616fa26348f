"""Cellpose: `X_cp_masks.png` or `.tif` beside the image `X`, a number for each cell."""

import re
from pathlib import Path
from typing import Any

from ....core.errors import DataError
from ..registry import stem, suffix, suffixes
from .registry import Asked, Described, DescribedCase, annotates

_MASKS = re.compile(r"(.+)_cp_masks\.(?:png|tiff?)", re.IGNORECASE)

_NO_MASKS = ("_cp_output", "_outlines", "_flows", "_dP")


def _is_cellpose(file: Path, _value: Any) -> bool:
    return bool(_MASKS.fullmatch(file.name)) or file.name.endswith("_seg.npy")


@annotates("Cellpose", _is_cellpose)
def cellpose(file: Path, _value: Any, _asked: Asked) -> Described:
    """A label image of Cellpose, whose image is the file beside it of the same name without `_cp_masks`.

    Cellpose calls figures, outlines and flows so too (`X_cp_output_cp_masks.png`, `X_flows_cp_masks.tif`); these are
    passed over. Of an image without cells it writes no PNG, so that such an image is like one that was not looked at.

    Raises DataError for `_seg.npy`, which is a pickle and would run code of whoever wrote it.
    """
    match = _MASKS.fullmatch(file.name)
    if match is None:
        raise DataError(
            f"{file}: is a pickle, which can run code and is never read; export its masks (in Cellpose, `Save masks as "
            "PNG/tif`, or --save_png, --save_tif) and name these: *_cp_masks.*"
        )
    found = [
        other
        for other in sorted(file.parent.iterdir())
        if stem(other) == match[1] and suffix(other) in suffixes() and not other.name.startswith(".")
    ]
    if len(found) > 1:
        raise DataError(f"{file}: is of {found[0].name} or of {found[1].name}; keep one of them beside it")
    if not found and match[1].endswith(_NO_MASKS):
        return Described(("",), None, ())
    if not found:
        return Described(("",), None, (), lacking=(f"{file}: its image {match[1]} is not beside it",))
    return Described(("",), None, (DescribedCase(match[1], (found[0],), file),))
