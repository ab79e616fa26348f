"""DICOM as pydicom writes it: series in folders, single images, what makes up no volume."""

import numpy as np
import pytest

from unetbench.core.errors import DataError
from unetbench.datasets import DATASETS
from unetbench.datasets.readers import Reading, files_of, kind_of, pages_in, read_image
from unetbench.datasets.source import Source

pydicom = pytest.importorskip("pydicom", reason="pydicom is not installed (extra dicom)")

VOLUME = np.random.default_rng(0).integers(0, 4096, (4, 5, 6), np.int16)
AFFINE = np.array([[0.5, 0, 0, 20], [0, 1, 0, -30], [0, 0, 3, 7], [0, 0, 0, 1]])
"""To LPS: edges of 0.5, 1 and 3 mm."""


@pytest.mark.formats_row(
    "Geometry",
    "DICOM series",
    "pydicom",
    "RescaleSlope and RescaleIntercept, which may differ from slice to slice (PET); a lookup table",
    "the quantities: whole numbers where slope and intercept are, of 16 bits where they fit, else float32",
)
def test_values_are_rescaled_slice_by_slice(tmp_path, write_series):
    found = read_image(write_series(tmp_path / "ct", VOLUME, AFFINE, RescaleIntercept=-1024))
    np.testing.assert_array_equal(found.array[::-1, ::-1, :, 0], VOLUME - 1024)
    assert (found.array.dtype, found.spacing_mm, found.orientation) == (np.int16, (0.5, 1.0, 3.0), "LPS")
    assert (found.notes, found.depth) == ((), 2)
    pet = read_image(write_series(tmp_path / "pet", VOLUME, AFFINE, RescaleSlope=lambda k: 0.5 * (k + 1)))
    assert pet.array.dtype == np.float32
    np.testing.assert_allclose(pet.array[::-1, ::-1, :, 0], VOLUME * (0.5 * np.arange(1, 7)))
    wide = read_image(write_series(tmp_path / "wide", VOLUME, AFFINE, RescaleSlope=100))
    np.testing.assert_array_equal(wide.array[::-1, ::-1, :, 0], VOLUME.astype(np.int32) * 100)


def test_a_lookup_table_gives_the_values(tmp_path, write_series):
    table = pydicom.Dataset()
    table.LUTDescriptor, table.ModalityLUTType = [4096, 0, 16], "US"
    table.LUTData = np.arange(4095, -1, -1, dtype="<u2").tobytes()
    table["LUTData"].VR = "OW"
    found = read_image(write_series(tmp_path / "a", VOLUME.astype(np.uint16), AFFINE, ModalityLUTSequence=[table]))
    np.testing.assert_array_equal(found.array[::-1, ::-1, :, 0], 4095 - VOLUME)


@pytest.mark.formats_row(
    "Geometry",
    "DICOM series",
    "pydicom",
    "a slice missing, slices at other distances (by over 5 %), two at one place, of other sizes, directions or edges",
    "refused, naming the files",
)
def test_slices_that_make_up_no_grid_are_one_line(tmp_path, write_series):
    folder = write_series(tmp_path / "a", VOLUME, AFFINE)
    lost = [file for file in folder.iterdir() if pydicom.dcmread(file).ImagePositionPatient[2] == 13]
    kept = lost[0].read_bytes()
    lost[0].unlink()
    with pytest.raises(DataError, match=r"a: its slices are 3 mm apart, but IM\d+ and IM\d+ 6 mm; slices are missing"):
        read_image(folder)
    lost[0].write_bytes(kept)
    (folder / "copy").write_bytes(kept)
    with pytest.raises(DataError, match=r"a: \w+ and \w+ lie at one place, as points of time"):
        read_image(folder)
    (folder / "copy").unlink()
    for what, name, value in (
        ("size", "Rows", 4),
        ("orientation", "ImageOrientationPatient", [0, 1, 0, 1, 0, 0]),
        ("distance of pixels", "PixelSpacing", [1, 1]),
    ):
        data = pydicom.dcmread(lost[0])
        setattr(data, name, value)
        data.save_as(lost[0])
        with pytest.raises(DataError, match=rf"the slice \w+ has another {what} than \w+, as localizers have"):
            read_image(folder)
        lost[0].write_bytes(kept)
    data = pydicom.dcmread(lost[0])
    del data.ImagePositionPatient
    data.save_as(lost[0])
    with pytest.raises(DataError, match=r"does not say where its slices lie \(ImagePositionPatient"):
        read_image(folder)


