"""Test images with truth, prediction and error in colour."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ....core.arrays import read_npz
from ....core.errors import StoreError
from ....core.measure import measure
from ....core.record import Record
from ..frame import PRIMARY
from ..tables.columns import shortened
from ..tables.row import Row
from ..tables.summary import ComparisonTable
from .style import figure, folded, room

HIT, FALSE, MISSED, SWAPPED = "#009E73", "#D55E00", "#0072B2", "#F0E442"
"""Colours of right foreground, false foreground, missed foreground and wrong class; Okabe and Ito's."""

CLASS_COLOURS = ("#E69F00", "#56B4E9", "#CC79A7", "#FFFFFF", "#999933", "#882255")
"""Colours of the classes in truth and prediction: none that means an error."""

CASES, MODELS = 6, 3

KINDS = ("image", "truth", "prediction")
"""Of the arrays of a preview."""

LONGEST_SIDE = 20.0
"""Times a picture's other side; what is longer is drawn smaller, not on a page of many metres."""


@dataclass(frozen=True)
class Picture:
    """One previewed case: image (h, w) or (h, w, 3), truth and prediction (h, w) label maps, all uint8."""

    image: np.ndarray
    truth: np.ndarray
    prediction: np.ndarray

    def check(self) -> None:
        """Raise ValueError for arrays of other types and shapes."""
        arrays, space = (self.image, self.truth, self.prediction), self.truth.shape
        if any(array.dtype != np.uint8 or not array.size for array in arrays) or len(space) != 2:
            raise ValueError("its pictures are no 8-bit images of two axes")
        if self.prediction.shape != space or self.image.shape not in (space, (*space, 3)):
            raise ValueError("image, truth and prediction differ in size")


def panel(table: ComparisonTable, sweep: Path) -> Figure | None:
    """A row a case: image, truth, the best configuration's prediction, and errors of the best of up to three models.

    Of each configuration the seed whose mean Dice is in the middle is shown. The number is the Dice of this whole case.
    None when no previews were stored. Raises StoreError when one cannot be read.
    """
    shown = _configurations(table, sweep)
    if not shown:
        return None
    names = [name for name in shown[0][2] if all(name in pictures for _, _, pictures in shown)][:CASES]
    if not names:
        return None
    classes = table.example.task.get("classes") or table.classes
    background = table.example.task.get("kind") == "exclusive"
    first = 1 if background else 0
    sides = [shown[0][2][name].image.shape[:2] for name in names]
    ratio = [min(max(high / wide, 1 / LONGEST_SIDE), LONGEST_SIDE) for high, wide in sides]
    titles = ["image", "truth", f"prediction\n{_title(shown[0][0])}"]
    titles += [f"error\n{_title(row)}" for row, _, _ in shown]
    width = max(1.75, room(titles, 8) + 0.1)
    made = figure(width * (3 + len(shown)) + 0.3, width * sum(ratio) + 1.1)
    panes = made.subplots(len(names), 3 + len(shown), squeeze=False, height_ratios=ratio)
    for axes, title in zip(panes[0], titles, strict=True):
        axes.set_title(title, fontsize=8)
    for line, name, high in zip(panes, names, ratio, strict=True):
        picture = shown[0][2][name]
        _show(line[0], picture.image)
        line[0].set_ylabel(_beside(name, width * high), fontsize=7)
        _show(line[1], overlay(picture.image, _layers(picture.truth, len(classes), first)))
        _show(line[2], overlay(picture.image, _layers(picture.prediction, len(classes), first)))
        for axes, (_, record, pictures) in zip(line[3:], shown, strict=True):
            _show(axes, overlay(pictures[name].image, errors(pictures[name], table.example.task.get("ignore"))))
            _number(axes, _score(record, name))
    made.legend(handles=_key(classes, first), loc="outside lower center", ncols=4, handlelength=1.2, handleheight=1.0)
    return made


def errors(picture: Picture, ignore: int | None = None) -> list[tuple[np.ndarray, str]]:
    """Masks (h, w) and colours: hit, false, missed, and foreground that was given another class.

    Pixels whose truth is the ignore label are in none.
    """
    truth, found = picture.truth, picture.prediction
    if ignore is not None:
        truth, found = (np.where(picture.truth == ignore, 0, labels) for labels in (truth, found))
    return [
        ((truth == found) & (truth > 0), HIT),
        ((truth == 0) & (found > 0), FALSE),
        ((truth > 0) & (found == 0), MISSED),
        ((truth != found) & (truth > 0) & (found > 0), SWAPPED),
    ]


