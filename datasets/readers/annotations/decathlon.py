"""The Medical Segmentation Decathlon, and nnU-Net v1: a `dataset.json` that lists its images and labels."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ....core.errors import DataError
from ..registry import stem
from .nnunet import distinct, inside
from .registry import Asked, Described, DescribedCase, annotates


def _is_decathlon(_file: Path, value: Any) -> bool:
    return isinstance(value, Mapping) and all(key in value for key in ("modality", "labels", "training"))


@annotates("MSD", _is_decathlon)
def decathlon(file: Path, value: Any, _asked: Asked) -> Described:
    """`training` lists `{"image": …, "label": …}`; several modalities are the fourth axis of one NIfTI.

    `labels` maps values to names, 0 being the background. `test` has no labels and is left out.

    Raises DataError naming what of `dataset.json` cannot be.
    """
    modality, labels = value["modality"], value["labels"]
    if not isinstance(modality, Mapping) or not modality or not isinstance(labels, Mapping):
        raise DataError(f"{file}: modality and labels map 0, 1 … to names")
    try:
        values = {str(name): (int(number),) for number, name in sorted(labels.items(), key=lambda item: int(item[0]))}
        channels = distinct([str(modality[key]) for key in sorted(modality, key=int)])
    except ValueError:
        raise DataError(f"{file}: modality and labels map 0, 1 … to names, not names to numbers") from None
    if len(values) < len(labels) or next(iter(values.values()), None) != (0,):
        raise DataError(f"{file}: labels has no value 0, the background, or one name twice")
    cases, lacking = [], []
    for index, entry in enumerate(value["training"] if isinstance(value["training"], list) else [None]):
        image, label = (entry.get("image"), entry.get("label")) if isinstance(entry, Mapping) else (None, None)
        if not isinstance(image, str) or not isinstance(label, str):
            raise DataError(f"{file}: training[{index}] needs `image` and `label`, each a file")
        files = inside(file, image), inside(file, label)
        if missing := [one for one in files if not one.is_file()]:
            lacking.append(f"{stem(files[0])} has no {missing[0].relative_to(file.parent)}")
        else:
            cases.append(DescribedCase(stem(files[0]), (files[0],), files[1]))
    return Described(channels, values, tuple(cases), lacking=tuple(lacking))
