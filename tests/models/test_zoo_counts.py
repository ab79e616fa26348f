import math

import pytest

from unetbench.models import MODELS
from unetbench.models.anatomy.published import PUBLISHED

LARGE = 12_000_000
"""Parameters from which building one network takes longer than a fast test should."""


def _row(row):
    large = (row.count or 0) > LARGE
    place = f"{row.name}-{row.rank}d-{row.channels}-{row.outputs}"
    return pytest.param(row, id=place, marks=[pytest.mark.slow] if large else [])


@pytest.mark.parametrize("row", [_row(row) for row in PUBLISHED])
def test_parameters_are_the_published_count_to_the_digit(row):
    model = MODELS[row.recipe](row.task, **row.options)
    trainable = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    assert row.trainable in (None, trainable)
    assert row.total in (None, model.count_params())


def test_every_recipe_has_a_published_count():
    ours = {part.name for part in MODELS.parts().values() if part.module.startswith("unetbench.models")}
    assert {row.recipe for row in PUBLISHED} == ours  # other files of a test run may have put parts of theirs beside


@pytest.mark.parametrize("name", sorted({row.recipe for row in PUBLISHED if not row.options}))
def test_the_docstring_states_a_count_that_the_recipe_reproduces(name):
    counts = {count for row in PUBLISHED if row.recipe == name for count in (row.trainable, row.total)}
    assert any(f"{count:,}" in MODELS.part(name).doc for count in counts - {None})


WIDTHS = {
    "unet": 64,
    "unet_half": 32,
    "unet_quarter": 16,
    "unet_wide": 35,
    "unet_light": 64,
    "unet_light_half": 32,
    "unet_light_quarter": 16,
}


@pytest.mark.parametrize("row", [row for row in PUBLISHED if row.recipe in WIDTHS], ids=lambda row: row.name)
def test_counts_of_plain_and_separable_widths_follow_by_arithmetic(row):
    width = row.options.get("width", WIDTHS[row.recipe])
    widths = [width * 2**level for level in range(5)]

    def pair(given: int, made: int) -> int:
        if "light" in row.recipe:  # twice nine taps a channel, then a matrix with bias
            return 9 * given + given * made + made + 9 * made + made * made + made
        return 9 * given * made + made + 9 * made * made + made

    down = sum(pair(given, made) for given, made in zip([row.channels, *widths[:-1]], widths, strict=True))
    up = sum(4 * 2 * made * made + made + pair(2 * made, made) for made in widths[:-1])
    assert down + up + (width + 1) * row.outputs == row.trainable
