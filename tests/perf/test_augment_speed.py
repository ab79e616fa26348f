"""Input pipeline on one thread. Images a second are the batch size over the time shown; the aim is 1,000 at 256×256."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from unetbench.core.recipe import Augmentation
from unetbench.datasets import DATASETS
from unetbench.datasets.case import Sample
from unetbench.datasets.patches import PatchSampler
from unetbench.datasets.prepare import Prepared
from unetbench.datasets.source import Source


@pytest.fixture(autouse=True)
def one_thread():
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    yield
    cv2.setNumThreads(before)


def sampler(space: tuple[int, ...], patch: tuple[int, ...], batch: int, channels: int = 1, **options) -> PatchSampler:
    rng = np.random.default_rng(0)
    spacing_mm = options.pop("spacing_mm", None)
    prepared = []
    for _ in range(batch):
        image = rng.standard_normal((*space, channels), np.float32)
        truth = (rng.random((*space, 1)) < 0.3).astype(np.uint8)
        prepared.append(Prepared(image, truth, Sample(image, truth, None, spacing_mm), space))
    return PatchSampler(prepared, [str(k) for k in range(batch)], patch, batch, **options)


def show_rate(benchmark, batches: PatchSampler, unit: str) -> None:
    images, _ = benchmark(batches.batch, 0, 0)
    if benchmark.stats is not None:
        benchmark.extra_info[unit] = len(images) / benchmark.stats.stats.median


@pytest.mark.parametrize("space", [(256, 256), (520, 696)], ids=["256x256", "520x696"])
@pytest.mark.parametrize("channels", [1, 3])
def test_image_and_truth_of_256_by_256(benchmark, space: tuple[int, int], channels: int) -> None:
    show_rate(benchmark, sampler(space, (256, 256), 16, channels, foreground=0.3), "images_per_s")


def test_image_and_truth_of_256_by_256_without_augmentation(benchmark) -> None:
    show_rate(benchmark, sampler((256, 256), (256, 256), 16, augment=Augmentation.none()), "images_per_s")


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (4.0, 1.0, 1.0)], ids=["even voxels", "thick slices"])
def test_volume_and_truth_of_64_by_128_by_128(benchmark, spacing_mm: tuple[float, ...]) -> None:
    show_rate(benchmark, sampler((64, 128, 128), (64, 128, 128), 2, spacing_mm=spacing_mm), "volumes_per_s")


@pytest.mark.parametrize("form", ["nuclei", "nucleus_cytoplasm", "volume", "two_modality"])
def test_generating_eight_plates_of_cells(benchmark, form: str) -> None:
    dataset = DATASETS["cells"](Source(None, Path("unused"), False), form=form, count=32)
    benchmark.pedantic(lambda: [case.read() for case in dataset.cases[::4]], rounds=3, warmup_rounds=1)
