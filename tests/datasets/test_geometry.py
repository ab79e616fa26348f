from pathlib import Path

import nibabel
import numpy as np
import pytest
import tifffile

from unetbench.core.errors import DataError
from unetbench.datasets.geometry import aligned
from unetbench.datasets.readers import read_image, read_mask

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 4096, (24, 20, 6), np.int16)
LABELS = (IMAGE > 2000).astype(np.uint8)
AFFINE = np.array([[0.5, 0, 0, -20], [0, 1, 0, 30], [0, 0, 3, 7], [0, 0, 0, 1]])


def _aligned(image: Path, mask: Path, **options):
    return aligned(image, read_image(image), mask, read_mask(mask), **options)


def _moved(affine, *, mm=(0, 0, 0), edges=(1, 1, 1)):
    return affine @ np.diag([*edges, 1]) + np.array([[0, 0, 0, step] for step in (*mm, 0)])


@pytest.fixture
def pair(tmp_path, write_volume):
    def write(image=("RAS", AFFINE), mask=("RAS", AFFINE), forms=("sform", "sform")):
        return (
            write_volume(tmp_path / "image.nii", IMAGE, *image, form=forms[0]),
            write_volume(tmp_path / "mask.nii", LABELS, *mask, form=forms[1]),
        )

    return write


@pytest.mark.formats_row("Geometry", "NIfTI", "nibabel", "image and mask in different orientations", "both in RAS+")
@pytest.mark.parametrize("ignore", [False, True])
@pytest.mark.parametrize(("image", "mask"), [("RAS", "LPS"), ("LPS", "RAS"), ("PSR", "IAL"), ("LPS", "LPS")])
def test_a_mask_of_another_orientation_lies_where_its_image_lies(pair, image, mask, ignore):
    found = _aligned(*pair((image, AFFINE), (mask, AFFINE)), ignore=ignore)
    np.testing.assert_array_equal(found.array[..., 0], LABELS)
    assert found.notes == ()


@pytest.mark.formats_row(
    "Geometry",
    "NIfTI",
    "nibabel",
    "farther apart: origin, edges, rotation",
    "refused with both printed; `geometry: ignore` takes voxels in the order of the files, noted",
)
@pytest.mark.parametrize(
    ("other", "voxels"),
    [
        (_moved(AFFINE, mm=(0, 0, 3)), 1),
        (_moved(AFFINE, mm=(0.00056, 0, 0)), 0.00112),
        (_moved(AFFINE, edges=(1, 1.001, 1)), 0.019),  # the twentieth voxel, 19 edges away
        (_moved(AFFINE, edges=(1, 1, 2)), 5),
    ],
)
def test_another_place_is_refused_with_both_printed(pair, other, voxels):
    with pytest.raises(DataError) as caught:
        _aligned(*pair(mask=("RAS", other)))
    text = str(caught.value)
    assert "image.nii (RAS, 0.5×1×3 mm, first voxel in RAS at (-20, 30, 7)) and its mask" in text
    edges = "×".join(f"{edge:g}" for edge in np.diag(other)[:3])
    assert f"mask.nii (RAS, {edges} mm, first voxel in RAS at ({other[0, 3]:.6g}, 30, " in text
    assert "say `geometry: ignore`" in text
    assert "\n" not in text
    assert float(text.split(" lie ")[1].split()[0]) == pytest.approx(voxels, rel=0.01)


@pytest.mark.formats_row("Geometry", "NIfTI", "nibabel", "farther apart: origin, edges, rotation")
def test_another_rotation_is_refused(pair):
    turn = nibabel.eulerangles.euler2mat(0.01, 0, 0)
    turned = nibabel.affines.from_matvec(turn @ AFFINE[:3, :3], AFFINE[:3, 3])
    with pytest.raises(
        DataError, match=r"image\.nii \(RAS, 0\.5×1×3 mm, .*mask\.nii \(RAS, 0\.5×1×3 mm, .* voxels apart"
    ):
        _aligned(*pair(mask=("RAS", turned)))


@pytest.mark.formats_row(
    "Geometry",
    "NIfTI",
    "nibabel, SimpleITK",
    "image and mask of one shape whose corners lie within 1e-3 voxels",
    "the same place; a qform beside an sform may be off by what its quaternion rounds",
)
@pytest.mark.parametrize(
    "other",
    [_moved(AFFINE, mm=(1e-8, 0, 1e-8)), _moved(AFFINE, mm=(0.00045, 0, 0)), _moved(AFFINE, edges=(1, 1.00005, 1))],
)
def test_less_than_a_thousandth_of_a_voxel_passes(pair, other):
    np.testing.assert_array_equal(_aligned(*pair(mask=("RAS", other))).array[..., 0], LABELS)


