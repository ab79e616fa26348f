"""OME-Zarr in and out, as a whole and by regions."""

import importlib.util
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from unetbench.benchmark.predict.inputs import inputs
from unetbench.benchmark.predict.segment import fits
from unetbench.core.task import Task
from unetbench.datasets import regions
from unetbench.datasets.readers import Page, Reading
from unetbench.datasets.readers.ome_zarr import open_ome_zarr
from unetbench.metrics.objects import components

zarr = pytest.importorskip("zarr", reason="the extra zarr is not installed")

KINDS = {"t": "time", "c": "channel"}


@pytest.fixture(autouse=True)
def small_regions(monkeypatch):
    monkeypatch.setattr(regions, "REGION_BYTES", 30_000)


def _write(folder, array, axes, *, scale, unit="micrometer", version="0.5", chunk=20, moved=None):
    """Write an image as the specification has it."""
    described = [{"name": name, "type": KINDS.get(name, "space")} for name in axes]
    for axis in described:
        if axis["type"] == "space" and unit:
            axis["unit"] = unit
    transforms = [{"type": "scale", "scale": scale}]
    transforms += [{"type": "translation", "translation": moved}] if moved else []
    multiscale = {"axes": described, "datasets": [{"path": "s0", "coordinateTransformations": transforms}]}
    old = version == "0.4"
    group = zarr.open_group(folder, mode="w", zarr_format=2 if old else 3)
    if old:
        group.attrs["multiscales"] = [{**multiscale, "version": version}]
    else:
        group.attrs["ome"] = {"version": version, "multiscales": [multiscale]}
    chunks = [1 if name in "tc" else min(chunk, n) for name, n in zip(axes, array.shape, strict=True)]
    names = {} if old else {"dimension_names": list(axes)}
    group.create_array("s0", shape=array.shape, chunks=chunks, dtype=array.dtype, **names)[...] = array
    return folder


def _read(folder):
    group = zarr.open_group(folder, mode="r")
    ome = dict(group.attrs)["ome"]
    return group["0"], ome["multiscales"][0], ome["version"]


@pytest.fixture
def volumes(make_segmenter):
    return make_segmenter(Task(3, 1, ("nucleus",)), window=(16, 16, 16))


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("memory_mib", [2048, 1])
def test_a_volume_is_segmented_with_its_axes_scale_and_origin(version, memory_mib, volumes, run, blobs, tmp_path):
    image = blobs((30, 40, 45), np.uint16)
    scale, moved = [1.0, 1.0, 2.5, 0.5, 0.5], [0.0, 0.0, 10.0, 20.0, 30.0]
    _write(tmp_path / "in/a.ome.zarr", image[None, None], "tczyx", scale=scale, moved=moved, version=version)
    entries = inputs([str(tmp_path / "in")], tmp_path / "out")
    assert [entry.name for entry in entries] == ["a"]
    assert fits((1, *image.shape, 1), volumes, memory_mib) == (memory_mib > 1)
    options = {"memory_mib": memory_mib, "instances": True, "probabilities": True, "overlays": True}
    outcome = run(entries, volumes, tmp_path / "out", **options)
    assert (outcome.done, outcome.failed) == (1, [])
    for what in ("labels", "instances", "probabilities"):
        array, multiscale, written = _read(tmp_path / f"out/{what}/a.ome.zarr")
        assert written == "0.5"
        assert [axis["name"] for axis in multiscale["axes"]] == list("tzyx")
        assert [axis.get("unit") for axis in multiscale["axes"]] == [None, *["micrometer"] * 3]
        (level,) = multiscale["datasets"]
        assert level["coordinateTransformations"] == [
            {"type": "scale", "scale": [1.0, 2.5, 0.5, 0.5]},
            {"type": "translation", "translation": [0.0, 10.0, 20.0, 30.0]},
        ]
        assert array.metadata.dimension_names == tuple("tzyx")
        assert array.shape == (1, *image.shape)
        np.testing.assert_array_equal(array[0] > 0.5, image > 125)
    found, expected = _read(tmp_path / "out/instances/a.ome.zarr")[0][0], components(image > 125)
    pairs = np.unique(np.stack([found.ravel(), expected.ravel()]), axis=1)
    assert pairs.shape == (2, 4)  # background and three objects, each of one number in both
    objects = pd.read_csv(tmp_path / "out/objects.csv")
    assert sorted(objects.mean_intensity) == [160, 200, 240]
    assert set(objects.pixels) == {6 * 8 * 9}
    np.testing.assert_allclose(objects.volume_mm3, 6 * 8 * 9 * 2.5e-3 * 0.5e-3 * 0.5e-3)
    assert sorted(objects.centroid_0) == [4.5, 14.5, 24.5]
    assert list(zip(sorted(objects.begin_2), sorted(objects.end_2), strict=True)) == [(2, 11), (17, 26), (32, 41)]
    classes = pd.read_csv(tmp_path / "out/classes.csv")
    assert classes.objects.tolist() == [3]
    assert classes.mean_intensity.tolist() == [200]
    assert (tmp_path / "out/overlays/a.png").stat().st_size > 0
    assert not list((tmp_path / "out").rglob(".*"))


