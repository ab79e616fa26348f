"""OME-Zarr with labels as training data, laid out as its specification has it, written by zarr."""

import numpy as np
import pytest

from unetbench.core.errors import DataError
from unetbench.core.memory import memory_bytes, peak_bytes, reset_peak
from unetbench.datasets import DATASETS
from unetbench.datasets.readers import Page, Reading, files_of, pages_in, read_image, read_mask, read_page
from unetbench.datasets.source import Source

zarr = pytest.importorskip("zarr", reason="zarr is not installed (extra zarr)")

IMAGE = np.random.default_rng(0).integers(0, 4096, (4, 20, 30), np.uint16)
NUCLEI = (IMAGE > 3000).astype(np.uint8)
KINDS = {"t": "time", "c": "channel"}
SCALE = [2.0, 0.5, 0.25]


def _described(axes, scale, path):
    described = [{"name": name, "type": KINDS.get(name, "space")} for name in axes]
    for axis in described:
        if axis["type"] == "space":
            axis["unit"] = "micrometer"
    level = {"path": path}
    if scale:
        level["coordinateTransformations"] = [{"type": "scale", "scale": scale}]
    return {"axes": described, "datasets": [level, {"path": "a coarser one"}]}


def _put(group, key, value, version):
    group.attrs.update({key: value} if version == "0.4" else {"ome": {"version": version, key: value}})


def _write(folder, array=IMAGE, axes="zyx", *, scale=SCALE, labels=(), label_scale=None, version="0.5"):
    """labels: arrays by name, with axes zyx. The finest level is neither the first array nor called 0."""
    group = zarr.open_group(folder, mode="w", zarr_format=2 if version == "0.4" else 3)
    _put(group, "multiscales", [{**_described(axes, scale, "finest"), "version": version}], version)
    group.create_array("a coarser one", data=array[..., ::2, ::2])
    group.create_array("finest", data=array, chunks=(*[1] * (array.ndim - 2), 16, 16))
    if labels:
        listed = group.create_group("labels")
        _put(listed, "labels", list(labels), version)
        for name, label in labels.items():
            own = listed.create_group(name)
            own.create_array("a coarser one", data=label[..., ::2, ::2] * 0.5)
            own.create_array("finest", data=label, chunks=(1, 16, 16))
            _put(own, "multiscales", [_described("zyx", label_scale, "finest")], version)
    return folder


def _list(home, **options):
    options = {"path": str(home), "images": "*.ome.zarr", "masks": "*.ome.zarr", "classes": ["nucleus"], **options}
    return DATASETS["folder"](Source(None, home / "cache"), **options)


@pytest.mark.formats_row(
    "Geometry",
    "OME-Zarr 0.4, 0.5",
    "zarr",
    "axes (t) (c) z y x or y x, scale with a unit of length",
    "the finest level, `multiscales[0].datasets[0].path`; spacing in mm; time as in TIFF",
)
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_the_finest_level_is_read_with_its_spacing(tmp_path, version):
    found = read_image(_write(tmp_path / "a.ome.zarr", version=version))
    np.testing.assert_array_equal(found.array[..., 0], IMAGE)
    assert (found.spacing_mm, found.spacing_source) == ((0.002, 0.0005, 0.00025), "OME-Zarr")
    colours = read_image(_write(tmp_path / "b.zarr", IMAGE[:3], "cyx", scale=[1, 0.5, 0.25], version=version))
    np.testing.assert_array_equal(colours.array, np.moveaxis(IMAGE[:3], 0, -1))
    assert colours.spacing_mm == (0.0005, 0.00025)
    movie = _write(tmp_path / "c.zarr", IMAGE, "tyx", scale=[1, 0.5, 0.25], version=version)
    with pytest.raises(DataError, match=r"c\.zarr: has an axis of time \(4 frames\); say `pages: frames`"):
        read_image(movie)
    frames = read_image(movie, Reading(pages="frames"))
    np.testing.assert_array_equal(frames.array[..., 0], IMAGE)
    assert frames.frames


@pytest.mark.formats_row(
    "Geometry",
    "OME-Zarr 0.4, 0.5",
    "zarr",
    "`labels` of an image, with or without a scale",
    "masks by `mask_array: NAME`, `images` and `masks` being the same glob; without a scale with their image's",
)
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_labels_are_the_masks_of_their_image(tmp_path, version):
    for name in "ab":
        _write(tmp_path / f"{name}.ome.zarr", labels={"cells": NUCLEI * 0, "nuclei": NUCLEI}, version=version)
    dataset = _list(tmp_path, mask_array="nuclei")
    assert [case.name for case in dataset.cases] == ["a", "b"]
    sample = dataset.cases[0].read()
    np.testing.assert_array_equal(sample.image[..., 0], IMAGE)
    np.testing.assert_array_equal(sample.truth[..., 0], NUCLEI)
    assert sample.spacing_mm == (0.002, 0.0005, 0.00025)
    assert read_mask(tmp_path / "a.ome.zarr", Reading(array="nuclei")).spacing_mm == sample.spacing_mm
    with pytest.raises(DataError, match=r"a\.ome\.zarr: has no label 'nucleus', its labels are cells, nuclei"):
        _list(tmp_path, mask_array="nucleus").cases[0].read()
    assert files_of(tmp_path / "a.ome.zarr") == tuple(
        sorted(file for file in (tmp_path / "a.ome.zarr").rglob("*") if file.is_file())
    )


