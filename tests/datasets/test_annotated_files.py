"""Which file an annotation file means, and what is said of files that cannot be what they should."""

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from unetbench.core.errors import DataError, SpecError
from unetbench.datasets import DATASETS
from unetbench.datasets.annotated_files import ImageFiles
from unetbench.datasets.readers import annotations
from unetbench.datasets.readers.annotations import registry
from unetbench.datasets.source import Source


def _files(home, *names):
    for name in names:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).touch()
    return ImageFiles(home, "**/*")


def _list(home, **options):
    return DATASETS["folder"](Source(None, home / "cache"), path=str(home), **options)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a.png", "ann/a.png"),  # beside the annotation file before below the folder
        ("img/b.png", "img/b.png"),
        ("../img/b.png", "img/b.png"),
        ("..\\img\\b.png", "img/b.png"),
        ("C:\\Users\\me\\b.png", "img/b.png"),
        ("/home/me/b.png", "img/b.png"),
        ("b", "img/b.png"),
        ("train/c.tif", "deep/train/c.tif"),
        ("test/c.tif", None),  # another folder is another image
        ("b.jpg", None),
        ("../../outside.png", None),
        ("", None),
    ],
)
def test_an_image_is_found_by_the_name_it_had_elsewhere(tmp_path, name, path):
    (tmp_path / "outside.png").touch()
    home = tmp_path / "home"
    files = _files(home, "ann/a.png", "a.png", "img/b.png", "deep/train/c.tif", "img/notes.txt")
    assert files.find(name, home / "ann/coco.json") == path


def test_two_files_of_one_name_are_not_guessed_between(tmp_path):
    files = _files(tmp_path, "x/a.png", "y/a.png")
    with pytest.raises(DataError, match=r"a\.png may be x/a\.png or y/a\.png; say by `images`.*`images: x/\*\.png`"):
        files.find("a.png", tmp_path / "coco.json")
    assert files.find("y/a.png", tmp_path / "coco.json") == "y/a.png"


_IMAGE = {"id": 1, "file_name": "a.png", "height": 5, "width": 6}
_KIND = {"id": 1, "name": "cell"}
_ONE = {"id": 7, "image_id": 1, "category_id": 1, "segmentation": [[0, 0, 3, 0, 3, 3]]}


