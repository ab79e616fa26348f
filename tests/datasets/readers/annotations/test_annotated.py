"""Annotation files of COCO, CVAT and Kaggle as cases of a folder: an L, which no wrong order leaves an L."""

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


def _list(home, annotations, **options):
    return DATASETS["folder"](Source(None, home / "cache"), path=str(home), annotations=annotations, **options)


def _read(home, annotations, name="a", **options):
    return next(case for case in _list(home, annotations, **options).cases if case.name.endswith(name)).read()


def _images(home, *names, space=(5, 6)):
    for name in names or ("a.png", "b.png"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(home / name), np.arange(space[0] * space[1], dtype=np.uint8).reshape(space))


def _flat(ring):
    return [value for point in ring for value in point]


def _coco(home, *segmentations, images=("a.png", "b.png"), names=("cell",), **more):
    (home / "coco.json").write_text(
        json.dumps(
            {
                "images": [{"id": 10 + k, "file_name": n, "height": 5, "width": 6} for k, n in enumerate(images)],
                "categories": [{"id": k, "name": name} for k, name in enumerate(names, 1)],
                "annotations": [
                    {"id": k, "image_id": 10, "category_id": 1, "segmentation": one, "iscrowd": 0, "bbox": [0, 0, 1, 1]}
                    | more
                    for k, one in enumerate(segmentations)
                ],
            }
        )
    )


@pytest.mark.formats_row(
    "Annotations", "COCO", "pycocotools 2.0.11", "polygons",
    "their union is one object; corners are counted from the outer corner of the first pixel",
)  # fmt: skip
def test_coco_polygons(tmp_path):
    _images(tmp_path)
    _coco(tmp_path, [_flat(RING)], [_flat([[5, 4], [6, 4], [6, 5], [5, 5]]), _flat([[5, 0], [6, 0], [6, 1], [5, 1]])])
    sample = _read(tmp_path, "coco.json", instances=True)
    expected = L.astype(int)
    expected[0, 5] = expected[4, 5] = 2
    np.testing.assert_array_equal(sample.instances, expected)
    np.testing.assert_array_equal(sample.truth[..., 0], expected > 0)


@pytest.mark.formats_row(
    "Annotations", "COCO", "pycocotools 2.0.11", "run lengths, as numbers or as text", "down the columns, from 0"
)
@pytest.mark.parametrize("counts", [[5, 4, 4, 1, 4, 1, 11], "544M007"])
def test_coco_run_lengths(tmp_path, counts):
    _images(tmp_path)
    _coco(tmp_path, {"size": [5, 6], "counts": counts})
    np.testing.assert_array_equal(_read(tmp_path, "coco.json").truth[..., 0], L)


def test_the_text_of_this_l_is_that_of_pycocotools():
    coco = pytest.importorskip("pycocotools.mask", reason="pycocotools is not installed")
    assert coco.encode(np.asfortranarray(L)) == {"size": [5, 6], "counts": b"544M007"}


@pytest.mark.formats_row(
    "Annotations", "COCO", "by hand", "an image without annotations", "shows no object; the count is noted"
)
def test_coco_images_without_annotations_show_no_object(tmp_path):
    _images(tmp_path)
    _coco(tmp_path, [_flat(RING)])
    dataset = _list(tmp_path, "coco.json")
    assert [int(case.read().truth.sum()) for case in dataset.cases] == [6, 0]
    assert dataset.notes == (
        "annotations were read as COCO",
        "annotated images without any region, taken for empty: 1 (first: b.png)",
    )
    assert dataset.task.classes == ("cell",)
    assert dataset.task.kind == "binary"


@pytest.mark.formats_row(
    "Annotations", "COCO", "by hand", "crowds (`iscrowd`)",
    "behind all others; pixels of the class, or ignored ones with `instances`, for they are no single object",
)  # fmt: skip
def test_coco_crowds(tmp_path):
    _images(tmp_path)
    _coco(tmp_path, {"size": [5, 6], "counts": [0, 30]}, iscrowd=1)
    content = json.loads((tmp_path / "coco.json").read_text())
    single = {"id": 9, "image_id": 10, "category_id": 1, "segmentation": [_flat(RING)], "iscrowd": 0}
    (tmp_path / "coco.json").write_text(json.dumps({**content, "annotations": [single, *content["annotations"]]}))
    assert _read(tmp_path, "coco.json").truth.all()
    dataset = _list(tmp_path, "coco.json", instances=True)
    assert dataset.task.ignore == 255
    sample = dataset.cases[0].read()
    np.testing.assert_array_equal(sample.truth[..., 0], np.where(L, 1, 255))
    np.testing.assert_array_equal(sample.instances > 0, L)


