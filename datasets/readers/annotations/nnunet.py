"""nnU-Net v2's raw data: a `dataset.json` beside `imagesTr`, `labelsTr` and perhaps `imagesTs`, `labelsTs`."""

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ....core.errors import DataError
from .registry import Asked, Described, DescribedCase, annotates

_IGNORE = "ignore"


def _is_nnunet(_file: Path, value: Any) -> bool:
    return isinstance(value, Mapping) and all(key in value for key in ("channel_names", "labels", "file_ending"))


@annotates("nnU-Net", _is_nnunet)
def nnunet(file: Path, value: Any, _asked: Asked) -> Described:
    """`imagesTr/CASE_0000.nii.gz`, a file a channel, with `labelsTr/CASE.nii.gz`; `labelsTs` makes test cases.

    A single `CASE_0000` beside several channel names is one image of so many channels (RGB in PNG). A label that is a
    list of several values is a region; where there is one, classes may overlap, each a plane. The label `ignore` marks
    pixels that nothing looks at. `dataset`, where there is one, lists the files of each case in place of the folders.

    Raises DataError naming what of `dataset.json` cannot be.
    """
    channels = value["channel_names"]
    if not isinstance(channels, Mapping) or sorted(channels) != sorted(map(str, range(len(channels)))):
        raise DataError(f"{file}: channel_names maps 0, 1 … to names, not {str(channels)[:60]}")
    names = distinct([str(channels[str(index)]) for index in range(len(channels))])
    ending = value["file_ending"]
    if not isinstance(ending, str) or not ending.startswith("."):
        raise DataError(f"{file}: file_ending is {str(ending)[:40]!r} and must be a suffix, as .nii.gz")
    values, ignore, regions = _labels(file, value["labels"])
    if isinstance(value.get("dataset"), Mapping):
        every = list(_listed(file, value["dataset"]))
    else:
        every = [*_found(file.parent, "Tr", ending), *_found(file.parent, "Ts", ending)]
    needed = len(names) if any(len(case.images) > 1 for case in every) else 1
    cases, lacking = [], []
    for case in every:
        if len(case.images) != needed:
            lacking.append(f"{case.name} has not a file for each of the {len(names)} channels {', '.join(names)}")
        elif missing := [one for one in (*case.images, case.mask) if not one.is_file()]:
            lacking.append(f"{case.name} has no {missing[0].relative_to(file.parent)}")
        else:
            cases.append(case)
    return Described(names, values, tuple(cases), regions, ignore, tuple(lacking))


def distinct(names: list[str]) -> tuple[str, ...]:
    """Names of channels, with their number behind those that are there twice, as nnU-Net's noNorm often is."""
    return tuple(f"{name} {k}" if names.count(name) > 1 or not name else name for k, name in enumerate(names))


def _labels(file: Path, labels: Any) -> tuple[dict[str, tuple[int, ...]], int | None, bool]:
    """The values of each class, the background first; the value of ignored pixels; whether classes are regions."""
    if not isinstance(labels, Mapping):
        raise DataError(f"{file}: labels maps names to values, not {str(labels)[:60]}")
    values = {name: tuple(own) if isinstance(own, list) else (own,) for name, own in labels.items()}
    for name, own in values.items():
        if not own or not all(type(value) is int and value >= 0 for value in own):
            raise DataError(f"{file}: the label {name} has {own} and needs whole numbers from 0 on")
    ignored = values.pop(_IGNORE, ())
    background = [name for name, own in values.items() if own == (0,)]
    if len(background) != 1:
        raise DataError(f"{file}: no label has the value 0, which is the background in nnU-Net")
    if len(ignored) > 1 or any(value in own for own in values.values() for value in ignored):
        raise DataError(f"{file}: the label ignore is one value that no class has, not {list(ignored)}")
    ordered = {background[0]: (0,), **values}
    return ordered, next(iter(ignored), None), any(len(own) > 1 for own in values.values())


def _found(home: Path, part: str, ending: str) -> Iterator[DescribedCase]:
    """The cases of `imagesTr`, or of those in `imagesTs` that have labels."""
    pattern = re.compile(rf"(.+)_(\d{{4}}){re.escape(ending)}")
    own: dict[str, dict[int, Path]] = defaultdict(dict)
    folder = home / f"images{part}"
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        match = pattern.fullmatch(file.name)
        if match and not file.name.startswith("."):
            own[match[1]][int(match[2])] = file
    for name, numbered in own.items():
        files = [numbered[k] for k in range(len(numbered)) if k in numbered]  # fewer where one is missing
        mask = home / f"labels{part}" / f"{name}{ending}"
        if part == "Tr" or mask.is_file():
            yield DescribedCase(name, tuple(files), mask, "test" if part == "Ts" else "")


def _listed(file: Path, cases: Mapping[str, Any]) -> Iterator[DescribedCase]:
    for name, case in cases.items():
        images, label = (case.get("images"), case.get("label")) if isinstance(case, Mapping) else (None, None)
        if not isinstance(images, list) or not images or not all(isinstance(one, str) for one in [*images, label]):
            raise DataError(f"{file}: dataset.{name} needs `images`, a list of files, and `label`, a file")
        yield DescribedCase(name, tuple(inside(file, one) for one in images), inside(file, str(label)))


def inside(file: Path, name: str) -> Path:
    """The file that `dataset.json` names, which must lie below its folder. Raises DataError."""
    try:
        (file.parent / name).is_file()  # raises for a name that no file can have
        # not by where links lead to, for images are often linked to where there is room
        inner = Path(os.path.normpath(file.parent / name)).relative_to(os.path.normpath(file.parent))
    except (OSError, ValueError):
        raise DataError(f"{file}: {name[:200]!r} leads out of the folder; files are below {file.parent}") from None
    return file.parent / inner
