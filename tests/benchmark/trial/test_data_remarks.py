"""What data look like that can be trained on and mislead: said by `data check`, `plan` and `run`, and kept."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from unetbench.benchmark.cli import main
from unetbench.benchmark.records.store import records

FAULTY = Path(__file__).parents[1] / "faulty_parts.py"


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    """Slices of one volume without a group, with two-valued masks said to be labels of objects."""
    root = tmp_path_factory.mktemp("remarks")
    scene = cv2.GaussianBlur(np.random.default_rng(0).normal(size=(40, 40)).astype(np.float32), (0, 0), 3)
    scene = cv2.normalize(scene, None, 0, 200, cv2.NORM_MINMAX)
    truth = np.zeros((40, 40), np.uint8)
    truth[4:12, 4:12] = truth[20:30, 20:30] = 255
    for name, image in (("img", scene), ("lab", truth)):
        (root / "mine" / name).mkdir(parents=True)
        for index in range(8):
            noise = np.random.default_rng(index).normal(0, 4, image.shape) if name == "img" else 0
            cv2.imwrite(str(root / "mine" / name / f"{index}.png"), np.clip(image + noise, 0, 255).astype(np.uint8))
    entry = {"folder": "mine", "images": "img/*.png", "masks": "lab/*.png", "classes": ["cell"], "instances": True}
    file = root / "remarks.yaml"
    recipe = {"patch": [32, 32], "batch": 2, "epochs": 1}
    parts = {"datasets": [entry], "models": ["tiny"], "losses": ["bce"], "recipe": recipe}
    file.write_text(yaml.safe_dump({**parts, "latency": {"samples": 3}}))
    return file


def _told(capsys, *words):
    main([*words, "--plugin", str(FAULTY)])
    return capsys.readouterr().out


def test_data_check_says_both(sweep, capsys):
    out = _told(capsys, "data", "check", str(sweep))
    assert "3 of 3 validation and test images look like training images" in out
    assert "8 of 8 labels of objects lie in several pieces (first: 0, where label 255 lies in 2)" in out
    assert "set `components: true`" in out


def test_the_plan_says_what_can_be_seen_before_training(sweep, capsys):
    plan = json.loads(_told(capsys, "plan", str(sweep), "--json", "--results", str(sweep.parent / "none")))
    ((line,),) = plan["notes"].values()
    assert line.startswith("3 of 3 validation and test images look like training images")
    assert plan["graphs"][0]["training_bytes"] == 5 * 2 * 40 * 40  # an 8-bit image and its truth each


def test_run_warns_and_its_record_and_report_keep_the_notes(sweep, command):
    results = sweep.parent / "results"
    process = command("run", sweep, "--plugin", FAULTY, "--results", results)
    assert process.returncode == 0, process.stderr
    assert "labels of objects lie in several pieces" in process.stderr
    (record,) = records(results / "remarks")
    assert [note.split(" (first")[0] for note in record.data["notes"]] == [
        "3 of 3 validation and test images look like training images",
        "6 of 6 labels of objects lie in several pieces",
    ]
    assert "look like training images" in process.stdout
