import numpy as np
import pytest
from PIL import Image

from unetbench.core.errors import DataError
from unetbench.datasets.readers import read_image

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (8, 9), np.uint8)
COLOURS = RNG.integers(0, 256, (8, 9, 3), np.uint8)


@pytest.mark.formats_row(
    "Images",
    "GIF",
    "Pillow",
    "palette of greys / of colours",
    "one channel / RGB; a transparent colour is a colour",
)
def test_a_palette_of_greys_is_one_channel(tmp_path):
    for values in (GREY, (GREY > 100) * np.uint8(255), np.uint8([[0, 5, 9]])):
        Image.fromarray(values).save(tmp_path / "a.gif")
        np.testing.assert_array_equal(read_image(tmp_path / "a.gif").array, values[..., None])


@pytest.mark.formats_row("Images", "GIF", "Pillow", "palette of greys / of colours")
@pytest.mark.parametrize("options", [{}, {"transparency": 3}, {"interlace": 0}])
def test_a_palette_of_colours_is_three(tmp_path, options):
    few = Image.fromarray(COLOURS).quantize(16)
    few.save(tmp_path / "a.gif", **options)
    np.testing.assert_array_equal(read_image(tmp_path / "a.gif").array, np.asarray(few.convert("RGB")))


@pytest.mark.formats_row("Images", "PNG, WebP, GIF", "Pillow", "animation")
def test_an_animation_is_refused(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.gif", save_all=True, append_images=[Image.fromarray(255 - GREY)])
    with pytest.raises(DataError, match=r"a\.gif: is an animation of 2 frames; save each as a file of its own"):
        read_image(tmp_path / "a.gif")
