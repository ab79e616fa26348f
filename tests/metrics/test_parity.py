"""Agreement with MONAI, medpy, StarDist and surface-distance on the same arrays.

Each test says where the tool differs and why we do.
"""

import warnings

import numpy as np
import pytest
from scipy import ndimage

from unetbench.metrics import METRICS
from unetbench.metrics.empty import apply
from unetbench.metrics.matching import THRESHOLDS
from unetbench.metrics.pair import Pair

pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings(
        "ignore:monai.metrics.utils get_mask_edges:FutureWarning"
    ),  # MONAI warns of its own call
    pytest.mark.filterwarnings("ignore:.*`scipy.ndimage.* namespace:DeprecationWarning"),  # surface-distance does
]

CASES = [
    ((48, 40), None, "blobs"),
    ((48, 40), (0.5, 0.5), "blobs"),
    ((48, 40), (2.0, 0.7), "blobs"),
    ((12, 20, 18), (1.0, 1.0, 1.0), "blobs"),
    ((12, 20, 18), (3.0, 1.0, 0.5), "blobs"),
    ((24, 24), None, "border"),
    ((24, 24), None, "full"),
    ((24, 24), None, "pixels"),
    ((24, 24), None, "noise"),
]


def _masks(shape: tuple[int, ...], kind: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    if kind == "blobs":
        field = ndimage.gaussian_filter(rng.standard_normal(shape), 2)
        other = field + 0.5 * ndimage.gaussian_filter(rng.standard_normal(shape), 1.5)
        return field > field.std() / 2, other > other.std() / 2
    if kind == "noise":
        return rng.random(shape) < 0.3, rng.random(shape) < 0.4
    truth, prediction = np.zeros(shape, bool), np.zeros(shape, bool)
    if kind == "border":
        truth[:9, :], prediction[:12, 3:] = True, True
    elif kind == "full":
        truth[:], prediction[5:9, 5:9] = True, True
    else:
        truth[3, 4], prediction[20, 9] = True, True
    return truth, prediction


def _tensor(mask: np.ndarray):
    torch = pytest.importorskip("torch", reason="MONAI needs PyTorch: pip install -e '.[parity]'")
    return torch.from_numpy(mask[None, None].astype(np.float32))


@pytest.fixture(scope="module")
def monai():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its imports warn of modules it does not need here
        return pytest.importorskip("monai.metrics", reason="needs MONAI: pip install -e '.[parity]'")


@pytest.mark.parametrize(("shape", "spacing_mm", "kind"), CASES)
def test_surface_distances_are_those_of_monai(monai, shape, spacing_mm, kind):
    truth, prediction = _masks(shape, kind)
    pair, ours, theirs = Pair(truth, prediction, spacing_mm), {}, {}
    sides = {"y_pred": _tensor(prediction), "y": _tensor(truth), "include_background": True, "spacing": spacing_mm}
    tolerance = max(pair.spacing)
    theirs["hd"] = monai.compute_hausdorff_distance(**sides)
    theirs["hd95_directed"] = monai.compute_hausdorff_distance(**sides, percentile=95)
    theirs["assd"] = monai.compute_average_surface_distance(**sides, symmetric=True)
    # MONAI's NSD compares floats without slack, so a distance that equals the tolerance may miss it: hence 1.0001.
    theirs["nsd"] = monai.compute_surface_dice(**sides, class_thresholds=[1.0001 * tolerance])
    for name in theirs:
        options = {"tolerance_px": 1.0} if name == "nsd" else {}
        ours[name] = METRICS[name](pair, **options)
    assert ours == pytest.approx({name: float(value) for name, value in theirs.items()}, rel=1e-5)


@pytest.mark.parametrize(("shape", "spacing_mm", "kind"), CASES)
def test_overlaps_are_those_of_monai(monai, shape, spacing_mm, kind):
    truth, prediction = _masks(shape, kind)
    sides = {"y_pred": _tensor(prediction), "y": _tensor(truth), "include_background": True}
    pair = Pair(truth, prediction)
    assert METRICS["dice"](pair) == pytest.approx(float(monai.compute_dice(**sides)))
    assert METRICS["iou"](pair) == pytest.approx(float(monai.compute_iou(**sides)))
    counts = monai.get_confusion_matrix(**sides)
    assert counts.flatten().tolist() == [pair.tp, pair.fp, pair.tn, pair.fn]
    for ours, theirs in (("specificity", "specificity"), ("mcc", "matthews correlation coefficient")):
        if kind != "full":  # nothing is truly negative there, so both are 0 / 0
            value = float(monai.compute_confusion_matrix_metric(theirs, counts))
            assert METRICS[ours](pair) == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize("side", ["truth", "prediction", "both"])
def test_the_policy_of_monai_says_of_empty_masks_what_monai_says(monai, side):
    empty, square = np.zeros((9, 9), bool), np.zeros((9, 9), bool)
    square[2:5, 2:5] = True
    truth = empty if side in ("truth", "both") else square
    prediction = empty if side in ("prediction", "both") else square
    sides = {"y_pred": _tensor(prediction), "y": _tensor(truth), "include_background": True}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that a side is empty
        theirs = {
            "hd": monai.compute_hausdorff_distance(**sides),
            "hd95_directed": monai.compute_hausdorff_distance(**sides, percentile=95),
            "assd": monai.compute_average_surface_distance(**sides, symmetric=True),
            "nsd": monai.compute_surface_dice(**sides, class_thresholds=[1.0]),
            "dice": monai.compute_dice(**sides),
            "iou": monai.compute_iou(**sides),
        }
    pair = Pair(truth, prediction)
    ours = {name: apply("monai", name, METRICS[name](pair), pair.empty, pair.diagonal) for name in theirs}
    assert ours == pytest.approx({name: float(value) for name, value in theirs.items()}, nan_ok=True)


def test_calibration_errors_are_those_of_monai(monai):
    rng = np.random.default_rng(0)
    p = rng.random((30, 30), np.float32)
    y = rng.random((30, 30)) < p**2
    pair = Pair(y, p >= 0.5, probability=p)
    sides = {"y_pred": _tensor(p), "y": _tensor(y)}
    # MONAI's docstring says that its default is [a, b), but it hands `right` on to torch.bucketize, where False means
    # (a, b]; with True it is [a, b) as ours. It has 20 bins by default.
    mean_p, mean_y, counts = monai.calibration_binning(**sides, num_bins=15, right=True)
    gaps, weights = np.abs(mean_p.numpy() - mean_y.numpy()).ravel(), counts.numpy().ravel()
    assert METRICS["ece"](pair) == pytest.approx(np.average(gaps, weights=weights), abs=1e-5)
    assert METRICS["mce"](pair) == pytest.approx(gaps.max(), abs=1e-4)


@pytest.mark.parametrize(("shape", "spacing_mm", "kind"), CASES)
def test_pooled_distances_are_those_of_medpy(shape, spacing_mm, kind):
    medpy = pytest.importorskip("medpy.metric.binary", reason="needs medpy")
    truth, prediction = _masks(shape, kind)
    pair = Pair(truth, prediction, spacing_mm)
    # medpy erodes with the same cross and sees the image's end as outside. Its older versions called `assd` the mean of
    # the directed means, which the literature and we call MASD; this one pools, as ours.
    assert METRICS["hd95_pooled"](pair) == pytest.approx(medpy.hd95(prediction, truth, spacing_mm), rel=1e-5)
    assert METRICS["assd"](pair) == pytest.approx(medpy.assd(prediction, truth, spacing_mm), rel=1e-5)
    directed = [medpy.asd(*sides, spacing_mm) for sides in ((prediction, truth), (truth, prediction))]
    assert METRICS["masd"](pair) == pytest.approx(np.mean(directed), rel=1e-5)
    assert METRICS["hd"](pair) == pytest.approx(medpy.hd(prediction, truth, spacing_mm), rel=1e-5)


def test_matching_is_that_of_stardist():
    matching = pytest.importorskip("stardist.matching", reason="needs stardist").matching
    rng, compared = np.random.default_rng(3), 0
    for _ in range(8):
        truth, prediction = np.zeros((2, 64, 64), np.int32)
        for number in range(1, 17):
            y, x = 16 * ((number - 1) // 4), 16 * ((number - 1) % 4)
            for labels in (truth, prediction):
                top, left = rng.integers(0, 4, 2)
                labels[y + top : y + top + rng.integers(7, 11), x + left : x + left + rng.integers(7, 11)] = 3 * number
        pair = Pair(truth > 0, prediction > 0, None, None, truth, prediction)
        theirs = matching(truth, prediction, thresh=tuple(map(float, THRESHOLDS)))
        for threshold, found in zip(THRESHOLDS, theirs, strict=True):
            assert METRICS["object_ap"](pair, iou=float(threshold)) == pytest.approx(found.accuracy)
            assert METRICS["object_f1"](pair, iou=float(threshold)) == pytest.approx(found.f1)
        assert METRICS["dsb2018_score"](pair) == pytest.approx(np.mean([found.accuracy for found in theirs]))
        # StarDist's panoptic quality takes IoU >= 0.5 and the paper IoU > 0.5: they differ by what is one half exactly.
        if METRICS["object_ap"](pair) == METRICS["object_ap"](pair, iou=0.500001):
            assert METRICS["pq"](pair) == pytest.approx(theirs[0].panoptic_quality)
            compared += 1
        else:
            assert METRICS["pq"](pair) < theirs[0].panoptic_quality
    assert 0 < compared < 8
    nothing = np.zeros((5, 5), np.int32)
    pair = Pair(nothing > 0, nothing > 0, None, None, nothing, nothing)
    for name, attribute in (("object_ap", "accuracy"), ("object_f1", "f1"), ("pq", "panoptic_quality")):
        expected = getattr(matching(nothing, nothing), attribute)
        assert apply("stardist", name, METRICS[name](pair), pair.empty) == expected == 0


@pytest.mark.parametrize(("shape", "spacing_mm", "kind"), CASES)
def test_surface_distance_is_never_further_from_ours_than_a_voxel(shape, spacing_mm, kind):
    tool = pytest.importorskip("surface_distance", reason="needs surface-distance")
    truth, prediction = _masks(shape, kind)
    spacing = spacing_mm or (1.0,) * len(shape)
    # DeepMind's surface lies on the corners between voxels, half a diagonal from the voxel centres on which ours lies,
    # and runs through every voxel where MONAI, medpy and we keep the outermost layer of the mask.
    found = tool.compute_surface_distances(truth, prediction, spacing)
    pair = Pair(truth, prediction, spacing_mm)
    diagonal = float(np.linalg.norm(spacing))
    assert abs(METRICS["hd"](pair) - tool.compute_robust_hausdorff(found, 100)) <= diagonal + 1e-6
    assert METRICS["dice"](pair) == pytest.approx(tool.compute_dice_coefficient(truth, prediction))
    # Its shares weigh elements of area where ours count voxels, so they must agree only where all of them are within.
    far = METRICS["hd"](pair) + diagonal
    assert METRICS["nsd"](pair, tolerance_px=far / max(spacing)) == 1
    assert tool.compute_surface_dice_at_tolerance(found, far) == pytest.approx(1)


@pytest.mark.parametrize("side", ["both", "prediction", "truth"])
def test_the_policy_of_surface_distance_says_of_empty_masks_what_the_tool_says(side, monkeypatch):
    tool = pytest.importorskip("surface_distance", reason="needs surface-distance")
    for name in ("NaN", "Inf"):  # its release of 2020 asks NumPy for names that NumPy 2 has dropped
        monkeypatch.setattr(np, name, getattr(np, name.lower()), raising=False)
    truth, prediction = np.zeros((2, 8, 8), bool)
    for name, mask in (("truth", truth), ("prediction", prediction)):
        mask[2:5, 2:5] = side not in ("both", name)
    pair = Pair(truth, prediction)
    found = tool.compute_surface_distances(truth, prediction, (1, 1))
    theirs = {
        "dice": tool.compute_dice_coefficient(truth, prediction),
        "hd": tool.compute_robust_hausdorff(found, 100),
        "hd95_pooled": tool.compute_robust_hausdorff(found, 95),
    }
    for name, value in theirs.items():
        ours = apply("surface_distance", name, METRICS[name](pair), pair.empty, pair.diagonal)
        assert ours == pytest.approx(value, nan_ok=True), name
