"""What tools mean by a corner: between pixels, the centre of a pixel, or a pixel of the border."""

import json

import cv2
import numpy as np
import pytest

from unetbench.core.errors import DataError
from unetbench.datasets import DATASETS
from unetbench.datasets.source import Source

L = np.zeros((5, 6), np.uint8)
L[0:4, 1] = L[3, 1:4] = 1


def _list(home, annotations, **options):
    return DATASETS["folder"](Source(None, home / "cache"), path=str(home), annotations=annotations, **options)


def _read(home, annotations, name="a", **options):
    return next(case for case in _list(home, annotations, **options).cases if case.name.endswith(name)).read()


def _images(home, *names, space=(5, 6)):
    for name in names or ("a.png", "b.png"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(home / name), np.arange(space[0] * space[1], dtype=np.uint8).reshape(space))


def _labelme(home, *shapes, name="a", **more):
    content = {"version": "6.3.1", "flags": {}, "imagePath": f"{name}.png", "imageData": None}
    content |= {"imageHeight": 5, "imageWidth": 6, "shapes": list(shapes)}
    (home / f"{name}.json").write_text(json.dumps(content | more))


def _shape(label, points, kind="polygon", group=None, **more):
    return {"label": label, "points": points, "shape_type": kind, "group_id": group, "flags": {}, **more}


def _discs(radius, count=40):
    y, x = np.mgrid[:24, :24]
    for cy, cx in np.random.default_rng(0).uniform(10, 13, (count, 2)):
        yield ((y - cy) ** 2 + (x - cx) ** 2 <= radius**2).astype(np.uint8)


@pytest.mark.formats_row(
    "Annotations", "any with polygons", "OpenCV 5.0 `findContours`",
    "corners that are pixels of the border",
    "exactly with `corners: pixels`; read as corners, they lose a fifth of Dice at radius 3, and no file says which",
)  # fmt: skip
def test_chains_of_border_pixels_are_closed_by_filling(tmp_path):
    _images(tmp_path, "a.png", space=(24, 24))
    dice = []
    for mask in _discs(3):
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        _labelme(tmp_path, _shape("cell", contours[0][:, 0].tolist()), imageHeight=24, imageWidth=24)
        np.testing.assert_array_equal(_read(tmp_path, "a.json", corners="pixels").truth[..., 0], mask)
        read = _read(tmp_path, "a.json").truth[..., 0]
        dice.append(2 * (read & mask).sum() / (read.sum() + mask.sum()))
    assert 0.76 < np.mean(dice) < 0.84
    for chain in ([[3, 4]], [[3, 4], [4, 5]]):  # findContours gives these for objects of one and two pixels
        _labelme(tmp_path, _shape("cell", chain), imageHeight=24, imageWidth=24)
        found = _read(tmp_path, "a.json", corners="pixels").truth[..., 0]
        assert np.argwhere(found)[:, ::-1].tolist() == chain
    _labelme(tmp_path, _shape("cell", [[0, 0], [2, 0.5], [2, 2]]), imageHeight=24, imageWidth=24)
    with pytest.raises(
        DataError, match=r"shapes\[0\] \(cell\): has corners that are no pixels .* drop `corners: pixels`"
    ):
        _read(tmp_path, "a.json", corners="pixels")


@pytest.mark.formats_row(
    "Annotations", "labelme", "labelme 6.3.1 `shape_to_mask` (Pillow 13)", "polygons as labelme itself draws them",
    "not so: it paints the outline too, which adds 31 % of area at radius 4 and 13 % at radius 8",
)  # fmt: skip
def test_labelmes_own_drawing_is_larger_than_what_was_drawn():
    from PIL import Image, ImageDraw

    from unetbench.datasets.readers.annotations import Outline, Region, mask_of

    turn, more, ours = np.linspace(0, 2 * np.pi, 64, endpoint=False), [], []
    for shift in np.random.default_rng(0).random((100, 2)):
        ring = 12 + shift + 4 * np.stack([np.cos(turn), np.sin(turn)], 1)
        image = Image.new("L", (24, 24))
        ImageDraw.Draw(image).polygon([tuple(point) for point in ring.tolist()], outline=1, fill=1)
        more.append(np.asarray(image).sum() / (np.pi * 16))
        ours.append(mask_of(Region("", (Outline((ring,)),), ""), (24, 24)).sum() / (np.pi * 16))
    assert np.mean(more) == pytest.approx(1.31, abs=0.02)
    assert np.mean(ours) == pytest.approx(1, abs=0.01)


@pytest.mark.formats_row(
    "Annotations", "any with polygons", "scikit-image 0.26 `find_contours`", "corners counted from a pixel's centre",
    "with `corners: centres`; else half a pixel off, and no file says which",
)  # fmt: skip
def test_contours_of_scikit_image_are_counted_from_centres(tmp_path):
    from skimage.measure import find_contours

    _images(tmp_path, "a.png", space=(24, 24))
    for mask in _discs(4, 5):
        (contour,) = find_contours(mask, 0.5)
        _labelme(tmp_path, _shape("cell", contour[:, ::-1].tolist()), imageHeight=24, imageWidth=24)
        np.testing.assert_array_equal(_read(tmp_path, "a.json", corners="centres").truth[..., 0], mask)
        assert (_read(tmp_path, "a.json").truth[..., 0] != mask).any()
