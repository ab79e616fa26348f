"""Folders as people have them: rotated photographs, capital suffixes, files of the system, mixed channels, arrays."""

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from unetbench.core.errors import DataError, SpecError
from unetbench.datasets import DATASETS
from unetbench.datasets.audit import audit
from unetbench.datasets.prepare import Preprocess
from unetbench.datasets.source import Source

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (8, 9), np.uint8)
COLOURS = RNG.integers(0, 256, (8, 9, 3), np.uint8)
MASK = np.eye(8, 9, dtype=np.uint8) * 255


def _list(home, **options):
    options = {"path": str(home), "images": "img/*.png", "masks": "lab/*.png", "classes": ["cell"], **options}
    return DATASETS["folder"](Source(None, home / "cache"), **options)


def _save(file, array, orientation=1):
    file.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(array).save(file, exif=exif, **({"quality": 100} if file.suffix == ".jpg" else {}))


@pytest.mark.formats_row("Images", "PNG, JPEG, WebP, TIFF", "Pillow, tifffile", "EXIF or TIFF orientation 1 to 8")
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_rotated_photograph_meets_its_mask_upright_or_rotated_with_it(tmp_path, orientation):
    _save(tmp_path / "img/a.jpg", COLOURS, orientation)
    _save(tmp_path / "lab/a.png", MASK, orientation)
    (case,) = _list(tmp_path, images="img/*.jpg").cases
    rotated = case.read()
    _save(tmp_path / "lab/a.png", rotated.truth[..., 0] * 255)
    upright = case.read()
    np.testing.assert_array_equal(upright.image, rotated.image)
    np.testing.assert_array_equal(upright.truth, rotated.truth)
    assert len(upright.notes) == (orientation > 1)


@pytest.mark.formats_row("Images", "PNG, JPEG, WebP, TIFF", "Pillow, tifffile", "EXIF or TIFF orientation 1 to 8")
def test_a_mask_of_the_pixels_as_stored_needs_the_option(tmp_path):
    _save(tmp_path / "img/a.png", COLOURS, 6)
    _save(tmp_path / "lab/a.png", MASK)
    with pytest.raises(DataError, match=r"if only one of the files states an orientation, `exif: ignore` leaves both"):
        _list(tmp_path).cases[0].read()
    sample = _list(tmp_path, exif="ignore").cases[0].read()
    np.testing.assert_array_equal(sample.image, COLOURS)
    np.testing.assert_array_equal(sample.truth[..., 0], MASK > 0)


@pytest.mark.parametrize("option", ["pages", "channels", "exif"])
def test_an_unknown_word_is_one_clear_line(tmp_path, option):
    _save(tmp_path / "img/a.png", GREY)
    with pytest.raises(SpecError, match=rf"folder\.{option}: 'maybe' is unknown; use "):
        _list(tmp_path, **{option: "maybe"})


def test_suffixes_match_in_small_and_in_capital_letters(tmp_path):
    for name in ("a.png", "B.PNG", "c.Png"):
        _save(tmp_path / "img" / name, GREY)
        _save(tmp_path / "lab" / name.swapcase(), MASK)
    (tmp_path / "lab/A.PNG").rename(tmp_path / "lab/a.PNG")
    (tmp_path / "lab/b.png").rename(tmp_path / "lab/B.png")
    (tmp_path / "lab/C.pNG").rename(tmp_path / "lab/c.pNG")
    for glob in ("*.png", "*.PNG", "*"):
        dataset = _list(tmp_path, images=f"img/{glob}", masks=f"lab/{glob}")
        assert [case.name for case in dataset.cases] == ["B", "a", "c"]


def test_a_suffix_of_two_dots_and_a_single_file_match_so_too(tmp_path):
    stack = RNG.integers(0, 256, (3, 8, 9), np.uint8)
    tifffile.imwrite(tmp_path / "Stack.TIF", stack, photometric="minisblack")
    tifffile.imwrite(tmp_path / "labels.Tiff", np.ones_like(stack), photometric="minisblack")
    dataset = _list(tmp_path, images="Stack.tif", masks="labels.tiff", pages="cases")
    np.testing.assert_array_equal(dataset.cases[2].read().image[..., 0], stack[2])


@pytest.mark.parametrize("rule", ["one", "parts"])
@pytest.mark.parametrize("strange", ["._a_1.png", ".DS_Store", "Thumbs.db", "desktop.ini", ".hidden/a_1.png"])
def test_files_of_the_system_are_not_there(tmp_path, strange, rule):
    for folder in ("img", "lab"):
        (tmp_path / folder / strange).parent.mkdir(parents=True)
        (tmp_path / folder / strange).write_bytes(b"\0\5\x16\7")
    _save(tmp_path / "img/sub/a.png", GREY)
    _save(tmp_path / "lab/sub/a_1.png", MASK)
    masks = "lab/**/*_1*" if rule == "one" else "lab/**/*_*"
    dataset = _list(tmp_path, images="img/**/*", masks=masks, pairing=rule)
    assert [case.name for case in dataset.cases] == ["sub/a"]
    assert dataset.notes == ()


def test_a_hidden_folder_that_the_glob_names_is_read(tmp_path):
    _save(tmp_path / ".img/a.png", GREY)
    _save(tmp_path / "lab/a.png", MASK)
    assert len(_list(tmp_path, images=".img/*.png").cases) == 1
    (tmp_path / "home").mkdir()
    assert len(_list(tmp_path / "home", images="../.img/*.png", masks="../lab/*.png").cases) == 1


