"""What turns an image as its file has it into labels, whether the network runs in Keras or from an exported file."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ...core.task import Task
from ...datasets.prepare import Preprocess
from ...datasets.readers import Reading
from .predict import Forward


@dataclass(frozen=True)
class Segmenter:
    """A trained network with all that was frozen with it.

    source: the task as the files have it, before preprocessing. task: as the network sees it. forward: images
    (n, *window, c) float32 to logits (n, *window, k) float32. windows: what `predict` is to be called with for a
    prepared image of a size. threshold: probability from which a pixel is foreground; exclusive classes have none.
    mirror: whether windows are averaged over their mirrored copies. mirrored_axes: whether training mirrored the axes.
    name: the same for the same network, such as a trial's id. objects: how a mask becomes objects (`metrics.objects`).
    reading: how the files were read that it was trained on. windows_within: as `windows`, so that activations take no
    more than so many MiB, or little more than one window of the least size; None where windows have one size.
    """

    source: Task
    task: Task
    preprocess: Preprocess
    forward: Forward
    windows: Callable[[tuple[int, ...]], dict[str, Any]]
    threshold: float
    mirror: bool
    mirrored_axes: bool
    name: str = ""
    objects: str = "components"
    reading: Reading = field(default_factory=Reading)
    windows_within: Callable[[tuple[int, ...], int], dict[str, Any]] | None = None