def test_places_that_are_rounded_are_a_grid(tmp_path, write_series):
    fine = AFFINE * [1, 1, 0.2, 1]  # slices 0.6 mm apart, their places off by 0.01 mm
    heights = [7, 7.61, 8.2, 8.81, 9.4, 10.01]
    places = {"ImagePositionPatient": lambda k: [20, -30, heights[k]]}
    found = read_image(write_series(tmp_path / "a", VOLUME, fine, **places))
    np.testing.assert_array_equal(found.array[::-1, ::-1, :, 0], VOLUME)
    # from 7 to 10.01 mm in 5 steps
    np.testing.assert_allclose(found.spacing_mm, (0.5, 1.0, 3.01 / 5))


@pytest.mark.formats_row(
    "Geometry", "DICOM series", "pydicom", "several series in a folder", "refused, naming them and their files' numbers"
)
def test_several_series_in_a_folder_are_named(tmp_path, write_series):
    write_series(tmp_path / "a", VOLUME, AFFINE, SeriesDescription="portal")
    write_series(tmp_path / "b", VOLUME[..., :2], AFFINE, SeriesDescription="native", SeriesNumber=3)
    for file in (tmp_path / "b").iterdir():
        file.rename(tmp_path / "a" / f"b{file.name}")
    with pytest.raises(
        DataError, match=r"holds 2 series: 4 portal \(6 files\), 3 native \(2 files\); give each a fold"
    ):
        read_image(tmp_path / "a")


@pytest.mark.formats_row(
    "Geometry",
    "DICOM series",
    "pydicom",
    "slices that a tilted gantry shifts",
    "as they are, at their places, noted; they are not resampled",
)
def test_a_tilted_gantry_is_noted(tmp_path, write_series):
    tilted = AFFINE.copy()
    tilted[1, 2] = 0.6
    # the edges that write_series derives are those of rows and columns; the slices' is of their thickness alone
    found = read_image(write_series(tmp_path / "a", VOLUME, tilted))
    assert [note.startswith("slices are shifted") for note in found.notes] == [True]
    np.testing.assert_allclose(np.abs(found.affine[:3, 2]), [0, 0.6, 3])


@pytest.mark.formats_row(
    "Images", "DICOM", "pydicom", "MONOCHROME1", "values mirrored within the range of their bits, noted"
)
def test_white_zero_is_mirrored_and_noted(tmp_path, write_series):
    stored = VOLUME.astype(np.uint16)
    found = read_image(
        write_series(tmp_path / "a", stored, AFFINE, PhotometricInterpretation="MONOCHROME1", BitsStored=12, HighBit=11)
    )
    np.testing.assert_array_equal(found.array[::-1, ::-1, :, 0], 4095 - stored)
    assert [note.startswith("the lowest value is shown white") for note in found.notes] == [True]


