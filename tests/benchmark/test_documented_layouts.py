"""The layouts that docs/datasets.md shows, each written as its tool leaves it and checked by the command line."""

import json
import re
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pytest
import tifffile
import yaml

from unetbench.benchmark.cli import main

PAGE = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE.partition("## Ten layouts\n")[2].partition("\n## ")[0], re.DOTALL)
NAMES = [f"{index}" for index in range(8)]
RING = [[4, 4], [16, 4], [16, 9], [4, 10]]


def _write(file, array):
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".tif":
        tifffile.imwrite(file, array)
    elif ".nii" in file.name:
        nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), file)
    else:
        cv2.imwrite(str(file), array)


def _image(index):
    return np.random.default_rng(index).integers(0, 256, (24, 26), np.uint8)


def _mask(index, label=1):
    mask = np.zeros((24, 26), np.uint8)
    mask[4:10, 3 : 10 + index] = label
    return mask


def masks_beside_images(home):
    for index, name in enumerate(NAMES):
        _write(home / f"img/{name}.png", _image(index))
        _write(home / f"lab/{name}_mask.png", _mask(index, 255))


def label_images(home):
    for index, name in enumerate(NAMES):
        _write(home / f"images/{name}.tif", _image(index))
        _write(home / f"masks/{name}.tif", _mask(index).astype(np.uint16) * 300)


def a_mask_an_object(home):
    for index, name in enumerate(NAMES):
        _write(home / f"{name}/images/{name}.png", _image(index))
        for number in range(2):
            _write(home / f"{name}/masks/{number}.png", np.roll(_mask(index, 255), 9 * number, 0))


def coco(home):
    for index, name in enumerate(NAMES):
        _write(home / f"train2017/{name}.jpg", _image(index))
    content = {
        "images": [{"id": k, "file_name": f"{k}.jpg", "height": 24, "width": 26} for k in range(len(NAMES))],
        "categories": [{"id": 3, "name": "cell"}],
        "annotations": [
            {"id": k, "image_id": k, "category_id": 3, "iscrowd": 0, "segmentation": [np.ravel(RING).tolist()]}
            for k in range(len(NAMES))
        ],
    }
    (home / "annotations").mkdir()
    (home / "annotations/instances_train2017.json").write_text(json.dumps(content))


def labelme(home):
    for index, name in enumerate(NAMES):
        _write(home / f"{name}.png", _image(index))
        shapes = [
            {"label": "cell", "points": RING, "shape_type": "polygon", "group_id": None},
            {"label": "nucleus", "points": [[5, 5], [8, 5]], "shape_type": "circle", "group_id": None},
        ]
        content = {"imagePath": f"{name}.png", "imageHeight": 24, "imageWidth": 26, "imageData": None}
        (home / f"{name}.json").write_text(json.dumps({"shapes": shapes, **content}))


def cvat(home):
    points = ";".join(f"{x},{y}" for x, y in RING)
    images = ""
    for index, name in enumerate(NAMES):
        _write(home / f"images/{name}.png", _image(index))
        images += f'<image id="{index}" name="{name}.png" width="26" height="24">'
        images += f'<polygon label="stroma" points="{points}" z_order="0"/>'
        images += '<mask label="metastasis" rle="1, 2, 1" left="1" top="1" width="2" height="2" z_order="1"/>'
        images += '<polygon label="tumour" points="18,2;24,2;24,8" z_order="1"/></image>'
    (home / "annotations.xml").write_text(f"<annotations>{images}</annotations>")


def kaggle(home):
    rows = "ImageId,EncodedPixels\n"
    for index, name in enumerate(NAMES):
        _write(home / f"stage1_train/{name}/images/{name}.png", _image(index))
        rows += f"{name},101 6 125 6\n{name},{200 + index} 3\n"
    (home / "stage1_train_labels.csv").write_text(rows)


def cellpose(home):
    for index, name in enumerate(NAMES):
        _write(home / f"{name}_img.tif", _image(index))
        if index:
            _write(home / f"{name}_img_cp_masks.tif", _mask(index).astype(np.uint16))