@pytest.mark.formats_row(
    "Annotations", "COCO", "Roboflow", "a category that no annotation has",
    "no class unless `classes` names it; noted",
)  # fmt: skip
def test_coco_categories_that_are_not_used_are_no_classes(tmp_path):
    _images(tmp_path)
    _coco(tmp_path, [_flat(RING)], names=("cell", "cells-2xk9"))
    dataset = _list(tmp_path, "coco.json")
    assert dataset.task.classes == ("cell",)
    assert "labels that no region has are no classes: cells-2xk9" in dataset.notes
    both = _list(tmp_path, "coco.json", classes=["cell", "cells-2xk9"])
    assert both.task.classes == ("background", "cell", "cells-2xk9")


@pytest.mark.formats_row(
    "Annotations", "COCO", "by hand", "a box without outline", "refused: no pixel is known to be the object's"
)
def test_coco_boxes_alone_are_refused(tmp_path):
    _images(tmp_path)
    _coco(tmp_path, [])
    with pytest.raises(DataError, match=r"coco\.json: annotation 0: has no outline"):
        _list(tmp_path, "coco.json")


def _cvat(home, *shapes, head="", image='name="a.png" width="6" height="5"'):
    (home / "annotations.xml").write_text(
        f'<?xml version="1.0" encoding="utf-8"?>{head}<annotations><version>1.1</version><meta><task><labels>'
        "<label><name>rim</name></label><label><name>cell</name></label></labels></task></meta>"
        f'<image id="0" {image}>{"".join(shapes)}</image></annotations>'
    )


_POINTS = ";".join(f"{x:.2f},{y:.2f}" for x, y in RING)


@pytest.mark.formats_row(
    "Annotations", "CVAT for images 1.1", "CVAT's documentation", "polygons, boxes, ellipses",
    "by `z_order`, then as listed; boxes are drawn as the rectangles they are, noted",
)  # fmt: skip
def test_cvat_shapes_lie_by_their_z_order(tmp_path):
    _images(tmp_path, "a.png")
    _cvat(
        tmp_path,
        f'<polygon label="cell" source="manual" occluded="0" points="{_POINTS}" z_order="1"></polygon>',
        '<box label="rim" xtl="2.0" ytl="2.0" xbr="5.0" ybr="5.0" z_order="0"/>',
        '<tag label="rim"/>',
    )
    dataset = _list(tmp_path, "annotations.xml")
    assert dataset.task.classes == ("background", "rim", "cell")
    assert "boxes of CVAT are drawn as the rectangles they are" in dataset.notes
    expected = np.zeros((5, 6), int)
    expected[2:5, 2:5] = 1
    np.testing.assert_array_equal(dataset.cases[0].read().truth[..., 0], np.where(L, 2, expected))


@pytest.mark.formats_row(
    "Annotations", "CVAT for images 1.1", "CVAT's documentation", "masks (`rle`)",
    "along the rows of their box, first what is outside",
)  # fmt: skip
def test_cvat_masks(tmp_path):
    _images(tmp_path, "a.png")
    _cvat(
        tmp_path, '<mask label="cell" rle="0, 1, 2, 1, 2, 1, 2, 3" left="1" top="0" width="3" height="4" z_order="0"/>'
    )
    np.testing.assert_array_equal(_read(tmp_path, "annotations.xml").truth[..., 0], L)


def test_cvat_turns_boxes_and_ellipses_clockwise(tmp_path):
    _images(tmp_path, "a.png", space=(20, 20))
    size = 'name="a.png" width="20" height="20"'
    _cvat(tmp_path, '<box label="cell" xtl="4" ytl="9" xbr="16" ybr="11" rotation="45"/>', image=size)
    box = _read(tmp_path, "annotations.xml").truth[..., 0]
    _cvat(tmp_path, '<ellipse label="cell" cx="10" cy="10" rx="6" ry="1" rotation="45"/>', image=size)
    oval = _read(tmp_path, "annotations.xml").truth[..., 0]
    for found in (box, oval):  # a level bar, turned clockwise on the screen, falls from the upper left
        assert found[7, 7] == found[13, 12] == 1
        assert found[7, 12] == found[12, 7] == 0


