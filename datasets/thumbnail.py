"""Small pictures of a few cases with the outlines of their masks."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.task import Task
from .case import Case, Sample
from .resizing import nearest, resized, shrunk

COUNT = 6
"""Pictures of a data set."""

OUTLINES = ("#56B4E9", "#E69F00", "#009E73", "#F0E442", "#CC79A7", "#D55E00", "#0072B2")
"""Okabe and Ito's colours, those first that are seen on black, grey and stained tissue."""

IGNORED = "#999933"
"""The colour of outlines around ignored pixels."""

EDGE = 400
"""Pixels of a picture's longer edge, at which outlines are one or two pixels thin."""


@dataclass(frozen=True)
class Thumbnail:
    """A picture of one case.

    image: (h, w) or (h, w, 3) uint8. outlines: (h, w) uint8, 0 for none, k + 1 for class k of the task, and one more
    than there are classes around ignored pixels. plane: the slice of a volume that is shown, or None.
    """

    name: str
    image: np.ndarray
    outlines: np.ndarray
    plane: int | None

    @classmethod
    def of(cls, name: str, sample: Sample, task: Task, *, edge: int = EDGE) -> "Thumbnail":
        """Of a volume the slice across the first axis with most foreground; the longer edge has `edge` pixels.

        The 1st and 99th percentile of intensity are black and white. Of other than one or three channels the first is
        shown. Where there are objects, each has its outline.
        """
        image, truth, objects, plane = sample.image, sample.truth, sample.instances, None
        if task.rank == 3:
            plane = int(np.count_nonzero(truth, axis=(1, 2, 3)).argmax())
            image, truth = image[plane], truth[plane]
            objects = None if objects is None else objects[plane]
        scale = edge / max(image.shape[:2])
        space = tuple(max(1, round(length * scale)) for length in image.shape[:2])
        image = image if image.shape[-1] == 3 else image[..., :1]
        image = shrunk(image, space) if scale < 1 else resized(image, space)
        low, high = np.percentile(image, (1, 99))
        grey = np.clip((image - low) * (255 / max(float(high - low), 1e-6)), 0, 255).astype(np.uint8)
        return cls(
            name, grey.squeeze(-1) if grey.shape[-1] == 1 else grey, _outlines(truth, objects, task, space), plane
        )

    def painted(self, task: Task) -> np.ndarray:
        """The image in grey or its colours with each outline in its class's colour, (h, w, 3) uint8."""
        canvas = np.repeat(self.image[..., None], 3, -1) if self.image.ndim == 2 else self.image.copy()
        first = 2 if task.kind == "exclusive" else 1
        for number, colour in enumerate(outline_colours(task).values(), first):
            canvas[self.outlines == number] = tuple(bytes.fromhex(colour[1:]))
        return canvas


def outline_colours(task: Task) -> dict[str, str]:
    """The colour of each scored class's outlines, and, last, of those around ignored pixels where there are any."""
    colours = {name: OUTLINES[number % len(OUTLINES)] for number, name in enumerate(task.scored)}
    return colours | ({"(ignored)": IGNORED} if task.ignore is not None else {})


def chosen(cases: Sequence[Case], count: int = COUNT) -> list[Case]:
    """So many cases in their order, of every stratum in turn and of groups spread evenly over each."""
    strata: dict[str, dict[str, list[Case]]] = defaultdict(lambda: defaultdict(list))
    for case in cases:
        strata[case.stratum][case.group].append(case)
    lines = [_first_of_each(list(groups.values())) for groups in strata.values()]
    lines.sort(key=len, reverse=True)
    shares = [0] * len(lines)
    for turn in range(count * len(lines)):
        place = turn % len(lines)
        shares[place] += sum(shares) < count and shares[place] < len(lines[place])
    picked = {
        line[round(index)].name
        for line, share in zip(lines, shares, strict=True)
        for index in np.linspace(0, len(line) - 1, share)
    }
    return [case for case in cases if case.name in picked]


def _first_of_each(groups: list[list[Case]]) -> list[Case]:
    """One case a group; all of them where there are too few groups to choose among."""
    return [group[0] for group in groups] if len(groups) >= COUNT else [case for group in groups for case in group]


def _outlines(truth: np.ndarray, objects: np.ndarray | None, task: Task, space: tuple[int, ...]) -> np.ndarray:
    """Pixels of a class that have a neighbour of another value, or of another object."""
    labels = nearest(truth, space)
    drawn = np.zeros(space, np.uint8)
    for plane in range(labels.shape[-1]):
        classes = labels[..., plane].astype(np.uint8)
        if task.kind != "exclusive":
            classes = np.where(classes == 1, plane + 1, classes)
        else:
            classes = np.where(classes == 0, 0, classes + 1)
        if task.ignore is not None:
            classes[labels[..., plane] == task.ignore] = len(task.classes) + 1
        values = classes if objects is None else nearest(objects[..., None], space)[..., 0]
        border = _beside_another(values) & (classes > 0)
        drawn[border] = classes[border]
    return drawn


def _beside_another(values: np.ndarray) -> np.ndarray:
    """Whether one of the four neighbours has another value."""
    border = np.zeros(values.shape, bool)
    down, right = values[1:] != values[:-1], values[:, 1:] != values[:, :-1]
    border[1:] |= down
    border[:-1] |= down
    border[:, 1:] |= right
    border[:, :-1] |= right
    return border
