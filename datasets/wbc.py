"""White blood cells: nucleus and cytoplasm in three exclusive classes."""

from functools import partial
from pathlib import Path

from ..core.task import Task
from . import DATASETS
from .case import Case, Dataset, Sample
from .notes import skipped
from .readers import read_image, read_mask, visible
from .source import Source
from .truth import classes

_VALUES = ((0,), (128,), (255,))
# Pictures of the same cell: the centre of one correlates over 0.99 with a place in the other, at 0.92 to 1.08 of its
# size; the next pair, of two cells, reaches 0.973.
_TWINS = (
    ("021", "082"),
    ("051", "073"),
    ("070", "072"),
    ("071", "084"),
    ("112", "139"),
    ("157", "158"),
    ("166", "171"),
)


@DATASETS.add
def wbc(source: Source) -> Dataset:
    """Nucleus and cytoplasm of white blood cells, set 1 (Zheng et al. 2018, doi:10.1016/j.micron.2018.01.010).

    `Dataset 1/NNN.bmp` is the image and `Dataset 1/NNN.png` its mask: 255 nucleus, 128 cytoplasm, 0 all else, red
    cells included. Sizes differ. Pictures of the same cell are one group. Raises DataError when there is no data.
    """
    home = source.find("wbc", "Dataset 1/*.bmp", origin="https://github.com/zxaoyou/segmentation_WBC") / "Dataset 1"
    images = {file.stem: file for file in visible(home, "*.bmp")}
    masks = {file.stem: file for file in visible(home, "*.png")}
    groups = {name: "-".join(twins) for twins in _TWINS for name in twins}
    bare = [images[name].name for name in sorted(images.keys() - masks.keys())]
    stray = [masks[name].name for name in sorted(masks.keys() - images.keys())]
    notes = skipped(bare, "image without mask", "images without mask")
    notes += skipped(stray, "mask without image", "masks without image")
    cases = tuple(
        Case(name, groups.get(name, name), partial(_read, images[name], masks[name]), "", (images[name], masks[name]))
        for name in sorted(images.keys() & masks.keys())
    )
    return Dataset(
        "wbc",
        Task(rank=2, channels=3, classes=("background", "cytoplasm", "nucleus"), kind="exclusive"),
        cases,
        licence="GPL-3.0",
        citation="Zheng et al. 2018, Micron 107:55, doi:10.1016/j.micron.2018.01.010",
        notes=notes,
    )


def _read(image: Path, mask: Path) -> Sample:
    return Sample(read_image(image).array, classes(read_mask(mask).array, mask, _VALUES))
