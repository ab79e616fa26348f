"""Dirty data of a user's own: each fault is one line that names the file, and the sound data sets are done."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from unetbench.benchmark.records.store import records

FAULTY = Path(__file__).parents[1] / "faulty_parts.py"


def _folder(root, name, *, size=(40, 44), values=(0, 255)):
    """Nine images of squares with their masks."""
    folder = root / name
    (folder / "img").mkdir(parents=True)
    (folder / "lab").mkdir()
    for index in range(9):
        truth = np.full(size, values[0], np.uint8)
        for place, value in enumerate(values[1:]):
            truth[5 + 8 * place : 12 + 8 * place, 3 + index : 20 + index] = value
        noise = np.random.default_rng(index).integers(0, 60, size)
        cv2.imwrite(str(folder / "img" / f"{index}.png"), (truth // 2 + noise).astype(np.uint8))
        cv2.imwrite(str(folder / "lab" / f"{index}.png"), truth)
    return folder


@pytest.fixture(scope="module")
def outcome(tmp_path_factory, command, write_sweep):
    root = tmp_path_factory.mktemp("dirty")
    _folder(root, "sound")
    _folder(root, "small", size=(21, 27))
    empty = _folder(root, "some_empty")
    for index in range(0, 9, 2):
        cv2.imwrite(str(empty / "lab" / f"{index}.png"), np.zeros((40, 44), np.uint8))
    (_folder(root, "no_mask") / "lab" / "3.png").unlink()
    (_folder(root, "no_image") / "img" / "3.png").unlink()
    truncated = _folder(root, "truncated") / "img" / "3.png"
    truncated.write_bytes(truncated.read_bytes()[:200])
    cv2.imwrite(str(_folder(root, "other_size") / "lab" / "3.png"), np.zeros((40, 30), np.uint8))
    _folder(root, "grey_mask", values=(0, 128, 255))
    _folder(root, "third_class", values=(0, 1, 2))
    nan = _folder(root, "nan")
    for index in range(9):
        image = cv2.imread(str(nan / "img" / f"{index}.png"), cv2.IMREAD_GRAYSCALE).astype(np.float32)
        image[0, 0] = np.nan if index == 3 else 0
        (nan / "img" / f"{index}.png").unlink()
        tifffile.imwrite(nan / "img" / f"{index}.tif", image)
    two = {"classes": ["background", "square"]}
    entries = [
        {"folder": name, "images": "img/*", "masks": "lab/*.png", **(two if name == "third_class" else {})}
        | ({} if name == "third_class" else {"classes": ["square"]})
        for name in sorted(folder.name for folder in root.iterdir())
    ]
    recipe = {"patch": [32, 32], "batch": 2, "epochs": 1, "monitor": "loss"}
    sweep = write_sweep(root, "dirt", datasets=entries, recipe=recipe)
    process = command("run", sweep, "--plugin", FAULTY, "--results", root / "results")
    return process, {r.trial.dataset.options["path"]: r for r in records(root / "results" / "dirt")}


def test_sound_small_and_partly_empty_data_are_done(outcome):
    process, found = outcome
    assert process.returncode == 1, process.stderr
    assert {name for name, record in found.items() if record.status == "done"} == {"sound", "small", "some_empty"}
    assert {record.status for record in found.values()} == {"done", "failed"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no_mask", ["3.png", "mask"]),
        ("no_image", ["3.png", "image"]),
        ("truncated", ["3.png"]),
        ("other_size", ["3", "40×44", "40×30"]),
        ("grey_mask", ["128"]),
        ("third_class", ["0.png", "holds 2", "the 2 classes have 0, 1"]),
        ("nan", ["3", "NaN"]),
    ],
)
def test_each_fault_is_one_line_that_names_the_thing(outcome, name, words):
    record = outcome[1][name]
    assert record.status == "failed"
    assert "\n" not in record.reason
    assert not record.traceback, record.traceback
    assert all(word in record.reason for word in words), record.reason


def test_damaged_data_costs_no_training(outcome):
    for name in ("truncated", "other_size", "nan"):
        assert outcome[1][name].history == []
        assert "train_s" not in outcome[1][name].timing


def test_a_class_that_a_mask_lacks_is_told_apart_from_a_bad_score(outcome):
    rows = outcome[1]["some_empty"].scores
    assert {row["empty"] for row in rows} <= {"none", "truth", "prediction", "both"}
    assert all(row["dice"] is None for row in rows if row["empty"] == "both")
