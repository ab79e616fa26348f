from unetbench.core.task import Task
from unetbench.models import MODELS


def _task(rank: int, channels: int, outputs: int) -> Task:
    if outputs == 1:
        return Task(rank, channels, ("cell",))
    return Task(rank, channels, tuple(f"class {k}" for k in range(outputs)), "exclusive")


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
