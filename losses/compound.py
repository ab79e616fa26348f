"""Weighted sums of losses."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.errors import SpecError
from ..core.task import Task
from . import LOSSES
from .auxiliary_targets import auxiliary_targets, ensure_targets, required_targets, requires_targets, select
from .boundary import boundary, hausdorff
from .cldice import cldice
from .cross_entropy import ce, focal, topk
from .nested import check
from .planes import Tensor
from .readable_labels import readable_labels, reads_labels
from .region import dice
from .terms import collected, note


@LOSSES.add
def bce_dice(
    truth: Tensor, logits: Tensor, task: Task, *, weight: float = 0.5, smooth: float = 1.0, background: bool = False
) -> Tensor:
    """Cross-entropy and soft Dice: w CE + (1 - w) Dice (Isensee et al. 2021, doi:10.1038/s41592-020-01008-z).

    weight: w, from 0 to 1. Binary and multi-label tasks use the sigmoid form `bce`, exclusive classes the softmax form
    `ce`, so that both terms speak of the same probabilities. smooth and background are those of `dice`. nnU-Net's own
    CE + Dice is twice this at w = 0.5. Truth `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`.
    Raises SpecError for a weight outside 0 to 1.
    """
    region = dice(truth, logits, task, smooth=smooth, background=background)
    return _with_dice("bce_dice", weight, "ce", ce(truth, logits, task), region)


@LOSSES.add
def dice_focal(
    truth: Tensor,
    logits: Tensor,
    task: Task,
    *,
    weight: float = 0.5,
    gamma: float = 2.0,
    alpha: float | None = None,
    smooth: float = 1.0,
    background: bool = False,
) -> Tensor:
    """Focal and soft Dice: w focal + (1 - w) Dice (Zhu et al. 2019, AnatomyNet, doi:10.1002/mp.13300).

    gamma, alpha: of `focal`; smooth, background: of `dice`. AnatomyNet and MONAI add the two with weights of their own:
    `weighted_sum` takes any. Truth `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`. Raises SpecError for a
    weight outside 0 to 1.
    """
    region = dice(truth, logits, task, smooth=smooth, background=background)
    return _with_dice("dice_focal", weight, "focal", focal(truth, logits, task, gamma=gamma, alpha=alpha), region)


@LOSSES.add
def dice_topk(
    truth: Tensor,
    logits: Tensor,
    task: Task,
    *,
    weight: float = 0.5,
    fraction: float = 0.1,
    smooth: float = 1.0,
    background: bool = False,
) -> Tensor:
    """TopK cross-entropy and soft Dice: w TopK + (1 - w) Dice (Ma et al. 2021, doi:10.1016/j.media.2021.102035).

    fraction: of `topk`; smooth, background: of `dice`. nnU-Net's sum is twice this at w = 0.5, its 10 % worst pixels
    being those of the batch. Truth `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`. Raises SpecError for a
    weight outside 0 to 1.
    """
    region = dice(truth, logits, task, smooth=smooth, background=background)
    return _with_dice("dice_topk", weight, "topk", topk(truth, logits, task, fraction=fraction), region)


@LOSSES.add
@requires_targets("signed_distance", "progress")
def dice_boundary(
    truth: Tensor,
    logits: Tensor,
    task: Task,
    *,
    start: float = 0.01,
    end: float = 0.99,
    smooth: float = 1.0,
    background: bool = False,
) -> Tensor:
    """Soft Dice giving way to the boundary loss: (1 - a) Dice + a boundary, a rising (Kervadec 2019, arXiv:1812.07032).

    a goes from `start` in the first epoch to `end` in the last, linearly: the paper's "rebalance" schedule with 0.01 an
    epoch over 100 epochs; start = end keeps a constant. Where no schedule comes with the truth, on validation for
    instance, a is `end`, so that epochs are compared by one measure. smooth, background: of `dice`. Truth
    `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`. Raises SpecError for a start or end outside 0 to 1.
    """
    names = ("signed_distance", "progress")
    truth = ensure_targets(truth, task, names)
    _, progress = auxiliary_targets(truth, task, *names)
    for share in (start, end):
        _check("dice_boundary", share)
    share = start + (end - start) * progress
    edge = boundary(select(truth, task, names, names[:1]), logits, task, background=background)
    region = dice(truth, logits, task, smooth=smooth, background=background)
    return share * note("boundary", edge) + (1 - share) * note("dice", region)


@LOSSES.add
@requires_targets("signed_distance")
def dice_hausdorff(
    truth: Tensor,
    logits: Tensor,
    task: Task,
    *,
    weight: float = 0.5,
    alpha: float = 2.0,
    one_sided: bool = False,
    smooth: float = 1.0,
    background: bool = False,
) -> Tensor:
    """Hausdorff and soft Dice: w log(1 + HD) + (1 - w) Dice (after Karimi & Salcudean 2019, arXiv:1904.10030).

    HD is `hausdorff` with its options alpha and one_sided. The paper adds HD itself with a weight set anew after each
    epoch so that both terms are equally large; the logarithm, as in MONAI, keeps them alike with one fixed weight.
    smooth, background: of `dice`. Truth `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`. Raises SpecError for
    a weight outside 0 to 1.
    """
    region = dice(truth, logits, task, smooth=smooth, background=background)
    options: dict[str, Any] = {"alpha": alpha, "one_sided": one_sided, "logarithm": True, "background": background}
    return _with_dice("dice_hausdorff", weight, "log hausdorff", hausdorff(truth, logits, task, **options), region)


@LOSSES.add
def dice_cldice(
    truth: Tensor,
    logits: Tensor,
    task: Task,
    *,
    weight: float = 0.5,
    iterations: int = 3,
    smooth: float = 1.0,
    background: bool = False,
) -> Tensor:
    """Soft clDice and soft Dice: w clDice + (1 - w) Dice (Shit 2021, arXiv:2003.07311).

    iterations: of `cldice`; smooth, background: of both. The paper takes w up to 0.5. Truth
    `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`. Raises SpecError for a weight outside 0 to 1.
    """
    region = dice(truth, logits, task, smooth=smooth, background=background)
    thin = cldice(truth, logits, task, iterations=iterations, smooth=smooth, background=background)
    return _with_dice("dice_cldice", weight, "cldice", thin, region)


def _targets_of_parts(parts: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    check("weighted_sum", {"parts": parts})
    found = [name for part in parts for name in required_targets(LOSSES[part["name"]], part.get("options") or {})]
    return tuple(dict.fromkeys(found))


def _labels_of_parts(parts: Sequence[Mapping[str, Any]]) -> tuple[str, ...] | None:
    check("weighted_sum", {"parts": parts})
    stated = [readable_labels(part["name"], part.get("options") or {}) for part in parts]
    limits = [kinds for kinds in stated if kinds is not None]
    return tuple(kind for kind in limits[0] if all(kind in kinds for kinds in limits)) if limits else None


@LOSSES.add
@reads_labels(of=_labels_of_parts)
@requires_targets(of=_targets_of_parts)
def weighted_sum(
    truth: Tensor,
    logits: Tensor,
    task: Task,
    *,
    parts: tuple[dict[str, Any], ...] = ({"name": "bce", "weight": 0.5}, {"name": "dice", "weight": 0.5}),
) -> Tensor:
    """Any weighted sum of the registered losses: sum_j w_j L_j (Ma et al. 2021, doi:10.1016/j.media.2021.102035).

    parts: mappings of `name`, `weight` (1 by default) and `options`, for instance
    `parts: [{name: tversky, weight: 0.7, options: {beta: 0.8}}, {name: boundary, weight: 0.01}]`. Weights are recorded
    with the trial and are not normalised. Truth `(n, *space, t)`, logits `(n, *space, k)`, value `(n,)`.
    Raises SpecError for no parts, and for an unknown key, name or option.
    """
    names = _targets_of_parts(parts)
    truth = ensure_targets(truth, task, names)
    total: Any = 0.0
    for part in parts:
        loss, options = LOSSES[part["name"]], part.get("options") or {}
        own = select(truth, task, names, required_targets(loss, options))
        with collected():  # a part is one term here, whatever it is made of
            value = loss(own, logits, task, **options)
        total = total + part.get("weight", 1.0) * note(part["name"], value)
    return total


def _with_dice(name: str, weight: float, term: str, value: Tensor, region: Tensor) -> Tensor:
    _check(name, weight)
    return weight * note(term, value) + (1 - weight) * note("dice", region)


def _check(name: str, weight: float) -> None:
    if not 0 <= weight <= 1:
        raise SpecError(f"{name}: weight is {weight}; it is the share of the first term, from 0 to 1")
