"""Segmentations of 3D Slicer, laid out as its version 5 writes them."""

import numpy as np
import pytest

from unetbench.core.errors import DataError
from unetbench.datasets import DATASETS
from unetbench.datasets.readers import Reading, read_mask
from unetbench.datasets.source import Source

nrrd = pytest.importorskip("nrrd", reason="pynrrd is not installed")

EDGES = np.diag([0.5, 1.0, 3.0])
ORIGIN = np.array([20.0, -30, 7])
IMAGE = np.random.default_rng(0).integers(0, 4096, (6, 7, 5), np.int16)


def _liver_and_tumour():
    """Two regions of a volume, the second inside the first."""
    liver, tumour = np.zeros((2, *IMAGE.shape), np.uint8)
    liver[1:4, 2:6, 1:4] = 1
    tumour[2:4, 3:5, 2:4] = 1
    return liver, tumour


def _segmentation(file, layers, segments, *, start=(0, 0, 0)):
    """Layers (k, x, y, z), or (x, y, z), whose first voxel is that voxel of the image. segments: name, label, layer."""
    fields = {
        "space": "left-posterior-superior",
        "space directions": EDGES if layers.ndim == 3 else np.vstack([[np.nan] * 3, EDGES]),
        "kinds": ["domain"] * 3 if layers.ndim == 3 else ["list", *["domain"] * 3],
        "space origin": ORIGIN + EDGES @ start,
        "Segmentation_ContainedRepresentationNames": "Binary labelmap|",
        "Segmentation_MasterRepresentation": "Binary labelmap",
        "Segmentation_ReferenceImageExtentOffset": " ".join(map(str, start)),
    }
    for number, (name, label, layer) in enumerate(segments):
        fields |= {f"Segment{number}_ID": f"Segment_{number + 1}", f"Segment{number}_Name": name}
        if label is not None:
            fields |= {f"Segment{number}_LabelValue": str(label), f"Segment{number}_Layer": str(layer)}
    file.parent.mkdir(exist_ok=True)
    nrrd.write(str(file), layers, fields)
    return file


def _image(home):
    (home / "img").mkdir()
    placed = {"space": "left-posterior-superior", "space directions": EDGES, "space origin": ORIGIN}
    nrrd.write(str(home / "img/a.nrrd"), IMAGE, placed)


def _list(home, **options):
    options = {"path": str(home), "images": "img/*.nrrd", "masks": "lab/*.seg.nrrd", **options}
    return DATASETS["folder"](Source(None, home / "cache"), **options)


@pytest.mark.formats_row(
    "Masks",
    "`.seg.nrrd`, segments that do not overlap",
    "pynrrd, as 3D Slicer",
    "each segment's `LabelValue`, whatever their order, names and layers",
    "segments of several layers with one label (by name instead: `masks: {NAME: GLOB, …}`)",
    "no",
)
def test_the_label_is_that_which_a_segment_states_and_not_its_number(tmp_path):
    liver, tumour = _liver_and_tumour()
    labels = np.where(tumour, 7, liver * 3).astype(np.uint8)
    file = _segmentation(tmp_path / "a.seg.nrrd", labels, [("tumour", 7, 0), ("liver", 3, 0)])
    np.testing.assert_array_equal(read_mask(file).array, labels[::-1, ::-1])
    layers = np.stack([np.where(tumour, 0, liver), tumour])
    file = _segmentation(tmp_path / "b.seg.nrrd", layers, [("liver", 1, 0), ("tumour", 1, 1)])
    with pytest.raises(DataError, match=r"'liver' and 'tumour' both have the label 1, .* `masks: \{liver: GLOB, tum"):
        read_mask(file)


@pytest.mark.formats_row(
    "Masks",
    "`.seg.nrrd`, segments that overlap in layers",
    "pynrrd, as 3D Slicer",
    "by `masks` from the names of segments to the same glob, a plane each; of a file of its own the only segment",
    "as one label image; a name that no segment or several have (`missing: empty`: absent ones are empty)",
    "no",
)
def test_segments_that_overlap_are_read_by_name(tmp_path):
    _image(tmp_path)
    liver, tumour = _liver_and_tumour()
    # layer 0 holds the labels 1 and 2, layer 1 the label 1 again: as Slicer lays out what overlaps
    layers = np.stack([liver, tumour])
    layers[0, 5, 6, 4] = 2
    segments = [("liver", 1, 0), ("vessel", 2, 0), ("tumour", 1, 1)]
    file = _segmentation(tmp_path / "lab/a.seg.nrrd", layers, segments)
    glob = "lab/*.seg.nrrd"
    dataset = _list(tmp_path, masks={"tumour": glob, "liver": glob, "vessel": glob})
    truth = dataset.cases[0].read().truth
    assert dataset.task.classes == ("tumour", "liver", "vessel")
    for k, expected in enumerate((tumour, liver, layers[0] == 2)):
        np.testing.assert_array_equal(truth[::-1, ::-1, :, k], expected)
    with pytest.raises(DataError, match=r"has no segment 'spleen', its segments are 'liver', 'vessel', 'tumour'; .*em"):
        _list(tmp_path, masks={"spleen": glob, "liver": glob}).cases[0].read()
    spleen = _list(tmp_path, masks={"spleen": glob, "liver": glob}, missing="empty").cases[0].read()
    assert spleen.truth.sum((0, 1, 2)).tolist() == [0, liver.sum()]
    twice = np.stack([liver, tumour * 2])
    _segmentation(file, twice, [("liver", 1, 0), ("tumour", 2, 1)])
    with pytest.raises(DataError, match=r"segments 'liver' and 'tumour' overlap, and a label image holds one; read"):
        read_mask(file)
    assert read_mask(file, Reading(segment="tumour", shared=True)).array.sum() == tumour.sum()


