"""MetaImage as SimpleITK writes it, and heads that other programs leave."""

import subprocess
import sys

import numpy as np
import pytest

from unetbench.core.errors import DataError, SpecError
from unetbench.datasets.readers import Reading, files_of, read_image, read_mask
from unetbench.datasets.readers.extras import required

VOLUME = np.random.default_rng(0).integers(0, 4096, (6, 5, 4), np.int16)


@pytest.fixture
def itk():
    return pytest.importorskip("SimpleITK", reason="SimpleITK is not installed (extra itk)")


def _write(itk, file, array=VOLUME, *, packed=False, vector=False):
    """An array of the slowest axis first, as SimpleITK takes it."""
    image = itk.GetImageFromArray(array, isVector=vector)
    if image.GetDimension() == 3:
        image.SetSpacing((0.5, 1, 3))
        image.SetOrigin((20, -30, 7))
    itk.WriteImage(image, str(file), packed)
    return file


@pytest.mark.formats_row(
    "Geometry",
    "MHA, MHD",
    "SimpleITK",
    "three axes, packed or not; TransformMatrix, Offset, ElementSpacing",
    "the same voxels in RAS+, in millimetres; AnatomicalOrientation is not looked at, as in ITK",
)
@pytest.mark.parametrize("kind", [".mha", ".mhd"])
@pytest.mark.parametrize("packed", [False, True])
def test_voxels_and_places_are_those_written(itk, tmp_path, kind, packed):
    file = _write(itk, tmp_path / f"a{kind}", packed=packed)
    found = read_image(file)
    np.testing.assert_array_equal(found.array[..., 0], VOLUME.T[::-1, ::-1])
    assert (found.spacing_mm, found.spacing_source, found.orientation) == ((0.5, 1.0, 3.0), "MetaImage header", "LPS")
    assert (found.notes, found.array.dtype) == ((), np.int16)
    np.testing.assert_allclose(found.affine @ [0, 0, 0, 1], [-21.5, 26, 7, 1])  # as in test_nrrd.py
    assert read_image(file, Reading(outline=True)).array.shape == found.array.shape


def test_what_a_head_says_of_its_orientation_in_letters_is_not_looked_at(itk, tmp_path):
    file = _write(itk, tmp_path / "a.mhd")
    file.write_text(file.read_text().replace("= RAI", "= LPS"))
    assert read_image(file).orientation == "LPS"  # ITK's RAI: from right to left, anterior to posterior, inferior up


@pytest.mark.formats_row(
    "Images", "MHA, MHD", "SimpleITK", "two axes", "an image, rows first; no spacing where both edges are 1"
)
@pytest.mark.formats_row("Images", "MHA, MHD", "SimpleITK", "vectors, colours", "channels")
def test_images_have_rows_first_and_vectors_are_channels(itk, tmp_path):
    found = read_image(_write(itk, tmp_path / "a.mha", VOLUME[0]))
    np.testing.assert_array_equal(found.array[..., 0], VOLUME[0])
    assert (found.spacing_mm, found.depth) == (None, 0)
    found = read_image(_write(itk, tmp_path / "b.mha", VOLUME[..., :3], vector=True))
    np.testing.assert_array_equal(found.array, VOLUME[..., :3])
    found = read_image(_write(itk, tmp_path / "c.mha", np.stack([VOLUME, VOLUME + 1], -1), vector=True))
    np.testing.assert_array_equal(found.array[..., 1], VOLUME.T[::-1, ::-1] + 1)


@pytest.mark.formats_row(
    "Geometry", "MHA, MHD", "SimpleITK", "four axes", "channels, noted; `pages: frames` if it is time"
)
def test_a_fourth_axis_is_channels_or_frames(itk, tmp_path):
    file = _write(itk, tmp_path / "a.mha", np.stack([VOLUME, VOLUME + 1, VOLUME + 2]))
    found = read_image(file)
    assert found.array.shape == (4, 5, 6, 3)
    assert [note.startswith("the fourth axis of a MetaImage") for note in found.notes] == [True]
    found = read_image(file, Reading(pages="frames"))
    assert found.frames
    np.testing.assert_array_equal(found.array[2, ..., 0], VOLUME.T[::-1, ::-1] + 2)


@pytest.mark.formats_row(
    "Images",
    "MHD",
    "SimpleITK",
    "a header with its data beside it",
    "as one file; data in another folder or in several files are refused",
)
def test_a_header_reads_the_file_beside_it_and_no_other(itk, tmp_path):
    file = _write(itk, tmp_path / "a.mhd")
    assert files_of(file) == (file, tmp_path / "a.raw")
    text = file.read_text()
    for named in ("../a.raw", str(tmp_path / "a.raw"), "LIST", "a%03d.raw 1 6 1"):
        file.write_text(text.replace("a.raw", named))
        with pytest.raises(DataError, match=r"a\.mhd: (names .* beside it|its data are in several files)"):
            read_image(file)
    file.write_text(text)
    file.rename(tmp_path / "b.mha")
    with pytest.raises(DataError, match=r"b\.mha: has its data in another file, a\.raw; rename it to \.mhd"):
        read_image(tmp_path / "b.mha")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("length", [0, 30, -200, -1])
def test_what_is_cut_short_is_one_line_and_itk_prints_nothing(itk, tmp_path, packed, length, capfd):
    content = _write(itk, tmp_path / "a.mha", packed=packed).read_bytes()
    (tmp_path / "b.mha").write_bytes(content[:length])
    with pytest.raises(DataError, match=r"b\.mha: is no readable MetaImage; it is damaged or cut short"):
        read_image(tmp_path / "b.mha")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("old", "new"),
    [("NDims = 3", "NDims = 9"), ("1 0 0 0 1 0 0 0 1", "1 0 0 0 1 0 0 0 0"), ("MET_SHORT", "MET_NONSENSE")],
)
def test_a_damaged_head_is_one_line(itk, tmp_path, old, new):
    file = _write(itk, tmp_path / "a.mha")
    file.write_bytes(file.read_bytes().replace(old.encode(), new.encode()))
    with pytest.raises(DataError, match=r"a\.mha: ") as error:
        read_image(file)
    assert "\n" not in str(error.value)


def test_a_size_that_is_only_claimed_takes_no_memory(itk, tmp_path):
    file = _write(itk, tmp_path / "a.mha", packed=True)
    file.write_bytes(file.read_bytes().replace(b"DimSize = 4 5 6", b"DimSize = 400000 500000 6"))
    with pytest.raises(DataError, match="says that it holds"):
        read_image(file)


def test_labels_are_a_mask(itk, tmp_path):
    labels = (VOLUME % 3).astype(np.uint8)
    found = read_mask(_write(itk, tmp_path / "a.mha", labels))
    np.testing.assert_array_equal(found.array, labels.T[::-1, ::-1])


@pytest.mark.formats_row(
    "Images", "MHA, MHD", "SimpleITK", "without the package SimpleITK", "refused in one line that names the extra `itk`"
)
def test_without_its_package_the_extra_is_named():
    with pytest.raises(SpecError, match=r"^MetaImage needs the package nosuch; install it with .*'unetbench\[itk\]'$"):
        required("nosuch", "unetbench[itk]", "MetaImage")


def test_listing_formats_loads_no_package_of_theirs():
    names = "{'SimpleITK', 'nrrd', 'pydicom', 'zarr'}"
    code = f"import sys, unetbench.datasets.readers; print(sorted({names} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
