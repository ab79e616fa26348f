"""The same volume in every orientation, written by SimpleITK in each format of volumes, is one picture."""

import numpy as np
import pytest
from nibabel.orientations import apply_orientation, axcodes2ornt, inv_ornt_aff, ornt_transform

from unetbench.datasets.readers import read_image

from .test_anatomical import ORIENTATIONS

itk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed (extra itk)")

VOLUME = np.random.default_rng(0).integers(0, 4096, (4, 5, 6), np.int16)
_ANGLES = np.deg2rad([10, -7, 5])


def _oblique():
    """Edges of 0.5, 1 and 3 mm along axes turned by 10, -7 and 5 degrees about x, y and z."""
    turn = np.eye(3)
    for axis, angle in enumerate(_ANGLES):
        one = np.eye(3)
        a, b = [k for k in range(3) if k != axis]
        one[[a, a, b, b], [a, b, a, b]] = np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)
        turn = turn @ one
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turn * [0.5, 1, 3], (-20, 30, 7)
    return affine


def itk_image(array, affine, orientation):
    """An array (x, y, z) in RAS+, its voxels at the same places, as an image of another orientation."""
    turn = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(orientation))
    placed = np.diag([-1, -1, 1, 1]) @ affine @ inv_ornt_aff(turn, array.shape)
    image = itk.GetImageFromArray(np.ascontiguousarray(apply_orientation(array, turn).T))
    edges = np.linalg.norm(placed[:3, :3], axis=0)
    image.SetSpacing(edges.tolist())
    image.SetDirection((placed[:3, :3] / edges).ravel().tolist())
    image.SetOrigin(placed[:3, 3].tolist())
    return image


@pytest.mark.formats_row(
    "Geometry",
    "NRRD, MHA, MHD",
    "SimpleITK",
    "any of the 48 orientations, oblique too",
    "the same voxels in RAS+, as a NIfTI of SimpleITK is read",
)
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_every_format_gives_the_same_picture_in_every_orientation(tmp_path, orientation):
    image = itk_image(VOLUME, affine := _oblique(), orientation)
    for kind in (".nii", ".nrrd", ".mha", ".mhd"):
        itk.WriteImage(image, str(tmp_path / f"a{kind}"))
        found = read_image(tmp_path / f"a{kind}")
        np.testing.assert_array_equal(found.array[..., 0], VOLUME)
        np.testing.assert_allclose(found.affine, affine, atol=1e-5)
        assert (found.spacing_mm, found.orientation, found.notes) == ((0.5, 1.0, 3.0), orientation, ())


@pytest.mark.formats_row(
    "Geometry",
    "DICOM series",
    "pydicom",
    "any of the 48 orientations, oblique too; slices in files of any name and InstanceNumber",
    "the same voxels in RAS+, as SimpleITK reads them; slices are sorted by ImagePositionPatient along their normal",
)
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_dicom_series_is_the_same_picture_in_every_orientation(tmp_path, write_series, orientation):
    turn = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(orientation))
    placed = np.diag([-1, -1, 1, 1]) @ _oblique() @ inv_ornt_aff(turn, VOLUME.shape)
    write_series(tmp_path / "1.2.3", apply_orientation(VOLUME, turn), placed)
    found = read_image(tmp_path / "1.2.3")
    np.testing.assert_array_equal(found.array[..., 0], VOLUME)
    np.testing.assert_allclose(found.affine, _oblique(), atol=1e-5)
    assert (found.spacing_mm, found.spacing_source, found.notes) == ((0.5, 1.0, 3.0), "DICOM header", ())
    reader = itk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path / "1.2.3")))
    itk.WriteImage(reader.Execute(), str(tmp_path / "a.nii"))
    other = read_image(tmp_path / "a.nii")
    np.testing.assert_array_equal(other.array, found.array)
    np.testing.assert_allclose(other.affine, found.affine, atol=1e-4)


@pytest.mark.formats_row(
    "Geometry",
    "NRRD",
    "pynrrd, SimpleITK",
    "edges in µm by `space units`, read by SimpleITK 2.5 and saved",
    "1000 times too large, for SimpleITK ignores the units and its copy says none; the file of pynrrd itself in mm",
)
def test_micrometres_of_a_nrrd_are_lost_in_a_copy_of_itk(tmp_path):
    nrrd = pytest.importorskip("nrrd", reason="pynrrd is not installed")
    edges = np.diag([500.0, 1000, 3000])
    nrrd.write(str(tmp_path / "a.nrrd"), VOLUME, {"space": "LPS", "space directions": edges, "space units": ["um"] * 3})
    assert read_image(tmp_path / "a.nrrd").spacing_mm == (0.5, 1.0, 3.0)
    itk.WriteImage(itk.ReadImage(str(tmp_path / "a.nrrd")), str(tmp_path / "b.nrrd"))
    assert read_image(tmp_path / "b.nrrd").spacing_mm == (500.0, 1000.0, 3000.0)
