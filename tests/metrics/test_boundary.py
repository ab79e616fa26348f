import math
import tracemalloc

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.distance import cdist

from unetbench.core.errors import DataError, SpecError
from unetbench.metrics import METRICS
from unetbench.metrics.boundary import volume_tolerance_mm
from unetbench.metrics.pair import Missing, Pair
from unetbench.metrics.surface import Bands, bands, distance_to, surface, surfaces

DISTANCES = ("hd", "hd95_directed", "hd95_pooled", "assd", "masd")
BOUNDARY = (*DISTANCES, "nsd", "boundary_iou")


def _read(name: str, pair: Pair, **options: float) -> float:
    return METRICS[name](pair, **options)


def _boxes(shape: tuple[int, ...], *boxes: tuple[slice, ...]) -> np.ndarray:
    mask = np.zeros(shape, bool)
    for box in boxes:
        mask[box] = True
    return mask


def _cross_on_square() -> Pair:
    truth = _boxes((11, 11), np.s_[3:8, 3:8])
    return Pair(truth, truth | _boxes((11, 11), np.s_[5:6, 1:10], np.s_[1:10, 5:6]))


def _blobs(shape: tuple[int, ...], seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(rng.standard_normal(shape), 1.5)
    other = field + 0.5 * ndimage.gaussian_filter(rng.standard_normal(shape), 1)
    return field > field.std() / 2, other > other.std() / 2


def test_distances_of_a_cross_on_a_square():
    # Truth: 16 surface voxels, of which the middles of the four sides lie 1 from the prediction's surface: 4 / 16.
    # Prediction: 12 voxels of the square's rim at 0, four arms with voxels at 1 and 2, 20 in all: 12 / 20.
    pair = _cross_on_square()
    found = pair.cached(surfaces)
    assert sorted(found.truth) == [0] * 12 + [1] * 4
    assert sorted(found.prediction) == [0] * 12 + [1] * 4 + [2] * 4
    assert _read("assd", pair) == pytest.approx((4 + 12) / 36)  # 0.44
    assert _read("masd", pair) == pytest.approx((4 / 16 + 12 / 20) / 2)  # 0.425
    assert _read("nsd", pair, tolerance_px=1) == pytest.approx(32 / 36)  # 0.89
    assert _read("nsd", pair, tolerance_px=2) == 1
    assert _read("hd", pair) == 2


def test_one_stray_pixel_decides_the_hausdorff_distance():
    # The figure on annotation errors of Metrics Reloaded (arXiv:2302.01790): a 3 × 3 square found, a pixel at (1, 1) in
    # the truth alone. It lies √(8² + 8²) = 11.31 from (9, 9); the rim has 8 voxels at 0. Of nine distances the 95th
    # percentile is at 0.95 × 8 = 7.6, so 0.6 × 11.31 = 6.79; of all seventeen at 15.2, so 0.2 × 11.31 = 2.26.
    square = _boxes((14, 14), np.s_[9:12, 9:12])
    pair = Pair(square | _boxes((14, 14), np.s_[1:2, 1:2]), square)
    assert _read("hd", pair) == pytest.approx(math.sqrt(128))
    assert _read("hd95_directed", pair) == pytest.approx(0.6 * math.sqrt(128))
    assert _read("hd95_pooled", pair) == pytest.approx(0.2 * math.sqrt(128))


def test_boundary_iou_of_a_square_without_its_first_row():
    # 19 × 19 against 18 × 19 pixels in 22 × 22: 2 % of the diagonal is less than a pixel, so the band is the rim.
    # Rims of 72 and 70 pixels share three sides: 2 × 18 + 19 - 2 = 53. Metrics Reloaded prints 0.6.
    pair = Pair(_boxes((22, 22), np.s_[2:21, 2:21]), _boxes((22, 22), np.s_[3:21, 2:21]))
    assert pair.cached(bands) == Bands(53, 72, 70, width=1)
    assert _read("boundary_iou", pair) == pytest.approx(53 / 89)


def test_the_band_is_two_percent_of_the_diagonal_in_whole_pixels():
    # √(300² + 400²) = 500, so 10 pixels: of a 100 × 100 square all but the inner 80 × 80.
    square = _boxes((300, 400), np.s_[50:150, 50:150])
    assert Pair(square, square).cached(bands) == Bands(3600, 3600, 3600, width=10)


def test_the_surface_ends_where_the_image_ends():
    # As scipy's erosion and MONAI: what is beyond the image counts as outside.
    assert surface(np.ones((3, 4), bool)).sum() == 10
    assert surface(np.ones((3, 3, 3), bool)).sum() == 26
    assert surface(np.ones((1, 5), bool)).sum() == 5


@pytest.mark.parametrize("shape", [(9, 9), (1, 7), (6, 7, 8), (2, 2, 2)])
def test_the_surface_is_what_erosion_by_a_cross_takes_away(shape):
    for share in (0.3, 0.9):
        mask = np.random.default_rng(1).random(shape) < share
        assert (surface(mask) == mask & ~ndimage.binary_erosion(mask)).all()


@pytest.mark.parametrize(
    ("shape", "spacing_mm"),
    [
        ((40, 33), None),
        ((40, 33), (0.5, 0.5)),
        ((40, 33), (2.0, 0.7)),
        ((9, 14, 12), (1, 1, 1)),
        ((9, 14, 12), (3, 1, 0.5)),
    ],
)
def test_every_reading_agrees_with_all_distances_taken_one_by_one(shape, spacing_mm):
    for seed in range(3):
        truth, prediction = _blobs(shape, seed)
        pair = Pair(truth, prediction, spacing_mm)
        scale = np.array(spacing_mm or (1,) * len(shape))
        edges = [np.argwhere(mask & ~ndimage.binary_erosion(mask)) * scale for mask in (truth, prediction)]
        every = cdist(*edges)
        from_truth, from_prediction = every.min(1), every.min(0)
        both = np.concatenate([from_truth, from_prediction])
        assert _read("hd", pair) == pytest.approx(both.max(), rel=1e-5)
        directed = max(np.percentile(from_truth, 95), np.percentile(from_prediction, 95))
        assert _read("hd95_directed", pair) == pytest.approx(directed, rel=1e-5)
        assert _read("hd95_pooled", pair) == pytest.approx(np.percentile(both, 95), rel=1e-5)
        assert _read("assd", pair) == pytest.approx(both.mean(), rel=1e-5)
        assert _read("masd", pair) == pytest.approx((from_truth.mean() + from_prediction.mean()) / 2, rel=1e-5)
        near = (both <= max(scale) * (1 + 1e-9)).mean()
        assert _read("nsd", pair, tolerance_px=1) == pytest.approx(near)


def test_boundary_iou_of_an_anisotropic_volume_agrees_with_scipy():
    spacing_mm = (3.0, 1.0, 1.0)
    truth, prediction = _blobs((16, 40, 40), 4)
    width = max(1, round(0.02 * math.hypot(48, 40, 40) / 3)) * 3
    bands = []
    for mask in (truth, prediction):
        edge = mask & ~ndimage.binary_erosion(mask)
        bands.append(mask & (ndimage.distance_transform_edt(~edge, spacing_mm) < width))
    expected = (bands[0] & bands[1]).sum() / (bands[0] | bands[1]).sum()
    assert _read("boundary_iou", Pair(truth, prediction, spacing_mm)) == expected


def test_only_the_box_around_both_masks_matters():
    truth, prediction = _blobs((20, 20), 0)
    small, large = Pair(truth, prediction), Pair(*(np.pad(mask, 15) for mask in (truth, prediction)))
    padded = Pair(*(np.pad(mask, 1) for mask in (truth, prediction)))
    for name in (*DISTANCES, "nsd"):
        assert _read(name, small) == _read(name, padded) == _read(name, large), name


def test_a_tolerance_reaches_a_distance_that_equals_it_but_for_rounding():
    # Three pixels of 0.1 mm are 0.30000000000000004 in double and 0.3000000119 in single precision.
    pair = Pair(_boxes((9, 9), np.s_[1:2, 1:8]), _boxes((9, 9), np.s_[4:5, 1:8]), (0.1, 0.1))
    assert _read("nsd", pair, tolerance_mm=0.3) == 1
    assert _read("nsd", pair, tolerance_mm=0.299) == 0


def test_millimetres_are_pixels_times_the_spacing():
    truth, prediction = _blobs((30, 30), 1)
    pixels, millimetres = Pair(truth, prediction), Pair(truth, prediction, (0.25, 0.25))
    assert (pixels.unit, millimetres.unit) == ("px", "mm")
    for name in DISTANCES:
        assert _read(name, millimetres) == pytest.approx(_read(name, pixels) / 4)
    assert _read("boundary_iou", millimetres) == _read("boundary_iou", pixels)
    assert _read("nsd", millimetres) == _read("nsd", pixels)


EMPTY, FULL = np.zeros((4, 5), bool), np.ones((4, 5), bool)


@pytest.mark.parametrize(
    ("truth", "prediction", "distance", "share"),
    [(EMPTY, EMPTY, None, None), (EMPTY, FULL, None, 0), (FULL, EMPTY, None, 0), (FULL, FULL, 0, 1)],
    ids=["both empty", "truth empty", "prediction empty", "both full"],
)
def test_boundaries_of_empty_and_full_masks(truth, prediction, distance, share):
    pair = Pair(truth, prediction)
    for name in BOUNDARY:
        expected = distance if name in DISTANCES else share
        assert _read(name, pair) == pytest.approx(math.nan if expected is None else expected, nan_ok=True), name


def test_single_pixels_in_opposite_corners_are_as_far_apart_as_can_be():
    pair = Pair(_boxes((7, 5), np.s_[:1, :1]), _boxes((7, 5), np.s_[-1:, -1:]))
    for name in DISTANCES:
        assert _read(name, pair) == pytest.approx(math.hypot(6, 4)), name
    assert pair.diagonal == math.hypot(7, 5) > _read("hd", pair)
    assert _read("boundary_iou", pair) == 0


def test_a_surface_made_of_areas_gives_other_numbers():
    # DeepMind's surface-distance takes the corners between pixels as the surface and weighs them by contour length. On
    # the cross those of the prediction's arms weigh more: the tool's own formula, re-derived, beside ours.
    pair = _cross_on_square()
    corners = []
    for mask in (pair.truth, pair.prediction):
        padded = np.pad(mask, 1)
        count = sum(padded[a : a + 12, b : b + 12].astype(int) for a in (0, 1) for b in (0, 1))
        corners.append((count > 0) & (count < 4))  # 12 × 12 corners of 11 × 11 pixels
    distances = [distance_to(corners[1 - side], (1.0, 1.0))[corners[side]] for side in (0, 1)]
    assert max(part.max() for part in distances) == _read("hd", pair) == 2
    assert [len(part) for part in distances] == [20, 36]
    assert len(pair.cached(surfaces).prediction) == 20


@pytest.mark.parametrize("seed", range(3))
def test_surfaces_between_pixels_and_on_pixels_are_never_further_apart_than_a_pixel(seed):
    truth, prediction = (np.pad(mask, 2) for mask in _blobs((40, 40), seed))
    corners = []
    for mask in (truth, prediction):
        count = sum(mask[a : a - 1 or None, b : b - 1 or None].astype(int) for a in (0, 1) for b in (0, 1))
        corners.append((count > 0) & (count < 4))
    hd = max(distance_to(corners[1 - side], (1.0, 1.0))[corners[side]].max() for side in (0, 1))
    assert abs(hd - _read("hd", Pair(truth, prediction))) <= math.sqrt(2)


def test_a_volume_of_unknown_spacing_has_no_distances():
    pair = Pair(np.ones((2, 2, 2), bool), np.ones((2, 2, 2), bool))
    for name in BOUNDARY:
        with pytest.raises(Missing, match="spacing_mm"):
            _read(name, pair)


def test_a_tolerance_in_millimetres_needs_the_spacing():
    pair = _cross_on_square()
    with pytest.raises(Missing, match=r"nsd.tolerance_mm: 2 mm needs spacing_mm.*tolerance_px"):
        _read("nsd", pair, tolerance_mm=2)
    with pytest.raises(SpecError, match="nsd.tolerance_px: -1"):
        _read("nsd", pair, tolerance_px=-1)


@pytest.mark.parametrize(
    "spacing_mm", [(1.0, -1.0), (0.0, 1.0), (1.0,), (1.0, 1.0, 1.0), (math.nan, 1.0), (math.inf, 1.0)]
)
def test_a_spacing_that_is_no_positive_length_for_each_axis_is_an_error(spacing_mm):
    with pytest.raises(DataError, match=r"spacing_mm is \(.*2 positive lengths"):
        Pair(EMPTY, FULL, spacing_mm)


@pytest.mark.parametrize(("shape", "spacing_mm"), [((600, 600), None), ((80, 80, 80), (1.0, 1.0, 1.0))])
def test_distances_take_at_most_four_times_the_memory_of_both_masks(shape, spacing_mm):
    grid = np.indices(shape).sum(0)
    truth, prediction = grid % 40 < 20, (grid + 3) % 40 < 20  # the box is the whole image
    pair = Pair(truth, prediction, spacing_mm)
    distance_to(np.eye(4, dtype=bool)[None] if len(shape) > 2 else np.eye(4, dtype=bool), pair.spacing)  # imports
    tracemalloc.start()
    try:
        for name in BOUNDARY:
            _read(name, pair)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= 4 * (truth.nbytes + prediction.nbytes)


def test_the_default_tolerance_of_a_volume_is_two_millimetres_however_thick_its_slices():
    # Two plates 8 mm apart in slices of 5 mm: two edges of the coarsest axis would be 10 mm, and the score 1.
    truth, prediction = _boxes((3, 20, 20), np.s_[1:2, 2:4, :]), _boxes((3, 20, 20), np.s_[1:2, 10:12, :])
    pair = Pair(truth, prediction, (5.0, 1.0, 1.0))
    assert METRICS["dice"](pair) == _read("nsd", pair) == 0
    assert _read("nsd", pair, tolerance_px=2) == 1
    near = Pair(truth, np.roll(truth, 2, 1), (5.0, 1.0, 1.0))
    assert _read("nsd", near) == _read("nsd", near, tolerance_mm=2) == 1
    assert _read("nsd", near, tolerance_mm=1.9) < 1


def test_the_default_tolerance_of_a_microscopic_volume_is_two_of_its_finest_edges():
    # 2 mm would be thousands of voxels of a light microscope, and every score 1.
    truth, prediction = _boxes((3, 20, 20), np.s_[1:2, 2:4, :]), _boxes((3, 20, 20), np.s_[1:2, 10:12, :])
    pair = Pair(truth, prediction, (2e-3, 3.25e-4, 3.25e-4))
    assert _read("nsd", pair) == 0
    near = Pair(truth, np.roll(truth, 2, 1), (2e-3, 3.25e-4, 3.25e-4))
    assert _read("nsd", near) == 1
    assert volume_tolerance_mm((2e-3, 3.25e-4, 3.25e-4)) == 6.5e-4
    assert volume_tolerance_mm((2e-3, 3.2471e-4, 3.2471e-4)) == 6.5e-4
    assert volume_tolerance_mm((5.0, 0.1, 0.1)) == 2
    assert volume_tolerance_mm((0.1, 0.03, 0.03)) == 0.06
    assert volume_tolerance_mm((4e-5, 5e-6, 5e-6)) == 1e-5
