"""Values and gradients beside MONAI's, PyTorch's own losses, or autograd of the paper's formula in double precision."""

from collections.abc import Callable

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from unetbench.core.task import Task
from unetbench.losses import LOSSES

torch = pytest.importorskip("torch", reason="parity needs PyTorch: pip install 'unetbench[parity]'")
losses = pytest.importorskip("monai.losses", reason="parity needs MONAI: pip install 'unetbench[parity]'")
functional = torch.nn.functional

pytestmark = pytest.mark.parity

BINARY = {rank: Task(rank, 1, ("cell",)) for rank in (2, 3)}
EXCLUSIVE = {rank: Task(rank, 1, ("background", "nucleus", "cytoplasm"), "exclusive") for rank in (2, 3)}

Reference = Callable[..., "torch.Tensor"]
"""From truth planes g (k, *space), logits x (k, *space) of one case, binary or not, to its value."""


def _p(x):
    return torch.sigmoid(x) if len(x) == 1 else torch.softmax(x, 0)


def _counted(g, x):
    """Truth and probabilities of what is scored: all but the background."""
    return (g, _p(x)) if len(x) == 1 else (g[1:], _p(x)[1:])


def _sum(x):
    return x.flatten(1).sum(1)


def _own(g, x):
    """Cross-entropy of each pixel."""
    if len(x) == 1:
        return functional.binary_cross_entropy_with_logits(x, g, reduction="none")
    return -(g * torch.log_softmax(x, 0)).sum(0, keepdim=True)


def _dice(g, x, s=1.0):
    g, p = _counted(g, x)
    return (2 * _sum(p * g) + s) / (_sum(p) + _sum(g) + s)


def _tversky(g, x, alpha=0.3, beta=0.7):
    g, p = _counted(g, x)
    hit = _sum(p * g)
    return (hit + 1) / (hit + alpha * _sum(p * (1 - g)) + beta * _sum((1 - p) * g) + 1)


def _pairs(g, x):
    """Background and foreground of one sigmoid as classes."""
    return (g, _p(x)) if len(x) > 1 else (torch.cat([1 - g, g]), torch.cat([1 - _p(x), _p(x)]))


def _monai(name: str, scale: float = 1.0, drop: bool = True, **options) -> Reference:
    def reference(g, x):
        chosen = getattr(losses, name)
        if name == "FocalLoss":
            found = chosen(use_softmax=len(x) > 1, **options)(x[None], g[None])
        else:
            p = _p(x)[None]
            first = 1 if drop and len(x) > 1 else 0
            found = chosen(**options)(p[:, first:], g[None, first:])
        return found * (scale * len(x) if name == "FocalLoss" and len(x) > 1 else scale)

    return reference


def _weighted_ce(g, x):
    values = _own(g, x)
    planes = _pairs(g, x)[0]
    means = [(values * plane).sum() / plane.sum() for plane in planes if plane.sum() > 0]
    return sum(means) / len(means)


def _given_weights(weights):
    def reference(g, x):
        logits = x if len(x) > 1 else torch.cat([torch.zeros_like(x), x])
        target = _pairs(g, x)[0].argmax(0)
        factor = torch.tensor(weights[: len(logits)], dtype=x.dtype)
        return functional.cross_entropy(logits[None], target[None], weight=factor)

    return reference


def _label_smoothing(g, x):
    logits = x if len(x) > 1 else torch.cat([torch.zeros_like(x), x])
    return functional.cross_entropy(logits[None], _pairs(g, x)[0].argmax(0)[None], label_smoothing=0.1)


def _topk(g, x):
    values = _own(g, x).flatten()
    return torch.topk(values, int(0.1 * len(values))).values.mean()


def _noise_robust(g, x):
    g, p = _counted(g, x)
    return (_sum((p - g).abs() ** 1.5) / (_sum(p * p) + _sum(g * g) + 1)).mean()


def _asymmetric(g, x):
    g, p = _counted(g, x)
    hit, false, missed = 3.25 * _sum(p * g), _sum(p * (1 - g)), _sum((1 - p) * g)
    return (1 - (hit + 1) / (hit + 2.25 * missed + false + 1)).mean()


def _sensitivity_specificity(g, x):
    g, p = _counted(g, x)
    error = (g - p) ** 2
    return (0.05 * _sum(error * g) / _sum(g) + 0.95 * _sum(error * (1 - g)) / _sum(1 - g)).mean()


def _mcc(g, x):
    g, p = _counted(g, x)
    hit, clear, false, missed = _sum(p * g) + 1, _sum((1 - p) * (1 - g)) + 1, _sum(p * (1 - g)), _sum((1 - p) * g)
    root = ((hit + false) * (hit + missed) * (clear + false) * (clear + missed)) ** 0.5
    return (1 - (hit * clear - false * missed) / root).mean()


