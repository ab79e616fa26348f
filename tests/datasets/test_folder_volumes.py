"""Volumes, stacks and movies in a folder of the user's own."""

import nibabel
import numpy as np
import pytest
import tifffile

from unetbench.core.errors import DataError, SpecError
from unetbench.datasets import DATASETS
from unetbench.datasets.source import Source

RNG = np.random.default_rng(0)
VOLUME = RNG.integers(0, 4096, (8, 9, 4), np.int16)
MOVIE = RNG.integers(0, 4096, (3, 4, 8, 9), np.uint16)


def _list(home, kind="nii", **options):
    options = {"path": str(home), "images": f"img/*.{kind}", "masks": f"lab/*.{kind}", "classes": ["cell"], **options}
    return DATASETS["folder"](Source(None, home / "cache"), **options)


def _mask(image):
    return (image > 2000).astype(np.uint8)


def _movie(home, *, axes="TZYX", mask_axes="TZYX", array=MOVIE):
    for name, axis_letters, pixels in (("img", axes, array), ("lab", mask_axes, _mask(array))):
        (home / name).mkdir(exist_ok=True)
        tifffile.imwrite(
            home / name / "a.tif",
            pixels[tuple(0 if letter not in axis_letters else slice(None) for letter in axes)],
            imagej=True,
            resolution=(2, 2),
            metadata={"axes": axis_letters, "unit": "um", "spacing": 2},
        )


@pytest.mark.formats_row("Geometry", "NIfTI", "nibabel", "image and mask in different orientations")
def test_volumes_of_mixed_orientation_are_upright_with_their_masks(tmp_path, write_volume):
    for image, mask in (("RAS", "RAS"), ("LPS", "RAS"), ("PSR", "IAL")):
        write_volume(tmp_path / f"img/{image}{mask}.nii", VOLUME, image)
        write_volume(tmp_path / f"lab/{image}{mask}.nii", _mask(VOLUME), mask)
    dataset = _list(tmp_path)
    samples = [case.read() for case in dataset.cases]
    for sample in samples:
        np.testing.assert_array_equal(sample.image[..., 0], VOLUME)
        np.testing.assert_array_equal(sample.truth[..., 0], _mask(VOLUME))
        assert (sample.spacing_mm, sample.spacing_source, sample.notes) == ((0.5, 1.0, 3.0), "NIfTI header", ())
    assert [sample.orientation for sample in samples] == ["LPS", "PSR", "RAS"]
    assert dataset.task.spacing_mm == (0.5, 1.0, 3.0)


@pytest.mark.formats_row("Geometry", "NIfTI", "nibabel", "farther apart: origin, edges, rotation")
def test_a_mask_at_another_place_is_refused_or_ignored_and_noted(tmp_path, write_volume):
    write_volume(tmp_path / "img/a.nii", VOLUME, "LPS")
    write_volume(tmp_path / "lab/a.nii", _mask(VOLUME)[::-1, ::-1], affine=np.eye(4))
    with pytest.raises(DataError, match=r"img/a\.nii \(LPS, .* and its mask .*lab/a\.nii \(RAS, .*`geometry: ignore`"):
        _list(tmp_path).cases[0].read()
    sample = _list(tmp_path, geometry="ignore").cases[0].read()
    np.testing.assert_array_equal(sample.truth[..., 0], _mask(VOLUME))
    (note,) = sample.notes
    assert "the mask has another geometry than its image" in note


@pytest.mark.parametrize("option", ["geometry", "pages", "channels"])
def test_unknown_values_name_the_known_ones(tmp_path, option):
    with pytest.raises(SpecError, match=rf"folder\.{option}: 'maybe' is unknown; use \w+ or "):
        _list(tmp_path, **{option: "maybe"})


@pytest.mark.formats_row(
    "Geometry",
    "NIfTI",
    "nibabel",
    "volumes",
    "`pages: cases`: slices along the last axis of RAS+, one group a file",
)
def test_slices_of_a_nifti_are_cases_of_one_group(tmp_path, write_volume):
    write_volume(tmp_path / "img/a.nii", VOLUME, "SPR")
    write_volume(tmp_path / "lab/a.nii", _mask(VOLUME), "LPS")
    dataset = _list(tmp_path, pages="cases")
    assert [case.name for case in dataset.cases] == [f"a/page{number}" for number in range(4)]
    assert {case.group for case in dataset.cases} == {"a"}
    assert (dataset.task.rank, dataset.task.spacing_mm) == (2, (0.5, 1.0))
    for number, case in enumerate(dataset.cases):
        sample = case.read()
        np.testing.assert_array_equal(sample.image[..., 0], VOLUME[..., number])
        np.testing.assert_array_equal(sample.truth[..., 0], _mask(VOLUME)[..., number])
        assert sample.spacing_mm == (0.5, 1.0)


