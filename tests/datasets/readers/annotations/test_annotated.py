"""Annotation files of COCO, labelme, CVAT and Kaggle as cases of a folder: an L, which no wrong order leaves an L."""

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


def _flat(ring):
    return [value for point in ring for value in point]


def _images(home, *names, space=(5, 6)):
    for name in names or ("a.png", "b.png"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(home / name), np.arange(space[0] * space[1], dtype=np.uint8).reshape(space))


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


def test_group_and_stratum_are_searched_in_the_images_path(tmp_path):
    _images(tmp_path, "p1/a.png", "p1/b.png", "p2/c.png")
    _coco(tmp_path, [_flat(RING)], images=("p1/a.png", "p1/b.png", "p2/c.png"))
    assert [case.group for case in _list(tmp_path, "coco.json", group=r"p\d").cases] == ["p1", "p1", "p2"]


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