def _jaccard_of_sets(wrong, truth):
    """Jaccard loss, in double precision, of a prediction that is wrong on a set of pixels."""
    predicted = torch.logical_xor(truth, wrong)
    return 1 - (predicted & truth).sum().double() / (predicted | truth).sum()


def _extension(errors, truth):
    """Definition: errors, largest first, times what each adds to the Jaccard loss of the set before it."""
    order = torch.argsort(errors, descending=True)
    wrong, before, total = torch.zeros_like(truth), 0.0, 0.0
    for place in order:
        wrong[place] = True
        after = _jaccard_of_sets(wrong, truth)
        total, before = total + torch.relu(errors[place]) * (after - before), after
    return total


def _lovasz_hinge(g, x):
    g, x = (g, x) if len(x) == 1 else (g[1:], x[1:])
    pairs = zip((1 - x * (2 * g - 1)).flatten(1), g.flatten(1).bool(), strict=True)
    return torch.stack([_extension(errors, truth) for errors, truth in pairs]).mean()


def _lovasz_softmax(g, x):
    pairs = zip((g - _p(x)).abs().flatten(1), g.flatten(1).bool(), strict=True)
    return torch.stack([_extension(errors, truth) for errors, truth in pairs]).mean()


def _boundary(g, x):
    g, p = _counted(g, x)
    inside = g.bool().numpy()
    maps = [
        ndimage.distance_transform_edt(~m) - ndimage.distance_transform_edt(m) - np.where(m, -0.5, 0.5) for m in inside
    ]
    return (torch.tensor(np.stack(maps)) * (p - g)).mean()


def _border(g, x):
    foreground = (g[0] if len(x) == 1 else 1 - g[0]).bool().numpy()
    planes = g.bool().numpy() if len(x) == 1 else g[1:].bool().numpy()
    masks = [labels == k for labels, n in map(ndimage.label, planes) for k in range(1, n + 1)]
    near = np.sort(np.stack([ndimage.distance_transform_edt(~mask) for mask in masks]), 0)
    factor = 1 + 10 * np.exp(-((near[0] + near[1]) ** 2) / 50) * ~foreground
    return (_own(g, x) * torch.tensor(factor)).mean()


def _ssim(g, x):
    g, p = _counted(g, x)
    rank, places = g.ndim - 1, torch.arange(11, dtype=g.dtype) - 5
    line, kernel = torch.exp(-(places**2) / 4.5), torch.ones((), dtype=g.dtype)
    for _ in range(rank):
        kernel = kernel[..., None] * line
    convolve = {2: functional.conv2d, 3: functional.conv3d}[rank]

    def window(y):
        return convolve(y[:, None], kernel[None, None], padding=5) / convolve(
            torch.ones_like(y[:1, None]), kernel[None, None], padding=5
        )

    a, b = window(g), window(p)
    spread = window(g * g) - a * a + window(p * p) - b * b
    together = window(g * p) - a * b
    found = (2 * a * b + 1e-4) / (a * a + b * b + 1e-4) * (2 * together + 9e-4) / (spread + 9e-4)
    return 1 - found.mean()


def _exponential_logarithmic(g, x):
    p = _p(x)
    scores = (2 * _sum(p * g) + 1) / (_sum(p) + _sum(g) + 1)
    return 0.8 * ((-scores.log()) ** 0.3).mean() + 0.2 * (_own(g, x) ** 0.3).mean()


def _unified_focal(g, x):
    g, p = _pairs(g, x)
    cross = -g * p.log()
    pixels = (0.4 * (1 - p[0]) ** 0.5 * cross[0] + 0.6 * cross[1:].sum(0)).mean()
    hit = _sum(p * g)
    cost = 1 - (hit + 1) / (hit + 0.6 * _sum((1 - p) * g) + 0.4 * _sum(p * (1 - g)) + 1)
    return 0.5 * pixels + 0.5 * torch.cat([cost[:1], cost[1:] ** 0.5]).mean()


def _generalised(g, x):
    g, p = _pairs(g, x)
    return losses.GeneralizedDiceLoss(smooth_nr=0, smooth_dr=0)(p[None], g[None]).squeeze()


def _wasserstein(g, x):
    logits = x if len(x) > 1 else torch.cat([torch.zeros_like(x), x])
    matrix = 1 - np.eye(len(logits))
    chosen = losses.GeneralizedWassersteinDiceLoss(matrix, smooth_nr=1.0, smooth_dr=1.0)
    return chosen(logits[None], _pairs(g, x)[0].argmax(0)[None])


