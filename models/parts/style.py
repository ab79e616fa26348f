"""What the blocks of one network share: normalisation, activation, bias, dropout."""

from dataclasses import dataclass

from ...core.errors import Unfit, unknown

NORMALISATIONS = ("none", "batch", "renorm", "instance", "group")


@dataclass(frozen=True)
class Style:
    """Choices that every block of a network follows.

    normalisation: `none`, `batch`, `renorm` (batch renormalisation), `instance` or `group`, between convolution and
        activation.
    groups: number of groups of `group`; it must divide every width.
    bias: whether the convolutions in blocks add a bias; up-convolutions state theirs.
    dropout: share of the values that training sets to zero after each block.

    Raises Unfit when a choice is impossible.
    """

    normalisation: str = "none"
    activation: str = "relu"
    bias: bool = True
    dropout: float = 0.0
    groups: int = 8

    def __post_init__(self) -> None:
        if self.normalisation not in NORMALISATIONS:
            raise Unfit(unknown("normalisation", str(self.normalisation), NORMALISATIONS))
        if not 0 <= self.dropout < 1:
            raise Unfit(f"dropout is {self.dropout}; it is a share from 0 to less than 1")
        if self.groups < 1:
            raise Unfit(f"groups is {self.groups}; group normalisation needs at least 1")
