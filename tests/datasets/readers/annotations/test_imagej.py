"""ROIs of ImageJ, Cellpose and StarDist, which mean three different things by a corner."""

import os
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from unetbench.core.errors import DataError
from unetbench.datasets import DATASETS
from unetbench.datasets.readers import read_mask
from unetbench.datasets.readers.annotations import Asked, drawn
from unetbench.datasets.readers.annotations.content import content_of
from unetbench.datasets.readers.annotations.imagej import imagej
from unetbench.datasets.source import Source

roifile = pytest.importorskip("roifile", reason="roifile is not installed: pip install 'unetbench[imagej]'")

DATA = os.environ.get("UNETBENCH_DATA")

L = np.zeros((12, 14), np.uint8)
L[2:9, 3:6] = L[6:9, 3:11] = 1
CORNERS = np.array([[3, 2], [6, 2], [6, 6], [11, 6], [11, 9], [3, 9]])


def _zip(file, *rois):
    with zipfile.ZipFile(file, "w") as archive:
        for number, roi in enumerate(rois):
            archive.writestr(f"{number}.roi", roi if isinstance(roi, bytes) else roi.tobytes())


def _read(home, annotations="*.zip", **options):
    cv2.imwrite(str(home / "a.png"), np.zeros_like(L))
    options = {"classes": ["cell"], "instances": True, **options}
    dataset = DATASETS["folder"](Source(None, home / "cache"), path=str(home), annotations=annotations, **options)
    return dataset.cases[0].read()


def _roi(kind, points=None, **fields):
    roi = roifile.ImagejRoi.frompoints(CORNERS if points is None else points)
    roi.roitype = getattr(roifile.ROI_TYPE, kind)
    for name, value in fields.items():
        setattr(roi, name, value)
    return roi


@pytest.mark.formats_row(
    "Annotations", "ImageJ ROIs", "roifile 2026.2.10", "polygons, freehand, rectangles, ovals in `.roi`, `.zip`",
    "corners are the outer corners of pixels, as ImageJ fills them; lines and points are refused",
)  # fmt: skip
@pytest.mark.parametrize("kind", ["POLYGON", "TRACED", "FREEHAND"])
def test_imagejs_own_outlines_run_between_pixels(tmp_path, kind):
    _zip(tmp_path / "a_RoiSet.zip", _roi(kind))
    np.testing.assert_array_equal(_read(tmp_path).instances, L)
    with pytest.raises(DataError, match=r"0\.roi: is a polyline, which has no area"):
        _zip(tmp_path / "a_RoiSet.zip", _roi("POLYLINE"))
        _read(tmp_path)


def test_rectangles_and_ovals_fill_their_box(tmp_path):
    box = {"left": 2, "top": 3, "right": 12, "bottom": 9, "integer_coordinates": None, "n_coordinates": 0}
    _zip(tmp_path / "a.zip", _roi("RECT", **box), _roi("OVAL", **box))
    found = _read(tmp_path).instances
    assert np.count_nonzero(found) == 60
    # the area of the oval is π · 5 · 3 = 47.1
    assert abs(np.count_nonzero(found == 2) - 47) <= 3
    assert found[3, 2] == 1
    roi = _roi("RECT", **box)
    (tmp_path / "a.zip").unlink()
    (tmp_path / "a.roi").write_bytes(roi.tobytes())
    assert np.count_nonzero(_read(tmp_path, "a.roi").truth) == 60


