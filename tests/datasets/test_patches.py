from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from unetbench.core.errors import DataError, SpecError
from unetbench.core.recipe import MAX_STEPS, Augmentation
from unetbench.datasets.case import Sample
from unetbench.datasets.patches import PatchSampler, times_shown
from unetbench.datasets.prepare import Prepared

NONE = Augmentation.none()


def case(
    space: tuple[int, ...],
    *,
    channels: int = 1,
    truth: np.ndarray | None = None,
    spacing_mm: tuple[float, ...] | None = None,
) -> Prepared:
    """A case whose pixels hold their own number, so that a patch tells where it was cut."""
    numbers = np.arange(np.prod(space), dtype=np.float32).reshape(*space, 1)
    truth = np.zeros((*space, 1), np.uint8) if truth is None else truth
    image = np.repeat(numbers, channels, -1)
    return Prepared(image, truth, Sample(image, truth, None, spacing_mm), space)


def cases(count: int, space: tuple[int, ...] = (20, 24)) -> list[Prepared]:
    return [case(space) for _ in range(count)]


def names(count: int) -> list[str]:
    return [f"case_{k}" for k in range(count)]


def test_batches_are_full_and_an_epoch_shows_every_case() -> None:
    sampler = PatchSampler(cases(10), names(10), (8, 8), 4)
    shown = [name for index in range(len(sampler)) for name in sampler.names(0, index)]
    assert len(sampler) == 3
    assert len(shown) == 12
    assert set(shown[:10]) == set(names(10))


def test_each_epoch_and_each_round_has_an_order_of_its_own() -> None:
    sampler = PatchSampler(cases(16), names(16), (8, 8), 16, steps=2)
    orders = {sampler.names(epoch, index) for epoch in range(3) for index in range(2)}
    assert len(orders) == 6
    assert all(set(order) == set(names(16)) for order in orders)


def test_a_batch_has_the_shapes_and_types_that_were_promised() -> None:
    images, truths = PatchSampler([case((20, 24), channels=5)], ["a"], (16, 12), 3).batch(0, 0)
    assert (images.shape, images.dtype) == ((3, 16, 12, 5), np.float32)
    assert (truths.shape, truths.dtype) == ((3, 16, 12, 1), np.uint8)
    images, truths = PatchSampler([case((9, 20, 24))], ["a"], (8, 16, 16), 2).batch(0, 0)
    assert images.shape == truths.shape == (2, 8, 16, 16, 1)


def test_a_batch_depends_on_seed_epoch_and_index_and_on_nothing_else() -> None:
    def sampler(seed: int = 3) -> PatchSampler:
        return PatchSampler(cases(5), names(5), (16, 16), 2, seed=seed, foreground=0.5)

    one = sampler()
    forward = [one.batch(epoch, index)[0].tobytes() for epoch in range(2) for index in range(3)]
    backward = [one.batch(epoch, index)[0].tobytes() for epoch in (1, 0) for index in (2, 1, 0)][::-1]
    assert forward == backward == [sampler().batch(e, i)[0].tobytes() for e in range(2) for i in range(3)]
    assert len(set(forward)) == 6
    assert sampler(4).batch(0, 0)[0].tobytes() != forward[0]


def test_threads_get_the_batches_that_one_thread_gets() -> None:
    sampler = PatchSampler(cases(6, (40, 40)), names(6), (32, 32), 3, steps=24)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda index: sampler.batch(0, index)[0].tobytes(), range(24)))
    assert together == [sampler.batch(0, index)[0].tobytes() for index in range(24)]


def test_the_position_in_the_epoch_and_not_the_batch_size_decides_the_draw() -> None:
    small, large = (PatchSampler(cases(8), names(8), (16, 16), batch) for batch in (2, 4))
    pairs = np.concatenate([small.batch(1, 0)[0], small.batch(1, 1)[0]])
    assert np.array_equal(pairs, large.batch(1, 0)[0])