def test_a_mask_that_states_its_axes_is_cut_as_an_image_that_does_not(tmp_path, write_volume):
    cube = VOLUME[:4, :4]
    (tmp_path / "img").mkdir()
    tifffile.imwrite(tmp_path / "img/a.tif", cube, imagej=True, metadata={"axes": "ZYX"})
    write_volume(tmp_path / "lab/a.nii", _mask(cube))
    sample = _list(tmp_path, images="img/*.tif", pages="cases").cases[3].read()
    np.testing.assert_array_equal(sample.image[..., 0], cube[3])
    np.testing.assert_array_equal(sample.truth[..., 0], _mask(cube)[3])
    assert sample.notes == ("the image states no orientation: voxels of image and mask correspond as in the files",)


@pytest.mark.formats_row(
    "Geometry",
    "NIfTI",
    "nibabel",
    "volumes of one slice",
    "volumes, noted; `pages: cases` makes 2D cases along that axis",
)
def test_a_volume_of_one_slice_is_a_2d_case_along_that_axis(tmp_path, write_volume):
    write_volume(tmp_path / "img/a.nii", VOLUME[:1], "SPR")
    write_volume(tmp_path / "lab/a.nii", _mask(VOLUME[:1]), "LPS")
    (case,) = _list(tmp_path, pages="cases").cases
    np.testing.assert_array_equal(case.read().image[..., 0], VOLUME[0])
    np.testing.assert_array_equal(case.read().truth[..., 0], _mask(VOLUME)[0])
    assert case.read().spacing_mm == (1.0, 3.0)
    whole = _list(tmp_path)
    assert whole.task.rank == 3
    assert whole.notes == ("img/a.nii is a volume of one slice; say `pages: cases` for 2D cases",)


@pytest.mark.formats_row(
    "Geometry",
    "TIFF",
    "tifffile (ImageJ)",
    "an axis of time",
    "refused; `pages: frames` makes a case of each frame, `pages: cases` of each slice of each frame; one group a file",
)
def test_frames_of_a_movie_of_volumes_are_volumes_or_their_slices(tmp_path):
    _movie(tmp_path)
    with pytest.raises(DataError, match=r"a\.tif: has the axes TZYX, and T is time; say `pages: frames`"):
        _list(tmp_path, "tif")
    frames = _list(tmp_path, "tif", pages="frames")
    assert [case.name for case in frames.cases] == ["a/page0", "a/page1", "a/page2"]
    assert {case.group for case in frames.cases} == {"a"}
    assert frames.task.spacing_mm == (2e-3, 5e-4, 5e-4)
    np.testing.assert_array_equal(frames.cases[2].read().image[..., 0], MOVIE[2])
    np.testing.assert_array_equal(frames.cases[2].read().truth[..., 0], _mask(MOVIE)[2])
    slices = _list(tmp_path, "tif", pages="cases")
    assert [case.name for case in slices.cases][::11] == ["a/page00", "a/page11"]
    assert slices.task.spacing_mm == slices.cases[7].read().spacing_mm == (5e-4, 5e-4)
    np.testing.assert_array_equal(slices.cases[7].read().image[..., 0], MOVIE[1, 3])
    np.testing.assert_array_equal(slices.cases[7].read().truth[..., 0], _mask(MOVIE)[1, 3])


@pytest.mark.formats_row(
    "Geometry",
    "TIFF",
    "tifffile (ImageJ)",
    "a mask without time or depth beside frames or pages",
    "the same for all, noted where it lacks time",
)
def test_a_mask_without_time_holds_for_all_frames(tmp_path):
    _movie(tmp_path, mask_axes="ZYX")
    for pages, last in (("frames", (2, slice(None))), ("cases", (2, 3))):
        sample = _list(tmp_path, "tif", pages=pages).cases[-1].read()
        np.testing.assert_array_equal(sample.image[..., 0], MOVIE[last])
        np.testing.assert_array_equal(sample.truth[..., 0], _mask(MOVIE)[0][last[1]])
        assert "the mask has no axis of time and holds for every frame of its image" in sample.notes


