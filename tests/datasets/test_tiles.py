"""Tiles cover a case without overlap; a choice of them shows every case and every class."""

import numpy as np
import pytest

from unetbench.datasets.case import Sample
from unetbench.datasets.prepare import Prepared
from unetbench.datasets.tiles import choose_tiles, cut_tiles


def case(space: tuple[int, ...], truth: np.ndarray | None = None) -> Prepared:
    """A case whose pixels hold their own number, so that a tile tells where it was cut."""
    image = np.arange(np.prod(space), dtype=np.float32).reshape(*space, 1)
    truth = np.zeros((*space, 1), np.uint8) if truth is None else truth
    return Prepared(image, truth, Sample(image, truth, None, None), space)


@pytest.mark.parametrize(
    ("space", "patch"),
    [((20, 24), (8, 8)), ((20, 24), (32, 32)), ((5, 33), (8, 8)), ((7, 9, 11), (4, 4, 16)), ((8, 8), (8, 8))],
)
def test_every_pixel_counts_in_exactly_one_tile(space: tuple[int, ...], patch: tuple[int, ...]) -> None:
    counts = np.zeros(np.prod(space), int)
    covered = list(cut_tiles(case(space), patch))
    for tile in covered:
        assert tile.image.shape == tile.truth.shape == (*patch, 1)
        assert tile.counted.shape == patch
        np.add.at(counts, tile.image[..., 0][tile.counted].astype(int), 1)
    assert np.array_equal(counts, np.ones_like(counts))
    assert len(covered) == np.prod([-(-n // p) for n, p in zip(space, patch, strict=True)])


def test_the_last_tile_is_moved_back_and_a_small_image_mirrored() -> None:
    last = list(cut_tiles(case((5, 20)), (8, 8)))[-1]
    assert (last.image[0, :, 0] % 20).tolist() == list(range(12, 20))
    assert last.counted[0].tolist() == [False] * 4 + [True] * 4
    assert (last.image[:, 0, 0] // 20).tolist() == [0, 1, 2, 3, 4, 3, 2, 1]
    assert last.counted[:, 7].tolist() == [True] * 5 + [False] * 3


def test_chosen_tiles_are_those_of_their_numbers() -> None:
    every = list(cut_tiles(case((20, 24)), (8, 8)))
    some = list(cut_tiles(case((20, 24)), (8, 8), [1, 5]))
    assert [tile.image[0, 0, 0] for tile in some] == [every[1].image[0, 0, 0], every[5].image[0, 0, 0]]


def test_there_is_nothing_to_choose_where_all_tiles_are_few_enough() -> None:
    assert choose_tiles([case((8, 8))] * 3, (8, 8), 1) is None  # every case at least once
    assert choose_tiles([case((16, 16))] * 2, (8, 8), 8) is None
    assert choose_tiles([case((16, 16))] * 2, (8, 8), 7) is not None


def test_a_choice_shows_every_case_in_proportion_and_always_the_same() -> None:
    cases = [case((8, 80)), case((8, 160)), case((8, 8))]
    chosen = choose_tiles(cases, (8, 8), 13)
    assert chosen is not None
    assert chosen == choose_tiles(cases, (8, 8), 13)
    assert chosen != choose_tiles(cases, (8, 8), 13, seed=1)
    assert [len(numbers) for numbers in chosen] == [4, 8, 1]  # of 10, 20 and 1
    assert all(numbers == sorted(set(numbers)) for numbers in chosen)


def test_a_rare_class_is_in_the_choice_and_an_ignored_value_is_no_class() -> None:
    truth = np.zeros((8, 800, 1), np.uint8)
    truth[:, 320:328] = 2  # in tile 40 alone
    truth[:, 400:408] = 255  # in tile 50 alone
    truth[:, 0:80] = 1
    cases = [case((8, 800), truth), case((8, 800))]
    chosen = choose_tiles(cases, (8, 8), 6, ignore=255)
    assert chosen is not None
    assert 40 in chosen[0]
    assert any(number < 10 for number in chosen[0])
    assert sum(map(len, chosen)) == 6
    assert len(chosen[1]) >= 1
