import nibabel
import numpy as np
import pytest

from unetbench.core.errors import DataError
from unetbench.datasets.readers import Reading, read_image, read_mask

VOLUME = np.random.default_rng(0).integers(0, 4096, (4, 5, 6), np.int16)
MOVIE = np.random.default_rng(0).integers(0, 4096, (4, 5, 6, 3), np.int16)


def _movie(file, *, step=2.0, unit="sec", array=MOVIE):
    volume = nibabel.Nifti1Image(array, np.diag([1.0, 1, 2, 1]))
    volume.header.set_xyzt_units("mm", unit)
    volume.header["pixdim"][4] = step
    nibabel.save(volume, file)
    return file


@pytest.mark.formats_row(
    "Geometry",
    "NIfTI",
    "nibabel",
    "neither sform nor qform has a code",
    "axes as they are, noted (nibabel takes them for LAS, ITK for LPS); voxels of image and mask correspond as "
    "in the files",
)
def test_what_states_no_orientation_keeps_its_axes_and_says_so(tmp_path, write_volume):
    found = read_image(write_volume(tmp_path / "a.nii", VOLUME, "LPS", form="none"))
    np.testing.assert_array_equal(found.array[..., 0], VOLUME[::-1, ::-1])
    assert (found.orientation, found.affine) == ("", None)
    assert (found.spacing_mm, found.spacing_source) == ((0.5, 1.0, 3.0), "NIfTI pixdim")
    assert found.notes == (
        "the NIfTI states no orientation (no sform or qform of use); its axes are taken as they are",
    )


@pytest.mark.formats_row(
    "Geometry",
    "NIfTI",
    "nibabel",
    "an affine that is singular or not finite",
    "as if there were none, noted",
)
@pytest.mark.parametrize("value", [0, np.nan, np.inf])
def test_an_affine_that_is_no_grid_is_not_used(tmp_path, value):
    volume = nibabel.Nifti1Image(VOLUME, np.eye(4))
    volume.header["srow_x"][:] = value
    nibabel.save(nibabel.Nifti1Image(VOLUME, None, volume.header), tmp_path / "a.nii")
    assert nibabel.load(tmp_path / "a.nii").header["sform_code"] > 0
    found = read_image(tmp_path / "a.nii")
    assert (found.orientation, found.affine) == ("", None)
    assert [note.startswith("the NIfTI states no orientation") for note in found.notes] == [True]


def test_an_sform_that_is_no_grid_gives_way_to_the_qform(tmp_path, write_volume):
    volume = nibabel.load(write_volume(tmp_path / "a.nii", VOLUME, "LPS", form="qform"))
    volume.header["sform_code"], volume.header["srow_x"] = 1, np.nan
    nibabel.save(nibabel.Nifti1Image(np.array(volume.dataobj), None, volume.header), tmp_path / "b.nii")
    assert read_image(tmp_path / "b.nii").orientation == "LPS"


@pytest.mark.parametrize("edges", [np.nan, np.inf])
def test_edges_that_are_no_lengths_are_no_spacing(tmp_path, edges):
    volume = nibabel.Nifti1Image(VOLUME, None)
    volume.header["pixdim"][1:4] = edges
    nibabel.save(volume, tmp_path / "a.nii")
    found = read_image(tmp_path / "a.nii")
    assert (found.spacing_mm, found.spacing_source) == (None, "")


@pytest.mark.formats_row("Geometry", "NIfTI", "nibabel", "edges in mm, µm or m; no unit", "millimetres; no unit is mm")
@pytest.mark.parametrize(("unit", "factor"), [("mm", 1), ("unknown", 1), ("micron", 1e-3), ("meter", 1e3)])
def test_edges_and_places_are_in_millimetres(tmp_path, write_volume, unit, factor):
    found = read_image(write_volume(tmp_path / "a.nii", VOLUME, "PSL", unit=unit))
    assert found.spacing_mm == pytest.approx((0.5 * factor, 1.0 * factor, 3.0 * factor), rel=1e-12)
    assert found.affine[:3, 3] == pytest.approx([-20 * factor, 30 * factor, 7 * factor], rel=1e-6)


def test_edges_of_nanometres_keep_their_digits(tmp_path, write_volume):
    affine = np.diag([4.6e-3, 4.6e-3, 0.0325, 1])
    found = read_image(write_volume(tmp_path / "a.nii", VOLUME, affine=affine, unit="micron"))
    assert found.spacing_mm == (4.6e-6, 4.6e-6, 3.25e-5)


@pytest.mark.formats_row("Geometry", "NIfTI", "nibabel, SimpleITK", "any of the 48 orientations, sform or qform")
def test_edges_of_an_oblique_volume_are_the_lengths_of_its_steps(tmp_path, write_volume):
    turn = nibabel.eulerangles.euler2mat(0.1, 0.2, 0.3)
    affine = nibabel.affines.from_matvec(turn @ np.diag([0.5, 1.0, 3.0]), [1, 2, 3])
    upright = read_image(write_volume(tmp_path / "a.nii", VOLUME, affine=affine))
    found = read_image(write_volume(tmp_path / "b.nii", VOLUME, "SPR", affine=affine))
    assert found.spacing_mm == upright.spacing_mm == (0.5, 1.0, 3.0)
    assert (upright.orientation, found.orientation) == ("RAS", "SPR")
    np.testing.assert_array_equal(found.array, upright.array)