@pytest.mark.formats_row("Geometry", "TIFF", "tifffile (ImageJ)", "an axis of time")
@pytest.mark.parametrize("pages", ["frames", "cases"])
def test_a_movie_of_pictures_is_its_frames(tmp_path, pages):
    _movie(tmp_path, axes="TYX", mask_axes="TYX", array=MOVIE[:, 0])
    dataset = _list(tmp_path, "tif", pages=pages)
    assert dataset.task.rank == 2
    np.testing.assert_array_equal(dataset.cases[1].read().image[..., 0], MOVIE[1, 0])
    np.testing.assert_array_equal(dataset.cases[1].read().truth[..., 0], _mask(MOVIE)[1, 0])


@pytest.mark.parametrize("pages", ["frames", "cases"])
@pytest.mark.parametrize("plain", ["img", "lab"])
def test_pages_that_only_one_file_calls_time_are_frames_of_both(tmp_path, pages, plain):
    _movie(tmp_path, axes="TYX", mask_axes="TYX", array=MOVIE[:, 0])
    array = MOVIE[:, 0] if plain == "img" else _mask(MOVIE)[:, 0]
    tifffile.imwrite(tmp_path / plain / "a.tif", array, photometric="minisblack")
    for number, case in enumerate(_list(tmp_path, "tif", pages=pages).cases):
        np.testing.assert_array_equal(case.read().image[..., 0], MOVIE[number, 0])
        np.testing.assert_array_equal(case.read().truth[..., 0], _mask(MOVIE)[number, 0])


@pytest.mark.parametrize("kind", ["imagej", "ome"])
def test_a_movie_may_have_channels(tmp_path, kind):
    (tmp_path / "img").mkdir()
    (tmp_path / "lab").mkdir()
    tifffile.imwrite(tmp_path / "img/a.tif", MOVIE, metadata={"axes": "TCYX"}, **{kind: True})
    tifffile.imwrite(tmp_path / "lab/a.tif", _mask(MOVIE)[:, 0], metadata={"axes": "TYX"}, **{kind: True})
    dataset = _list(tmp_path, "tif", pages="frames")
    assert (len(dataset.cases), dataset.task.rank, dataset.task.channels) == (3, 2, 4)
    np.testing.assert_array_equal(dataset.cases[2].read().image, np.moveaxis(MOVIE[2], 0, -1))
    np.testing.assert_array_equal(dataset.cases[2].read().truth[..., 0], _mask(MOVIE)[2, 0])


@pytest.mark.formats_row(
    "Geometry",
    "NIfTI",
    "nibabel",
    "four axes, a step of time other than 0 and 1 in a unit of time",
)
def test_frames_of_a_nifti_are_cases(tmp_path, write_volume):
    movie = np.moveaxis(MOVIE, 0, -1).astype(np.int16)
    for name, array in (("img", movie), ("lab", _mask(movie))):
        write_volume(tmp_path / name / "a.nii", array, "LPS")
    dataset = _list(tmp_path, pages="frames")
    assert (len(dataset.cases), dataset.task.rank, dataset.task.channels) == (3, 3, 1)
    np.testing.assert_array_equal(dataset.cases[2].read().image[..., 0], MOVIE[2])
    np.testing.assert_array_equal(dataset.cases[2].read().truth[..., 0], _mask(MOVIE)[2])


def test_the_number_of_frames_must_agree(tmp_path):
    _movie(tmp_path)
    tifffile.imwrite(tmp_path / "lab/a.tif", _mask(MOVIE[:2]), imagej=True, metadata={"axes": "TZYX"})
    with pytest.raises(DataError, match=r"img/a\.tif is 3×4×8×9 and its mask .*lab/a\.tif 2×4×8×9"):
        _list(tmp_path, "tif", pages="frames").cases[0].read()


@pytest.mark.formats_row("Geometry", "TIFF", "tifffile", "a stack of no stated meaning")
@pytest.mark.formats_row("Geometry", "TIFF", "tifffile (ImageJ)", "a mask without time or depth beside frames or pages")
def test_one_flat_mask_holds_for_all_pages_of_a_tiff_but_is_no_mask_of_its_volume(tmp_path):
    for name, array in (("img", MOVIE[0]), ("lab", _mask(MOVIE)[0, 0])):
        (tmp_path / name).mkdir()
        tifffile.imwrite(tmp_path / name / "a.tif", array, photometric="minisblack")
    np.testing.assert_array_equal(
        _list(tmp_path, "tif", pages="cases").cases[3].read().truth[..., 0], _mask(MOVIE)[0, 0]
    )
    with pytest.raises(DataError, match=r"img/a\.tif is 4×8×9 and its mask .*lab/a\.tif 8×9"):
        _list(tmp_path, "tif").cases[0].read()


