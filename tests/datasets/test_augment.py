import cv2
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from unetbench.core.recipe import Augmentation
from unetbench.datasets.augment import AugmentationParams, draw_params, jitter_intensity, reflected, warp_patch

GEOMETRY = Augmentation(brightness=0, contrast=0, noise=0)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def centre(shape: tuple[int, ...]) -> np.ndarray:
    return (np.array(shape) - 1) / 2


def still(patch: tuple[int, ...], **changes: object) -> AugmentationParams:
    drawn = draw_params(rng(), Augmentation.none(), patch)
    return AugmentationParams(**{**vars(drawn), **changes})


def blobs(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """A smooth field (*shape, 1) of mean 0 and standard deviation 1."""
    field = gaussian_filter(rng(seed).standard_normal(shape), 3, mode="mirror")
    return ((field - field.mean()) / field.std()).astype(np.float32)[..., None]


def coordinates(space: tuple[int, ...]) -> np.ndarray:
    """Every pixel holds its own place: (*space, rank)."""
    return np.stack(np.meshgrid(*map(np.arange, space), indexing="ij"), -1).astype(np.uint8)


@pytest.mark.parametrize("patch", [(64, 64), (63, 50), (100, 120)])
@pytest.mark.parametrize("seed", range(8))
def test_image_and_truth_move_together_in_the_plane(patch: tuple[int, int], seed: int) -> None:
    places = coordinates((80, 91))
    drawn, middle = draw_params(rng(seed), GEOMETRY, patch), np.array([40.5, 44.0])
    image = warp_patch(drawn, places.astype(np.float32), middle, cv2.INTER_LINEAR)
    truth = warp_patch(drawn, places, middle, cv2.INTER_NEAREST)
    # The nearest pixel is at most half a pixel away along each axis; cv2 rounds places to 1/32 pixel.
    assert np.abs(image - truth).max() <= 0.5 + 1 / 16
    assert np.abs(image - np.round(image)).max() > 0.4


@pytest.mark.parametrize("spacing_mm", [None, (4.0, 1.0, 1.0), (1.0, 1.0, 4.0), (1.0, 1.5, 1.2)])
@pytest.mark.parametrize("seed", range(6))
def test_image_and_truth_move_together_in_space(spacing_mm: tuple[float, ...] | None, seed: int) -> None:
    places = coordinates((24, 30, 33))
    drawn = draw_params(rng(seed), GEOMETRY, (20, 24, 27), spacing_mm=spacing_mm)
    middle = np.array([12.5, 14.5, 17.0])
    image = warp_patch(drawn, places.astype(np.float32), middle, cv2.INTER_LINEAR)
    truth = warp_patch(drawn, places, middle, cv2.INTER_NEAREST)
    assert image.shape == truth.shape == (20, 24, 27, 3)
    assert np.abs(image - truth).max() <= 0.5 + 1 / 16
    assert np.abs(image - np.round(image)).max() > 0.4


@pytest.mark.parametrize("seed", range(6))
def test_a_pixel_comes_from_the_place_the_matrix_says(seed: int) -> None:
    places = coordinates((120, 120)).astype(np.float32)
    drawn = draw_params(rng(seed), GEOMETRY, (33, 40))
    moved = warp_patch(drawn, places, np.array([60.0, 58.5]), cv2.INTER_LINEAR)
    for pixel in [(0, 0), (0, 39), (32, 0), (32, 39), (16, 20)]:
        expected = np.array([60, 58.5]) + drawn.shift + drawn.matrix @ (np.array(pixel) - np.array([16, 19.5]))
        assert np.allclose(moved[pixel], expected, atol=1 / 16)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 9, 130])
def test_every_channel_moves_alike(channels: int) -> None:
    field = blobs((40, 44))
    drawn = draw_params(rng(1), GEOMETRY, (32, 32), channels=channels)
    moved = warp_patch(drawn, np.repeat(field, channels, -1), np.array([19.5, 20.5]), cv2.INTER_LINEAR)
    assert moved.shape == (32, 32, channels)
    # cv2 has other code for other numbers of channels, some of it with coordinates rounded to 1/32 pixel.
    assert np.allclose(moved, moved[..., :1], atol=0.02)