def test_without_augmentation_a_patch_is_a_crop_bit_for_bit() -> None:
    images, _ = PatchSampler([case((20, 24))], ["a"], (8, 8), 200, augment=NONE).batch(0, 0)
    numbers = images[..., 0].astype(int)
    rows, columns = np.divmod(numbers[:, 0, 0], 24)
    expected = (rows[:, None, None] + np.arange(8)[:, None]) * 24 + columns[:, None, None] + np.arange(8)
    assert np.array_equal(numbers, expected)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (0, 12, 0, 16)


def test_the_share_asked_of_the_patches_is_centred_on_foreground() -> None:
    truth = np.zeros((60, 60, 1), np.uint8)
    truth[30, 31] = 1
    sampler = PatchSampler([case((60, 60), truth=truth)], ["a"], (9, 9), 400, augment=NONE, foreground=0.4)
    images, truths = sampler.batch(0, 0)
    centred = images[:, 4, 4, 0] == 30 * 60 + 31
    assert np.array_equal(truths[centred][:, 4, 4, 0], np.ones(centred.sum()))
    # 400 patches at 0.4, and 1 of 52² by chance: a standard error of 0.025.
    assert abs(centred.mean() - 0.4) < 0.1


def test_a_foreground_pixel_at_the_border_keeps_the_patch_inside() -> None:
    truth = np.zeros((30, 30, 1), np.uint8)
    truth[0, 29] = 1
    images, truths = PatchSampler([case((30, 30), truth=truth)], ["a"], (8, 8), 4, augment=NONE, foreground=1.0).batch(
        0, 0
    )
    assert np.array_equal(images[:, 0, 0, 0], np.full(4, 22))
    assert truths[:, 0, 7, 0].all()


def test_a_rare_class_is_centred_as_often_as_a_common_one_and_the_ignored_value_never() -> None:
    truth = np.ones((40, 40, 1), np.uint8)
    truth[:5], truth[20, 20], truth[35:] = 0, 2, 255
    sampler = PatchSampler([case((40, 40), truth=truth)], ["a"], (5, 5), 300, augment=NONE, foreground=1.0, ignore=255)
    centres = sampler.batch(0, 0)[1][:, 2, 2, 0]
    assert set(np.unique(centres)) == {1, 2}
    assert abs((centres == 2).mean() - 0.5) < 0.12  # four standard errors of 300 draws


def test_each_label_of_many_is_centred() -> None:
    truth = np.zeros((40, 40, 2), np.uint8)
    truth[10, 10, 0] = truth[30, 30, 1] = 1
    images, _ = PatchSampler([case((40, 40), truth=truth)], ["a"], (5, 5), 50, augment=NONE, foreground=1.0).batch(0, 0)
    assert set(images[:, 2, 2, 0]) == {10 * 40 + 10, 30 * 40 + 30}


def test_a_case_without_foreground_gives_patches_from_anywhere() -> None:
    images, _ = PatchSampler([case((40, 40))], ["a"], (8, 8), 50, augment=NONE, foreground=1.0).batch(0, 0)
    assert len(set(images[:, 0, 0, 0])) > 25


@pytest.mark.parametrize("augment", [NONE, Augmentation()])
def test_an_image_smaller_than_the_patch_is_mirrored_around(augment: Augmentation) -> None:
    images, truths = PatchSampler([case((5, 24))], ["a"], (16, 16), 4, augment=augment, foreground=0.5).batch(0, 0)
    assert images.shape == truths.shape == (4, 16, 16, 1)
    if augment == NONE:
        # 11 rows are missing: 6 before (the larger half) and 5 after.
        rows = images[0, :, 0, 0] // 24
        assert rows.tolist() == np.pad(np.arange(5), (6, 5), mode="reflect").tolist()


def test_the_ignored_value_comes_through_every_move() -> None:
    truth = np.full((40, 40, 1), 255, np.uint8)
    truth[10:30, 10:30] = 1
    truths = PatchSampler([case((40, 40), truth=truth)], ["a"], (32, 32), 20).batch(0, 0)[1]
    assert set(np.unique(truths)) == {1, 255}


