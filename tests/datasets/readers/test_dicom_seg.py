"""DICOM segmentations as highdicom writes them, beside the series that they were made of."""

import numpy as np
import pytest

from unetbench.core.errors import DataError
from unetbench.datasets import DATASETS
from unetbench.datasets.readers import Reading, read_image, read_mask
from unetbench.datasets.source import Source

pydicom = pytest.importorskip("pydicom", reason="pydicom is not installed (extra dicom)")
highdicom = pytest.importorskip("highdicom", reason="highdicom, which writes segmentations, is not installed")

IMAGE = np.random.default_rng(0).integers(0, 4096, (6, 7, 8), np.int16)
AFFINE = np.array([[0.5, 0, 0, 20], [0, 1, 0, -30], [0, 0, 3, 7], [0, 0, 0, 1]])
"""To LPS: edges of 0.5, 1 and 3 mm."""


def _liver_and_tumour():
    """Two regions (columns, rows, slices), the second inside the first; both leave the first and last slices empty."""
    liver, tumour = np.zeros((2, *IMAGE.shape), np.uint8)
    liver[1:5, 2:6, 2:7] = 1
    liver[2, 3, 2] = 0  # no symmetry along slices
    tumour[2:4, 3:5, [3, 5]] = 1
    return liver, tumour


def _segment(file, folder, masks, kind="BINARY", *, names=("liver", "tumour"), **options):
    """masks: (columns, rows, slices, k), or labels (columns, rows, slices), in ascending order of slices."""
    from highdicom.seg import Segmentation, SegmentDescription
    from pydicom.sr.codedict import codes

    sources = sorted((pydicom.dcmread(one) for one in folder.iterdir()), key=lambda one: one.ImagePositionPatient[2])
    described = [
        SegmentDescription(number, name, codes.SCT.Organ, codes.SCT.Liver, "MANUAL")
        for number, name in enumerate(names, 1)
    ]
    array = np.moveaxis(masks, 2, 0).swapaxes(1, 2)
    data = Segmentation(
        sources,
        np.ascontiguousarray(array),
        kind,
        described,
        highdicom.UID(),
        100,
        highdicom.UID(),
        1,
        "a",
        "b",
        "1",
        "c",
        **options,
    )
    file.parent.mkdir(exist_ok=True)
    data.save_as(file)
    return data


def _upright(array):
    return array[::-1, ::-1]


@pytest.fixture
def series(tmp_path, write_series):
    return write_series(tmp_path / "ct" / "a", IMAGE, AFFINE)


def _list(home, **options):
    options = {"path": str(home), "images": "ct/*/", "masks": "seg/*.dcm", **options}
    return DATASETS["folder"](Source(None, home / "cache"), **options)


@pytest.mark.formats_row(
    "Masks",
    "DICOM-SEG, binary, beside the DICOM series",
    "highdicom",
    "the numbers of the segments; each frame at the slice that it refers to, in any order; slices without one are 0",
    "segments that overlap (by name instead); frames that refer to another series, or lie elsewhere than their slice",
    "no",
)
def test_frames_go_to_the_slices_that_they_refer_to(tmp_path, series):
    liver, tumour = _liver_and_tumour()
    apart = np.stack([np.where(tumour, 0, liver), tumour], -1)
    data = _segment(tmp_path / "seg/a.dcm", series, apart)
    heights = [
        float(one.PlanePositionSequence[0].ImagePositionPatient[2]) for one in data.PerFrameFunctionalGroupsSequence
    ]
    assert len(heights) == 7  # five slices of the liver and two of the tumour, of 16
    assert heights[:5] == sorted(heights[:5], reverse=True)  # the head first, while the series is sorted from the feet
    sample = _list(tmp_path, classes={"background": 0, "liver": 1, "tumour": 2}).cases[0].read()
    np.testing.assert_array_equal(sample.truth[..., 0], _upright(np.where(tumour, 2, liver)))
    np.testing.assert_array_equal(sample.image[..., 0], _upright(IMAGE))


@pytest.mark.formats_row(
    "Masks",
    "DICOM-SEG, segments that overlap",
    "highdicom",
    "by `masks` from the labels of segments to the same glob, a plane each",
    "as one label image; a label that no segment or several have",
    "no",
)
def test_segments_that_overlap_are_read_by_name(tmp_path, series):
    liver, tumour = _liver_and_tumour()
    _segment(tmp_path / "seg/a.dcm", series, np.stack([liver, tumour], -1))
    with pytest.raises(DataError, match=r"its segments 'liver' and 'tumour' overlap, and a label image holds one"):
        _list(tmp_path, classes={"background": 0, "liver": 1, "tumour": 2}).cases[0].read()
    truth = _list(tmp_path, masks={"tumour": "seg/*.dcm", "liver": "seg/*.dcm"}).cases[0].read().truth
    np.testing.assert_array_equal(truth, np.stack([_upright(tumour), _upright(liver)], -1))


@pytest.mark.formats_row(
    "Masks", "DICOM-SEG, label map", "highdicom", "the labels, which are the numbers of the segments", "", "no"
)
def test_a_label_map_is_its_labels(tmp_path, series):
    liver, tumour = _liver_and_tumour()
    labels = np.where(tumour, 2, liver).astype(np.uint8)
    _segment(tmp_path / "seg/a.dcm", series, labels, "LABELMAP")
    sample = _list(tmp_path, classes={"background": 0, "liver": 1, "tumour": 2}).cases[0].read()
    np.testing.assert_array_equal(sample.truth[..., 0], _upright(labels))


