"""The files of labelme as cases of a folder, and what a label may be: a class, background, ignored, left out."""

import base64
import json

import cv2
import numpy as np
import pytest

from unetbench.core.errors import DataError, SpecError
from unetbench.datasets import DATASETS
from unetbench.datasets.source import Source

L = np.zeros((5, 6), np.uint8)
L[0:4, 1] = L[3, 1:4] = 1
RING = [[1, 0], [2, 0], [2, 3], [4, 3], [4, 4], [1, 4]]
SQUARE = [[2, 2], [5, 2], [5, 5], [2, 5]]


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


@pytest.mark.formats_row(
    "Annotations", "labelme", "labelme 6.3.1", "polygons, rectangles, circles, masks",
    "the last one in front; corners from the outer corner of the first pixel, as they lie on the screen",
)  # fmt: skip
def test_labelme_shapes_lie_over_each_other_in_their_order(tmp_path):
    _images(tmp_path, "a.png")
    _labelme(tmp_path, _shape("rim", [[2, 5], [5, 2]], "rectangle"), _shape("cell", RING))
    sample = _read(tmp_path, "*.json", instances=True)
    expected = np.zeros((5, 6), int)
    expected[2:5, 2:5] = 2  # classes by name: background, cell, rim
    np.testing.assert_array_equal(sample.truth[..., 0], np.where(L, 1, expected))
    np.testing.assert_array_equal(sample.instances, np.where(L, 2, expected // 2))


def test_labelme_masks_circles_and_turned_rectangles(tmp_path):
    _images(tmp_path, "a.png", space=(20, 21))
    png = base64.b64encode(cv2.imencode(".png", L[0:4, 1:4] * 255)[1].tobytes()).decode()
    _labelme(
        tmp_path,
        _shape("l", [[15, 12], [17, 15]], "mask", mask=png),
        _shape("disc", [[5.5, 5.5], [8.5, 5.5]], "circle"),
        _shape("diamond", [[10, 15], [13, 12], [16, 15], [13, 18]], "oriented_rectangle"),
        imageHeight=20,
        imageWidth=21,
    )
    sample = _read(tmp_path, "a.json", overlapping=True)
    diamond, disc, mask = np.moveaxis(sample.truth, -1, 0)
    np.testing.assert_array_equal(mask[12:16, 15:18], L[0:4, 1:4])
    assert mask.sum() == 6
    y, x = np.mgrid[:20, :21]
    np.testing.assert_array_equal(disc, (y - 5) ** 2 + (x - 5) ** 2 <= 9)
    # |x - 13| + |y - 15| <= 3 at centres, whose distances are whole: 1 or 2 pixels a row more or less by the rule
    assert abs(int(diamond.sum()) - 18) <= 6
    assert not diamond[:12].any()


@pytest.mark.formats_row(
    "Annotations", "labelme", "labelme 6.3.1", "several shapes of one label and `group_id`", "one object"
)
def test_labelme_groups_are_one_object(tmp_path):
    _images(tmp_path, "a.png")
    corner = [[5, 4], [6, 4], [6, 5], [5, 5]]
    _labelme(tmp_path, _shape("cell", RING, group=3), _shape("cell", SQUARE), _shape("cell", corner, group=3))
    found = _read(tmp_path, "a.json", instances=True).instances
    assert found[0, 1] == found[4, 5] == 1
    assert found[2, 3] == 2


@pytest.mark.formats_row(
    "Annotations", "labelme", "labelme 6.3.1", "points and lines",
    "refused, for they have no area, unless `classes` leaves their label out",
)  # fmt: skip
def test_labelme_lines_are_refused_where_their_label_is_a_class(tmp_path):
    _images(tmp_path, "a.png")
    _labelme(tmp_path, _shape("cell", RING), _shape("axis", [[0, 0], [5, 5]], "line"))
    with pytest.raises(DataError, match=r"a\.json: shapes\[1\] \(axis\) is a line, which has no area; delete it, or"):
        _read(tmp_path, "a.json")
    dataset = _list(tmp_path, "a.json", classes=["cell"])
    np.testing.assert_array_equal(dataset.cases[0].read().truth[..., 0], L)
    assert "1 regions of labels that are no class are left out (first: axis)" in dataset.notes


@pytest.mark.formats_row(
    "Annotations", "labelme", "labelme 6.3.1", "`_background_`, `__ignore__`",
    "drawn as background, which cuts holes; `ignore: __ignore__` makes pixels that do not count",
)  # fmt: skip
def test_labels_of_background_and_of_what_is_ignored(tmp_path):
    _images(tmp_path, "a.png")
    everything = [[0, 0], [6, 5]]
    _labelme(
        tmp_path,
        _shape("cell", everything, "rectangle"),
        _shape("_background_", SQUARE),
        _shape("__ignore__", RING),
    )
    dataset = _list(tmp_path, "a.json", ignore="__ignore__")
    assert dataset.task.classes == ("cell",)
    expected = np.ones((5, 6), int)
    expected[2:5, 2:5] = 0
    np.testing.assert_array_equal(dataset.cases[0].read().truth[..., 0], np.where(L, dataset.task.ignore, expected))


@pytest.mark.formats_row(
    "Annotations", "labelme", "labelme 6.3.1", "an image without JSON",
    "an error where `images` finds it; `unpaired: skip` leaves it out, `missing: empty` says that it shows no object",
)  # fmt: skip
def test_images_without_annotation(tmp_path):
    _images(tmp_path)
    _labelme(tmp_path, _shape("cell", RING))
    assert [case.name for case in _list(tmp_path, "*.json").cases] == ["a"]
    with pytest.raises(DataError, match=r"image without annotation: b\.png; annotate it, say `missing: empty`"):
        _list(tmp_path, "*.json", images="*.png")
    skipped = _list(tmp_path, "*.json", images="*.png", unpaired="skip")
    assert [case.name for case in skipped.cases] == ["a"]
    assert skipped.notes[-1] == "1 image without annotation skipped: b.png"
    empty = _list(tmp_path, "*.json", images="*.png", missing="empty")
    assert [int(case.read().truth.sum()) for case in empty.cases] == [6, 0]
    assert empty.notes[-1] == "1 image without mask taken for empty: b.png"


def test_classes_are_chosen_merged_and_may_overlap(tmp_path):
    _images(tmp_path, "a.png")
    _labelme(
        tmp_path, _shape("old cell", SQUARE), _shape("young cell", RING), _shape("dirt", [[0, 0], [6, 5]], "rectangle")
    )
    merged = _list(tmp_path, "a.json", classes={"cell": ["old cell", "young cell"]})
    assert merged.task.kind == "binary"
    square = np.zeros((5, 6), bool)
    square[2:5, 2:5] = True
    np.testing.assert_array_equal(merged.cases[0].read().truth[..., 0], L | square)
    planes = _list(tmp_path, "a.json", classes=["young cell", "old cell"], overlapping=True)
    assert (planes.task.kind, planes.task.classes) == ("multilabel", ("young cell", "old cell"))
    np.testing.assert_array_equal(planes.cases[0].read().truth, np.stack([L, square], -1))
    with pytest.raises(SpecError, match=r"label 'yung cell' is unknown; did you mean 'young cell'"):
        _list(tmp_path, "a.json", classes=["yung cell"])
    with pytest.raises(SpecError, match="both are the label dirt"):
        _list(tmp_path, "a.json", classes={"a": "dirt", "b": "dirt"})
    with pytest.raises(SpecError, match="drop `overlapping`"):
        _list(tmp_path, "a.json", overlapping=True, instances=True)


def test_a_region_that_holds_no_centre_is_noted(tmp_path):
    _images(tmp_path, "a.png")
    _labelme(tmp_path, _shape("cell", RING), _shape("cell", [[4.6, 0], [5.4, 0], [5.4, 5], [4.6, 5]]))
    assert _read(tmp_path, "a.json").notes == ("a region holds the centre of no pixel and is not drawn",)
    # what others cover is no such region
    _labelme(tmp_path, _shape("cell", RING), _shape("cell", [[0, 0], [6, 5]], "rectangle"))
    assert _read(tmp_path, "a.json").notes == ()
