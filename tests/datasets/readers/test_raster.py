import cv2
import numpy as np
import pytest
from PIL import Image

from unetbench.core.errors import DataError
from unetbench.datasets.readers import Reading, read_image

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (8, 9), np.uint8)
COLOURS = RNG.integers(0, 256, (8, 9, 3), np.uint8)
ALPHA = RNG.integers(0, 256, (8, 9), np.uint8)
FULL = np.full((8, 9), 255, np.uint8)


def _pillow(file, array, **options):
    Image.fromarray(array).save(file, **options)
    return file


@pytest.mark.formats_row("Images", "PNG, BMP", "Pillow, OpenCV", "grey, RGB, two-valued; 16 bits (PNG)")
@pytest.mark.formats_row("Images", "WebP", "Pillow, OpenCV", "lossless / lossy")
@pytest.mark.parametrize(("name", "options"), [("a.png", {}), ("a.bmp", {}), ("a.webp", {"lossless": True})])
def test_colours_of_pillow_are_read_exactly(tmp_path, name, options):
    np.testing.assert_array_equal(read_image(_pillow(tmp_path / name, COLOURS, **options)).array, COLOURS)


@pytest.mark.formats_row("Images", "PNG, BMP", "Pillow, OpenCV", "grey, RGB, two-valued; 16 bits (PNG)")
@pytest.mark.parametrize("name", ["a.png", "a.bmp"])
def test_grey_is_one_channel(tmp_path, name):
    np.testing.assert_array_equal(read_image(_pillow(tmp_path / name, GREY)).array, GREY[..., None])


@pytest.mark.formats_row("Images", "PNG, BMP", "Pillow, OpenCV", "grey, RGB, two-valued; 16 bits (PNG)")
def test_two_valued_pictures_are_0_and_255(tmp_path):
    for name in ("a.png", "a.bmp"):
        np.testing.assert_array_equal(
            read_image(_pillow(tmp_path / name, GREY > 100)).array[..., 0], (GREY > 100) * 255
        )


@pytest.mark.formats_row(
    "Images",
    "PNG",
    "Pillow",
    "grey + alpha",
    "grey; alpha left out, noted where it differs between pixels",
)
@pytest.mark.parametrize(("alpha", "noted"), [(ALPHA, 1), (FULL, 0)])
def test_grey_and_alpha_is_grey(tmp_path, alpha, noted):
    Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(alpha)]).save(tmp_path / "a.png")
    found = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(found.array, GREY[..., None])
    assert len(found.notes) == noted


@pytest.mark.formats_row(
    "Images",
    "PNG, WebP",
    "Pillow",
    "RGBA",
    "RGB; alpha left out, noted where it differs; `channels: last` keeps it",
)
@pytest.mark.parametrize(("name", "options"), [("a.png", {}), ("a.webp", {"lossless": True, "exact": True})])
def test_transparency_is_left_out_and_noted_or_kept(tmp_path, name, options):
    file = _pillow(tmp_path / name, np.dstack([COLOURS, ALPHA]), **options)
    found = read_image(file)
    np.testing.assert_array_equal(found.array, COLOURS)
    assert found.notes == (
        "transparency that differs between pixels was left out (`channels: last` keeps it as a channel)",
    )
    kept = read_image(file, Reading("last"))
    np.testing.assert_array_equal(kept.array, np.dstack([COLOURS, ALPHA]))
    assert kept.notes == ()


@pytest.mark.formats_row(
    "Images",
    "PNG, BMP",
    "Pillow",
    "palette",
    "its colours, RGB; a transparent colour is a colour",
)
def test_palettes_become_their_colours(tmp_path):
    few = Image.fromarray(COLOURS).quantize(8)
    for name in ("a.png", "a.bmp"):
        few.save(tmp_path / name)
        np.testing.assert_array_equal(read_image(tmp_path / name).array, np.asarray(few.convert("RGB")))
    few.save(tmp_path / "t.png", transparency=2)
    np.testing.assert_array_equal(read_image(tmp_path / "t.png").array, np.asarray(few.convert("RGB")))


