"""What a model, or a name of a file, says never leads out of the folder that predictions go to."""

import csv
import json

import numpy as np
import pytest

from unetbench.benchmark.predict.inputs import Input, inputs
from unetbench.benchmark.predict.outputs import Outputs, Wanted, folder_name
from unetbench.core.errors import DataError, StoreError
from unetbench.core.task import Task


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("nucleus", "nucleus"),
        ("left atrium", "left atrium"),
        ("G1/S", "G1%2FS"),
        ("../../elsewhere", "..%2F..%2Felsewhere"),
        ("/absolute", "%2Fabsolute"),
        ("C:\\elsewhere", "C%3A%5Celsewhere"),
        ("..", "%2E%2E"),
        (".", "%2E"),
        ("50%", "50%25"),
        ("a\0b", "a%00b"),
        ("核", "核"),
    ],
)
def test_the_name_of_a_class_is_the_name_of_one_folder(name, folder):
    assert folder_name(name) == folder
    assert len(folder_name(name).split("/")) == 1


def test_classes_of_a_model_write_inside_the_folder_whatever_they_are_called(tmp_path, make_segmenter, run, blobs):
    task = Task(2, 1, ("../../elsewhere", "/tmp/elsewhere", "G1/S"), "multilabel")
    np.save(tmp_path / "a.npy", blobs((32, 32)))
    out = tmp_path / "some" / "folder" / "out"
    run([Input(tmp_path / "a.npy", "a")], make_segmenter(task), out)
    made = [file for file in tmp_path.rglob("*") if file.is_file() and out not in file.parents]
    assert made == [tmp_path / "a.npy"]
    folders = sorted(entry.name for entry in (out / "labels").iterdir())
    assert folders == ["%2Ftmp%2Felsewhere", "..%2F..%2Felsewhere", "G1%2FS"]


def test_no_cell_of_the_tables_is_a_formula(tmp_path, make_segmenter, run, blobs):
    np.save(tmp_path / "=1+1.npy", blobs((32, 32)))
    found = inputs([str(tmp_path / "=1+1.npy")], tmp_path / "out")
    run(found, make_segmenter(Task(2, 1, ("@class",))), tmp_path / "out")
    for name in ("classes", "objects"):
        with (tmp_path / "out" / f"{name}.csv").open(newline="") as table:
            rows = list(csv.DictReader(table))
        assert {row["image"] for row in rows} == {"'=1+1"}
        assert {row["class"] for row in rows} == {"'@class"}


def test_a_damaged_result_of_an_image_is_one_line_or_made_anew(tmp_path):
    made = Outputs(tmp_path, Wanted())
    file = tmp_path / "measures" / "a.json"
    file.parent.mkdir()
    for content in (b"\xff", b"[]", b'{"files": 5}', json.dumps({"source": [], "files": []}).encode()):
        file.write_bytes(content)
        assert not made.finished(Input(tmp_path / "a.png", "a"))
        with pytest.raises(StoreError, match=r"a\.json: cannot be read .*; remove it and run again"):
            made.write_tables()


def test_settings_that_are_no_mapping_are_one_line(tmp_path):
    (tmp_path / "predict.json").write_text("[]")
    with pytest.raises(StoreError, match=r"predict\.json: is damaged"):
        Outputs(tmp_path, Wanted()).begin({"model": "a"})


def test_a_name_that_is_no_utf_8_is_refused(tmp_path):
    name = b"caf\xe9.png".decode("utf-8", "surrogateescape")
    try:
        (tmp_path / name).write_bytes(b"")
    except OSError:
        pytest.skip("this file system takes no such name")
    with pytest.raises(DataError, match=r"caf\\udce9\.png: its name is not UTF-8; rename it"):
        inputs([str(tmp_path)], tmp_path / "out")