@pytest.mark.formats_row(
    "Geometry",
    "NIfTI",
    "nibabel, SimpleITK",
    "image and mask of one shape whose corners lie within 1e-3 voxels",
)
@pytest.mark.parametrize(
    "angles", [(0.1, 0.2, 0.3), (3.141, 0, 0), (3.1415, 1e-4, 0), (0, 0, np.pi), (1e-3, 3.1, 0.02)]
)
@pytest.mark.parametrize("forms", [("sform", "qform"), ("qform", "sform")])
def test_a_qform_and_an_sform_of_the_same_oblique_place_pass(pair, angles, forms):
    turn = nibabel.eulerangles.euler2mat(*angles)
    affine = nibabel.affines.from_matvec(turn @ np.diag([0.5, 1.0, 3.0]), [-120.3, 98.7, 410.1])
    found = _aligned(*pair(("RAS", affine), ("RAS", affine), forms))
    np.testing.assert_array_equal(found.array, read_mask(pair(mask=("RAS", affine))[1]).array[..., None])


@pytest.mark.formats_row(
    "Geometry",
    "NIfTI",
    "nibabel, SimpleITK",
    "image and mask of one shape whose corners lie within 1e-3 voxels",
)
def test_a_qform_may_not_be_off_by_more_than_it_rounds(pair):
    with pytest.raises(DataError, match="voxels apart"):
        _aligned(*pair(mask=("RAS", _moved(AFFINE, mm=(0.01, 0, 0))), forms=("sform", "qform")))


@pytest.mark.formats_row("Geometry", "NIfTI", "nibabel", "farther apart: origin, edges, rotation")
@pytest.mark.parametrize("orientation", ["RAS", "LPS", "SLA"])
def test_an_ignored_difference_takes_voxels_in_the_order_of_the_files(tmp_path, write_volume, orientation):
    image = write_volume(tmp_path / "image.nii", IMAGE, orientation)
    stored = np.array(nibabel.load(write_volume(tmp_path / "right.nii", LABELS, orientation)).dataobj)
    nibabel.save(nibabel.Nifti1Image(stored, np.eye(4)), tmp_path / "mask.nii")
    found = _aligned(image, tmp_path / "mask.nii", ignore=True)
    np.testing.assert_array_equal(found.array[..., 0], LABELS)
    (note,) = found.notes
    assert "which is ignored: voxels correspond as in the files" in note


@pytest.mark.formats_row("Geometry", "NIfTI", "nibabel", "neither sform nor qform has a code")
@pytest.mark.formats_row(
    "Geometry",
    "NIfTI",
    "nibabel",
    "one of image and mask states no orientation",
    "as in the files, noted; edges that both state must agree, but for pixdim 1, 1, 1, which nibabel writes for none",
)
@pytest.mark.parametrize("forms", [("sform", "none"), ("none", "sform"), ("none", "none")])
def test_where_one_states_no_orientation_voxels_correspond_as_in_the_files(pair, forms):
    image, mask = pair(("LPS", AFFINE), ("LPS", AFFINE), forms)
    found = _aligned(image, mask)
    np.testing.assert_array_equal(found.array[..., 0] > 0, read_image(image).array[..., 0] > 2000)
    lacking = [
        f"the {name} states no orientation"
        for name, form in zip(("image", "mask"), forms, strict=True)
        if form == "none"
    ]
    assert [any(line.startswith(start) for line in found.notes) for start in lacking] == [forms[0] != forms[1]] * len(
        lacking
    )


@pytest.mark.formats_row("Geometry", "NIfTI", "nibabel", "one of image and mask states no orientation")
def test_edges_are_compared_in_the_order_of_the_files_where_one_states_no_orientation(tmp_path, write_volume):
    image = write_volume(tmp_path / "image.nii", IMAGE, "SLA")
    mask = write_volume(tmp_path / "mask.nii", LABELS, "SLA", form="none")
    np.testing.assert_array_equal(_aligned(image, mask).array[..., 0], LABELS)
    other = write_volume(tmp_path / "other.nii", LABELS, "SLA", np.diag([0.5, 1, 2, 1]), form="none")
    with pytest.raises(DataError, match=r"other\.nii \(2×0\.5×1 mm\) have other voxels; .*`geometry: ignore`"):
        _aligned(image, other)
    nibabel.save(nibabel.Nifti1Image(np.array(nibabel.load(mask).dataobj), None), tmp_path / "bare.nii")
    np.testing.assert_array_equal(_aligned(image, tmp_path / "bare.nii").array[..., 0], LABELS)