@pytest.mark.formats_row(
    "Geometry",
    "all",
    "",
    "some images of a set state their spacing, others do not",
    "refused, for scores in mm and in pixels do not add up; `spacing_mm`",
)
def test_a_set_in_which_some_images_state_their_spacing_is_refused(tmp_path):
    for name, metadata in (("a", {"unit": "um"}), ("b", {})):
        for folder in ("img", "lab"):
            (tmp_path / folder).mkdir(exist_ok=True)
            options = {"imagej": True, "resolution": (2, 2), "metadata": {"axes": "YX", **metadata}}
            tifffile.imwrite(tmp_path / folder / f"{name}.tif", _mask(MOVIE)[0, 0], **options)
    with pytest.raises(DataError, match=r"b\.tif: states no spacing, other images do.*; give `spacing_mm`"):
        _list(tmp_path, "tif").cases[1].read()
    assert _list(tmp_path, "tif", spacing_mm=[1, 1]).cases[1].read().spacing_mm == (1.0, 1.0)
    (tmp_path / "img/c.tif").write_bytes((tmp_path / "img/a.tif").read_bytes())
    (tmp_path / "lab/c.tif").write_bytes((tmp_path / "lab/a.tif").read_bytes())
    (tmp_path / "img/a.tif").unlink()
    with pytest.raises(DataError, match=r"c\.tif: states a spacing, other images do not"):
        _list(tmp_path, "tif", unpaired="skip").cases[1].read()


def test_a_volume_that_changed_is_read_anew_for_the_next_page(tmp_path, write_volume):
    write_volume(tmp_path / "img/a.nii", VOLUME)
    mask = write_volume(tmp_path / "lab/a.nii", _mask(VOLUME))
    case = _list(tmp_path, pages="cases").cases[0]
    assert case.read().truth.any()
    nibabel.save(nibabel.Nifti1Image(np.zeros_like(VOLUME), nibabel.load(mask).affine), mask)
    assert not case.read().truth.any()


@pytest.mark.formats_row(
    "Geometry",
    "TIFF",
    "tifffile",
    "a stack of no stated meaning",
    "depth; `pages: frames` and `pages: cases` make cases of its pages",
)
@pytest.mark.parametrize("channels", ["", "last"])
def test_a_stack_of_no_stated_meaning_is_time_where_frames_are_asked_for(tmp_path, channels):
    image = np.repeat(MOVIE[0][..., None], 2, -1) if channels else MOVIE[0]
    for name, array in (("img", image), ("lab", _mask(MOVIE[0]))):
        (tmp_path / name).mkdir()
        tifffile.imwrite(tmp_path / name / "a.tif", array, photometric="minisblack")
    dataset = _list(tmp_path, "tif", pages="frames", channels=channels)
    assert (len(dataset.cases), dataset.task.rank, dataset.task.channels) == (4, 2, 2 if channels else 1)
    np.testing.assert_array_equal(dataset.cases[3].read().image[..., 0], MOVIE[0, 3])
    np.testing.assert_array_equal(dataset.cases[3].read().truth[..., 0], _mask(MOVIE)[0, 3])


def test_slices_are_counted_without_decoding_them(tmp_path, write_volume):
    for name in ("a", "b"):
        write_volume(tmp_path / f"img/{name}.nii", VOLUME, "LPS")
        write_volume(tmp_path / f"lab/{name}.nii", _mask(VOLUME), "LPS")
    file = tmp_path / "img/b.nii"
    file.write_bytes(file.read_bytes()[:-20])
    dataset = _list(tmp_path, pages="cases")
    assert len(dataset.cases) == 8
    assert dataset.cases[3].read().image.shape == (8, 9, 1)
    with pytest.raises(DataError, match=r"b\.nii: .* cut short"):
        dataset.cases[7].read()


@pytest.mark.filterwarnings("ignore:<tifffile.TiffWriter.write>:DeprecationWarning")
@pytest.mark.parametrize("slices", [3, 4])
def test_a_stack_of_three_or_four_slices_is_one_with_its_mask_where_planes_are_none(tmp_path, slices):
    image, mask = RNG.integers(0, 256, (slices, 8, 9), np.uint8), RNG.integers(0, 2, (slices, 8, 9), np.uint8)
    for name, pixels in (("img", image), ("lab", mask)):
        (tmp_path / name).mkdir()
        tifffile.imwrite(tmp_path / name / "a.tif", pixels)  # without a word, which makes planes of one image of it
    with pytest.raises(DataError, match=r"lab/a\.tif: .*, stored as planes apart; say `channels: none` if these are"):
        _list(tmp_path, "tif").cases[0].read()
    sample = _list(tmp_path, "tif", channels="none").cases[0].read()
    np.testing.assert_array_equal(sample.image[..., 0], image)
    np.testing.assert_array_equal(sample.truth[..., 0], mask)
    tifffile.imwrite(tmp_path / "lab/a.tif", mask, photometric="minisblack")
    with pytest.raises(DataError, match=r"both need the same size; .* slices and no channels, say `channels: none`"):
        _list(tmp_path, "tif").cases[0].read()
    assert len(_list(tmp_path, "tif", channels="none", pages="cases").cases) == slices


