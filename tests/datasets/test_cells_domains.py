"""Sites whose generated images differ: the cells of the same plates, seen otherwise."""

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from unetbench.core.errors import SpecError
from unetbench.datasets import DATASETS
from unetbench.datasets.cells_domains import DOMAINS
from unetbench.datasets.source import Source

SIZE = (96, 96)


def _cells(**options):
    return DATASETS["cells"](Source(None, Path("unused"), False), size=SIZE, **options)


def _samples(*domains, count=4):
    return [case.read() for case in _cells(count=count, domains=list(domains)).cases]


def test_a_plate_is_of_one_site_and_sites_take_turns():
    cases = _cells(count=20, domains=["plain", "noisy"]).cases
    of = {case.group: {other.stratum for other in cases if other.group == case.group} for case in cases}
    assert list(of.values()) == [{"plain"}, {"noisy"}, {"plain"}, {"noisy"}, {"plain"}]


def test_the_plain_site_has_the_images_that_there_are_without_sites():
    for one, other in zip(_samples("plain"), _samples(), strict=True):
        assert np.array_equal(one.image, other.image)
        assert np.array_equal(one.truth, other.truth)


def test_the_inverted_site_has_the_negatives_of_the_plain_one():
    for one, other in zip(_samples("inverted"), _samples("plain"), strict=True):
        assert np.array_equal(one.truth, other.truth)
        total = one.image.astype(int) + other.image
        assert total.min() == total.max()
        assert total.max() in (2**12 - 1, 2**16 - 1)


def _radius(samples):
    """The mean radius of nuclei, by area, of those that the border does not cut."""
    areas = []
    for sample in samples:
        labels, border = sample.instances, np.ones(SIZE, bool)
        border[1:-1, 1:-1] = False
        whole = sorted(set(np.unique(labels)) - set(np.unique(labels[border])) - {0})
        areas += [int((labels == number).sum()) for number in whole]
    return np.sqrt(np.mean(areas) / np.pi)


def _spread(samples, of):
    """The standard deviation of what `of` makes of an image, relative to the image's, the mean over images."""
    images = [sample.image[..., 0].astype(float) for sample in samples]
    return np.mean([of(image).std() / image.std() for image in images])


def test_sites_differ_in_magnification_noise_and_sharpness():
    plain, noisy, blurred = (_samples(name, count=24) for name in ("plain", "noisy", "blurred"))
    assert _radius(noisy) < 0.8 * _radius(plain)
    assert _radius(blurred) > 1.2 * _radius(plain)

    def noise(image):
        return image - ndimage.gaussian_filter(image, 1.0)

    def edges(image):
        return np.diff(ndimage.gaussian_filter(image, 1.5), axis=0)

    assert _spread(noisy, noise) > 1.5 * _spread(plain, noise)
    assert _spread(blurred, edges) < 0.8 * _spread(plain, edges)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"domains": ["plane"]}, "domain 'plane' is unknown; did you mean 'plain'"),
        ({"domains": ["plain", "plain"]}, "name one twice"),
        ({"domains": list(DOMAINS), "count": 12}, "12 cases are 3 plates, too few for 4 domains"),
    ],
)
def test_sites_that_cannot_be_are_refused_in_one_line(options, message):
    with pytest.raises(SpecError, match=message):
        _cells(**options)
