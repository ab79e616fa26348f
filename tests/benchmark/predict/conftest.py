"""A network that needs no training: what is brighter than the middle of an image's range is foreground."""

import numpy as np
import pytest

from unetbench.benchmark.predict.progress import Progress
from unetbench.benchmark.predict.segment_files import segment_files
from unetbench.benchmark.trial.segmenter import Segmenter
from unetbench.core.task import Task
from unetbench.datasets.prepare import Preprocess, task_after


def _forward(task):
    def binary(windows):
        return 16 * (windows[..., :1] - 0.5)

    def several(windows):
        """Low, middle and high intensities."""
        x = windows[..., :1]
        return np.concatenate([4 - 16 * x, 4 - 16 * abs(x - 0.5), 16 * x - 12], -1)

    return binary if task.outputs == 1 else several


@pytest.fixture
def make_segmenter():
    """A function that makes a `Segmenter` of a task; preprocess: minmax unless given."""

    def make(task, *, preprocess=None, window=None, **fields):
        preprocess = preprocess or Preprocess(normalise="minmax")
        edges = window or (32,) * task.rank
        own = {"threshold": 0.5, "mirror": False, "mirrored_axes": True, "name": "bright"} | fields
        options = {"window": edges, "overlap": 0.5, "batch": 4}
        return Segmenter(
            source=task,
            task=task_after(task, preprocess),
            preprocess=preprocess,
            forward=_forward(task),
            windows=lambda space: options,
            **own,
        )

    return make


@pytest.fixture
def nuclei(make_segmenter):
    return make_segmenter(Task(2, 1, ("nucleus",)))


@pytest.fixture
def run():
    """A function that segments inputs into a folder as the command does, without progress."""

    def segmented(entries, segmenter, out, *, reading=None, **options):
        from unetbench.benchmark.predict.outputs import Wanted

        names = ("probabilities", "instances", "overlays")
        wanted = Wanted(**{name: options.pop(name) for name in names if name in options})
        reading = segmenter.reading if reading is None else reading
        return segment_files(
            entries, segmenter, out, wanted=wanted, reading=reading, progress=Progress(quiet=True), **options
        )

    return segmented


@pytest.fixture
def blobs():
    """A function that makes an image (*space) of a dark ground and three bright boxes, each of other intensity."""

    def make(space, dtype=np.uint8):
        image = np.full(space, 10, dtype)
        for k, value in enumerate((160, 200, 240)):
            box = tuple(slice(2 + k * (edge // 3), 2 + k * (edge // 3) + edge // 5) for edge in space)
            image[box] = value
        return image

    return make
