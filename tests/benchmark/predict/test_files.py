"""Masks have the format, the geometry and the physical size of their images."""

import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image

from unetbench.benchmark.predict.files import suffix_of
from unetbench.benchmark.predict.inputs import Input, inputs
from unetbench.core.task import Task
from unetbench.datasets.readers import Reading, read_image

ORIENTATIONS = ("RAS", "LPS", "PIR", "ASL", "LAS", "SRA")


def _bright(image):
    """What the network takes for foreground."""
    return (image > (int(image.min()) + int(image.max())) / 2).astype(np.uint8)


@pytest.fixture
def volumes(make_segmenter):
    return make_segmenter(Task(3, 1, ("nucleus",)), window=(16, 16, 16))


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("form", ["sform", "qform", "none"])
def test_a_nifti_mask_lies_voxel_on_voxel_in_the_orientation_of_its_file(
    orientation, form, write_volume, volumes, run, blobs, tmp_path
):
    space = (20, 26, 31)
    write_volume(tmp_path / "in/a.nii.gz", blobs(space, np.int16), orientation, form=form, unit="mm")
    wanted = {"probabilities": True, "instances": True, "overlays": True}
    outcome = run(inputs([str(tmp_path / "in")], tmp_path / "out"), volumes, tmp_path / "out", **wanted)
    assert (outcome.done, outcome.failed) == (1, [])
    image: nibabel.Nifti1Image = nibabel.load(tmp_path / "in/a.nii.gz")
    for what, kind in (("labels", np.uint8), ("instances", np.uint16), ("probabilities", np.float32)):
        made: nibabel.Nifti1Image = nibabel.load(tmp_path / f"out/{what}/a.nii.gz")
        np.testing.assert_array_equal(made.affine, image.affine)
        for field in ("qform_code", "sform_code", "pixdim", "xyzt_units", "quatern_b", "qoffset_x", "srow_x"):
            np.testing.assert_array_equal(made.header[field], image.header[field])
        assert made.get_data_dtype() == kind
        assert made.header.get_slope_inter() in ((1, 0), (None, None))
        found = np.asarray(made.dataobj)
        np.testing.assert_array_equal(found > 0.5, _bright(np.asarray(image.dataobj)))
        assert what != "instances" or set(np.unique(found)) == {0, 1, 2, 3}


def test_frames_and_channels_of_a_nifti_stay_apart(make_segmenter, run, blobs, tmp_path):
    (tmp_path / "in").mkdir()
    frames = np.stack([np.roll(blobs((20, 20, 20)), k, 0) for k in range(3)], -1)
    volume = nibabel.Nifti1Image(frames, np.diag([-1, 1, 2, 1]))
    volume.header["pixdim"][4] = 0.5
    volume.header.set_xyzt_units("mm", "sec")
    nibabel.save(volume, tmp_path / "in/t.nii")
    segmenter = make_segmenter(Task(3, 1, ("none", "some", "bright"), "exclusive"), window=(16, 16, 16))
    entries = inputs([str(tmp_path / "in")], tmp_path / "out")
    run(entries, segmenter, tmp_path / "out", reading=Reading(pages="frames"), probabilities=True)
    made = nibabel.load(tmp_path / "out/labels/t.nii")
    assert made.shape == (20, 20, 20, 3)
    assert made.header["pixdim"][4] == 0.5
    np.testing.assert_array_equal(np.asarray(made.dataobj) > 0, frames > 60)
    assert nibabel.load(tmp_path / "out/probabilities/t.nii").shape == (20, 20, 20, 3, 3)


def _written(file, array, **options):
    file.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(file, array, **options)


OME = {"axes": "ZYX", "PhysicalSizeX": 0.2, "PhysicalSizeY": 0.3, "PhysicalSizeZ": 2.0, "PhysicalSizeXUnit": "nm"}
TIFFS = {
    "imagej volume": {"imagej": True, "resolution": (5, 4), "metadata": {"axes": "ZYX", "unit": "um", "spacing": 1.5}},
    "imagej no unit": {"imagej": True, "metadata": {"axes": "ZYX"}},
    "ome": {"ome": True, "metadata": OME},
    "resolution": {"resolution": (3210, 1234), "resolutionunit": "CENTIMETER", "photometric": "minisblack"},
    "plain": {"photometric": "minisblack"},
}