@pytest.mark.formats_row(
    "Images",
    "DICOM (`.dcm`)",
    "pydicom",
    "a file of one image; colours",
    "an image, rows first, RGB; edges of PixelSpacing, none of ImagerPixelSpacing, noted",
)
def test_a_file_of_one_image_is_two_dimensional(tmp_path, write_series):
    (file,) = write_series(tmp_path / "a", VOLUME[..., :1], AFFINE, RescaleIntercept=-1024).iterdir()
    file = file.rename(tmp_path / "a.dcm")
    found = read_image(file)
    np.testing.assert_array_equal(found.array[..., 0], VOLUME[..., 0].T - 1024)
    assert (found.spacing_mm, found.spacing_source, found.notes) == ((1.0, 0.5), "DICOM header", ())
    data = pydicom.dcmread(file)
    del data.PixelSpacing
    data.ImagerPixelSpacing = [0.2, 0.2]
    data.save_as(file)
    found = read_image(file)
    assert (found.spacing_mm, found.notes[0].partition(" is ")[0]) == (None, "ImagerPixelSpacing")
    colours = np.random.default_rng(0).integers(0, 256, (5, 4, 3), np.uint8)
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PlanarConfiguration = 3, "RGB", 0
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation, data.PixelData = 7, 0, colours.tobytes()
    del data.RescaleSlope, data.RescaleIntercept
    data.save_as(file)
    np.testing.assert_array_equal(read_image(file).array, colours)
    data.PhotometricInterpretation = "PALETTE COLOR"
    data.save_as(file)
    with pytest.raises(DataError, match="its colours are PALETTE COLOR; save it as grey or RGB"):
        read_image(file)


@pytest.mark.formats_row(
    "Geometry",
    "DICOM (`.dcm`)",
    "pydicom",
    "frames that do not say where they lie (ultrasound)",
    "time: refused; `pages: frames` makes a case of each frame",
)
def test_frames_without_places_are_time(tmp_path, write_series):
    (file,) = write_series(tmp_path / "a", VOLUME[..., :1], AFFINE).iterdir()
    data = pydicom.dcmread(file)
    movie = np.stack([VOLUME[..., k].T for k in range(6)])
    data.NumberOfFrames, data.PixelData = 6, movie.tobytes()
    file = tmp_path / "a.dcm"
    data.save_as(file)
    with pytest.raises(DataError, match=r"a\.dcm: has an axis of time \(6 frames\); say `pages: frames`"):
        read_image(file)
    found = read_image(file, Reading(pages="frames"))
    np.testing.assert_array_equal(found.array[..., 0], movie)
    assert found.frames
    assert len(pages_in(file, Reading(pages="frames"))) == 6


@pytest.mark.formats_row(
    "Geometry",
    "DICOM series",
    "pydicom",
    "other files in its folder",
    "left out, noted; hidden files and DICOMDIR without a word",
)
def test_a_series_is_read_from_all_files_of_its_folder(tmp_path, write_series):
    folder = write_series(tmp_path / "1.2.840", VOLUME, AFFINE)
    assert kind_of(folder) == "/"
    assert len(files_of(folder)) == 6
    (folder / "DICOMDIR").write_bytes(b"")
    (folder / ".hidden").write_bytes(b"")
    assert read_image(folder).notes == ()
    last = max(folder.glob("IM*"), key=lambda file: pydicom.dcmread(file).ImagePositionPatient[2])
    whole = last.read_bytes()
    for kept in (0, 300, 500):  # nothing, and heads that end before the size of the image
        last.write_bytes(whole[:kept])
        with pytest.raises(DataError, match=rf"{last.name}: "):
            read_image(folder)
    last.write_bytes(whole)
    (folder / "notes.txt").write_text("seen")
    assert read_image(folder).notes == ("files that are no DICOM images were left out of its folder",)


@pytest.mark.parametrize("kept", [0, 0.1, 0.5, 0.97])
def test_what_is_cut_short_or_damaged_is_one_line(tmp_path, write_series, kept):
    (file,) = write_series(tmp_path / "a", VOLUME[..., :1], AFFINE).iterdir()
    content = file.read_bytes()
    (tmp_path / "a.dcm").write_bytes(content[: int(kept * len(content))])
    with pytest.raises(DataError, match=r"a\.dcm: ") as error:
        read_image(tmp_path / "a.dcm")
    assert "\n" not in str(error.value)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty: has no files; a folder that is an image holds the slices"):
        read_image(tmp_path / "empty")


