"""Volumes in any orientation, their masks in any other, give the scores of the upright ones."""

from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest

from unetbench.benchmark.trial.context import Context, open_dataset
from unetbench.benchmark.trial.evaluate import evaluate
from unetbench.benchmark.trial.selection import Selection
from unetbench.benchmark.trial.windows import Windows
from unetbench.core.trial import Choice
from unetbench.datasets.source import Source

ORIENTATIONS = ["".join(letters) for axes in permutations(("RL", "AP", "SI")) for letters in product(*axes)]
SPACE = (16, 12, 8)
WINDOWS = Windows(SPACE, SPACE, 0, overlap=0.5, batch=1, grows=False, divisor=(1, 1, 1))


def _cuboid(index):
    volume = np.zeros(SPACE, np.int16)
    volume[2 : 9 + index % 3, 3 : 8 + index % 2, 2:6] = 1000
    return volume


def _rows(home, orientations, masks, write_volume):
    """Scores of cuboids that are predicted one voxel to the right and two to the front of where they are."""
    for index, (orientation, mask) in enumerate(zip(orientations, masks, strict=True)):
        write_volume(home / f"img/{index:02}.nii.gz", _cuboid(index), orientation)
        write_volume(home / f"lab/{index:02}.nii.gz", (_cuboid(index) > 0).astype(np.uint8), mask)
    options = {"path": str(home), "images": "img/*.nii.gz", "masks": "lab/*.nii.gz", "classes": ["organ"]}
    choice = Choice("folder", {**options, "preprocess": {"normalise": "minmax"}})
    opened = open_dataset(choice, {}, Context(Source(None, home), home, Path(home), "orientations"))
    found = evaluate(
        lambda windows: np.roll(8 * windows - 4, (1, 2), (1, 2)),
        Selection(epoch=1, score=0.5, monitor="dice", threshold=0.5),
        opened.dataset.cases,
        opened,
        windows=WINDOWS,
        mirror=False,
        previews=0,
        on_progress=lambda progress: None,
    )
    assert not found.missing
    return found.scores


def test_scores_do_not_depend_on_the_orientation_of_the_files(tmp_path, write_volume):
    upright = ["RAS"] * len(ORIENTATIONS)
    expected = _rows(tmp_path / "upright", upright, upright, write_volume)
    assert len(expected) == 48
    for row in expected:  # the edges are 0.5, 1 and 3 mm: the farthest corner is off by 0.5 mm and 2 mm
        assert row["hd"] == pytest.approx(np.hypot(0.5, 2))
        assert 0 < row["dice"] < 1
    for masks in (ORIENTATIONS, upright, ORIENTATIONS[::-1]):
        np.testing.assert_equal(_rows(tmp_path / "turned", ORIENTATIONS, masks, write_volume), expected)