@pytest.mark.parametrize("name", TIFFS)
def test_a_tiff_mask_states_the_size_that_its_image_states(name, volumes, run, blobs, tmp_path):
    image = blobs((20, 24, 28), np.uint16)
    _written(tmp_path / "in/a.tif", image, **TIFFS[name])
    run(inputs([str(tmp_path / "in")], tmp_path / "out"), volumes, tmp_path / "out", instances=True, probabilities=True)
    source = read_image(tmp_path / "in/a.tif")
    for what in ("labels", "instances", "probabilities"):
        file = tmp_path / f"out/{what}/a.tif"
        made = read_image(file)
        np.testing.assert_array_equal(made.array[..., 0] > 0.5, _bright(image))
        assert (made.spacing_mm, made.spacing_source) == (source.spacing_mm, source.spacing_source)
        with tifffile.TiffFile(tmp_path / "in/a.tif") as before, tifffile.TiffFile(file) as after:
            assert after.series[0].shape == image.shape
            assert (after.is_ome, after.is_imagej) == (before.is_ome, before.is_imagej)
            for tag in ("XResolution", "YResolution", "ResolutionUnit"):
                assert name.startswith("ome") or after.pages[0].tags.valueof(tag) == before.pages[0].tags.valueof(tag)


def test_probabilities_of_several_classes_are_channels_of_a_tiff(make_segmenter, run, blobs, tmp_path):
    _written(tmp_path / "in/a.tif", blobs((20, 24, 28)), **TIFFS["ome"])
    segmenter = make_segmenter(Task(3, 1, ("none", "some", "bright"), "exclusive"), window=(16, 16, 16))
    run(inputs([str(tmp_path / "in")], tmp_path / "out"), segmenter, tmp_path / "out", probabilities=True)
    made = tifffile.imread(tmp_path / "out/probabilities/a.tif")
    labels = tifffile.imread(tmp_path / "out/labels/a.tif")
    assert made.shape == (20, 3, 24, 28)
    np.testing.assert_array_equal(made.argmax(1), labels)
    np.testing.assert_allclose(made.sum(1), 1, atol=1e-6)
    assert read_image(tmp_path / "out/probabilities/a.tif").array.shape == (20, 24, 28, 3)


def test_pages_of_a_stack_are_segmented_one_by_one_into_a_stack(nuclei, run, blobs, tmp_path):
    stack = np.stack([blobs((40, 50)), np.roll(blobs((40, 50)), 5, 1)])
    _written(tmp_path / "in/a.tif", stack, photometric="minisblack")
    entries = inputs([str(tmp_path / "in")], tmp_path / "out")
    run(entries, nuclei, tmp_path / "out", reading=Reading(pages="cases"), instances=True, overlays=True)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out/labels/a.tif"), np.stack([*map(_bright, stack)]))
    np.testing.assert_array_equal(np.unique(tifffile.imread(tmp_path / "out/instances/a.tif")), [0, 1, 2, 3])
    rows = (tmp_path / "out/classes.csv").read_text().splitlines()
    assert rows[0].startswith("image,slice,class,pixels")
    assert [row.split(",")[:2] for row in rows[1:]] == [["a", "0"], ["a", "1"]]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_mask_of_a_turned_photograph_lies_on_it_as_viewers_show_it(orientation, make_segmenter, run, tmp_path):
    (tmp_path / "in").mkdir()
    image = np.full((40, 60, 3), 20, np.uint8)
    image[5:15, 35:55] = 230
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(image).save(tmp_path / "in/a.jpg", exif=exif, quality=95)
    segmenter = make_segmenter(Task(2, 3, ("nucleus",)))
    entries = inputs([str(tmp_path / "in")], tmp_path / "out")
    run(entries, segmenter, tmp_path / "out")
    with Image.open(tmp_path / "in/a.jpg") as stored, Image.open(tmp_path / "out/labels/a.png") as mask:
        from PIL import ImageOps

        shown = np.asarray(ImageOps.exif_transpose(stored))[..., 0]
        assert 274 not in mask.getexif()
        np.testing.assert_array_equal(np.asarray(mask), _bright(shown))
    run(entries, segmenter, tmp_path / "as stored", reading=Reading(exif="ignore"))
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "as stored/labels/a.png")), image[..., 0] > 99)


def test_sizes_of_a_tiff_turn_with_its_orientation(nuclei, run, blobs, tmp_path):
    options = {"resolution": (5000, 2500), "resolutionunit": "CENTIMETER", "extratags": [(274, 3, 1, 6, True)]}
    _written(tmp_path / "in/a.tif", blobs((40, 60)), photometric="minisblack", **options)
    run(inputs([str(tmp_path / "in")], tmp_path / "out"), nuclei, tmp_path / "out")
    made, source = read_image(tmp_path / "out/labels/a.tif"), read_image(tmp_path / "in/a.tif")
    assert made.array.shape == source.array.shape == (60, 40, 1)
    assert made.spacing_mm == source.spacing_mm == (0.002, 0.004)


