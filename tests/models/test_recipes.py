import math

import pytest

from unetbench.core.task import Task
from unetbench.models import MODELS

PUBLISHED = [
    ("unet", 2, 1, 1, {}, 31_030_593),
    ("unet", 2, 1, 2, {}, 31_030_658),
    ("unet", 2, 3, 1, {}, 31_031_745),
    ("unet_half", 2, 1, 1, {}, 7_759_521),
    ("unet_quarter", 2, 3, 1, {}, 1_941_105),
    ("unet", 2, 1, 1, {"width": 35}, 9_282_246),
    ("unet_milesial", 2, 3, 2, {}, 31_037_698),
    ("unet_light", 2, 3, 1, {}, 5_982_364),
    ("unet_light", 2, 3, 1, {"width": 32}, 1_510_492),
    ("unet_3d", 3, 3, 3, {"normalisation": "none"}, 19_069_955),
]


def _task(rank: int, channels: int, outputs: int) -> Task:
    if outputs == 1:
        return Task(rank, channels, ("cell",))
    return Task(rank, channels, tuple(f"class {k}" for k in range(outputs)), "exclusive")


@pytest.mark.parametrize(("name", "rank", "channels", "outputs", "options", "published"), PUBLISHED)
def test_parameters_are_the_published_count_to_the_digit(name, rank, channels, outputs, options, published):
    model = MODELS[name](_task(rank, channels, outputs), **options)
    assert sum(math.prod(weight.shape) for weight in model.trainable_weights) == published


def test_batch_normalisation_adds_two_trainable_numbers_a_filter_and_two_statistics():
    bare = MODELS["unet_3d"](_task(3, 3, 3), width=8, normalisation="none")
    normalised = MODELS["unet_3d"](_task(3, 3, 3), width=8)
    # Encoder 4+8, 8+16, 16+32, 32+64; decoder twice 32, 16, 8.
    filters = 12 + 24 + 48 + 96 + 64 + 32 + 16
    assert normalised.count_params() - bare.count_params() == 4 * filters


def test_a_convolution_before_a_normalisation_has_no_bias():
    task = _task(2, 1, 1)
    counts = {norm: MODELS["unet"](task, width=8, depth=2, normalisation=norm) for norm in ("none", "instance")}
    filters = 2 * (8 + 16 + 32 + 16 + 8)
    # A bias goes, a scale and an offset come.
    assert counts["instance"].count_params() - counts["none"].count_params() == filters
