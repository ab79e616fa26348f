from functools import partial

import cv2
import numpy as np
import pytest

from unetbench.core.errors import DataError
from unetbench.core.task import Task
from unetbench.datasets.case import Case, Dataset, Sample
from unetbench.datasets.near_duplicates import near_duplicates, perceptual_hash
from unetbench.datasets.split import Split


def _scene(seed):
    """A smooth picture (y, x, 1) uint8, another one for each seed."""
    noise = np.random.default_rng(seed).normal(size=(64, 64)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 6)
    return cv2.normalize(smooth, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)[..., None]


def _noisy(image, seed):
    return np.clip(image + np.random.default_rng(seed).normal(0, 8, image.shape), 0, 255).astype(np.uint8)


def _read(image):
    if image is None:
        raise DataError("a: is damaged")
    return Sample(image, np.zeros(image.shape, np.uint8))


def _split(folder, images, *, group=None, rank=2):
    """Images by name in a split whose training share is all but the names that begin with t."""
    cases = []
    for name, image in images.items():
        file = folder / f"{name}.png"
        file.touch()
        cases.append(Case(name, group or name, partial(_read, image), files=(file,)))
    dataset = Dataset("mine", Task(rank, 1, ("cell",)), tuple(cases), "", "")
    return Split(dataset, {name: "test" if name.startswith("t") else "train" for name in images}, "")


def test_a_slice_that_looks_like_a_training_one_is_told_with_what_to_set(tmp_path):
    images = {"a": _scene(0), "b": _scene(1), "t1": _noisy(_scene(1), 0), "t2": _scene(2)}
    (line,) = near_duplicates(_split(tmp_path, images))
    assert line.startswith("1 of 2 validation and test images look like training images (first: t1 and b)")
    assert line.endswith("set `group`")


def test_different_images_and_images_alike_on_one_side_are_not_told(tmp_path):
    images = {"a": _scene(0), "b": _noisy(_scene(0), 1), "t1": _scene(1), "t2": _noisy(_scene(1), 0)}
    assert near_duplicates(_split(tmp_path, images)) == ()


@pytest.mark.parametrize("options", [{"group": "all"}, {"rank": 3}])
def test_groups_and_volumes_are_not_looked_at(tmp_path, options):
    images = {"a": _scene(0), "t": _scene(0)}
    assert near_duplicates(_split(tmp_path, images, **options)) == ()


def test_images_that_cannot_be_read_or_are_constant_are_passed_over(tmp_path):
    flat = np.full((64, 64, 1), 7, np.uint8)
    images = {"a": None, "b": flat, "c": _scene(0), "t1": flat, "t2": _noisy(_scene(0), 3)}
    (line,) = near_duplicates(_split(tmp_path, images))
    assert "1 of 1" in line


def test_hashes_of_a_picture_and_a_brighter_or_smaller_one_differ_little_and_of_others_much():
    scene = _scene(5)
    found = perceptual_hash(scene)
    brighter = perceptual_hash((scene * 0.5 + 60).astype(np.uint16))
    smaller = perceptual_hash(cv2.resize(scene, (40, 40), interpolation=cv2.INTER_AREA)[..., None])
    assert found is not None
    assert brighter is not None
    assert smaller is not None
    assert (found != brighter).sum() <= 4
    assert (found != smaller).sum() <= 4
    others = [perceptual_hash(_scene(seed)) for seed in range(6, 26)]
    assert min((found != other).sum() for other in others) > 12
    assert perceptual_hash(np.full((9, 9, 3), 4, np.uint8)) is None