def test_classes_that_may_overlap_have_a_file_each(make_segmenter, run, blobs, tmp_path):
    (tmp_path / "in").mkdir()
    image = blobs((48, 60))
    np.save(tmp_path / "in/a.npy", image)
    segmenter = make_segmenter(Task(2, 1, ("dark", "some", "bright"), "multilabel"))
    run(inputs([str(tmp_path / "in")], tmp_path / "out"), segmenter, tmp_path / "out", instances=True)
    x = (image - 10.0) / 230
    for name, logits in (("dark", 4 - 16 * x), ("some", 4 - 16 * abs(x - 0.5)), ("bright", 16 * x - 12)):
        np.testing.assert_array_equal(np.load(tmp_path / f"out/labels/{name}/a.npy"), logits >= 0)
        assert np.load(tmp_path / f"out/instances/{name}/a.npy").dtype == np.uint16


def test_formats_of_outputs_follow_those_of_images_and_what_these_can_hold():
    uint8, uint16, uint32, float32 = map(np.dtype, (np.uint8, np.uint16, np.uint32, np.float32))
    assert [suffix_of(".jpg", dtype) for dtype in (uint8, uint16, uint32, float32)] == [".png", ".png", ".tif", ".tif"]
    assert [suffix_of(kind, uint8) for kind in (".nii", ".nii.gz", ".tiff", ".npz", ".zarr", ".bmp")] == [
        ".nii", ".nii.gz", ".tif", ".npy", ".ome.zarr", ".png",
    ]  # fmt: skip


def test_more_objects_than_16_bits_number_are_written_with_32(make_segmenter, tmp_path):
    from unetbench.benchmark.predict.files import write_array
    from unetbench.benchmark.predict.source import Source

    _written(
        tmp_path / "a.tif", np.zeros((300, 300), np.uint8), **TIFFS["imagej volume"] | {"metadata": {"unit": "um"}}
    )
    picture = read_image(tmp_path / "a.tif")
    numbers = np.arange(90_000, dtype=np.uint32).reshape(300, 300)
    source = Source(
        Input(tmp_path / "a.tif", "a"), (300, 300), (None,), lambda _: picture.array, spacing_mm=picture.spacing_mm
    )
    write_array(tmp_path / "b.tif", source, numbers)
    made = read_image(tmp_path / "b.tif")
    np.testing.assert_array_equal(made.array[..., 0], numbers)
    assert made.spacing_mm == picture.spacing_mm == (0.00025, 0.0002)


@pytest.mark.parametrize("orientation", ["RAS", "LPS", "PIR", "ASL"])
@pytest.mark.parametrize("kind", [".nrrd", ".nhdr", ".mha", ".mhd"])
def test_masks_of_nrrd_and_metaimage_lie_voxel_on_voxel_in_their_own_orientation(
    orientation, kind, write_volume, make_segmenter, run, blobs, tmp_path
):
    itk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed (extra itk)")
    pytest.importorskip("nrrd", reason="pynrrd is not installed")
    write_volume(tmp_path / "a.nii", blobs((20, 26, 31), np.int16), orientation)
    image = itk.ReadImage(str(tmp_path / "a.nii"))
    (tmp_path / "in").mkdir()
    itk.WriteImage(image, str(tmp_path / f"in/a{kind}"))
    segmenter = make_segmenter(Task(3, 1, ("none", "some", "bright"), "exclusive"), window=(16, 16, 16))
    outcome = run(
        inputs([str(tmp_path / "in")], tmp_path / "out"),
        segmenter,
        tmp_path / "out",
        probabilities=True,
        instances=True,
    )
    assert (outcome.done, outcome.failed) == (1, [])
    one_file = {".nhdr": ".nrrd", ".mhd": ".mha"}.get(kind, kind)
    assert [path.name for path in (tmp_path / "out/labels").iterdir()] == [f"a{one_file}"]
    for what in ("labels", "instances", "probabilities"):  # the last one stays in hand
        made = itk.ReadImage(str(tmp_path / f"out/{what}/a{one_file}"))
        assert made.GetSize() == image.GetSize()
        for part in ("Spacing", "Origin", "Direction"):
            np.testing.assert_allclose(getattr(made, f"Get{part}")(), getattr(image, f"Get{part}")(), atol=1e-5)
        assert made.GetNumberOfComponentsPerPixel() == (3 if what == "probabilities" else 1)
    run(inputs([str(tmp_path / "a.nii")], tmp_path / "nifti"), segmenter, tmp_path / "nifti")
    expected = np.asarray(nibabel.load(tmp_path / "nifti/labels/a.nii").dataobj).T
    assert set(np.unique(expected)) >= {0, 2}
    labels = itk.GetArrayFromImage(itk.ReadImage(str(tmp_path / f"out/labels/a{one_file}")))
    np.testing.assert_array_equal(labels, expected)
    np.testing.assert_array_equal(itk.GetArrayFromImage(made).argmax(-1), expected)