@pytest.mark.parametrize("memory_mib", [2048, 1])
def test_time_and_channels_of_several_classes(memory_mib, make_segmenter, run, blobs, tmp_path):
    frames = np.stack([blobs((90, 120)), np.roll(blobs((90, 120)), 4, 0)])
    image = np.stack([frames, 255 - frames], 1)
    _write(tmp_path / "in/a.zarr", image, "tcyx", scale=[2.0, 1.0, 0.5, 0.5], chunk=32)
    segmenter = make_segmenter(Task(2, 2, ("none", "some", "bright"), "exclusive"))
    entries = inputs([str(tmp_path / "in/a.zarr")], tmp_path / "out")
    run(entries, segmenter, tmp_path / "out", memory_mib=memory_mib, probabilities=True, instances=True)
    labels, multiscale, _ = _read(tmp_path / "out/labels/a.ome.zarr")
    np.testing.assert_array_equal(labels[...] > 0, frames > 60)
    assert multiscale["datasets"][0]["coordinateTransformations"] == [{"type": "scale", "scale": [2.0, 0.5, 0.5]}]
    probabilities, multiscale, _ = _read(tmp_path / "out/probabilities/a.ome.zarr")
    assert [axis["name"] for axis in multiscale["axes"]] == list("tcyx")
    np.testing.assert_array_equal(probabilities[...].argmax(1), labels[...])
    numbers = _read(tmp_path / "out/instances/a.ome.zarr")[0][...]
    assert [len(np.unique(frame)) for frame in numbers] == [4, 4]
    rows = pd.read_csv(tmp_path / "out/classes.csv")
    assert rows[["frame", "class", "objects"]].to_numpy().tolist() == [
        [0, "some", 1], [0, "bright", 2], [1, "some", 1], [1, "bright", 2],
    ]  # fmt: skip
    assert {"mean_intensity_0", "mean_intensity_1"} <= set(rows)
    np.testing.assert_allclose(rows.mean_intensity_0 + rows.mean_intensity_1, 255)


@pytest.mark.parametrize("memory_mib", [2048, 1])
def test_by_regions_or_as_a_whole_the_same_labels_and_probabilities(memory_mib, make_segmenter, run, tmp_path):
    image = np.random.default_rng(0).gamma(2, 300, (30, 37, 50)).astype(np.uint16)
    _write(tmp_path / "in/a.zarr", image, "zyx", scale=[1.0, 1.0, 1.0], unit="")
    segmenter = make_segmenter(Task(3, 1, ("a", "b", "c"), "multilabel"), window=(16, 24, 16))
    segmenter = replace(segmenter, preprocess=replace(segmenter.preprocess, normalise="percentile", pad=8))
    entries = inputs([str(tmp_path / "in")], tmp_path / "out")
    run(entries, segmenter, tmp_path / "out", memory_mib=memory_mib, probabilities=True)
    from unetbench.benchmark.predict.segment import segment

    whole = segment(image, segmenter, probabilities=True)
    np.testing.assert_array_equal(
        np.moveaxis(_read(tmp_path / "out/probabilities/a.ome.zarr")[0][...], 0, -1), whole.probabilities
    )
    for k, name in enumerate("abc"):
        np.testing.assert_array_equal(_read(tmp_path / f"out/labels/{name}/a.ome.zarr")[0][...], whole.labels[..., k])