def _coco(images=(_IMAGE,), categories=(_KIND,), annotations=(_ONE,)):
    return json.dumps({"images": images, "categories": categories, "annotations": annotations})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"is no readable JSON; it is damaged or cut short"),
        ('{"images": [', r"is no readable JSON"),
        ("[" * 100_000, r"is no readable JSON.*too deep"),
        ("{}", r"is none of .*COCO.*labelme"),
        ("[1, 2]", r"is none of"),
        (_coco(categories=[_KIND, _KIND]), r"two of its categories have one name, or one id"),
        (_coco(images=[_IMAGE, _IMAGE]), r"two of its images have one id"),
        (_coco(images=[{**_IMAGE, "height": "5"}]), r"images\[0\]\.height is '5' and must be a whole number"),
        (_coco(images=[None]), r"images\[0\]\.id is 'None'"),
        (_coco(annotations=[{**_ONE, "category_id": 4}]), r"annotation 7: its category_id 4 is no category's"),
        (_coco(annotations=[{**_ONE, "image_id": 4}]), r"annotation 7: its image_id 4 is no image's"),
        (_coco(annotations=[{**_ONE, "segmentation": [[0, 0, 3, 0]]}]), r"annotation 7: a polygon has three corners"),
        (_coco(annotations=[{**_ONE, "segmentation": [[0, 0, 3, 0, 3]]}]), r"annotation 7: a polygon has three"),
        (_coco(annotations=[{**_ONE, "segmentation": [["x"] * 6]}]), r"annotation 7: its corners are no pairs"),
        (_coco(annotations=[{**_ONE, "segmentation": [[0, 0, 3, 0, 3, float("nan")]]}]), r"a corner that is no number"),
        (_coco(annotations=[{**_ONE, "segmentation": [[0, 0, 3, 0, 3, 1e300]]}]), r"over 16,777,216 pixels away"),
        (_coco(annotations=[{**_ONE, "segmentation": {"size": [6, 5], "counts": []}}]), r"image of \[6, 5\]"),
        (_coco(annotations=[{**_ONE, "segmentation": {"size": [5, 6], "counts": "T"}}]), r"no compressed run length"),
        (_coco(annotations=[{**_ONE, "segmentation": {"size": [5, 6], "counts": [-1]}}]), r"whole numbers from 0"),
        (_coco(annotations=[{**_ONE, "segmentation": {"size": [5, 6], "counts": {"a": 1}}}]), r"annotation 7"),
        ('{"shapes": [{}], "imagePath": "a.png"}', r"shapes\[0\]: has no label"),
        ('{"shapes": [], "imagePath": 4}', r"its imagePath is 4"),
        ('{"shapes": [{"label": "a", "shape_type": "star"}], "imagePath": "a.png"}', r"shape_type 'star' is unknown"),
        ('{"shapes": [{"label": "a", "points": [[1]]}], "imagePath": "a.png"}', r"shapes\[0\]: "),
        (
            '{"shapes": [{"label": "a", "shape_type": "circle", "points": [[1, 2]]}], "imagePath": "a.png"}',
            r"a circle has two points",
        ),
        (
            '{"shapes": [{"label": "a", "shape_type": "mask", "points": [[0, 0], [1, 1]], "mask": "%%"}],'
            ' "imagePath": "a.png"}',
            r"its mask is no PNG in base64",
        ),
    ],
)
def test_bad_json_is_one_line(tmp_path, content, message):
    _files(tmp_path, "a.png")
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(DataError, match=r"x\.json: .*" + message) as error:
        _list(tmp_path, annotations="x.json")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ('<polygon label="a" points="1,2;3,4"/>', r"image a\.png, polygon \(a\): a polygon has three corners"),
        ('<polygon label="a" points="1,2;3;4,5"/>', r"polygon \(a\): its corners are no pairs"),
        ('<polygon points="0,0;1,0;1,1"/>', r"polygon: has no label"),
        ('<box label="a" xtl="0" ytl="0" xbr="inf" ybr="2"/>', r"its xbr is 'inf' and must be a number"),
        ('<mask label="a" rle="1,x" left="0" top="0" width="2" height="2"/>', r"its rle is no list of run lengths"),
        ('<heart label="a"/>', r"a shape 'heart' is unknown"),
    ],
)
def test_bad_xml_is_one_line(tmp_path, shape, message):
    _files(tmp_path, "a.png")
    (tmp_path / "x.xml").write_text(
        f'<annotations><image name="a.png" width="6" height="5">{shape}</image></annotations>'
    )
    with pytest.raises(DataError, match=r"x\.xml: .*" + message):
        _list(tmp_path, annotations="x.xml")


@pytest.mark.parametrize("content", ["", "<annotations>", "<a></b>", "\x00"])
def test_damaged_xml_is_one_line(tmp_path, content):
    _files(tmp_path, "a.png")
    (tmp_path / "x.xml").write_text(content)
    with pytest.raises(DataError, match=r"x\.xml: is no readable XML; it is damaged or cut short"):
        _list(tmp_path, annotations="x.xml")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"is none of"),
        ("a,b\n1,2\n", r"is none of"),
        ("ImageId,EncodedPixels\n,1 2\n", r"x\.csv, line 2: names no image"),
        ("ImageId,EncodedPixels\na,1 2 3\n", r"x\.csv, line 2: has 3 numbers; each start needs a length"),
        ("ImageId,EncodedPixels,width,height\na,1 2,x,5\n", r"x\.csv, line 2: its width and height"),
    ],
)
def test_bad_tables_are_one_line(tmp_path, content, message):
    _files(tmp_path, "a.png")
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        _list(tmp_path, annotations="x.csv", classes=["cell"])