@pytest.mark.formats_row(
    "Masks",
    "DICOM-SEG, fractional",
    "highdicom",
    "the fractions of one segment, with `threshold: 0.5`",
    "without a threshold; several segments at once",
    "no",
)
def test_fractions_need_a_threshold(tmp_path, series):
    liver, _ = _liver_and_tumour()
    fractions = liver * np.random.default_rng(0).uniform(0.01, 1, liver.shape)
    _segment(
        tmp_path / "seg/a.dcm", series, fractions[..., None], "FRACTIONAL", names=("liver",), max_fractional_value=200
    )
    with pytest.raises(DataError, match=r"save labels as integers, or say `threshold: 0\.5` where these are probab"):
        _list(tmp_path, classes=["liver"]).cases[0].read()
    sample = _list(tmp_path, classes=["liver"], threshold=0.5).cases[0].read()
    expected = _upright(np.round(fractions * 200) >= 100)
    np.testing.assert_array_equal(sample.truth[..., 0], expected)


@pytest.mark.formats_row(
    "Geometry",
    "DICOM-SEG",
    "highdicom",
    "beside an image that is no DICOM (a NIfTI of the series)",
    "frames at the places that they state, on the image's grid",
)
def test_a_segmentation_beside_a_nifti_lies_where_it_says(tmp_path, series, write_volume):
    liver, tumour = _liver_and_tumour()
    _segment(tmp_path / "seg/a.dcm", series, np.stack([np.where(tumour, 0, liver), tumour], -1))
    upright = read_image(series)
    write_volume(tmp_path / "nii/a.nii.gz", upright.array[..., 0], "PIR", affine=upright.affine)
    sample = _list(tmp_path, images="nii/*.nii.gz", classes={"background": 0, "liver": 1, "tumour": 2}).cases[0].read()
    np.testing.assert_array_equal(sample.truth[..., 0], _upright(np.where(tumour, 2, liver)))
    alone = read_mask(tmp_path / "seg/a.dcm")
    assert (alone.array.shape, alone.partial) == ((6, 7, 5), True)
    # of the tumour alone slices 3 and 5 are there, 6 mm apart: the file says that slices are 3 mm apart
    _segment(tmp_path / "seg/a.dcm", series, tumour[..., None], names=("tumour",))
    sample = _list(tmp_path, images="nii/*.nii.gz", classes=["tumour"]).cases[0].read()
    np.testing.assert_array_equal(sample.truth[..., 0], _upright(tumour))


def test_a_segmentation_of_another_series_is_refused(tmp_path, series, write_series):
    liver, _ = _liver_and_tumour()
    other = write_series(tmp_path / "other", IMAGE, AFFINE)
    _segment(tmp_path / "seg/a.dcm", other, liver[..., None], names=("liver",))
    with pytest.raises(DataError, match=r"a\.dcm: its frame 1 refers to an image that is not in .*ct/a"):
        _list(tmp_path, classes=["liver"]).cases[0].read()


def test_slices_whose_places_are_rounded_have_their_frames(tmp_path, write_series):
    heights = [7, 10.05, 13, 16.05, 19, 22.05, 25, 28.05]
    folder = write_series(tmp_path / "ct" / "a", IMAGE, AFFINE, ImagePositionPatient=lambda k: [20, -30, heights[k]])
    liver, _ = _liver_and_tumour()
    _segment(tmp_path / "seg/a.dcm", folder, liver[..., None], names=("liver",))
    sample = _list(tmp_path, classes=["liver"]).cases[0].read()
    np.testing.assert_array_equal(sample.truth[..., 0], _upright(liver))


def test_a_frame_that_lies_elsewhere_than_its_slice_is_refused(tmp_path, series):
    liver, _ = _liver_and_tumour()
    data = _segment(tmp_path / "seg/a.dcm", series, liver[..., None], names=("liver",))
    data.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence[0].ImagePositionPatient[2] = 10.0
    data.save_as(tmp_path / "seg/a.dcm")
    with pytest.raises(DataError, match=r"a\.dcm: its frame 2 lies at slice 2 of its image of 8 and refers to slice 6"):
        _list(tmp_path, classes=["liver"]).cases[0].read()


def test_frames_without_references_go_to_the_slices_at_their_places(tmp_path, series):
    liver, _ = _liver_and_tumour()
    data = _segment(tmp_path / "seg/a.dcm", series, liver[..., None], names=("liver",))
    for groups in data.PerFrameFunctionalGroupsSequence:
        del groups.DerivationImageSequence
    data.save_as(tmp_path / "seg/a.dcm")
    sample = _list(tmp_path, classes=["liver"]).cases[0].read()
    np.testing.assert_array_equal(sample.truth[..., 0], _upright(liver))


def test_a_segmentation_of_one_slice_of_pixels_elsewhere_is_refused(tmp_path, series):
    liver, _ = _liver_and_tumour()
    data = _segment(tmp_path / "seg/a.dcm", series, liver[..., None], names=("liver",))
    shared = data.SharedFunctionalGroupsSequence[0]
    shared.PixelMeasuresSequence[0].PixelSpacing = [1, 1]
    data.save_as(tmp_path / "seg/a.dcm")
    with pytest.raises(
        DataError, match="lie 5 voxels apart; resample the mask"
    ):  # 5 voxels, 0.5 mm too far each, are 5 of 0.5 mm
        _list(tmp_path, classes=["liver"]).cases[0].read()


def test_a_name_that_is_not_there_names_the_segments(tmp_path, series):
    liver, _ = _liver_and_tumour()
    _segment(tmp_path / "seg/a.dcm", series, liver[..., None], names=("liver",))
    with pytest.raises(DataError, match=r"has no segment 'spleen', its segments are 'liver'"):
        read_mask(tmp_path / "seg/a.dcm", Reading(segment="spleen", shared=True))