def test_masks_of_images_and_frames_of_nrrd_and_metaimage_keep_their_axes(make_segmenter, run, blobs, tmp_path):
    itk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed (extra itk)")
    nrrd = pytest.importorskip("nrrd", reason="pynrrd is not installed")
    (tmp_path / "flat").mkdir()
    image = blobs((20, 31), np.int16)
    nrrd.write(str(tmp_path / "flat/a.nrrd"), image.T, {"spacings": [0.5, 2]})
    itk.WriteImage(itk.GetImageFromArray(image), str(tmp_path / "flat/b.mha"))
    segmenter = make_segmenter(Task(2, 1, ("nucleus",)), window=(16, 16))
    outcome = run(inputs([str(tmp_path / "flat")], tmp_path / "out"), segmenter, tmp_path / "out")
    assert (outcome.done, outcome.failed) == (2, [])
    found, header = nrrd.read(str(tmp_path / "out/labels/a.nrrd"))
    np.testing.assert_array_equal(found.T, _bright(image))
    assert header["spacings"].tolist() == [0.5, 2]
    np.testing.assert_array_equal(
        itk.GetArrayFromImage(itk.ReadImage(str(tmp_path / "out/labels/b.mha"))), _bright(image)
    )
    (tmp_path / "movie").mkdir()
    frames = np.stack([np.roll(blobs((20, 20, 20), np.int16), k, 0) for k in range(3)])
    itk.WriteImage(itk.GetImageFromArray(frames, isVector=False), str(tmp_path / "movie/b.mha"))
    directions = np.array([*np.eye(3) * 2, [np.nan] * 3])
    fields = {"space": "LPS", "space directions": directions, "kinds": ["domain"] * 3 + ["time"]}
    nrrd.write(str(tmp_path / "movie/a.nrrd"), frames.T, fields)
    volumes = make_segmenter(Task(3, 1, ("nucleus",)), window=(16, 16, 16))
    entries = inputs([str(tmp_path / "movie")], tmp_path / "out3")
    outcome = run(entries, volumes, tmp_path / "out3", reading=Reading(pages="frames"))
    assert (outcome.done, outcome.failed) == (2, [])
    found, header = nrrd.read(str(tmp_path / "out3/labels/a.nrrd"))
    np.testing.assert_array_equal(found.T, _bright(frames))
    assert header["kinds"] == ["domain", "domain", "domain", "time"]
    np.testing.assert_array_equal(
        itk.GetArrayFromImage(itk.ReadImage(str(tmp_path / "out3/labels/b.mha"))), _bright(frames)
    )


def test_masks_of_a_dicom_series_are_nifti_at_the_places_of_its_voxels(
    write_series, make_segmenter, run, blobs, tmp_path
):
    array = blobs((20, 26, 18), np.int16)
    affine = np.array([[0.5, 0, 0, 20], [0, 0, 3, -30], [0, -1, 0, 7], [0, 0, 0, 1]])  # coronal, to LPS
    write_series(tmp_path / "in/1.2.840", array, affine)
    write_series(tmp_path / "one", array[..., 9:10], affine)
    (file,) = (tmp_path / "one").iterdir()
    (tmp_path / "flat").mkdir()
    file.rename(tmp_path / "flat/a.dcm")
    segmenter = make_segmenter(Task(3, 1, ("nucleus",)), window=(16, 16, 16))
    entries = inputs([str(tmp_path / "in")], tmp_path / "out")
    assert [(entry.name, entry.kind) for entry in entries] == [("1.2.840", "/")]
    outcome = run(entries, segmenter, tmp_path / "out", instances=True, probabilities=True, overlays=True)
    assert (outcome.done, outcome.failed) == (1, [])
    for what in ("labels", "instances", "probabilities"):
        made = nibabel.load(tmp_path / f"out/{what}/1.2.840.nii.gz")
        assert nibabel.aff2axcodes(made.affine) == ("R", "A", "S")
        found = np.asarray(made.dataobj)
        # indices of the series' voxels, by both affines, in RAS: right is minus left, anterior minus posterior
        there = np.linalg.solve(made.affine, np.diag([-1, -1, 1, 1]) @ affine)
        index = np.stack([*np.indices(array.shape), np.ones(array.shape, int)])
        x, y, z, _ = np.rint(np.tensordot(there, index, 1)).astype(int)
        np.testing.assert_array_equal(found[x, y, z] > 0.5, _bright(array))
    assert run(entries, segmenter, tmp_path / "out").skipped == 1
    flat = make_segmenter(Task(2, 1, ("nucleus",)), window=(16, 16))
    entries = inputs([str(tmp_path / "flat/*.dcm")], tmp_path / "flat_out")
    assert run(entries, flat, tmp_path / "flat_out").done == 1
    with Image.open(tmp_path / "flat_out/labels/a.png") as opened:
        np.testing.assert_array_equal(np.asarray(opened), _bright(array[..., 9].T))