def test_the_only_segment_of_a_class_of_its_own_may_have_any_name(tmp_path):
    liver, _ = _liver_and_tumour()
    file = _segmentation(tmp_path / "a.seg.nrrd", liver, [("Segment_1", 1, 0)])
    assert read_mask(file, Reading(segment="liver")).array.sum() == liver.sum()
    with pytest.raises(DataError, match="has no segment 'liver'"):
        read_mask(file, Reading(segment="liver", shared=True))


@pytest.mark.formats_row(
    "Masks",
    "`.seg.nrrd`, a layer a segment without labels",
    "pynrrd, as 3D Slicer before 4.11",
    "the layers in the order of the segments, by name",
    "",
    "no",
)
def test_segments_without_label_and_layer_are_layers_in_their_order(tmp_path):
    liver, tumour = _liver_and_tumour()
    segments = [("liver", None, None), ("tumour", None, None)]
    file = _segmentation(tmp_path / "a.seg.nrrd", np.stack([liver, tumour]), segments)
    for name, expected in (("liver", liver), ("tumour", tumour)):
        found = read_mask(file, Reading(segment=name, shared=True))
        np.testing.assert_array_equal(found.array, expected[::-1, ::-1])


@pytest.mark.formats_row(
    "Geometry",
    "`.seg.nrrd`",
    "pynrrd, as 3D Slicer",
    "an extent that is cropped to the segments, or goes beyond the image",
    "at its place on the image's grid, 0 elsewhere; refused where it shows something outside of the image, or its "
    "voxels are others",
)
def test_a_cropped_segmentation_lies_at_its_place(tmp_path):
    _image(tmp_path)
    liver, _ = _liver_and_tumour()
    file = _segmentation(tmp_path / "lab/a.seg.nrrd", liver[1:4, 2:6, 1:4], [("liver", 1, 0)], start=(1, 2, 1))
    sample = _list(tmp_path, classes=["liver"]).cases[0].read()
    np.testing.assert_array_equal(sample.truth[::-1, ::-1, :, 0], liver)
    np.testing.assert_array_equal(sample.image[::-1, ::-1, :, 0], IMAGE)
    assert (sample.notes, sample.orientation) == ((), "LPS")
    larger = np.pad(liver, ((2, 1), (0, 3), (4, 0)))
    _segmentation(file, larger, [("liver", 1, 0)], start=(-2, 0, -4))
    np.testing.assert_array_equal(_list(tmp_path, classes=["liver"]).cases[0].read().truth[::-1, ::-1, :, 0], liver)
    larger[0, 0, 0] = 1
    _segmentation(file, larger, [("liver", 1, 0)], start=(-2, 0, -4))
    with pytest.raises(DataError, match=r"a\.seg\.nrrd: shows 1 voxels outside of its image"):
        _list(tmp_path, classes=["liver"]).cases[0].read()
    _segmentation(file, liver[1:4, 2:6, 1:4], [("liver", 1, 0)], start=(1.5, 2, 1))
    with pytest.raises(DataError, match=r"a\.nrrd is 6×7×5 and its mask .*a\.seg\.nrrd 3×4×3"):
        _list(tmp_path, classes=["liver"]).cases[0].read()


def test_a_segmentation_of_a_nifti_is_placed_too(tmp_path, write_volume):
    liver, _ = _liver_and_tumour()
    affine = np.diag([-1, -1, 1, 1]) @ np.block([[EDGES, ORIGIN[:, None]], [np.zeros(3), 1]])
    write_volume(tmp_path / "img/a.nii.gz", IMAGE[::-1, ::-1], affine=affine @ _flipped(IMAGE.shape))
    _segmentation(tmp_path / "lab/a.seg.nrrd", liver[1:4, 2:6, 1:4], [("liver", 1, 0)], start=(1, 2, 1))
    sample = _list(tmp_path, images="img/*.nii.gz", classes=["liver"]).cases[0].read()
    np.testing.assert_array_equal(sample.truth[::-1, ::-1, :, 0], liver)


def _flipped(shape):
    """From indices of an array mirrored along x and y to those before."""
    return np.array([[-1, 0, 0, shape[0] - 1], [0, -1, 0, shape[1] - 1], [0, 0, 1, 0], [0, 0, 0, 1]])


def test_letters_beyond_ascii_stay_in_names(tmp_path):
    liver, _ = _liver_and_tumour()
    file = _segmentation(tmp_path / "a.seg.nrrd", liver, [("Tumor_r", 1, 0), ("other", 2, 0)])
    file.write_bytes(file.read_bytes().replace(b"Tumor_r", "Tumör".encode() + b" r"))
    with pytest.raises(DataError, match=r"its segments are 'Tumör r', 'other'"):
        read_mask(file, Reading(segment="Tumor"))


def test_a_layer_that_is_not_there_is_damage(tmp_path):
    liver, _ = _liver_and_tumour()
    file = _segmentation(tmp_path / "a.seg.nrrd", liver, [("liver", 1, 3)])
    with pytest.raises(DataError, match="names segments in more layers than its 1; it is damaged"):
        read_mask(file)
