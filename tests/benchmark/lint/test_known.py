import math

import pytest

from unetbench.benchmark.lint.known import FAMILIES, NOT_BY_AREA, known_networks, named
from unetbench.models import MODELS
from unetbench.models.anatomy.published import PUBLISHED


def test_every_known_network_is_a_recipe_with_a_published_count():
    counts = {(row.recipe, row.trainable) for row in PUBLISHED} | {
        (row.recipe, known.parameters) for row in PUBLISHED for known in known_networks() if row.trainable is None
    }
    assert len(known_networks()) > 60
    assert {(known.recipe, known.parameters) for known in known_networks()} <= counts
    assert {recipe for recipes in FAMILIES.values() for recipe in recipes} | set(NOT_BY_AREA) <= set(MODELS)


def test_macs_of_a_recipe_are_those_of_the_table():
    from unetbench.models.anatomy.cost import cost

    row = next(row for row in PUBLISHED if row.recipe == "malunet")
    known = next(known for known in known_networks() if known.recipe == "malunet")
    built = MODELS["malunet"](row.task)
    assert cost(built, known.size).macs == known.macs
    assert cost(built, (128, 128)).macs == pytest.approx(known.macs_at((128, 128)), rel=1e-3)


def test_only_a_whole_name_is_a_network():
    assert {known.recipe for known in named(["U-Net [12]"])} == set(FAMILIES["unet"])
    assert {known.recipe for known in named(["UNet++", "bce"])} == {"unet_plus_plus", "basic_unet_plus_plus"}
    assert {known.recipe for known in named(["MALUNet (Ruan et al., 2022)"])} == {"malunet"}
    assert named(["U-Net (ResNet-50)"]) == named(["Our U-Net"]) == named(["", "0.91"]) == []


def test_macs_of_another_size_are_known_only_where_they_grow_with_the_area():
    by_area = next(known for known in known_networks() if known.recipe == "unet")
    assert by_area.macs_at((512, 512)) == 4 * by_area.macs and by_area.macs_at((64, 64, 64)) is None
    swin = next(known for known in known_networks() if known.recipe == "swin_unet")
    assert swin.macs_at((448, 448)) is None and math.prod(swin.size) == 224 * 224