def test_a_stack_turned_by_its_tag_beside_one_that_is_not_names_the_option(tmp_path):
    for name, turned in (("img", [(274, 3, 1, 6, True)]), ("lab", [])):
        (tmp_path / name).mkdir()
        pixels = np.ones((5, 8, 9), np.uint8)
        tifffile.imwrite(tmp_path / name / "a.tif", pixels, photometric="minisblack", extratags=turned)
    with pytest.raises(DataError, match=r"5×9×8 and its mask .* 5×8×9; .* `exif: ignore` leaves both"):
        _list(tmp_path, "tif").cases[0].read()


def test_volumes_in_reverse_order_of_axes_are_no_matter_of_exif(tmp_path, write_volume):
    write_volume(tmp_path / "img/a.nii", VOLUME, "RAS")
    (tmp_path / "lab").mkdir()
    tifffile.imwrite(tmp_path / "lab/a.tif", _mask(VOLUME).T.copy(), photometric="minisblack")
    with pytest.raises(DataError, match=r"8×9×4 and its mask .* 4×9×8; .*; save the mask with its axes in"):
        _list(tmp_path, masks="lab/*.tif").cases[0].read()


@pytest.mark.parametrize(
    ("pages", "mend"),
    [
        ((4, 8, 9), r"5×8×9 and its mask .* 4×8×9; .*; give every page or slice its mask"),
        ((5, 8, 7), r"5×8×9 and its mask .* 5×8×7; .*; give every page or slice"),
        ((4, 8, 7), r"5×8×9 and its mask .* 4×8×7; .*; crop, pad or resample the mask"),
    ],
)
def test_a_mask_with_fewer_pages_or_pixels_names_what_it_lacks(tmp_path, pages, mend):
    for name, shape in (("img", (5, 8, 9)), ("lab", pages)):
        (tmp_path / name).mkdir()
        tifffile.imwrite(tmp_path / name / "a.tif", np.ones(shape, np.uint8), photometric="minisblack")
    with pytest.raises(DataError, match=mend):
        _list(tmp_path, "tif").cases[0].read()


def test_a_movie_of_volumes_beside_a_plain_stack_names_the_axes_to_state(tmp_path):
    for name in ("img", "lab"):
        (tmp_path / name).mkdir()
    movie = np.ones((2, 3, 1, 8, 9), np.uint8)
    tifffile.imwrite(tmp_path / "img/a.tif", movie, imagej=True, metadata={"axes": "TZCYX"})
    tifffile.imwrite(tmp_path / "lab/a.tif", movie.reshape(6, 8, 9), photometric="minisblack")
    with pytest.raises(DataError, match=r"lab/a\.tif .*; save the mask with its axes stated as TZYX, 2 frames of 3 sl"):
        _list(tmp_path, "tif", pages="frames").cases[0].read()


def test_a_mask_of_four_axes_is_asked_whether_these_are_time(tmp_path, write_volume):
    series = RNG.integers(0, 4096, (8, 9, 4, 3), np.int16)
    write_volume(tmp_path / "img/a.nii", series, "RAS")
    write_volume(tmp_path / "lab/a.nii", _mask(series), "RAS")
    with pytest.raises(
        DataError, match=r"lab/a\.nii: .* 3 that differ; say `pages: frames` if the fourth axis is time"
    ):
        _list(tmp_path).cases[0].read()
    assert len(_list(tmp_path, pages="frames").cases) == 3


def test_frames_of_what_has_no_time_are_refused_with_the_mend(tmp_path):
    for name in ("img", "lab"):
        (tmp_path / name).mkdir()
        nibabel.save(nibabel.Nifti1Image(np.zeros((4, 5, 6), np.uint8), np.eye(4)), tmp_path / name / "a.nii")
    with pytest.raises(DataError, match=r"a\.nii: has no axis of time; say `pages: cases` for its slices"):
        _list(tmp_path, pages="frames")