def test_files_that_are_named_and_not_there(tmp_path):
    _files(tmp_path, "b.png")
    (tmp_path / "x.json").write_text(_coco(images=[_IMAGE, {**_IMAGE, "id": 2, "file_name": "b.png"}]))
    with pytest.raises(DataError, match=r"its image a\.png is not there; add it, or say `unpaired: skip`"):
        _list(tmp_path, annotations="x.json")
    (tmp_path / "y.json").write_text(_coco())
    with pytest.raises(DataError, match=r"nothing\.json matches no file"):
        _list(tmp_path, annotations="nothing.json")


def test_an_image_that_two_files_annotate_is_refused(tmp_path):
    _files(tmp_path, "a.png")
    for name in ("x.json", "y.json"):
        (tmp_path / name).write_text(_coco())
    with pytest.raises(DataError, match=r"a\.png is annotated twice: by .*x\.json as a\.png and by .*y\.json"):
        _list(tmp_path, annotations="*.json")


def test_files_of_two_formats_are_refused(tmp_path):
    _files(tmp_path, "a.png")
    (tmp_path / "x.json").write_text(_coco())
    (tmp_path / "y.json").write_text('{"shapes": [], "imagePath": "a.png"}')
    with pytest.raises(DataError, match=r"y\.json is labelme and .*x\.json COCO; give a data set of each"):
        _list(tmp_path, annotations="*.json")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"masks": "*.png"}, r"folder\.masks: the annotation files say what is what"),
        ({"threshold": 128}, r"folder\.threshold"),
        ({"pairing": "parts"}, r"folder\.pairing"),
        ({"images": {"a": "*.png"}}, r"folder\.images: beside `annotations` it is one glob"),
        ({"run_order": "diagonals"}, r"run_order: 'diagonals' is unknown; use columns or rows"),
        ({"ignore": ["cell"]}, r"folder\.ignore: label .* is unknown"),
        ({"pages": "cases"}, r"folder\.pages: x\.json outlines objects in whole images"),
        ({"ignore": 255}, r"folder\.ignore: label '255' is unknown"),
        ({"classes": ["background"]}, r"label 'background' is unknown|names the background alone|names the background"),
        ({"classes": {}}, r"folder\.classes: give a list of labels"),
    ],
)
def test_options_that_make_no_sense_beside_annotations(tmp_path, options, message):
    _files(tmp_path, "a.png")
    (tmp_path / "x.json").write_text(_coco())
    with pytest.raises(SpecError, match=message):
        _list(tmp_path, annotations="x.json", **options)


def test_options_of_annotations_need_some(tmp_path):
    _files(tmp_path, "a.png")
    with pytest.raises(SpecError, match="`overlapping`, `run_order` and `corners` go with `annotations`"):
        _list(tmp_path, images="*.png", masks="*.png", classes=["cell"], overlapping=True)


def test_a_format_of_ones_own_joins_as_documented(tmp_path, monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text(encoding="utf-8")
    (source,) = re.findall(r"```python\n(@annotates.*?)```", page, re.DOTALL)
    monkeypatch.setattr(registry, "FORMATS", dict(registry.FORMATS))
    names = {name: getattr(annotations, name) for name in annotations.__all__}
    exec(source, {**names, "np": np, "__name__": "plugin"})
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((9, 9), np.uint8))
    (tmp_path / "x.json").write_text('{"dots": [[1, 2], [5, 4]], "image": "a.png"}')
    dataset = _list(tmp_path, annotations="x.json", instances=True)
    assert dataset.notes == ("annotations were read as dots",)
    found = dataset.cases[0].read().instances
    assert (found[2:6, 1:5] == 1).all()
    assert (found[4:8, 5:9] == 2).all()
    assert np.count_nonzero(found) == 32