@pytest.mark.formats_row(
    "Images",
    "DICOM",
    "pydicom",
    "packed by a codec without decoder",
    "refused, naming the codec and the packages that decode it",
)
def test_a_codec_without_decoder_is_named(tmp_path, write_series):
    (file,) = write_series(tmp_path / "a", VOLUME[..., :1], AFFINE).iterdir()
    data = pydicom.dcmread(file)
    data.file_meta.TransferSyntaxUID = pydicom.uid.JPEGLosslessSV1
    if pydicom.pixels.get_decoder(pydicom.uid.JPEGLosslessSV1).is_available:
        pytest.skip("a decoder of lossless JPEG is installed")
    data.PixelData = pydicom.encaps.encapsulate([b"\xff\xd8\xff\xd9"])
    data["PixelData"].VR = "OB"
    data.save_as(tmp_path / "a.dcm")
    with pytest.raises(
        DataError, match=r"a\.dcm: is packed as JPEG Lossless, .* for which no decoder is installed; pip"
    ):
        read_image(tmp_path / "a.dcm")


def test_folders_of_series_are_cases_by_a_glob_that_ends_with_a_slash(tmp_path, write_series, write_volume):
    ras = np.diag([-1, -1, 1, 1]) @ AFFINE
    for name in ("1.2.3", "1.2.4"):
        write_series(tmp_path / "ct" / name, VOLUME, AFFINE)
        flip = np.array([[-1, 0, 0, 3], [0, -1, 0, 4], [0, 0, 1, 0], [0, 0, 0, 1]])
        write_volume(tmp_path / f"lab/{name}.nii.gz", (VOLUME > 2000)[::-1, ::-1].astype(np.uint8), affine=ras @ flip)
    options = {"path": str(tmp_path), "images": "ct/*/", "masks": "lab/*.nii.gz", "classes": ["organ"]}
    dataset = DATASETS["folder"](Source(None, tmp_path / "cache"), **options)
    assert [case.name for case in dataset.cases] == ["1.2.3", "1.2.4"]
    assert [len(case.files) for case in dataset.cases] == [7, 7]
    sample = dataset.cases[0].read()
    np.testing.assert_array_equal(sample.truth[..., 0], sample.image[..., 0] > 2000)
    assert sample.spacing_mm == (0.5, 1.0, 3.0)
    sliced = DATASETS["folder"](Source(None, tmp_path / "cache"), **options, pages="cases")
    assert len(sliced.cases) == 12
    np.testing.assert_array_equal(sliced.cases[1].read().image, sample.image[:, :, 1])


@pytest.mark.formats_row(
    "Geometry",
    "DICOM (`.dcm`)",
    "highdicom (legacy converted enhanced CT)",
    "frames that say where they lie, in any order",
    "a volume, as a series; slope and intercept of each frame",
)
def test_an_enhanced_file_is_the_volume_of_its_series(tmp_path, write_series):
    highdicom = pytest.importorskip("highdicom", reason="highdicom, which writes enhanced files, is not installed")
    from highdicom.legacy import LegacyConvertedEnhancedCTImage

    folder = write_series(
        tmp_path / "a", VOLUME, AFFINE, RescaleIntercept=lambda k: -1000 - k, ImageType=["ORIGINAL", "PRIMARY", "AXIAL"]
    )
    series = read_image(folder)
    sources = [pydicom.dcmread(file) for file in sorted(folder.iterdir())]
    data = LegacyConvertedEnhancedCTImage(sources, highdicom.UID(), 1, highdicom.UID(), 1)
    data.save_as(tmp_path / "a.dcm")
    found = read_image(tmp_path / "a.dcm")
    np.testing.assert_array_equal(found.array, series.array)
    np.testing.assert_allclose(found.affine, series.affine)
    assert (found.spacing_mm, found.orientation, found.notes) == (series.spacing_mm, "LPS", ())
