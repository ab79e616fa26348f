import pytest

from unetbench.core.task import Task
from unetbench.models import MODELS
from unetbench.models.anatomy.wiring import POOLED, STRIDED, TRANSPOSED, Edge, wiring

COLOUR = Task(2, 3, ("cell",))


def test_a_plain_unet_of_two_levels_is_four_blocks_and_one_skip():
    wired = wiring(MODELS["unet"](COLOUR, width=4, depth=1))
    assert [block.channels for block in wired.blocks] == [4, 8, 4, 1]
    assert [block.level for block in wired.blocks] == [0, 1, 0, 0]
    assert [block.merge for block in wired.blocks] == ["", "", "c", ""]
    assert set(wired.edges) == {Edge(0, 1, POOLED), Edge(0, 2, ""), Edge(1, 2, TRANSPOSED), Edge(2, 3, "")}
    assert wired.columns() == (0, 1, 2, 3)
    assert wired.outputs == (3,)


def test_the_nodes_of_a_nested_unet_stand_in_a_triangle():
    wired = wiring(MODELS["unet_plus_plus"](COLOUR, width=4, depth=2))
    # Node (i, j) stands i + 2 j blocks from the image.
    places = {(block.level, column) for block, column in zip(wired.blocks, wired.columns(), strict=True)}
    assert places == {(0, 0), (1, 1), (2, 2), (0, 2), (1, 3), (0, 4), (0, 5)}


@pytest.mark.parametrize(
    ("name", "mechanism"),
    [("attention_unet", "gate"), ("r2_unet", "recurrent"), ("multires_unet", "paths"), ("unet_light", "depthwise")],
)
def test_the_mechanism_of_a_family_is_read_from_its_calls(name, mechanism):
    wired = wiring(MODELS[name](COLOUR, width=8, depth=1))
    assert mechanism in {block.mechanism for block in wired.blocks}


def test_the_convolutions_of_a_full_scale_skip_lie_on_the_way():
    wired = wiring(MODELS["unet_3plus"](COLOUR, width=4, depth=2))
    (merge,) = (number for number, block in enumerate(wired.blocks) if block.merge == "c" and block.level == 0)
    assert [edge.convolved for edge in wired.edges if edge.target == merge] == [True] * 3


def test_padding_before_a_strided_convolution_is_no_way_up():
    wired = wiring(MODELS["resunet"](COLOUR, width=4, depth=2))
    down = [edge.how for edge in wired.edges if wired.blocks[edge.target].level > wired.blocks[edge.source].level]
    assert down == [STRIDED] * len(down)
    assert len(down) >= 2
