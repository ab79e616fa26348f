"""A model.json that was written by somebody else is checked before anything of it is used."""

import hashlib
import json

import pytest

from unetbench.benchmark.deploy.about import About
from unetbench.benchmark.deploy.export import Export
from unetbench.core.errors import StoreError

TASK = {"rank": 2, "channels": 1, "classes": ["cell"], "kind": "binary", "spacing_mm": None, "ignore": None}
TOLD = {
    "format": 1,
    "runtime": "onnx",
    "session": "onnx",
    "file": "network.onnx",
    "options": {},
    "network": "ab12",
    "source": TASK,
    "task": TASK,
    "preprocess": {"colour": "keep", "clahe": 0.0, "normalise": "percentile", "resize": None, "pad": 0},
    "reading": {"channels": "", "pages": "volume"},
    "window": [32, 32],
    "overlap": 0.5,
    "threshold": 0.5,
    "mirror": False,
    "mirrored_axes": True,
    "objects": "components",
}


def _folder(folder, digests=None, **fields):
    (folder / "network.onnx").write_bytes(b"a network")
    known = {"network.onnx": hashlib.sha256(b"a network").hexdigest()}
    (folder / "model.json").write_text(json.dumps({**TOLD, "sha256": known if digests is None else digests, **fields}))
    return folder


def test_a_whole_description_is_read(tmp_path):
    found = About.of(Export.read(_folder(tmp_path)).about)
    assert found.task.classes == ("cell",)
    assert found.preprocess.normalise == "percentile"
    assert found.window == (32, 32)
    assert found.reading.pages == "volume"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"file": "../network.onnx"}, "file: '../network.onnx' is not a plain name of a file"),
        ({"file": "/network.onnx"}, "file: '/network.onnx' is not a plain name of a file"),
        ({"session": "../session"}, "session: input should be 'litert', 'onnx', 'openvino' or 'tensorrt_engine'"),
        ({"window": [10**6, 10**6]}, r"window: \(1000000, 1000000\) are too many pixels"),
        ({"window": [32, 32, 32]}, "window: its edges, the source and the task differ in rank"),
        ({"window": [0, 32]}, "window.0: input should be greater than or equal to 1"),
        ({"overlap": 1}, "overlap: input should be less than 1"),
        ({"threshold": None}, "threshold: input should be a valid number"),
        ({"task": {**TASK, "classes": []}}, "binary has one class"),
        ({"task": 5}, "task: "),
        ({"preprocess": {"normalise": "mine"}}, "preprocess.normalise: input should be 'percentile'"),
        ({"preprocess": {"resize": [10**6, 10**6]}}, r"preprocess.resize: \(1000000, 1000000\) are too many pixels"),
        ({"objects": "mine"}, "objects: input should be 'components' or 'watershed'"),
        ({"digests": {}}, "it has no digest of network.onnx"),
        ({"digests": {"../elsewhere": "00"}}, "not a mapping of digests by names of files of the folder"),
        ({"digests": []}, r"sha256 is \[\], not a mapping of digests"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(tmp_path, fields, message):
    with pytest.raises(StoreError, match=rf"model\.json: cannot be read \(.*{message}") as caught:
        Export.read(_folder(tmp_path, **fields))
    assert "\n" not in str(caught.value)


def test_a_further_file_of_the_network_needs_a_digest_too(tmp_path):
    (tmp_path / "network.bin").write_bytes(b"weights")
    with pytest.raises(StoreError, match=r"it has no digest of network\.bin"):
        Export.read(_folder(tmp_path))


def test_a_file_in_the_place_of_a_folder_is_no_export(tmp_path):
    (tmp_path / "a").touch()
    with pytest.raises(StoreError, match="is no export folder, it has no model.json"):
        Export.read(tmp_path / "a")