@pytest.mark.formats_row(
    "Annotations", "CVAT for images 1.1", "by hand", "a document type (DOCTYPE), and so any entity", "refused"
)
def test_xml_defines_no_entities(tmp_path):
    _images(tmp_path, "a.png")
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
    _cvat(tmp_path, '<tag label="&f;"/>', head=bomb)
    with pytest.raises(DataError, match=r"annotations\.xml: declares a document type"):
        _list(tmp_path, "annotations.xml")


def test_cvat_for_video_says_what_to_export(tmp_path):
    (tmp_path / "v.xml").write_text('<annotations><track id="0" label="cell"/></annotations>')
    with pytest.raises(DataError, match=r"v\.xml: is CVAT for video; export the task as `CVAT for images 1\.1`"):
        _list(tmp_path, "v.xml")


@pytest.mark.formats_row(
    "Annotations", "CSV of run lengths", "DSB 2018, Airbus on Kaggle", "`start length …` from 1",
    "down the columns; an empty cell, or -1, is an image without object",
)  # fmt: skip
def test_kaggle_goes_down_the_columns(tmp_path):
    _images(tmp_path, "x/images/a.png", "y/images/b.png", "x/masks/m.png")
    (tmp_path / "train.csv").write_text("ImageId,EncodedPixels\na,6 4 14 1 19 1\na,30 1\nb,\n")
    with pytest.raises(SpecError, match=r"the annotations name no class; name it, as in `classes: \[nucleus\]`"):
        _list(tmp_path, "train.csv")
    dataset = _list(tmp_path, "train.csv", classes=["nucleus"], instances=True, images="*/images/*.png")
    assert dataset.task.classes == ("nucleus",)
    assert [case.name for case in dataset.cases] == ["x/images/a", "y/images/b"]
    expected = L.astype(int)
    expected[4, 5] = 2
    np.testing.assert_array_equal(dataset.cases[0].read().instances, expected)
    assert not dataset.cases[1].read().truth.any()


@pytest.mark.formats_row(
    "Annotations", "CSV of run lengths", "Sartorius on Kaggle", "`start length …` from 1",
    "along the rows with `run_order: rows`, which no file says",
)  # fmt: skip
def test_kaggle_goes_along_the_rows_where_that_is_said(tmp_path):
    _images(tmp_path, "a.png")
    rows = "id,annotation,width,height,cell_type\na,2 1 8 1 14 1 20 3,6,5,cort\n"
    (tmp_path / "train.csv").write_text(rows)
    sample = _read(tmp_path, "train.csv", classes={"neuron": "cort"}, run_order="rows")
    np.testing.assert_array_equal(sample.truth[..., 0], L)
    assert sample.notes == ()


def test_the_wrong_order_of_run_lengths_is_noted(tmp_path):
    _images(tmp_path, "a.png", space=(12, 20))
    disc = np.zeros((12, 20), np.uint8)
    cv2.circle(disc, (8, 6), 4, 1, -1)
    edges = np.flatnonzero(np.diff(disc.ravel().astype(int), prepend=0, append=0)).reshape(-1, 2)
    text = " ".join(f"{start + 1} {stop - start}" for start, stop in edges)
    (tmp_path / "train.csv").write_text(f"ImageId,EncodedPixels\na,{text}\n")
    (note,) = _read(tmp_path, "train.csv", classes=["cell"]).notes
    assert note.startswith("run lengths lie in fewer pieces when read in the other order")
    assert _read(tmp_path, "train.csv", classes=["cell"], run_order="rows").notes == ()


def test_group_and_stratum_are_searched_in_the_images_path(tmp_path):
    _images(tmp_path, "p1/a.png", "p1/b.png", "p2/c.png")
    _coco(tmp_path, [_flat(RING)], images=("p1/a.png", "p1/b.png", "p2/c.png"))
    assert [case.group for case in _list(tmp_path, "coco.json", group=r"p\d").cases] == ["p1", "p1", "p2"]