def _mixed(home, first):
    """The same grey picture as grey, grey + alpha, RGB and RGBA; the one called `first` comes first."""
    alpha = np.full((8, 9), 255, np.uint8)
    kinds = {
        "grey": Image.fromarray(GREY),
        "la": Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(alpha)]),
        "rgb": Image.fromarray(np.dstack([GREY] * 3)),
        "rgba": Image.fromarray(np.dstack([GREY] * 3 + [alpha])),
    }
    for name, image in kinds.items():
        name = f"0{name}" if name == first else name
        (home / "img").mkdir(exist_ok=True)
        image.save(home / "img" / f"{name}.png")
        _save(home / "lab" / f"{name}.png", MASK)


@pytest.mark.parametrize(("first", "channels"), [("grey", 1), ("la", 1), ("rgb", 3), ("rgba", 3)])
def test_grey_and_rgb_of_grey_agree_with_the_first(tmp_path, first, channels):
    _mixed(tmp_path, first)
    dataset = _list(tmp_path)
    assert dataset.task.channels == channels
    samples = [case.read() for case in dataset.cases]
    for sample in samples:
        np.testing.assert_array_equal(sample.image, np.dstack([GREY] * channels))
    assert samples[0].notes == ()
    words = {1: "three equal channels, read as grey", 3: "grey, repeated to three channels"}[channels]
    assert sorted(bool(sample.notes) for sample in samples) == [False, False, True, True]
    assert all(note.startswith(words) for sample in samples for note in sample.notes)
    assert not [line for line in audit(dataset).findings if "channels" in line]


def test_colours_in_a_set_of_greys_are_refused_with_the_mend(tmp_path):
    for name, array in (("a", GREY), ("b", COLOURS)):
        _save(tmp_path / f"img/{name}.png", array)
        _save(tmp_path / f"lab/{name}.png", MASK)
    dataset = _list(tmp_path)
    (line,) = audit(dataset).findings
    assert line.startswith("b: the image has 3 channels, 1 are expected; say `colour: grey`")
    assert audit(dataset, preprocess=Preprocess(colour="grey")).findings == []


@pytest.mark.formats_row(
    "Images",
    "NPZ",
    "NumPy",
    "several arrays",
    "`image_array`, `mask_array`; `images` and `masks` may be the same glob",
)
def test_the_arrays_of_an_npz_are_image_and_mask(tmp_path):
    for name in ("a", "b"):
        np.savez_compressed(tmp_path / f"{name}.npz", image=RNG.random((8, 9)), label=MASK > 0)
    options = {"images": "*.npz", "masks": "*.npz", "image_array": "image", "mask_array": "label"}
    dataset = _list(tmp_path, **options)
    assert [case.name for case in dataset.cases] == ["a", "b"]
    sample = dataset.cases[1].read()
    with np.load(tmp_path / "b.npz") as arrays:
        np.testing.assert_array_equal(sample.image[..., 0], arrays["image"])
    np.testing.assert_array_equal(sample.truth[..., 0], MASK > 0)
    with pytest.raises(SpecError, match=r"`images` and `masks` are both \*\.npz; .* by `image_array` and `mask_array`"):
        _list(tmp_path, images="*.npz", masks="*.npz")


def test_the_pages_of_an_array_are_cases(tmp_path):
    stack = RNG.integers(0, 256, (6, 8, 9), np.uint8)
    np.savez(tmp_path / "set.npz", images=stack, labels=stack > 100)
    options = {"images": "set.npz", "masks": "set.npz", "image_array": "images", "mask_array": "labels"}
    dataset = _list(tmp_path, **options, pages="cases")
    sample = dataset.cases[4].read()
    np.testing.assert_array_equal(sample.image[..., 0], stack[4])
    np.testing.assert_array_equal(sample.truth[..., 0], stack[4] > 100)


@pytest.mark.formats_row(
    "Images",
    "TIFF",
    "tifffile",
    "`(y, x, 2)`, `(y, x, 5)` without a word",
    "a volume of narrow pages, as it is written: its mask does not fit, and the error says `channels: last`",
)
@pytest.mark.parametrize("channels", [2, 5])
def test_channels_that_the_file_does_not_name_are_asked_for(tmp_path, channels):
    (tmp_path / "img").mkdir()
    tifffile.imwrite(tmp_path / "img/a.tif", RNG.integers(0, 256, (8, 9, channels), np.uint8))
    _save(tmp_path / "lab/a.png", MASK)
    with pytest.raises(DataError, match="if an axis of the image is channels, say `channels: first` or"):
        _list(tmp_path, images="img/*.tif").cases[0].read()
    assert _list(tmp_path, images="img/*.tif", channels="last").cases[0].read().image.shape == (8, 9, channels)


def test_a_tiff_of_separate_planes_says_so_in_its_case(tmp_path):
    (tmp_path / "img").mkdir()
    planes = RNG.integers(0, 256, (4, 8, 9), np.uint8)
    tifffile.imwrite(tmp_path / "img/a.tif", planes, photometric="rgb", planarconfig="separate")
    cv2.imwrite(str(tmp_path / "img/b.tif"), GREY)
    for name in ("a", "b"):
        _save(tmp_path / f"lab/{name}.png", MASK)
    sample = _list(tmp_path, images="img/*.tif").cases[0].read()
    np.testing.assert_array_equal(sample.image, np.moveaxis(planes, 0, -1))
    assert [note.startswith("planes that are stored apart") for note in sample.notes] == [True]
