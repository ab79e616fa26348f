"""Drawing the objects of an annotation file: a label image of 2,000 polygons at 2048² is to take less than 0.3 s."""

import time

import cv2
import numpy as np
import pytest

from unetbench.datasets.readers.annotations import Outline, Region, drawn

SPACE = (2048, 2048)
GROUP = "2,000 polygons at 2048², seconds of a processor"


@pytest.fixture(scope="module")
def rings() -> list[np.ndarray]:
    """2,000 nuclei of 12 to 28 pixels radius, 32 corners each, which cover 46 % of the image."""
    rng, turn = np.random.default_rng(0), np.linspace(0, 2 * np.pi, 32, endpoint=False)
    around = np.stack([np.cos(turn), np.sin(turn)], 1)
    return [
        rng.uniform(20, 2028, 2) + rng.uniform(12, 28) * around * (1 + 0.1 * rng.standard_normal((32, 1)))
        for _ in range(2000)
    ]


@pytest.mark.benchmark(group=GROUP, timer=time.process_time)
def test_drawing_by_pixel_centres(benchmark, rings) -> None:
    regions = [Region("cell", (Outline((ring,)),), "") for ring in rings]
    assert 0.4 < (benchmark(drawn, regions, SPACE) > 0).mean() < 0.5


@pytest.mark.benchmark(group=GROUP, timer=time.process_time)
def test_opencv_with_rounded_corners_and_outlines(benchmark, rings) -> None:
    rounded = [np.round(ring).astype(np.int32) for ring in rings]

    def found() -> np.ndarray:
        labels = np.zeros(SPACE, np.int32)
        for number, ring in enumerate(rounded, 1):
            cv2.fillPoly(labels, [ring], (number,))
        return labels

    assert 0.4 < (benchmark(found) > 0).mean() < 0.55


@pytest.mark.benchmark(group=GROUP, timer=time.process_time)
def test_scikit_image(benchmark, rings) -> None:
    from skimage.draw import polygon

    def found() -> np.ndarray:
        labels = np.zeros(SPACE, np.int32)
        for number, ring in enumerate(rings, 1):
            labels[polygon(ring[:, 1] - 0.5, ring[:, 0] - 0.5, SPACE)] = number
        return labels

    assert 0.4 < (benchmark(found) > 0).mean() < 0.5