def _volume(index):
    mask = np.zeros((8, 9, 4), np.uint8)
    mask[2:5, 2:7, 1:3] = 1
    mask[4:6, 5 : 6 + index % 3, 2] = 2
    return mask


def _scan(index):
    return np.random.default_rng(index).integers(0, 200, (8, 9, 4)).astype(np.int16)


def nnunet(home):
    for index, name in enumerate(NAMES):
        for channel in range(2):
            _write(home / f"imagesTr/{name}_{channel:04d}.nii.gz", _scan(index) + channel)
        mask = _volume(index)
        mask[0, 0, 0] = 3
        _write(home / f"labelsTr/{name}.nii.gz", mask)
    labels = {"background": 0, "whole": [1, 2], "core": 2, "ignore": 3}
    content = {"channel_names": {"0": "T1", "1": "T2"}, "labels": labels, "file_ending": ".nii.gz", "numTraining": 8}
    (home / "dataset.json").write_text(json.dumps({**content, "regions_class_order": [1, 2]}))


def decathlon(home):
    for index, name in enumerate(NAMES):
        _write(home / f"imagesTr/{name}.nii.gz", np.stack([_scan(index), _scan(index + 100)], -1))
        _write(home / f"labelsTr/{name}.nii.gz", _volume(index))
    content = {
        "modality": {"0": "FLAIR", "1": "T1w"},
        "labels": {"0": "background", "1": "edema", "2": "enhancing tumour"},
        "training": [{"image": f"./imagesTr/{n}.nii.gz", "label": f"./labelsTr/{n}.nii.gz"} for n in NAMES],
        "test": [],
    }
    (home / "dataset.json").write_text(json.dumps(content))


LAYOUTS = [
    masks_beside_images, label_images, a_mask_an_object, coco, labelme, cvat, kaggle, cellpose, nnunet, decathlon
]  # fmt: skip
FOUND = {
    "masks_beside_images": ("2D, binary: nucleus", 0),
    "label_images": ("2D, binary: nucleus", 8),
    "a_mask_an_object": ("2D, binary: nucleus", 16),
    "coco": ("2D, binary: cell", 8),
    "labelme": ("2D, multilabel: cell, nucleus", 0),
    "cvat": ("2D, exclusive: background, tumour, stroma", 0),
    "kaggle": ("2D, binary: nucleus", 16),
    "cellpose": ("2D, binary: cell", 7),
    "nnunet": ("3D, multilabel: whole, core", 0),
    "decathlon": ("3D, exclusive: background, edema, enhancing tumour", 0),
}
"""What is understood of each, and how many objects it has."""

EMPTY = {"cellpose": ["0_img: the mask is empty"]}
"""What data check finds fault with, which is as it should be."""


def test_there_are_as_many_layouts_as_examples():
    assert len(BLOCKS) == len(LAYOUTS) == 10
    assert all(len(block.strip().splitlines()) <= 5 for block in BLOCKS)


@pytest.mark.parametrize(
    ("block", "layout"), list(zip(BLOCKS, LAYOUTS, strict=True)), ids=[f.__name__ for f in LAYOUTS]
)
def test_the_layout_is_read_as_documented(tmp_path, capsys, block, layout):
    (entry,) = yaml.safe_load(block)
    home = tmp_path / entry["folder"]
    home.mkdir(parents=True)
    layout(home)
    (tmp_path / "sweep.yaml").write_text(f"datasets:\n{block}\nmodels: [unet_light]\nlosses: [dice]\n")
    main(["data", "check", str(tmp_path / "sweep.yaml"), "--results", str(tmp_path / "results"), "--json"])
    (found,) = json.loads(capsys.readouterr().out).values()
    task = found["task"]
    text = f"{task['rank']}D, {task['kind']}: {', '.join(task['classes'])}"
    assert (text, found["objects"]["count"] if found["objects"] else 0) == FOUND[layout.__name__]
    assert (found["cases"], found["read"], found["findings"]) == (8, 8, EMPTY.get(layout.__name__, []))