def test_the_images_are_neither_copied_nor_changed() -> None:
    prepared = cases(2)
    before = [one.image.copy() for one in prepared]
    for one in prepared:
        one.image.flags.writeable = False
        one.truth.flags.writeable = False
    sampler = PatchSampler(prepared, names(2), (20, 24), 2)
    for epoch in range(3):
        sampler.batch(epoch, 0)
    PatchSampler(prepared, names(2), (20, 24), 2, augment=Augmentation(0, 0, 0, 0, False)).batch(0, 0)
    assert all(np.array_equal(one.image, old) for one, old in zip(prepared, before, strict=True))


@pytest.mark.parametrize(("slices", "turns_out_of_plane"), [(16, False), (4, True)])
def test_thick_slices_turn_out_of_their_plane_only_once_they_are_resized_to_even_voxels(
    slices: int, turns_out_of_plane: bool
) -> None:
    original = Sample(np.zeros((slices, 16, 16, 1)), np.zeros((slices, 16, 16, 1), np.uint8), None, (4.0, 1.0, 1.0))
    number_of_slice = np.broadcast_to(np.arange(16, dtype=np.float32)[:, None, None, None], (16, 16, 16, 1)).copy()
    prepared = Prepared(number_of_slice, np.zeros((16, 16, 16, 1), np.uint8), original, (16, 16, 16))
    turning = Augmentation(15, 0, 0, 0, False, 0, 0, 0)
    images, _ = PatchSampler([prepared], ["a"], (16, 16, 16), 12, augment=turning).batch(0, 0)
    assert np.allclose(images, number_of_slice, atol=1e-4) != turns_out_of_plane


@pytest.mark.parametrize(("patch", "space"), [((8, 8, 8), (20, 24)), ((8, 8), (9, 20, 24))])
def test_a_patch_of_another_rank_is_refused_in_one_line(patch: tuple[int, ...], space: tuple[int, ...]) -> None:
    message = rf"recipe.patch: .* has {len(patch)} edges, case_0 is {len(space)}D; give {len(space)} edge lengths"
    with pytest.raises(SpecError, match=message):
        PatchSampler([case(space)], names(1), patch, 2)


def test_no_case_at_all_is_refused() -> None:
    with pytest.raises(DataError, match="no case to draw from"):
        PatchSampler([], [], (8, 8), 2)


def test_a_batch_beyond_the_epoch_is_an_error() -> None:
    with pytest.raises(IndexError, match="batch 1 of an epoch of 1"):
        PatchSampler(cases(2), names(2), (8, 8), 2).batch(0, 1)


def test_an_epoch_by_area_shows_large_images_in_proportion() -> None:
    prepared = [case((8, 8)), case((16, 24)), case((4, 4)), case((20, 20))]
    # 64 / 64 = 1; 384 / 64 = 6; 16 / 64, but at least 1; 400 / 64 = 6.25
    assert [times_shown(entry, (8, 8)) for entry in prepared] == [1, 6, 1, 6]
    sampler = PatchSampler(prepared, names(4), (8, 8), 7, steps="area")
    shown = [name for index in range(len(sampler)) for name in sampler.names(0, index)]
    assert len(sampler) == 2
    assert [shown.count(name) for name in names(4)] == [1, 6, 1, 6]
    assert sampler.names(0, 0) != sampler.names(1, 0)


def test_an_epoch_by_area_ends_at_the_most_steps() -> None:
    sampler = PatchSampler([case((80, 80)), case((80, 160))], names(2), (2, 2), 4, steps="area")
    assert len(sampler) == MAX_STEPS
    shown = [name for index in range(len(sampler)) for name in sampler.names(0, index)]
    assert shown.count("case_1") / len(shown) == pytest.approx(2 / 3, abs=0.05)


def test_images_no_larger_than_the_patch_make_the_epoch_that_shows_each_once() -> None:
    once, by_area = (PatchSampler(cases(10), names(10), (24, 24), 4, steps=steps) for steps in ("cases", "area"))
    assert len(once) == len(by_area) == 3
    for index in range(3):
        np.testing.assert_array_equal(once.batch(2, index)[0], by_area.batch(2, index)[0])