@pytest.mark.formats_row("Images", "JPEG", "Pillow", "CMYK", "lossy; RGB as Pillow converts it")
def test_a_jpeg_in_cmyk_becomes_the_rgb_of_pillow(tmp_path):
    smooth = cv2.resize(COLOURS, (64, 48))
    Image.fromarray(smooth).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.mode == "CMYK"
        expected = np.asarray(image.convert("RGB")).astype(int)
    assert np.abs(read_image(tmp_path / "a.jpg").array - expected).max() <= 2


@pytest.mark.formats_row("Images", "WebP", "Pillow, OpenCV", "lossless / lossy")
def test_a_lossy_webp_is_near(tmp_path):
    smooth = cv2.resize(COLOURS, (64, 48))
    found = read_image(_pillow(tmp_path / "a.webp", smooth, quality=95)).array
    assert np.abs(found.astype(int) - smooth).mean() < 5


@pytest.mark.formats_row(
    "Images",
    "PNG, WebP, GIF",
    "Pillow",
    "animation",
    "refused: save each frame as a file of its own",
)
@pytest.mark.parametrize("name", ["a.png", "a.webp"])
def test_animations_are_refused(tmp_path, name):
    others = [Image.fromarray(255 - COLOURS), Image.fromarray(COLOURS[::-1])]
    _pillow(tmp_path / name, COLOURS, save_all=True, append_images=others)
    with pytest.raises(DataError, match=r"is an animation of 3 frames; save each as a file of its own"):
        read_image(tmp_path / name)


@pytest.mark.formats_row(
    "Images",
    "PNG, BMP",
    "Pillow, OpenCV",
    "grey, RGB, two-valued; 16 bits (PNG)",
    "exactly; one channel or three; two-valued as 0 and 255",
)
@pytest.mark.formats_row("Images", "WebP", "Pillow, OpenCV", "lossless / lossy")
@pytest.mark.parametrize(
    ("name", "options"), [("a.png", []), ("a.bmp", []), ("a.webp", [cv2.IMWRITE_WEBP_QUALITY, 101])]
)
def test_what_opencv_writes_is_read_exactly(tmp_path, name, options):
    cv2.imwrite(str(tmp_path / name), COLOURS[..., ::-1], options)
    np.testing.assert_array_equal(read_image(tmp_path / name).array, COLOURS)
    for grey in (GREY, (GREY > 100) * np.uint8(255)):
        cv2.imwrite(str(tmp_path / name), grey, options)
        expected = np.dstack([grey] * 3) if name == "a.webp" else grey[..., None]
        np.testing.assert_array_equal(read_image(tmp_path / name).array, expected)


@pytest.mark.formats_row("Images", "WebP", "Pillow, OpenCV", "lossless / lossy", "exactly, always RGB / lossy")
def test_a_webp_of_greys_is_rgb(tmp_path):
    found = read_image(_pillow(tmp_path / "a.webp", GREY, lossless=True))
    np.testing.assert_array_equal(found.array, np.dstack([GREY] * 3))


@pytest.mark.formats_row("Images", "JPEG", "Pillow, OpenCV", "grey, RGB", "lossy")
@pytest.mark.parametrize("writer", ["pillow", "opencv"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_jpeg_is_near(tmp_path, writer, channels):
    smooth = cv2.resize(COLOURS, (64, 48))[..., :channels]
    if writer == "pillow":
        _pillow(tmp_path / "a.jpg", smooth.squeeze(), quality=95)
    else:
        cv2.imwrite(str(tmp_path / "a.jpg"), smooth[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
    found = read_image(tmp_path / "a.jpg").array
    assert found.shape == smooth.shape
    assert np.abs(found.astype(int) - smooth).mean() < 5
