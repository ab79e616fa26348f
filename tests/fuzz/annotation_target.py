"""Annotation files, whose listing and drawing is one act."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from hypothesis import strategies as st
from mutations import altered, mutated
from prepared import Prepared

L = np.zeros((5, 6), np.uint8)
L[0:4, 1] = L[3, 1:4] = 1
_RING = [1, 0, 2, 0, 2, 3, 4, 3, 4, 4, 1, 4]
_CORNERS = [[1, 0], [2, 0], [2, 3], [4, 3], [4, 4], [1, 4]]

COCO = {
    "images": [{"id": 1, "file_name": "a.png", "height": 5, "width": 6}],
    "categories": [{"id": 1, "name": "cell"}, {"id": 2, "name": "rim"}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [_RING], "iscrowd": 0},
        {"id": 2, "image_id": 1, "category_id": 2, "segmentation": {"size": [5, 6], "counts": [5, 4, 4, 1, 4, 1, 11]}},
        {"id": 3, "image_id": 1, "category_id": 1, "segmentation": {"size": [5, 6], "counts": "544M007"}, "iscrowd": 1},
    ],
}
LABELME = {
    "imagePath": "a.png",
    "imageHeight": 5,
    "imageWidth": 6,
    "shapes": [
        {"label": "cell", "points": _CORNERS, "shape_type": "polygon", "group_id": 1},
        {"label": "cell", "points": [[1, 1], [3, 4]], "shape_type": "rectangle", "group_id": None},
        {"label": "rim", "points": [[2, 2], [3, 2]], "shape_type": "circle"},
    ],
}
CVAT = (
    b'<?xml version="1.0"?><annotations><meta><task><labels><label><name>cell</name></label></labels></task></meta>'
    b'<image id="0" name="a.png" width="6" height="5"><polygon label="cell" points="1,0;2,0;2,3;4,3;4,4" z_order="1"/>'
    b'<mask label="cell" rle="0, 1, 2, 1, 2, 1, 2, 3" left="1" top="0" width="3" height="4" z_order="0"/>'
    b'<box label="rim" xtl="1" ytl="1" xbr="3.5" ybr="4" rotation="30"/><tag label="rim"/>'
    b'<ellipse label="rim" cx="3" cy="2" rx="2" ry="1" rotation="9"/></image></annotations>'
)
RUNS = b"ImageId,EncodedPixels,width,height,class\na,6 4 14 1 19 1,6,5,cell\na,30 1,6,5,rim\na,,6,5,cell\n"
NNUNET = {
    "channel_names": {"0": "T1"},
    "labels": {"background": 0, "whole": [1, 2], "core": 1, "ignore": 3},
    "file_ending": ".png",
    "dataset": {"a": {"images": ["a.png"], "label": "label.png"}},
}
MSD = {
    "modality": {"0": "MRI"},
    "labels": {"0": "background", "1": "core"},
    "training": [{"image": "./a.png", "label": "./label.png"}],
}


class Written(NamedTuple):
    """kind: of the file. plain: without options; else with objects, or overlapping classes."""

    kind: str
    content: bytes
    how: int


HOW: Sequence[dict[str, Any]] = ({}, {"instances": True}, {"overlapping": True}, {"corners": "pixels"})


def annotations() -> Prepared:
    from unetbench.datasets import DATASETS
    from unetbench.datasets.source import Source

    def read(folder: Path, written: Written) -> object:
        for name in ("a.png", "label.png"):
            cv2.imwrite(str(folder / name), L)
        file = folder / f"input.{written.kind}"
        file.write_bytes(written.content)
        found = DATASETS["folder"](
            Source(None, folder / "cache", False), path=str(folder), annotations=file.name, **HOW[written.how]
        )
        return found.notes, [(case.name, case.read().truth.tolist()) for case in found.cases]

    jsons = [COCO, LABELME, NNUNET, MSD]
    valid = [Written("json", json.dumps(one).encode(), 0) for one in jsons]
    valid += [Written("xml", CVAT, 0), Written("csv", RUNS, 0)]
    how = st.integers(0, len(HOW) - 1)
    changed = st.builds(Written, st.just("json"), altered(jsons).map(lambda told: json.dumps(told).encode()), how)
    others = st.one_of(st.builds(Written, st.just(one.kind), mutated([one.content]), how) for one in valid)
    return Prepared(changed | others, read, valid)
