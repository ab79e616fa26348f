"""A run over files: what is told, skipped, refused and written."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tifffile import imwrite

from unetbench.benchmark.predict import segment_files as module
from unetbench.benchmark.predict.inputs import inputs, shard
from unetbench.benchmark.predict.open_model import check_classes
from unetbench.core.errors import SpecError, StoreError
from unetbench.core.task import Task
from unetbench.datasets.prepare import Preprocess


@pytest.fixture
def folder(tmp_path, blobs):
    """Five images, two of them in a sub-folder."""
    for k, name in enumerate(("a", "b", "c", "s/a", "s/d")):
        file = tmp_path / f"in/{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.roll(blobs((40 + k, 50)), k, 1)).save(file)
    return tmp_path / "in"


def _labels(out):
    return sorted(file.relative_to(out / "labels").as_posix() for file in (out / "labels").rglob("*.png"))


def test_masks_and_tables_are_written_with_the_sub_folders_of_images(folder, nuclei, run, tmp_path):
    out = tmp_path / "out"
    outcome = run(inputs([str(folder)], out), nuclei, out, instances=True, probabilities=True, overlays=True)
    assert (outcome.done, outcome.skipped, outcome.failed) == (5, 0, [])
    assert _labels(out) == ["a.png", "b.png", "c.png", "s/a.png", "s/d.png"]
    for name in ("a", "s/d"):
        image = np.asarray(Image.open(folder / f"{name}.png"))
        np.testing.assert_array_equal(np.asarray(Image.open(out / f"labels/{name}.png")), image > 125)
        assert np.asarray(Image.open(out / f"overlays/{name}.png")).shape == (*image.shape, 3)
        assert len(np.unique(np.asarray(Image.open(out / f"instances/{name}.png")))) == 4
    classes, objects = (pd.read_csv(out / f"{name}.csv") for name in ("classes", "objects"))
    assert classes.image.tolist() == ["a", "b", "c", "s/a", "s/d"]
    assert classes.objects.tolist() == [3] * 5
    assert classes.pixels.sum() == objects.pixels.sum()
    assert "area_mm2" not in classes  # no file states the size of a pixel
    assert sorted(file.name for file in out.iterdir()) == [
        "classes.csv", "instances", "labels", "measures", "objects.csv", "overlays", "predict.json", "probabilities",
    ]  # fmt: skip


def test_a_second_run_makes_only_what_is_missing_or_changed(folder, nuclei, run, tmp_path):
    out, entries = tmp_path / "out", inputs([str(folder)], tmp_path / "out")
    run(entries, nuclei, out)
    before = {file: file.stat().st_mtime_ns for file in (out / "labels").rglob("*.png")}
    outcome = run(entries, nuclei, out)
    assert (outcome.done, outcome.skipped) == (0, 5)
    (out / "labels/b.png").unlink()
    (out / "measures/c.json").write_text("{")
    Image.fromarray(np.zeros((30, 30), np.uint8)).save(folder / "s/a.png")
    outcome = run(entries, nuclei, out)
    assert (outcome.done, outcome.skipped) == (3, 2)
    changed = [file.name for file, time in before.items() if file.stat().st_mtime_ns != time]
    assert sorted(changed) == ["a.png", "b.png", "c.png"]
    assert pd.read_csv(out / "classes.csv").pixels.tolist()[3] == 0
    assert run(entries, nuclei, out, instances=True).done == 5  # they were not wanted before
    assert run(entries, nuclei, out, overwrite=True).done == 5


def test_shards_fill_one_folder_and_its_tables(folder, nuclei, run, tmp_path):
    out, entries = tmp_path / "out", inputs([str(folder)], tmp_path / "out")
    done = [run(shard(entries, f"{k}/3"), nuclei, out).done for k in (2, 3, 1)]
    assert done == [2, 1, 2]
    assert pd.read_csv(out / "classes.csv").image.tolist() == ["a", "b", "c", "s/a", "s/d"]
    whole = tmp_path / "whole"
    run(entries, nuclei, whole)
    for name in ("classes.csv", "objects.csv"):
        assert (out / name).read_text() == (whole / name).read_text()


def test_what_cannot_be_segmented_is_named_and_the_rest_goes_on(folder, nuclei, run, tmp_path, capsys):
    (folder / "b.png").write_bytes((folder / "b.png").read_bytes()[:60])
    Image.fromarray(np.zeros((9, 9, 3), np.uint8) + np.arange(3, dtype=np.uint8)).save(folder / "c.png")
    np.save(folder / "v.npy", np.zeros((9, 8, 7, 1), np.uint8))
    np.save(folder / "w.npy", np.full((9, 8), np.nan))
    outcome = run(inputs([str(folder)], tmp_path / "out"), nuclei, tmp_path / "out")
    assert outcome.done == 3
    assert [failure.entry.name for failure in outcome.failed] == ["b", "c", "v", "w"]
    told = [line.removeprefix(f"unetbench: {folder}/") for line in capsys.readouterr().err.splitlines()]
    assert told == [
        "b.png: is empty, damaged or cut short; fetch it again",
        "c.png: the image has 3 channels, the model was trained on images of 1; give it the same channels in the same "
        "order",
        "v.npy: the image is 3D, the model was trained on 2D images; `--pages cases` segments its slices one by one",
        "w.npy: 72 pixels of the image are NaN or infinite; fix or remove it",
    ]
    assert _labels(tmp_path / "out") == ["a.png", "s/a.png", "s/d.png"]


def test_an_image_that_does_not_fit_into_memory_is_named(folder, nuclei, run, tmp_path, monkeypatch):
    read = module.open_source

    def opened(entry, *rest):
        if entry.name == "b":
            raise MemoryError
        return read(entry, *rest)

    monkeypatch.setattr(module, "open_source", opened)
    outcome = run(inputs([str(folder)], tmp_path / "out"), nuclei, tmp_path / "out")
    assert outcome.done == 4
    assert outcome.failed[0].reason.endswith(
        "b.png: does not fit into memory; save it as OME-Zarr, which is read by regions"
    )


def test_a_folder_of_another_model_or_setting_is_refused(folder, nuclei, run, tmp_path):
    out, entries = tmp_path / "out", inputs([str(folder)], tmp_path / "out")
    run(entries, nuclei, out)
    with pytest.raises(SpecError, match=r"out: holds predictions of other settings \(model bright, now other\)"):
        run(entries, replace(nuclei, name="other"), out)
    with pytest.raises(SpecError, match="mirror False, now True"):
        run(entries, nuclei, out, mirror=True)


def test_settings_may_change_as_long_as_no_image_is_finished(nuclei, run, tmp_path):
    (tmp_path / "a.png").write_bytes(b"no image")
    out, entries = tmp_path / "out", inputs([str(tmp_path / "a.png")], tmp_path / "out")
    assert len(run(entries, nuclei, out).failed) == 1
    assert len(run(entries, nuclei, out, mirror=True).failed) == 1
    assert json.loads((out / "predict.json").read_text())["mirror"] is True


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "say `pages: cases` for slices, or leave `pages` out",
            "say `--pages cases` for slices, or leave `--pages` out",
        ),
        ("or `channels: last` if they are", "or `--channels last` if they are"),
        ("say which of a, b by `image_array`", "say which of a, b by `--array`"),
        ("say `colour: grey`", "say `colour: grey`"),
    ],
)
def test_messages_of_the_readers_name_the_options_of_predict(text, told):
    assert module.as_options(text) == told


def test_a_time_series_is_refused_with_the_option_that_splits_it(nuclei, run, tmp_path):
    imwrite(tmp_path / "a.tif", np.zeros((3, 2, 32, 32), np.uint8), imagej=True, metadata={"axes": "TZYX"})
    (failure,) = run(inputs([str(tmp_path / "a.tif")], tmp_path / "out"), nuclei, tmp_path / "out").failed
    assert "T is time; say `--pages frames` to make a case of each frame" in failure.reason


def test_a_folder_that_cannot_be_written_is_named(folder, nuclei, run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file/out: cannot be written: Not a directory; give another --out"):
        run(inputs([str(folder)], tmp_path / "out"), nuclei, tmp_path / "file/out")


def test_a_disk_that_fills_up_ends_the_run_and_leaves_no_part(folder, nuclei, run, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "labels").mkdir()
    (out / "labels/s").write_text("")  # a file where a folder is needed
    with pytest.raises(StoreError, match=r"labels/s/a\.png: cannot be written"):
        run(inputs([str(folder)], out), nuclei, out)
    assert _labels(out) == ["a.png", "b.png", "c.png"]
    assert not list(out.rglob("*.part.*"))


def test_mirroring_needs_a_network_that_saw_mirrored_images(folder, nuclei, run, tmp_path):
    entries = inputs([str(folder)], tmp_path / "out")
    with pytest.raises(SpecError, match=r"mirror: the model was trained without mirrored images"):
        run(entries, replace(nuclei, mirrored_axes=False), tmp_path / "out", mirror=True)
    assert not (tmp_path / "out").exists()


def test_colours_are_brought_to_those_of_training_as_training_brings_them(make_segmenter, run, tmp_path):
    (tmp_path / "in").mkdir()
    colours = np.random.default_rng(0).integers(0, 255, (30, 40, 3)).astype(np.uint8)
    Image.fromarray(colours).save(tmp_path / "in/colours.png")
    Image.fromarray(colours[..., 0]).save(tmp_path / "in/grey.png")
    entries = inputs([str(tmp_path / "in")], tmp_path / "out")
    grey = make_segmenter(Task(2, 3, ("a",)), preprocess=Preprocess(colour="grey", normalise="minmax"))
    assert run(entries, grey, tmp_path / "grey").done == 2
    y = colours @ np.array([0.299, 0.587, 0.114])
    expected = np.rint(y) >= (np.rint(y).min() + np.rint(y).max()) / 2
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "grey/labels/colours.png")), expected)
    assert run(entries, make_segmenter(Task(2, 3, ("a",))), tmp_path / "keep").done == 2  # grey is repeated


def test_what_is_finished_says_what_was_made(folder, nuclei, run, tmp_path):
    out = tmp_path / "out"
    run(inputs([str(folder)], out), nuclei, out, overlays=True)
    found = json.loads((out / "measures/s/a.json").read_text())
    assert found["files"] == ["labels/s/a.png", "overlays/s/a.png"]
    state = (folder / "s/a.png").stat()
    assert found["source"] == [state.st_size, state.st_mtime_ns]
    settings = json.loads((out / "predict.json").read_text())
    assert settings["model"] == "bright"
    assert settings["classes"] == ["nucleus"]


def test_classes_may_be_named_with_or_without_the_background(make_segmenter):
    segmenter = make_segmenter(Task(2, 1, ("none", "a", "b"), "exclusive"))
    check_classes(segmenter, "b, a")
    check_classes(segmenter, "none,a,b")
    with pytest.raises(SpecError, match="--classes a: the model was trained for a, b"):
        check_classes(segmenter, "a")
