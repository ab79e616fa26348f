"""Weighted sums of losses."""

from ..core.errors import SpecError
from ..core.task import Task
from . import LOSSES
from .cross_entropy import ce
from .planes import Tensor
from .region import dice


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
    if not 0 <= weight <= 1:
        raise SpecError(f"bce_dice: weight is {weight}; it is the share of the cross-entropy, from 0 to 1")
    region = dice(truth, logits, task, smooth=smooth, background=background)
    return weight * ce(truth, logits, task) + (1 - weight) * region
