"""Metrics beside the tools they agree with, as ratios in one run.

    pytest tests/perf/test_metric_speed.py --benchmark-enable --benchmark-group-by=group

Each group holds ours and the alternative; the ratio column says how many times as long the slower one takes.
"""

import warnings

import numpy as np
import pytest
from scipy import ndimage
from scipy.optimize import linear_sum_assignment

from unetbench.core.task import Task
from unetbench.metrics import METRICS
from unetbench.metrics.matching import THRESHOLDS
from unetbench.metrics.pair import Pair
from unetbench.metrics.score import score_case

SHAPES = {"512x512": (512, 512), "128x128x128": (128, 128, 128)}
SPACING = {2: None, 3: (1.0, 1.0, 1.0)}


def _blobs(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, prediction and probability of some hundred blobs that agree to a Dice of about 0.8."""
    rng = np.random.default_rng(0)
    field = ndimage.gaussian_filter(rng.standard_normal(shape), 8)
    other = field + 0.2 * ndimage.gaussian_filter(rng.standard_normal(shape), 8)
    score = other / other.std() - 1
    return field > field.std(), score > 0, (1 / (1 + np.exp(-4 * score))).astype(np.float32)


def _read(truth: np.ndarray, prediction: np.ndarray, *names: str) -> list[float]:
    pair = Pair(truth, prediction, SPACING[truth.ndim])
    return [METRICS[name](pair) for name in names]


@pytest.fixture(scope="module")
def monai():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its imports warn of modules it does not need here
        return pytest.importorskip("monai.metrics", reason="needs MONAI: pip install -e '.[parity]'")


@pytest.mark.filterwarnings("ignore:monai.metrics.utils get_mask_edges:FutureWarning")
@pytest.mark.parametrize("tool", ["ours", "monai"])
@pytest.mark.parametrize("shape", SHAPES)
def test_hd95_assd_and_nsd_beside_the_three_calls_of_monai(benchmark, request, shape, tool):
    benchmark.group = f"HD95, ASSD, NSD of {shape}"
    truth, prediction, _ = _blobs(SHAPES[shape])
    ours = _read(truth, prediction, "hd95_directed", "assd", "nsd")
    if tool == "ours":
        benchmark.pedantic(_read, (truth, prediction, "hd95_directed", "assd", "nsd"), rounds=12, warmup_rounds=2)
        return
    module = request.getfixturevalue("monai")
    torch = pytest.importorskip("torch")
    sides = {
        "y_pred": torch.from_numpy(prediction[None, None].astype(np.float32)),
        "y": torch.from_numpy(truth[None, None].astype(np.float32)),
        "include_background": True,
        "spacing": SPACING[truth.ndim],
    }

    def three() -> list[float]:
        return [
            float(module.compute_hausdorff_distance(**sides, percentile=95)),
            float(module.compute_average_surface_distance(**sides, symmetric=True)),
            float(module.compute_surface_dice(**sides, class_thresholds=[2.0])),
        ]

    found = benchmark.pedantic(three, rounds=5, warmup_rounds=1)
    assert found == pytest.approx(ours, rel=1e-5)


def _overlap(truth: np.ndarray, prediction: np.ndarray) -> list[float]:
    pair = Pair(truth, prediction)
    return [METRICS[name](pair) for name in ("dice", "iou", "precision", "recall")]


def _with_logical_and(truth: np.ndarray, prediction: np.ndarray) -> list[float]:
    tp = np.logical_and(truth, prediction).sum()
    fp, fn = np.logical_and(~truth, prediction).sum(), np.logical_and(truth, ~prediction).sum()
    return [2 * tp / (2 * tp + fp + fn), tp / (tp + fp + fn), tp / (tp + fp), tp / (tp + fn)]


@pytest.mark.parametrize("way", [_overlap, _with_logical_and], ids=["ours", "logical_and().sum()"])
@pytest.mark.parametrize("shape", SHAPES)
def test_dice_iou_precision_and_recall_beside_numpys_logical_and(benchmark, shape, way):
    benchmark.group = f"overlap of {shape}"
    truth, prediction, _ = _blobs(SHAPES[shape])
    found = benchmark.pedantic(way, (truth, prediction), rounds=60, warmup_rounds=5)
    assert found == pytest.approx(_overlap(truth, prediction))


def _objects() -> tuple[np.ndarray, np.ndarray]:
    """Two hundred discs and the same ones moved and resized, 512 × 512."""
    rng = np.random.default_rng(0)
    labels = np.zeros((2, 512, 512), np.int32)
    grid = np.indices((512, 512))
    for number in range(200):
        centre = np.array([17 + 34 * (number // 15), 17 + 34 * (number % 15)])
        for plane in labels:
            radius, moved = rng.integers(9, 14), centre + rng.integers(-3, 4, 2)
            plane[(grid[0] - moved[0]) ** 2 + (grid[1] - moved[1]) ** 2 < radius**2] = number + 1
    return labels[0], labels[1]


def _match(truth: np.ndarray, prediction: np.ndarray) -> list[float]:
    pair = Pair(truth > 0, prediction > 0, None, None, truth, prediction)
    return [METRICS["object_ap"](pair, iou=float(threshold)) for threshold in THRESHOLDS]


def _match_like_stardist(truth: np.ndarray, prediction: np.ndarray) -> list[float]:
    """A full table of overlaps, its IoU and an optimal assignment at each threshold: StarDist's way, re-derived."""
    table = np.zeros((truth.max() + 1, prediction.max() + 1), np.int64)
    codes = truth.ravel().astype(np.int64) * table.shape[1] + prediction.ravel()
    table.ravel()[:] = np.bincount(codes, minlength=table.size)
    iou = (table / (table.sum(0, keepdims=True) + table.sum(1, keepdims=True) - table))[1:, 1:]
    found = []
    for threshold in THRESHOLDS:
        rows, columns = linear_sum_assignment(-(iou >= threshold).astype(float) - iou / (2 * min(iou.shape)))
        tp = np.count_nonzero(iou[rows, columns] >= threshold)
        found.append(tp / (sum(iou.shape) - tp))
    return found


@pytest.mark.benchmark(group="200 objects at ten thresholds")
@pytest.mark.parametrize("way", ["ours", "stardist, re-derived", "stardist"])
def test_matching_two_hundred_objects_at_ten_thresholds(benchmark, way):
    truth, prediction = _objects()
    match = {"ours": _match, "stardist, re-derived": _match_like_stardist}.get(way)
    if match is None:
        tool = pytest.importorskip("stardist.matching", reason="needs stardist").matching
        thresholds = tuple(map(float, THRESHOLDS))

        def match(*labels):
            return [found.accuracy for found in tool(*labels, thresh=thresholds)]

    found = benchmark.pedantic(match, (truth, prediction), rounds=20, warmup_rounds=2)
    assert found == pytest.approx(_match(truth, prediction))


@pytest.mark.benchmark(group="a case with every metric")
@pytest.mark.parametrize("space", [(256, 256), (520, 696), (1040, 1388), (40, 56, 40)], ids=str)
def test_scoring_a_case_with_every_metric(benchmark, space):
    truth, prediction, probability = _blobs(space)
    instances = ndimage.label(truth)[0]
    task = Task(len(space), 1, ("nucleus",))
    (row,) = benchmark.pedantic(
        score_case,
        (truth.astype(np.uint8), prediction.astype(np.uint8), task, SPACING[len(space)]),
        {"instances": instances, "probabilities": probability[..., None]},
        rounds=5,
        warmup_rounds=1,
    )
    assert 0 < row["pq"] < row["dice"] < 1