REFERENCES: dict[str, tuple[dict, Reference]] = {
    "bce": ({}, lambda g, x: functional.binary_cross_entropy_with_logits(x, g)),
    "ce": ({}, lambda g, x: _own(g, x).mean()),
    "weighted_ce": ({}, _weighted_ce),
    "weighted_ce given": ({"weights": (1.0, 2.0, 5.0)}, _given_weights((1.0, 2.0, 5.0))),
    "topk": ({}, _topk),
    "focal": ({}, _monai("FocalLoss")),
    "focal alpha": ({"alpha": 0.25}, _monai("FocalLoss", alpha=0.25)),
    "label_smoothing": ({}, _label_smoothing),
    "dice": ({}, _monai("DiceLoss", smooth_nr=1.0, smooth_dr=1.0)),
    "dice squared": ({"squared": True}, _monai("DiceLoss", smooth_nr=1.0, smooth_dr=1.0, squared_pred=True)),
    "jaccard": ({"smooth": 0.5}, _monai("DiceLoss", smooth_nr=1.0, smooth_dr=1.0, jaccard=True)),
    "log_dice": ({}, lambda g, x: -_dice(g, x).log().mean()),
    "log_cosh_dice": ({}, lambda g, x: torch.cosh(1 - _dice(g, x)).log().mean()),
    "noise_robust_dice": ({}, _noise_robust),
    "generalised_dice": ({"smooth": 0.0}, _generalised),
    "wasserstein_dice": ({}, _wasserstein),
    "tversky": ({}, _monai("TverskyLoss", alpha=0.3, beta=0.7, smooth_nr=1.0, smooth_dr=1.0)),
    "focal_tversky": ({}, lambda g, x: ((1 - _tversky(g, x)) ** 0.75).mean()),
    "asymmetric_similarity": ({}, _asymmetric),
    "sensitivity_specificity": ({}, _sensitivity_specificity),
    "mcc": ({}, _mcc),
    "lovasz_hinge": ({}, _lovasz_hinge),
    "lovasz_softmax": ({}, _lovasz_softmax),
    "boundary": ({}, _boundary),
    "hausdorff": ({}, _monai("HausdorffDTLoss", include_background=True)),
    "hausdorff log": ({"logarithm": True}, _monai("LogHausdorffDTLoss", include_background=True)),
    "border_weighted_ce": ({}, _border),
    "ssim": ({}, _ssim),
    "exponential_logarithmic": ({}, _exponential_logarithmic),
    "unified_focal": ({}, _unified_focal),
}


def _case(task: Task) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    space = (2, *((14, 12) if task.rank == 2 else (7, 8, 6)))
    blobs = ndimage.gaussian_filter(rng.normal(size=space), (0, *(1.0,) * task.rank))
    truth = np.digitize(blobs, np.quantile(blobs, (0.6, 0.8)[: max(1, task.outputs - 1)]))
    return truth[..., None].astype("uint8"), rng.normal(size=(*space, task.outputs)).astype("float32")


def _ours(name: str, truth, logits, task: Task, options) -> tuple[np.ndarray, np.ndarray]:
    x = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = LOSSES[name](truth, x, task, **options)
        total = tf.reduce_sum(value)
    return value.numpy(), tape.gradient(total, x).numpy()


def _theirs(reference: Reference, truth, logits, task: Task) -> tuple[np.ndarray, np.ndarray]:
    planes = truth == (np.arange(task.outputs) if task.kind == "exclusive" else 1)
    g = torch.tensor(np.moveaxis(planes, -1, 1).astype(float))
    x = torch.tensor(np.moveaxis(logits, -1, 1).astype(float), requires_grad=True)
    values = torch.stack([reference(one, other).squeeze() for one, other in zip(g, x, strict=True)])
    values.sum().backward()
    return values.detach().numpy(), np.moveaxis(x.grad.numpy(), 1, -1)


@pytest.mark.parametrize("task", [*BINARY.values(), *EXCLUSIVE.values()], ids=lambda t: f"{t.kind} {t.rank}D")
@pytest.mark.parametrize("label", REFERENCES)
def test_value_and_gradient_agree_with_the_reference(label, task):
    options, reference = REFERENCES[label]
    if "weights" in options and task.kind == "binary":
        options = {"weights": options["weights"][:2]}
    truth, logits = _case(task)
    value, gradient = _ours(label.split(" ")[0], truth, logits, task, options)
    expected, slope = _theirs(reference, truth, logits, task)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(gradient, slope, rtol=1e-5, atol=1e-5 * np.abs(slope).max())


@pytest.mark.parametrize("rank", [2, 3])
def test_soft_cldice_agrees_with_monai(rank):
    chosen = losses.SoftclDiceLoss(iter_=3, smooth=1e-12)
    truth, logits = _case(BINARY[rank])
    value, gradient = _ours("cldice", truth, logits, BINARY[rank], {"iterations": 3})
    expected, slope = _theirs(lambda g, x: chosen(_p(x)[None], g[None]), truth, logits, BINARY[rank])
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(gradient, slope, rtol=1e-5, atol=1e-5 * np.abs(slope).max())