def test_a_label_of_another_scale_than_its_image_is_refused(tmp_path):
    _write(tmp_path / "a.ome.zarr", labels={"nuclei": NUCLEI}, label_scale=[2, 1, 1])
    with pytest.raises(DataError, match=r"have other voxels; resample the mask"):
        _list(tmp_path, mask_array="nuclei").cases[0].read()


def test_reading_makes_nothing_in_the_folder(tmp_path):
    (tmp_path / "a.zarr").mkdir()
    with pytest.raises(DataError, match=r"a\.zarr: is no OME-Zarr image"):
        read_image(tmp_path / "a.zarr")
    folder = _write(tmp_path / "b.zarr")
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*")}
    with pytest.raises(DataError, match="has no label 'nuclei', its labels are none"):
        read_mask(folder, Reading(array="nuclei"))
    assert list((tmp_path / "a.zarr").iterdir()) == []
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*")} == before


@pytest.mark.formats_row(
    "Geometry",
    "OME-Zarr 0.4, 0.5",
    "zarr",
    "`pages: cases`, `pages: frames`",
    "each page by the chunks that it lies in, the rest is not read; resident memory does not grow with the volume",
)
def test_a_plane_of_an_image_larger_than_memory_is_read_alone(tmp_path):
    count, edge, number = 50_000, 2048, 32_100
    folder = tmp_path / "a.ome.zarr"
    group = zarr.open_group(folder, mode="w", zarr_format=3)
    _put(group, "multiscales", [_described("zyx", SCALE, "finest")], "0.5")
    _put(group.create_group("labels"), "labels", ["nuclei"], "0.5")
    own = group["labels"].create_group("nuclei")
    _put(own, "multiscales", [_described("zyx", None, "finest")], "0.5")
    plane = np.arange(edge**2, dtype=np.uint16).reshape(edge, edge)
    for home, values in ((group, plane), (own, plane % 2)):
        array = home.create_array("finest", shape=(count, edge, edge), chunks=(1, 512, 512), dtype=np.uint16)
        array[number] = values
    assert count * plane.nbytes > memory_bytes()  # 390 GiB, of which two planes are written
    case = _list(tmp_path, mask_array="nuclei", pages="cases").cases[number]
    case.read()
    if not reset_peak():
        pytest.skip("this system does not reset the peak of resident memory")
    before = peak_bytes()
    sample = case.read()
    assert peak_bytes() - before < 16 * plane.nbytes
    np.testing.assert_array_equal(sample.image[..., 0], plane)
    np.testing.assert_array_equal(sample.truth[..., 0], plane % 2)
    assert sample.spacing_mm == (0.0005, 0.00025)


def test_pages_are_those_of_the_whole(tmp_path):
    folder = _write(tmp_path / "a.ome.zarr", np.stack([IMAGE, IMAGE + 1]), "tzyx", scale=[1, *SCALE])
    for kind in ("frames", "cases"):
        reading = Reading(pages=kind)
        whole = read_image(folder, reading).array
        pages = pages_in(folder, reading)
        assert len(pages) == {"frames": 2, "cases": 8}[kind]
        for page in pages:
            part = whole[page.frame] if page.slice is None else whole[page.frame, page.slice]
            np.testing.assert_array_equal(read_page(folder, reading, page).array, part)
    with pytest.raises(DataError, match=r"a\.ome\.zarr: has 2 frames of \(4, 20, 30\), so no page \(0, 4\)"):
        read_page(folder, Reading(pages="cases"), Page(0, 4))


def test_damage_is_one_line(tmp_path):
    folder = _write(tmp_path / "a.ome.zarr")
    (folder / "finest" / "c" / "0" / "0" / "0").write_bytes(b"no chunk")
    with pytest.raises(DataError, match=r"a\.ome\.zarr: cannot be read; it is damaged") as error:
        read_image(folder)
    assert "\n" not in str(error.value)
    (folder / "zarr.json").write_text("{")
    with pytest.raises(DataError, match=r"a\.ome\.zarr: is no OME-Zarr image"):
        read_image(folder)


def test_globs_find_the_folder_and_look_into_none(tmp_path):
    _write(tmp_path / "x/a.ome.zarr", labels={"nuclei": NUCLEI})
    dataset = _list(tmp_path, images="**/*.ome.zarr", masks="**/*.ome.zarr", mask_array="nuclei")
    assert [case.name for case in dataset.cases] == ["x/a"]