@pytest.mark.parametrize("shape", [(40, 44, 1), (40, 44, 6), (12, 20, 22, 2)])
def test_a_draw_of_nothing_gives_the_crop_bit_for_bit(shape: tuple[int, ...]) -> None:
    image = rng().standard_normal(shape, np.float32)
    patch, start = tuple(edge // 2 for edge in shape[:-1]), np.array([5, 9, 3][: len(shape) - 1])
    drawn = draw_params(rng(), Augmentation.none(), patch, channels=shape[-1])
    moved = warp_patch(drawn, image, start + centre(patch), cv2.INTER_LINEAR)
    assert not np.shares_memory(moved, image)
    inside = tuple(slice(a, a + n) for a, n in zip(start, patch, strict=True))
    shaded = jitter_intensity(drawn, moved, np.full(shape[-1], 0.3), np.full(shape[-1], 2.0))
    assert shaded.tobytes() == image[inside].tobytes()


def test_a_patch_of_the_whole_image_is_still_a_copy() -> None:
    image = blobs((32, 32))
    moved = warp_patch(still((32, 32)), image, centre((32, 32)), cv2.INTER_LINEAR)
    assert np.array_equal(moved, image)
    assert not np.shares_memory(moved, image)


@pytest.mark.parametrize("rank", [2, 3])
def test_flips_mirror_the_crop_bit_for_bit(rank: int) -> None:
    image = rng().standard_normal((*(9, 14, 15)[-rank:], 2), np.float32)
    space = image.shape[:-1]
    only_flips = Augmentation(0, 0, 0, 0, True, 0, 0, 0)
    seen = set()
    for seed in range(60):
        drawn = draw_params(rng(seed), only_flips, space, channels=2)
        mirrored = tuple(axis for axis in range(rank) if drawn.matrix[axis, axis] < 0)
        seen.add(mirrored)
        assert np.array_equal(warp_patch(drawn, image, centre(space), cv2.INTER_LINEAR), np.flip(image, mirrored))
    assert len(seen) == 2**rank


def test_shifts_alone_are_whole_pixels_and_borders_mirror_without_repeating_the_edge() -> None:
    image = np.arange(5, dtype=np.float32).reshape(1, 5, 1)
    moved = warp_patch(still((1, 9), shift=np.array([0.0, -3.0])), image, np.array([0.0, 4.0]), cv2.INTER_LINEAR)
    # The patch starts at column 4 - 4 - 3 = -3.
    assert moved.ravel().tolist() == [3, 2, 1, 0, 1, 2, 3, 4, 3]
    drawn = draw_params(rng(), Augmentation(0, 0.3, 0, 0, False, 0, 0, 0), (64, 64))
    assert np.array_equal(drawn.shift, np.round(drawn.shift))
    assert np.any(drawn.shift != 0)


@pytest.mark.parametrize("shape", [(20, 16), (1, 30), (50, 7)])
def test_an_image_smaller_than_the_patch_is_mirrored_as_numpy_pads(shape: tuple[int, int]) -> None:
    image = blobs(shape)
    tiny_turn = still((64, 64), matrix=np.eye(2) + np.array([[0, 1e-9], [1e-9, 0]]))
    start = np.array([(n - 64) // 2 for n in shape])
    before = [-a for a in start]
    after = [64 - n - b for n, b in zip(shape, before, strict=True)]
    expected = np.pad(
        image, [*zip(before, after, strict=True), (0, 0)], mode="reflect" if min(shape) > 1 else "symmetric"
    )
    if min(shape) == 1:
        expected = image[0][reflected(int(start[1]), 64, shape[1])][None].repeat(64, 0)
    assert np.array_equal(warp_patch(still((64, 64)), image, start + 31.5, cv2.INTER_LINEAR), expected)
    assert np.allclose(warp_patch(tiny_turn, image, start + 31.5, cv2.INTER_LINEAR), expected, atol=1e-3)


def test_the_window_of_a_large_image_gives_what_the_whole_image_gives() -> None:
    image = blobs((300, 280))
    for seed, middle in enumerate([(20.0, 20.0), (290.0, 10.0), (150.0, 150.0), (-40.0, 300.0), (-15.0, 290.0)]):
        drawn = draw_params(rng(seed), GEOMETRY, (64, 48))
        moved = warp_patch(drawn, image, np.array(middle), cv2.INTER_LINEAR)
        padded = np.pad(image, [(250, 250), (250, 250), (0, 0)], mode="reflect")
        assert np.allclose(moved, warp_patch(drawn, padded, np.array(middle) + 250, cv2.INTER_LINEAR), atol=1e-3)


def test_a_rotation_turns_by_the_angle_drawn() -> None:
    # A bright pixel 20 columns right of the centre. The output reads the input at R o, so it appears at R⁻¹ (0, 20):
    # with R = [[cos, -sin], [sin, cos]] and 90°, at row 20, column 0.
    image = np.zeros((65, 65, 1), np.float32)
    image[32, 52] = 1
    quarter = still((65, 65), matrix=np.array([[0.0, -1.0], [1.0, 0.0]]))
    moved = warp_patch(quarter, image, np.array([32.0, 32.0]), cv2.INTER_LINEAR)
    assert np.unravel_index(moved.argmax(), (65, 65)) == (52, 32)


def test_ranges_are_kept_and_reached() -> None:
    draws = [draw_params(rng(seed), Augmentation(flips=False), (100, 100)) for seed in range(400)]
    angles = np.rad2deg([np.arctan2(d.matrix[1, 0], d.matrix[0, 0]) for d in draws])
    zooms = [1 / np.hypot(d.matrix[0, 0], d.matrix[1, 0]) for d in draws]
    for values, largest in (
        (angles, 15),
        (np.array(zooms) - 1, 0.1),
        (np.array([d.shift for d in draws]), 10),
        (np.array([d.offset for d in draws]), 0.2),
        (np.array([d.gain for d in draws]) - 1, 0.2),
    ):
        assert largest * 0.95 < values.max() <= largest * (1 + 1e-9)
        assert -largest * 0.95 > values.min() >= -largest * (1 + 1e-9)
    assert 0.095 < max(d.noise for d in draws) <= 0.1


def test_thick_slices_stay_in_their_plane_and_thin_ones_turn_in_every_plane() -> None:
    thick = {draw_params(rng(seed), Augmentation(), (8, 8, 8), spacing_mm=(4, 1, 1)).plane for seed in range(30)}
    thin = {draw_params(rng(seed), Augmentation(), (8, 8, 8), spacing_mm=(1.5, 1, 1)).plane for seed in range(30)}
    unknown = {draw_params(rng(seed), Augmentation(), (8, 8, 8)).plane for seed in range(30)}
    assert thick == {(1, 2)}
    assert thin == unknown == {(0, 1), (0, 2), (1, 2)}


def test_voxels_alike_along_no_two_axes_do_not_turn() -> None:
    drawn = draw_params(rng(3), Augmentation(), (8, 8, 8), spacing_mm=(9, 3, 1))
    assert np.array_equal(np.abs(drawn.matrix), np.eye(3))
    assert np.array_equal(drawn.shift, np.round(drawn.shift))


def test_a_turn_is_one_in_millimetres() -> None:
    spacing = np.array([2.0, 1.0])
    turned = draw_params(rng(4), Augmentation(15, 0, 0, 0, False), (32, 32), spacing_mm=(2.0, 1.0)).matrix
    in_mm = turned * spacing[:, None] / spacing[None, :]
    assert np.allclose(in_mm @ in_mm.T, np.eye(2))
    assert not np.allclose(turned @ turned.T, np.eye(2))


def test_a_label_of_its_own_is_never_mixed_with_its_neighbours() -> None:
    truth = rng().choice(np.array([0, 1, 2, 255], np.uint8), (70, 70, 1))
    for seed in range(10):
        moved = warp_patch(draw_params(rng(seed), Augmentation(), (64, 64)), truth, centre((70, 70)), cv2.INTER_NEAREST)
        assert set(np.unique(moved)) <= {0, 1, 2, 255}


def test_shading_follows_its_formula_for_each_channel() -> None:
    # Channel 0: (3 - 1) · 2 + 1 + 4 · 0.5 = 7. Channel 1: (3 - 0) · 1 + 0 + 1 · -1 = 2.
    image = np.full((2, 5, 2), 3, np.float32)
    drawn = still((2, 5), gain=np.array([2.0, 1.0]), offset=np.array([0.5, -1.0]))
    shaded = jitter_intensity(drawn, image, np.array([1.0, 0.0]), np.array([4.0, 1.0]))
    assert np.shares_memory(shaded, image)
    assert np.array_equal(shaded, np.broadcast_to(np.array([7, 2], np.float32), (2, 5, 2)))


def test_noise_is_normal_and_in_units_of_each_channel() -> None:
    drawn = still((200, 200), gain=np.ones(2), offset=np.zeros(2), noise=0.5, noise_seed=7)
    noise = jitter_intensity(drawn, np.zeros((200, 200, 2), np.float32), np.zeros(2), np.array([1.0, 10.0]))
    standard = noise / np.array([0.5, 5.0])
    # 40,000 draws: the standard error is 0.005 for the mean, 0.0035 for the deviation, 0.025 for the kurtosis.
    assert np.allclose(standard.mean((0, 1)), 0, atol=0.025)
    assert np.allclose(standard.std((0, 1)), 1, atol=0.018)
    assert np.allclose((standard**4).mean((0, 1)), 3, atol=0.13)
    assert abs(np.corrcoef(standard[..., 0].ravel(), standard[..., 1].ravel())[0, 1]) < 0.025


def test_the_same_random_state_gives_the_same_draw() -> None:
    first, second = (draw_params(rng(5), Augmentation(), (32, 32), channels=3) for _ in range(2))
    for name, value in vars(first).items():
        assert np.array_equal(value, vars(second)[name])


def test_mirrored_indices_are_those_of_numpy() -> None:
    assert reflected(-3, 11, 4).tolist() == np.pad(np.arange(4), (3, 4), mode="reflect").tolist()
    assert reflected(3, 4, 4, -1).tolist() == [3, 2, 1, 0]
    assert reflected(-2, 5, 1).tolist() == [0, 0, 0, 0, 0]
