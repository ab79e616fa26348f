from collections.abc import Callable

import keras
import pytest

from unetbench.core.task import Task
from unetbench.models import MODELS

CMUNEXT = {"widths": (4, 6, 8, 10, 12), "depths": (1, 1, 1, 1, 1), "kernels": (3, 3, 5, 5, 5)}

REDUCED = {
    "cmunext": CMUNEXT,
    "cmunext_s": CMUNEXT,
    "cmunext_l": CMUNEXT,
    "dense_unet": {"growth": 8, "width": 8, "layers": (1, 2, 2), "dropout": 0.0},
    "ege_unet": {"widths": (4, 8, 8, 12, 12, 16)},
    "malunet": {"widths": (4, 8, 8, 12, 12, 16)},
    "multires_unet": {"width": 8, "depth": 2},
    "dc_unet": {"width": 8, "depth": 2},
    "resunet_plus_plus": {"width": 16, "depth": 2},
    "swin_unet": {"width": 4, "blocks": (2, 2), "heads": 1, "window": 3, "depth_dropout": 0.0},
    "scse_unet": {"width": 8, "depth": 2, "ratio": 1},
    "tiny_unet": {"width": 16, "depth": 2},
    "trans_unet": {"width": 8, "blocks": (1, 1, 1), "hidden": 24, "layers": 2, "heads": 3},
    "u2_net": {"width": 16},
    "u2_net_p": {"width": 16},
    "unext": {"widths": (4, 8, 12, 16, 20)},
    "unext_s": {"widths": (4, 8, 12, 16, 20)},
    "unetr": {"width": 4, "hidden": 24, "layers": 4, "heads": 3},
    "encoder_unet": {"encoder": "mobilenet_v2"},
}
"""Options of the recipes that `width` and `depth` do not make small."""


def small_options(name: str, width: int = 4, depth: int = 2) -> dict[str, object]:
    """Options that make the recipe small."""
    usual = {"width": width, "depth": depth}
    return REDUCED.get(name, {key: usual[key] for key in usual if key in MODELS.part(name).options})


@pytest.fixture(scope="session")
def reduced() -> Callable[..., keras.Model]:
    """Build a recipe small, always with the same weights: `reduced(name, task, width=4, depth=2)`."""

    def build(name: str, task: Task, **size: int) -> keras.Model:
        keras.utils.set_random_seed(0)
        return MODELS[name](task, **small_options(name, **size))

    return build


@pytest.fixture(scope="session")
def options() -> Callable[..., dict[str, object]]:
    """The options that `reduced` takes, for a build in another process."""
    return small_options