@pytest.mark.formats_row(
    "Geometry",
    "NIfTI",
    "nibabel",
    "shapes that differ once both are turned",
    "refused with both orientations; `geometry: ignore` if they are the same in the files",
)
def test_axes_that_no_longer_fit_once_turned_say_so(tmp_path, write_volume):
    image = write_volume(tmp_path / "image.nii", IMAGE, "SLA")
    stored = np.array(nibabel.load(write_volume(tmp_path / "mask.nii", LABELS, "SLA")).dataobj)
    nibabel.save(nibabel.Nifti1Image(stored, AFFINE), tmp_path / "mask.nii")
    with pytest.raises(DataError, match=r"24×20×6 and its mask .* 6×24×20, with axes turned from SLA and RAS to RAS"):
        _aligned(image, tmp_path / "mask.nii")
    np.testing.assert_array_equal(_aligned(image, tmp_path / "mask.nii", ignore=True).array[..., 0], LABELS)


@pytest.mark.formats_row(
    "Geometry",
    "TIFF",
    "tifffile (ImageJ)",
    "image and mask that state different pixel sizes (by over 1e-3)",
    "refused with both printed; `geometry: ignore`",
)
def test_sizes_of_pixels_of_tiffs_must_agree_where_both_state_them(tmp_path):
    def write(name, resolution, **metadata):
        options = {"imagej": True, "resolution": (resolution, resolution), "metadata": {"axes": "YX", **metadata}}
        tifffile.imwrite(tmp_path / name, LABELS[..., 0], **options)
        return tmp_path / name

    image = write("image.tif", 2, unit="um")
    for mask in (write("same.tif", 2.0005, unit="um"), write("none.tif", 1)):
        np.testing.assert_array_equal(_aligned(image, mask).array[..., 0], LABELS[..., 0])
    other = write("other.tif", 4, unit="um")
    with pytest.raises(DataError, match=r"image\.tif \(0\.0005×0\.0005 mm\) and its mask .*\(0\.00025×0\.00025 mm\)"):
        _aligned(image, other)
    (note,) = _aligned(image, other, ignore=True).notes
    assert "is ignored" in note


@pytest.mark.formats_row("Geometry", "NIfTI", "nibabel, SimpleITK", "any of the 48 orientations, sform or qform")
@pytest.mark.parity
def test_what_simpleitk_writes_lies_where_it_says(tmp_path, write_volume):
    """It keeps z, y, x in LPS: a volume it read and wrote has the same voxels at the same places."""
    sitk = pytest.importorskip("SimpleITK", reason="needs SimpleITK")
    for orientation in ("RAS", "LPS", "PIR", "SRA"):
        image = write_volume(tmp_path / "image.nii", IMAGE, orientation)
        mask = sitk.ReadImage(str(image)) > 2000
        sitk.WriteImage(mask, str(tmp_path / "same.nii.gz"))
        sitk.WriteImage(sitk.DICOMOrient(mask, "LPS"), str(tmp_path / "other.nii.gz"))
        for name in ("same.nii.gz", "other.nii.gz"):
            np.testing.assert_array_equal(_aligned(image, tmp_path / name).array[..., 0], LABELS)


@pytest.mark.formats_row(
    "Geometry",
    "NIfTI",
    "nibabel, SimpleITK",
    "image and mask of one shape whose corners lie within 1e-3 voxels",
)
@pytest.mark.parity
def test_a_mask_that_simpleitk_made_of_an_oblique_qform_passes(tmp_path, write_volume):
    sitk = pytest.importorskip("SimpleITK", reason="needs SimpleITK")
    for angles in ((0.1, 0.2, 0.3), (1e-4, 2e-4, np.pi), (3.1414, 1e-4, 0)):
        turn = nibabel.eulerangles.euler2mat(*angles)
        affine = nibabel.affines.from_matvec(turn @ np.diag([0.5, 1.0, 3.0]), [-120.3, 98.7, 410.1])
        image = write_volume(tmp_path / "image.nii", IMAGE, affine=affine, form="qform")
        sitk.WriteImage(sitk.ReadImage(str(image)) > 2000, str(tmp_path / "mask.nii"))
        found = _aligned(image, tmp_path / "mask.nii")
        np.testing.assert_array_equal(found.array[..., 0] > 0, read_image(image).array[..., 0] > 2000)