def test_slices_of_a_volume_are_segmented_by_a_network_for_images(nuclei, run, blobs, tmp_path):
    image = np.stack([blobs((40, 50)), np.roll(blobs((40, 50)), 5, 1)])
    _write(tmp_path / "in/a.zarr", image, "zyx", scale=[1.0, 1.0, 1.0])
    _write(tmp_path / "in/flat.zarr", image[:1], "zyx", scale=[1.0, 1.0, 1.0])
    entries = inputs([str(tmp_path / "in")], tmp_path / "out")
    outcome = run(entries, nuclei, tmp_path / "out")
    assert [failure.reason for failure in outcome.failed] == [
        f"{tmp_path}/in/a.zarr: the image is 3D, the model was trained on 2D images; `--pages cases` segments its "
        "slices one by one"
    ]
    np.testing.assert_array_equal(_read(tmp_path / "out/labels/flat.ome.zarr")[0][...] > 0, image[:1] > 125)
    run(entries, nuclei, tmp_path / "other", reading=Reading(pages="cases"))
    np.testing.assert_array_equal(_read(tmp_path / "other/labels/a.ome.zarr")[0][...] > 0, image > 125)


def test_the_edge_of_a_voxel_is_the_product_of_both_scales_in_millimetres(tmp_path):
    _write(tmp_path / "a.zarr", np.zeros((4, 5, 6), np.uint8), "zyx", scale=[3.0, 2.0, 2.0], unit="nanometer")
    group = zarr.open_group(tmp_path / "a.zarr")
    ome = dict(group.attrs)["ome"]
    ome["multiscales"][0]["coordinateTransformations"] = [{"type": "scale", "scale": [10.0, 1.0, 1.0]}]
    group.attrs["ome"] = ome
    found = open_ome_zarr(tmp_path / "a.zarr")
    assert found.spacing_mm == (3e-5, 2e-6, 2e-6)
    assert found.image(Page(0, 2)).shape == (5, 6, 1)


def test_what_is_no_image_is_named(volumes, run, tmp_path):
    zarr.open_group(tmp_path / "in/empty.zarr", mode="w")
    _write(tmp_path / "in/turned.zarr", np.zeros((4, 5, 6), np.uint8), "zyc", scale=[1.0, 1.0, 1.0])
    damaged = _write(tmp_path / "in/damaged.zarr", np.ones((20, 30, 30), np.uint8), "zyx", scale=[1.0, 1.0, 1.0])
    chunk = next(file for file in sorted((damaged / "s0/c").rglob("*")) if file.is_file())
    chunk.write_bytes(b"\0" * 7)
    outcome = run(inputs([str(tmp_path / "in")], tmp_path / "out"), volumes, tmp_path / "out")
    reasons = {failure.entry.name: failure.reason for failure in outcome.failed}
    assert "is no OME-Zarr image; it has no multiscales to read" in reasons["empty"]
    assert "has 3 axes, called z, y, c; t, c, z, y, x are possible in this order" in reasons["turned"]
    assert "damaged.zarr: cannot be read; it is damaged" in reasons["damaged"]
    assert not [*(tmp_path / "out").rglob("*.ome.zarr")]


def test_a_failure_half_way_leaves_nothing_behind(volumes, run, blobs, tmp_path):
    image = blobs((30, 40, 45), np.uint16)
    folder = _write(tmp_path / "in/a.zarr", np.stack([image] * 2), "tzyx", scale=[1.0] * 4)
    entries = inputs([str(tmp_path / "in")], tmp_path / "out")
    for chunk in (folder / "s0/c/1").rglob("*"):
        if chunk.is_file():
            chunk.write_bytes(b"\0" * 7)
    outcome = run(entries, volumes, tmp_path / "out", memory_mib=1)
    assert len(outcome.failed) == 1
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "classes.csv", "labels", "objects.csv", "predict.json",
    ]  # fmt: skip
    assert not [*(tmp_path / "out/labels").iterdir()]


@pytest.mark.skipif(importlib.util.find_spec("ome_zarr_models") is None, reason="ome-zarr-models is not installed")
def test_outputs_are_valid_by_the_models_of_the_specification(make_segmenter, run, blobs, tmp_path):
    from ome_zarr_models.v05.image import Image

    _write(tmp_path / "in/a.zarr", blobs((2, 40, 50))[:, None], "tcyx", scale=[1.0, 1.0, 0.5, 0.5])
    segmenter = make_segmenter(Task(2, 1, ("none", "some", "bright"), "exclusive"))
    run(inputs([str(tmp_path / "in")], tmp_path / "out"), segmenter, tmp_path / "out", probabilities=True)
    for what in ("labels", "probabilities"):
        group = zarr.open_group(tmp_path / f"out/{what}/a.ome.zarr", mode="r")
        assert Image.from_zarr(group).attributes.ome.multiscales
    assert json.loads((tmp_path / "out/labels/a.ome.zarr/zarr.json").read_text())["zarr_format"] == 3