@pytest.mark.formats_row("Geometry", "NIfTI", "nibabel", "pixdim other than the affine's edges", "the affine's, noted")
def test_the_edges_of_the_affine_count_where_pixdim_says_others(tmp_path):
    volume = nibabel.Nifti1Image(VOLUME, np.diag([1.0, 2, 3, 1]))
    volume.header["pixdim"][1:4] = 5
    nibabel.save(volume, tmp_path / "a.nii")
    found = read_image(tmp_path / "a.nii")
    assert found.spacing_mm == (1.0, 2.0, 3.0)
    assert found.notes == ("pixdim differs from the affine of the NIfTI; the edges are the affine's",)


@pytest.mark.formats_row("Geometry", "NIfTI", "nibabel", "two axes", "a volume of one slice")
def test_an_image_of_two_axes_is_a_volume_of_one_slice(tmp_path):
    nibabel.save(nibabel.Nifti1Image(VOLUME[..., 0], np.diag([-1.0, 2, 3, 1])), tmp_path / "a.nii")
    found = read_image(tmp_path / "a.nii")
    np.testing.assert_array_equal(found.array[..., 0], VOLUME[::-1, :, :1])
    assert found.spacing_mm == (1.0, 2.0, 3.0)


@pytest.mark.formats_row("Geometry", "NIfTI", "nibabel", "five axes, the fourth of length 1 (vectors)", "channels")
def test_the_components_of_a_vector_are_channels(tmp_path):
    volume = nibabel.Nifti1Image(MOVIE[:, :, :, None], np.diag([-1.0, 1, 2, 1]))
    volume.header.set_intent("vector")
    nibabel.save(volume, tmp_path / "a.nii")
    found = read_image(tmp_path / "a.nii")
    np.testing.assert_array_equal(found.array, MOVIE[::-1])
    assert found.notes == ()


@pytest.mark.formats_row(
    "Geometry",
    "NIfTI",
    "nibabel",
    "four axes, a step of time other than 0 and 1 in a unit of time",
    "refused: `pages: frames` makes a case of each frame, `channels: last` makes channels",
)
def test_a_fourth_axis_that_is_time_by_its_header_is_refused_with_both_options(tmp_path):
    file = _movie(tmp_path / "a.nii")
    with pytest.raises(
        DataError, match=r"a\.nii: its fourth axis is time .*\(3 frames of 2 sec\); say `pages: frames`"
    ):
        read_image(file)
    frames = read_image(file, Reading(pages="frames"))
    assert frames.frames
    np.testing.assert_array_equal(frames.array[..., 0], np.moveaxis(MOVIE, -1, 0))
    channels = read_image(file, Reading(channels="last"))
    assert not channels.frames
    np.testing.assert_array_equal(channels.array, MOVIE)


@pytest.mark.formats_row(
    "Geometry",
    "NIfTI",
    "nibabel",
    "four axes otherwise",
    "channels, noted; `pages: frames` if it is time",
)
@pytest.mark.parametrize(("step", "unit"), [(1.0, "sec"), (0.0, "sec"), (2.0, "unknown")])
def test_a_fourth_axis_of_no_stated_meaning_is_channels_and_noted(tmp_path, step, unit):
    found = read_image(_movie(tmp_path / "a.nii", step=step, unit=unit))
    np.testing.assert_array_equal(found.array, MOVIE)
    assert found.notes == ("the fourth axis of a NIfTI is read as channels; say `pages: frames` if it is time",)
    assert read_image(tmp_path / "a.nii", Reading(channels="last")).notes == ()


@pytest.mark.parametrize("pages", ["frames", "cases"])
def test_the_fourth_axis_of_a_mask_is_time(tmp_path, pages):
    file = _movie(tmp_path / "a.nii", step=1.0, array=(MOVIE > 2000).astype(np.uint8))
    found = read_mask(file, Reading(pages=pages))
    assert found.frames
    np.testing.assert_array_equal(found.array, np.moveaxis(MOVIE > 2000, -1, 0))


@pytest.mark.formats_row(
    "Geometry",
    "NIfTI",
    "nibabel",
    "no code, no unit and pixdim 1, 1, 1, as nibabel writes where nothing is known",
    "no spacing; `spacing_mm`",
)
def test_edges_that_nobody_stated_are_not_known(tmp_path):
    volume = nibabel.Nifti1Image(np.zeros((3, 4, 5), np.uint8), None)
    nibabel.save(volume, tmp_path / "a.nii")
    assert read_image(tmp_path / "a.nii").spacing_mm is None
    volume.header.set_xyzt_units("mm")
    nibabel.save(volume, tmp_path / "b.nii")
    assert read_image(tmp_path / "b.nii").spacing_mm == (1, 1, 1)


def test_a_volume_without_voxels_is_refused(tmp_path):
    nibabel.save(nibabel.Nifti1Image(np.zeros((2, 3, 4, 0), np.uint8), np.eye(4)), tmp_path / "a.nii")
    for read in (read_image, read_mask):
        with pytest.raises(DataError, match=r"a\.nii: has no pixels, its shape is \(2, 3, 4, 0\)"):
            read(tmp_path / "a.nii")