@pytest.mark.formats_row(
    "Annotations", "ImageJ ROIs", "Cellpose `io.save_rois`, roifile 2026.2.10", "`X_rois.zip`, chains of border pixels",
    "closed by filling, noted: half a pixel off ImageJ's own",
)  # fmt: skip
def test_cellpose_writes_the_pixels_of_the_border(tmp_path):
    (chain,), _ = cv2.findContours(L, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    _zip(tmp_path / "a_rois.zip", roifile.ImagejRoi.frompoints(chain[:, 0]))
    np.testing.assert_array_equal(_read(tmp_path).instances, L)
    (tmp_path / "a_rois.zip").rename(tmp_path / "a.zip")
    assert _read(tmp_path).truth.sum() < 0.75 * L.sum()
    np.testing.assert_array_equal(_read(tmp_path, corners="pixels").truth[..., 0], L)


@pytest.mark.formats_row(
    "Annotations", "ImageJ ROIs", "StarDist `export_imagej_rois`", "corners cut to whole pixels, (0, 0) being a pixel",
    "with `corners: pixels`, which nothing in the file tells",
)  # fmt: skip
def test_stardist_writes_pixels_without_a_word(tmp_path):
    # as its polyroi_bytearray: version 227, type 0, corners as 16 bits less the box's
    chain = np.array([[3, 2], [5, 2], [5, 6], [10, 6], [10, 8], [3, 8]])
    head = bytearray(64)
    head[0:4], head[4:6] = b"Iout", (227).to_bytes(2, "big")
    low, high = chain.min(0), chain.max(0)
    for place, number in zip((8, 10, 12, 14, 16), (low[1], low[0], high[1], high[0], len(chain)), strict=True):
        head[place : place + 2] = int(number).to_bytes(2, "big")
    _zip(tmp_path / "a.zip", bytes(head) + (chain - low).T.astype(">i2").tobytes())
    np.testing.assert_array_equal(_read(tmp_path, corners="pixels").instances, L)


def test_a_composite_has_its_holes(tmp_path):
    outer, inner = [(1, 1), (9, 1), (9, 9), (1, 9)], [(3, 3), (5, 3), (5, 7), (3, 7)]
    path = [v for ring in (outer, inner) for k, (x, y) in enumerate(ring) for v in (min(k, 1), x, y)]
    path = [*path[:12], 4, *path[12:], 4]
    roi = _roi("RECT", multi_coordinates=np.array(path, np.float32), integer_coordinates=None, n_coordinates=0,
               left=1, top=1, right=9, bottom=9, shape_roi_size=len(path))  # fmt: skip
    _zip(tmp_path / "a.zip", roi)
    found = _read(tmp_path).truth[..., 0]
    assert found.sum() == 64 - 8
    assert not found[3:7, 3:5].any()


def test_damaged_archives_and_stacks_are_one_line(tmp_path):
    _zip(tmp_path / "a.zip", b"Iout")
    with pytest.raises(DataError, match=r"a\.zip: "):
        _read(tmp_path)
    (tmp_path / "a.zip").write_bytes(b"PK\3\4 nothing")
    with pytest.raises(DataError, match=r"a\.zip: is no readable ZIP"):
        _read(tmp_path)
    _zip(tmp_path / "a.zip", _roi("POLYGON", position=1), _roi("POLYGON", position=2))
    with pytest.raises(DataError, match=r"its ROIs lie on 2 slices of a stack"):
        _read(tmp_path)


def test_without_roifile_the_error_names_the_extra(tmp_path, monkeypatch):
    _zip(tmp_path / "a.zip", _roi("POLYGON"))
    monkeypatch.setitem(sys.modules, "roifile", None)
    with pytest.raises(DataError, match=r"a\.zip: ImageJ's ROIs need the package roifile; .*unetbench\[imagej\]"):
        _read(tmp_path)


@pytest.mark.data
@pytest.mark.skipif(DATA is None, reason="UNETBENCH_DATA names no folder of images")
@pytest.mark.formats_row(
    "Annotations", "ImageJ ROIs", "Usiigaci (freehand outlines with published masks)", "masks beside the ROIs",
    "half a pixel off ImageJ's rule: `corners: centres` gives them to the pixel",
)  # fmt: skip
@pytest.mark.parametrize("name", ["set25", "set40"])
def test_the_masks_of_usiigaci_are_drawn_half_a_pixel_off(name):
    home = Path(DATA or "") / "usiigaci" / "train" / name
    (image,) = imagej(home / "RoiSet.zip", content_of(home / "RoiSet.zip"), Asked("columns", "centres")).images
    mask = read_mask(home / "instances_ids.png").array > 0
    np.testing.assert_array_equal(drawn(image.regions, mask.shape) > 0, mask)