def overlay(image: np.ndarray, layers: Sequence[tuple[np.ndarray, str]]) -> np.ndarray:
    """The image in grey with each mask laid over it in its colour, (h, w, 3) in 0..1: errors strong, hits faint."""
    grey = image.astype(float).mean(-1) if image.ndim == 3 else image.astype(float)
    canvas = np.repeat(grey[..., None] / 255, 3, axis=-1)
    for mask, colour in layers:
        alpha = 0.45 if colour == HIT else 0.9 if colour in (FALSE, MISSED, SWAPPED) else 0.6
        canvas[mask] = (1 - alpha) * canvas[mask] + alpha * np.array(to_rgb(colour))
    return canvas


def read_previews(file: Path) -> dict[str, Picture]:
    """The previews of one trial by case name, in stored order. Raises StoreError when the file is damaged."""
    try:
        arrays = read_npz(file)
        names = [(key.removeprefix("case_"), str(arrays[key])) for key in arrays if key.startswith("case_")]
        found = {name: Picture(*(arrays[f"{kind}_{index}"] for kind in KINDS)) for index, name in sorted(names)}
        for picture in found.values():
            picture.check()
        return found
    except (OSError, ValueError, KeyError) as error:
        raise StoreError(f"{file}: previews cannot be read ({error}); delete the file to do without them") from None


def _configurations(table: ComparisonTable, sweep: Path) -> list[tuple[Row, Record, dict[str, Picture]]]:
    """The best row of each model that has previews, with the record of its middle seed."""
    found: dict[str, tuple[Row, Record, dict[str, Picture]]] = {}
    for row in table.rows:
        stored = [key for key in row.records if key in table.done and _file(sweep, key).exists()]
        if row.model not in found and stored and len(found) < MODELS:
            stored.sort(key=lambda key: _trial_mean(table.done[key]))
            middle = stored[(len(stored) - 1) // 2]
            found[row.model] = (row, table.done[middle], read_previews(_file(sweep, middle)))
    return list(found.values())


def _file(sweep: Path, key: str) -> Path:
    return sweep / "previews" / f"{key}.npz"


def _trial_mean(record: Record) -> float:
    known = [score[PRIMARY] for score in record.scores if score.get(PRIMARY) is not None]
    return sum(known) / len(known) if known else -math.inf


def _score(record: Record, name: str) -> float:
    known = [s[PRIMARY] for s in record.scores if s["case"] == name and s.get(PRIMARY) is not None]
    return sum(known) / len(known) if known else math.nan


def _layers(labels: np.ndarray, classes: int, first: int) -> list[tuple[np.ndarray, str]]:
    return [(labels == index + 1, CLASS_COLOURS[index % len(CLASS_COLOURS)]) for index in range(classes - first)]


def _key(classes: Sequence[str], first: int) -> list[Patch]:
    named = [
        Patch(color=CLASS_COLOURS[index % len(CLASS_COLOURS)], label=name) for index, name in enumerate(classes[first:])
    ]
    marks = [("right", HIT), ("false positive", FALSE), ("missed", MISSED)]
    if len(named) > 1:
        marks.append(("wrong class", SWAPPED))
    return named + [
        Patch(color=colour, label=f"error: {label}" if label != "right" else label) for label, colour in marks
    ]


def _beside(name: str, inches: float) -> str:
    """The name of a case in up to two lines that are no longer than its image is high."""
    most = max(8, int(inches / room("m", 7)))
    return "\n".join(shortened(line, most) for line in folded(shortened(name, 2 * most), most).split("\n")[:2])


def _title(row: Row) -> str:
    return f"{folded(row.model, 24)}\n{folded(row.loss, 24)}"


def _show(axes: Axes, image: np.ndarray) -> None:
    axes.imshow(image, cmap="gray", vmin=0, vmax=255 if image.dtype == np.uint8 else 1, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_visible(False)


def _number(axes: Axes, value: float) -> None:
    if not math.isnan(value):
        text = f"{measure(PRIMARY).title} {measure(PRIMARY).text(value)}"
        box = {"facecolor": "black", "alpha": 0.6, "edgecolor": "none", "pad": 1.2}
        axes.text(0.02, 0.02, text, transform=axes.transAxes, color="white", fontsize=6.5, va="bottom", bbox=box)
