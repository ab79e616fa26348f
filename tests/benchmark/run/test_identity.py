"""What changes a result makes another trial: a pixel of a mask, a line of a part of one's own; nothing else does."""

import numpy as np
import pytest
import tifffile

from unetbench.benchmark.records.store import records

PLUGIN = """
from own_helper import scale
from unetbench.losses import LOSSES


@LOSSES.add
def own_bce(truth, logits, task):
    "Mine."
    from unetbench.losses.cross_entropy import bce

    return scale * bce(truth, logits, task)
"""


def _folder(root, shift):
    """Nine uncompressed TIFF pairs of the same names and sizes whatever the shift."""
    for index in range(9):
        truth = np.zeros((40, 44), np.uint8)
        truth[5:20, 3 + shift : 20 + index] = 255
        noise = np.random.default_rng(index).integers(0, 60, truth.shape)
        for kind, array in (("img", truth // 2 + noise), ("lab", truth)):
            (root / kind).mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(root / kind / f"{index}.tif", array.astype(np.uint8))


def _entry(name):
    return {"folder": name, "images": "img/*.tif", "masks": "lab/*.tif", "classes": ["square"]}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("identity")


@pytest.mark.slow
def test_folders_that_differ_in_pixels_only_are_two_trials_and_a_changed_mask_runs_again(root, command, write_sweep):
    _folder(root / "one", 0)
    _folder(root / "two", 4)
    (root / "own_helper.py").write_text("scale = 1.0\n")
    (root / "own.py").write_text(PLUGIN)
    recipe = {"patch": [32, 32], "batch": 2, "epochs": 1, "steps": 2, "monitor": "loss"}
    small = [{"name": "unet", "width": 4, "depth": 1}]
    sweep = write_sweep(
        root,
        "pixels",
        models=small,
        datasets=[_entry("one"), _entry("two")],
        losses=["bce", "own_bce"],
        recipe=recipe,
        previews=0,
        runtimes=[],
    )
    words = ("run", sweep, "--plugin", root / "own.py", "--results", root / "results", "--no-report")

    def run():
        process = command(*words)
        assert process.returncode == 0, process.stderr
        return {record.trial.id: record for record in records(root / "results" / "pixels")}

    first = run()
    assert len(first) == 4
    assert len({str(record.scores) for record in first.values() if record.trial.loss.name == "bce"}) == 2
    assert run().keys() == first.keys()

    mask = root / "two" / "lab" / "3.tif"
    array = tifffile.imread(mask)
    array[0, 0] = 255
    tifffile.imwrite(mask, array)
    second = run()
    made = [second[key] for key in second.keys() - first.keys()]
    assert [record.trial.dataset.options["path"] for record in made] == ["two", "two"]

    (root / "own_helper.py").write_text("scale = 2.0\n")
    third = run()
    made = [third[key] for key in third.keys() - second.keys()]
    assert [record.trial.loss.name for record in made] == ["own_bce", "own_bce"]
    assert {record.trial.dataset.options["path"] for record in made} == {"one", "two"}
    assert run().keys() == third.keys()

    process = command("report", root / "results" / "pixels")
    assert process.returncode == 0, process.stderr
    page = (root / "results" / "pixels" / "report" / "index.html").read_text()
    assert "made with other sources of parts of one" in page


def test_the_same_files_twice_in_a_sweep_are_refused_with_both_named(tmp_path, command, write_sweep):
    for name in ("one", "copy"):
        _folder(tmp_path / name, 0)
    small = [{"name": "unet", "width": 4, "depth": 1}]
    sweep = write_sweep(tmp_path, "twice", models=small, datasets=[_entry("one"), _entry("copy")])
    process = command("plan", sweep, "--results", tmp_path)
    assert process.returncode == 2
    assert process.stderr.count("\n") == 1, process.stderr
    assert "twice: datasets[0] (one) and datasets[1] (copy) hold the same files" in process.stderr
