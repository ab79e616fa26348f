import numpy as np
from scipy.ndimage import gaussian_filter

from unetbench.datasets.fields import fields_of_view

RNG = np.random.default_rng(0)


def _field(height, width):
    """A picture (y, x, 3) uint8 of smooth structures with a little noise."""
    smooth = gaussian_filter(RNG.random((height, width)), 5)
    levels = 200 * (smooth - smooth.min()) / np.ptp(smooth) + RNG.normal(0, 1, smooth.shape)
    return np.repeat(np.clip(levels, 0, 255).astype(np.uint8)[..., None], 3, -1)


def test_the_four_quarters_of_a_field_are_one_group_and_another_field_is_another():
    first, second = _field(128, 128), _field(128, 128)
    quarters = {"a": (0, 0), "b": (0, 64), "c": (64, 0), "d": (64, 64)}
    images = {name: first[y : y + 64, x : x + 64] for name, (y, x) in quarters.items()}
    images |= {name.upper(): second[y : y + 64, x : x + 64] for name, (y, x) in quarters.items()}
    assert fields_of_view(images) == {**dict.fromkeys("abcd", "a"), **dict.fromkeys("ABCD", "A")}


def test_pictures_of_the_same_thing_are_one_group():
    picture = _field(64, 64)
    again = np.clip(picture * 0.8 + RNG.normal(5, 3, picture.shape), 0, 255).astype(np.uint8)
    assert fields_of_view({"a": picture, "b": again, "c": _field(64, 64)}) == {"a": "a", "b": "a", "c": "c"}


def test_empty_images_and_other_sizes_are_groups_of_their_own():
    black = np.zeros((64, 64, 3), np.uint8)
    images = {"a": black, "b": black.copy(), "c": _field(64, 64), "d": _field(32, 64)}
    assert fields_of_view(images) == {name: name for name in "abcd"}
