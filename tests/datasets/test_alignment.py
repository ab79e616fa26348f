import itertools
import math

import cv2
import numpy as np
import pytest

from unetbench.datasets.alignment import Fit, Misaligned, Move, fit, moves
from unetbench.datasets.case import Sample

STAY = Move()


def _blobs(space, seed=0) -> Sample:
    """Bright blobs anywhere on a dim, uneven background, and their mask."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=space).astype(np.float32)
    field = cv2.GaussianBlur(noise.reshape(space[0], -1), (0, 0), 4).reshape(space)
    mask = (field > np.quantile(field, 0.85)).astype(np.uint8)
    light = np.linspace(0, 40, space[-1])
    image = 60 * mask + light + rng.normal(0, 12, space)
    return Sample(np.clip(image + 40, 0, 255).astype(np.uint8)[..., None], mask[..., None])


def _moved(sample: Sample, move: Move) -> Sample:
    return Sample(sample.image, np.ascontiguousarray(move(sample.truth[..., 0]))[..., None])


def test_a_square_has_eight_moves_and_another_image_four():
    assert len(set(moves((5, 5)))) == 8
    assert len(set(moves((5, 6)))) == 4
    assert next(moves((5, 6))) == STAY
    assert len(set(moves((4, 5, 6)))) == 8
    assert len(set(moves((4, 6, 6)))) == 16
    ramp = np.arange(25).reshape(5, 5)
    made = {move(ramp).tobytes() for move in moves((5, 5))}
    turned = {np.ascontiguousarray(np.rot90(side, k)).tobytes() for side in (ramp, ramp.T) for k in range(4)}
    assert made == turned
    assert all(move(np.zeros((5, 6))).shape == (5, 6) for move in moves((5, 6)))


def test_moves_have_the_names_of_what_they_do():
    ramp = np.arange(16).reshape(4, 4)
    named = {move.words(2): move(ramp) for move in moves((4, 4)) if move != STAY}
    np.testing.assert_array_equal(named["a flip left to right"], ramp[:, ::-1])
    np.testing.assert_array_equal(named["a flip top to bottom"], ramp[::-1])
    np.testing.assert_array_equal(named["a rotation by 180°"], np.rot90(ramp, 2))
    np.testing.assert_array_equal(named["a rotation by 90° counter-clockwise"], np.rot90(ramp))
    np.testing.assert_array_equal(named["a rotation by 90° clockwise"], np.rot90(ramp, -1))
    np.testing.assert_array_equal(named["a swap of rows and columns"], ramp.T)
    assert Move((1, 2), (0, 2)).words(3) == "a swap of axes 1 and 2 and a flip along axes 0 and 2"
    assert Move(None, (0,)).words(3) == "a flip along axis 0"


def test_the_fit_of_four_pixels_by_hand():
    # An image of two levels that the mask follows: I = H = ln 2, so the share is 1; flipped left to right, it still
    # says where the other half is, for mutual information asks for no sign.
    image = np.array([[0, 0, 9, 9]] * 4, np.uint8)
    truth = np.array([[0, 0, 1, 1]] * 4, np.uint8)
    found = fit(Sample(image[..., None], truth[..., None]))
    assert found is not None
    assert found.shares[STAY] == pytest.approx(1)
    assert found.shares[Move(None, (1,))] == pytest.approx(1)
    assert found.shares[Move((0, 1))] == pytest.approx(0)  # columns know nothing of rows
    assert found.better is None


@pytest.mark.parametrize("space", [(96, 96), (80, 120), (300, 700), (20, 40, 40), (24, 30, 36)])
def test_a_right_mask_is_left_alone_and_a_moved_one_is_told_with_the_way_back(space):
    sample = _blobs(space)
    right = fit(sample)
    assert right is not None
    assert right.better is None
    for move in moves(space):
        if move == STAY:
            continue
        wrong = fit(_moved(sample, move))
        assert wrong is not None
        back = wrong.better
        assert back is not None, move
        np.testing.assert_array_equal(back(move(sample.truth[..., 0])), sample.truth[..., 0])


def test_dark_objects_several_classes_and_planes_are_told_too():
    sample = _blobs((96, 96))
    dark = Sample(255 - sample.image, sample.truth)
    truth = sample.truth[..., 0].copy()
    truth[:, 48:] *= 2
    planes = np.stack([truth == 1, truth == 2], -1).astype(np.uint8)
    for one in (dark, Sample(sample.image, truth[..., None]), Sample(sample.image, planes)):
        found = fit(one)
        turned = fit(Sample(np.ascontiguousarray(one.image[:, ::-1]), one.truth))
        assert found is not None
        assert turned is not None
        assert (found.better, turned.better) == (None, Move(None, (1,)))


def test_a_mask_that_tells_nothing_of_its_image_is_not_named():
    rng = np.random.default_rng(0)
    named = 0
    for seed in range(60):
        space = [(96, 96), (16, 16), (9, 33)][seed % 3]
        mask = _blobs((96, 96), seed).truth[: space[0], : space[1]]
        mask[0, 0], mask[-1, -1] = 0, 1  # never all alike
        found = fit(Sample(rng.integers(0, 255, (*space, 1)).astype(np.uint8), mask))
        assert found is not None
        named += found.better is not None
    assert named == 0


def test_a_move_must_be_clear_and_the_detail_must_agree():
    flip = Move(None, (0,))

    def better(stays, flipped, detail=(0.1, 0.2)):
        return Fit({STAY: stays, flip: flipped}, {STAY: detail[0], flip: detail[1]}).better

    assert better(0.30, 0.40) == flip
    assert better(0.30, 0.32) is None  # less than 1.1 times
    assert better(0.010, 0.025) is None  # less than 0.02 of the entropy
    assert better(0.30, 0.40, (0.2, 0.1)) is None
    assert better(0.40, 0.30) is None


def test_constant_images_and_empty_masks_are_not_compared():
    image = np.arange(64, dtype=np.uint8).reshape(8, 8, 1)
    none, every = np.zeros((8, 8, 1), np.uint8), np.ones((8, 8, 1), np.uint8)
    assert fit(Sample(image, none)) is None
    assert fit(Sample(image, every)) is None
    assert fit(Sample(np.full((8, 8, 1), 7, np.uint8), np.eye(8, dtype=np.uint8)[..., None])) is None
    assert fit(Sample(np.zeros((1, 1, 1), np.uint8), none[:1, :1])) is None


def test_single_cases_are_named_and_most_of_a_set_gets_a_cause():
    right = Fit({STAY: 0.5, Move(None, (0, 1)): 0.1}, {STAY: 0.5, Move(None, (0, 1)): 0.1})
    turned = Fit({STAY: 0.1, Move(None, (0, 1)): 0.5}, {STAY: 0.1, Move(None, (0, 1)): 0.5})
    few = Misaligned(2)
    for number in range(10):
        few.add(f"c{number}", turned if number == 4 else right)
    few.add("empty", None)
    assert few.remarks() == [
        "1 of 10 masks fits better after a rotation by 180° (c4); look at them with --show and mend or remove the files"
    ]
    most = Misaligned(2)
    for number in range(10):
        most.add(f"c{number}", right if number < 2 else turned)
    (line,) = most.remarks()
    assert line.startswith("8 of 10 masks fit better after a rotation by 180° (c2, c3, c4, c5, c6 and 3 more); most of")
    assert "EXIF orientation" in line


def test_every_way_to_move_a_volume_is_asked_about_once():
    sizes = [(4, 5, 6), (4, 6, 6), (6, 6, 6)]
    for space in sizes:
        found = list(moves(space))
        pairs = sum(space[a] == space[b] for a, b in itertools.combinations(range(3), 2))
        assert len(found) == len(set(found)) == 8 * (1 + pairs)
    ramp = np.arange(math.prod(sizes[1])).reshape(sizes[1])
    assert len({np.ascontiguousarray(move(ramp)).tobytes() for move in moves(sizes[1])}) == 16
