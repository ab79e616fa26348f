"""`unetbench data check` says what it understood before anything is trained."""

import json

import cv2
import numpy as np
import pytest
import yaml

from unetbench.benchmark.cli import main
from unetbench.benchmark.commands.data_text import lines


@pytest.fixture
def sweep(tmp_path):
    """Ten colour pictures of bright squares and their label images, with nothing wrong but what `wrong` makes so."""

    def made(wrong=lambda number, mask: mask, **entry):
        rng = np.random.default_rng(0)
        for name in ("img", "lab"):
            (tmp_path / "mine" / name).mkdir(parents=True)
        for number in range(10):
            mask = np.zeros((60, 60), np.uint8)
            for label, place in enumerate(rng.choice(16, 4, replace=False), 1):
                y, x = 15 * (place // 4), 15 * (place % 4)  # apart, so that no two touch
                mask[y : y + 12, x : x + 9] = label
            image = np.where(mask > 0, 180, 40)[..., None] + rng.integers(0, 40, (60, 60, 3))
            cv2.imwrite(str(tmp_path / "mine" / "img" / f"p{number % 5}_{number}.png"), image.astype(np.uint8))
            cv2.imwrite(str(tmp_path / "mine" / "lab" / f"p{number % 5}_{number}.png"), wrong(number, mask))
        mine = {"folder": "mine", "images": "img/*.png", "masks": "lab/*.png", "classes": ["cell"], "instances": True}
        file = tmp_path / "sweep.yaml"
        data = {**mine, "group": "p(\\d)", "spacing_mm": [0.0005, 0.0005], **entry}
        file.write_text(yaml.safe_dump({"datasets": [data], "models": ["unet_light"], "losses": ["dice"]}))
        return file

    return made


def _check(capsys, file, *words):
    status = main(["data", "check", str(file), "--results", str(file.parent / "results"), *words])
    return status, capsys.readouterr().out


def test_a_block_of_lines_for_a_person(sweep, capsys):
    status, out = _check(capsys, sweep())
    assert status == 0
    block = out.rstrip().split("\n")
    assert block[0].startswith("mine: 10 cases (")
    told = {line[2:15].strip(): line[15:] for line in block[1:] if line[2:15].strip()}
    assert list(told) == [
        "task",
        "sizes",
        "pixels",
        "values",
        "classes",
        "objects",
        "spacing",
        "groups",
        "look at",
        "findings",
    ]
    assert told["task"] == "2D, binary: cell"
    assert told["sizes"] == "60×60"
    assert told["pixels"] == "uint8; channels: 3"
    assert told["classes"].endswith("% of pixels, in 10 of 10 cases")
    assert told["spacing"] == "0.5 × 0.5 µm, from sweep file"
    assert told["groups"].startswith("5, the largest (")
    assert told["groups"].endswith(") of 2 cases")
    assert told["findings"] == "none"


def test_all_of_it_as_json(sweep, capsys):
    status, out = _check(capsys, sweep(), "--json")
    assert status == 0
    (told,) = json.loads(out).values()
    assert list(told) == [
        "cases",
        "roles",
        "task",
        "read",
        "sizes",
        "dtypes",
        "channels",
        "values",
        "classes",
        "ignored_share",
        "objects",
        "spacings_mm",
        "orientations",
        "groups",
        "strata",
        "notes",
        "listing",
        "worth_a_look",
        "findings",
    ]
    (cut,) = [entry for entry in told["worth_a_look"] if entry["kind"] == "cut"]
    assert list(cut) == ["kind", "text", "count", "cases"]
    assert cut["count"] == len(cut["cases"])
    assert (told["cases"], told["read"], sum(told["roles"].values())) == (10, 10, 10)
    assert len(told["values"]) == 3
    assert told["objects"]["a_case"]["max"] <= 4


def test_a_path_is_looked_for_beside_the_sweep_file_and_else_below_the_data_folder(sweep, capsys, tmp_path):
    file = sweep()
    (tmp_path / "data").mkdir()
    (tmp_path / "mine").rename(tmp_path / "data" / "mine")
    assert _check(capsys, file)[1].startswith("mine: cannot be listed: folder: ")
    assert _check(capsys, file, "--data", str(tmp_path / "data"))[1].startswith("mine: 10 cases (")


def test_a_set_that_is_too_small_to_be_split_is_looked_at_all_the_same(sweep, capsys):
    status, out = _check(capsys, sweep(images="img/p0_*.png", masks="lab/p0_*.png"))
    assert status == 1
    assert out.startswith("mine: 2 cases (not split)\n")
    assert "60×60" in out
    assert "cannot be split: mine: " in out


def test_a_set_of_which_no_case_can_be_read_says_why(sweep, capsys):
    status, out = _check(capsys, sweep(instances=False))
    assert status == 1
    assert "classes" not in {line.split()[0] for line in out.splitlines()}
    assert out.count("for labels of single objects say `instances: true`") == 10


def test_masks_that_are_turned_are_named(sweep, capsys):
    status, out = _check(capsys, sweep(lambda number, mask: mask[::-1, ::-1].copy() if number == 3 else mask))
    assert status == 1
    assert "1 of 10 masks fits better after a rotation by 180° (p3_3)" in out


def test_a_set_that_is_turned_gets_one_line_with_the_cause(sweep, capsys):
    status, out = _check(capsys, sweep(lambda _, mask: cv2.rotate(mask, cv2.ROTATE_90_CLOCKWISE)), "--json")
    assert status == 1
    ((line,),) = (told["findings"] for told in json.loads(out).values())
    assert line.startswith("10 of 10 masks fit better after a rotation by 90° counter-clockwise (")
    assert "EXIF" in line


def test_a_picture_of_a_few_cases(sweep, capsys):
    file = sweep()
    shown = file.parent / "shown.png"
    assert _check(capsys, file, "--show", str(shown))[0] == 0
    image = cv2.imread(str(shown))
    assert image is not None
    outline = (np.abs(image.astype(int) - (0xE9, 0xB4, 0x56)) < 12).all(-1)  # the first class's blue, in BGR
    assert outline.sum() > 1000


def test_a_file_that_cannot_be_shown_is_refused_before_anything_is_read(sweep, capsys):
    file = sweep()
    assert main(["data", "check", str(file), "--show", str(file.parent / "no" / "a.png")]) == 2
    assert main(["data", "check", str(file), "--show", str(file.parent / "a.gif")]) == 2
    assert main(["data", "fetch", str(file), "--show", str(file.parent / "a.png")]) == 2
    err = capsys.readouterr().err
    assert err.count("give a file in a folder that is there, ending in .png, .pdf, .svg") == 2
    assert "--show is for `data check`" in err


def test_sets_of_many_kinds_are_cut_short_for_the_terminal():
    described = {
        "task": {"rank": 3, "kind": "exclusive", "classes": ["none", "left"]},
        "read": 9,
        "sizes": {
            "distinct": 7,
            "smallest": [10, 20, 20],
            "largest": [16, 20, 30],
            "listed": [{"space": [10 + k, 20, 20], "cases": 1} for k in range(7)],
        },
        "dtypes": {"int16": 8, "float32": 1},
        "channels": {"2": 9},
        "values": [{"min": -1000, "p1": -990, "p99": 400, "max": 3071}, {"min": 0, "p1": 0.001, "p99": 0.5, "max": 1}],
        "classes": [{"name": "none", "share": 0.998, "cases": 9}, {"name": "left", "share": 0.002, "cases": 4}],
        "ignored_share": 0.01,
        "objects": None,
        "spacings_mm": [
            {"spacing_mm": [5, 0.7, 0.7], "source": "NIfTI header", "cases": 8},
            {"spacing_mm": None, "source": "", "cases": 1},
        ],
        "orientations": {"LPS": 8, "": 1},
        "groups": {"count": 9, "largest": "a", "cases": 1},
        "strata": {f"s{k}": 1 for k in range(7)},
        "notes": [{"note": "a palette", "cases": 2, "first": "c1"}],
        "listing": ["1 image without mask skipped: x"],
        "worth_a_look": [{"kind": "holes", "text": "3 holes", "count": 7, "cases": ["a" * 50, *"bcdefg"]}],
        "findings": ["c1: the mask is empty", "c2: the mask is empty"],
    }
    assert [line[2:] for line in lines(described)] == [
        "task         3D, exclusive: none, left",
        "sizes        10-16×20×20-30: 10×20×20 (1), 11×20×20 (1), 12×20×20 (1), 13×20×20 (1), 14×20×20 (1) and 2 more",
        "pixels       int16 (8), float32 (1); channels: 2",
        "values       channel 0: -1,000 to 3,071; 1 % below -990, 99 % below 400",
        "             channel 1: 0 to 1; 1 % below 0.001, 99 % below 0.5",
        "classes      none    99.8 % of pixels, in 9 of 9 cases",
        "             left     0.2 % of pixels, in 4 of 9 cases",
        "             ignored: 1 % of all pixels",
        "spacing      5 × 0.7 × 0.7 mm, from NIfTI header (8)",
        "             not known (1)",
        "orientation  LPS (8), not known (1)",
        "groups       9, one case each",
        "strata       s0 (1), s1 (1), s2 (1), s3 (1), s4 (1) and 2 more",
        "notes        1 image without mask skipped: x",
        "             a palette (2 cases; first: c1)",
        f"look at      3 holes: {'a' * 20}…{'a' * 19}, b, c, d, e and 2 more",
        "findings     c1: the mask is empty",
        "             c2: the mask is empty",
    ]
