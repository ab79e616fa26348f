"""Brackets of Hyperband: how many trials are trained for how many epochs before some of them go on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bracket:
    """Successive halving: of `sizes[k]` trials trained until `epochs[k]`, the best `sizes[k + 1]` go on."""

    sizes: tuple[int, ...]
    epochs: tuple[int, ...]

    @property
    def cost(self) -> int:
        """Epochs that are trained where each rung goes on from the one before; early stopping may save some."""
        before = (0, *self.epochs)
        return sum(n * (last - first) for n, first, last in zip(self.sizes, before, self.epochs, strict=False))


def brackets(epochs: int, factor: int) -> list[Bracket]:
    """The brackets of one iteration, the one that halves most often first.

    With R = `epochs`, η = `factor` and s_max the largest s with η^s ≤ R, bracket s = s_max … 0 begins with

        n = ⌈(s_max + 1) / (s + 1) · η^s⌉ trials,   rung i = 0 … s:  ⌊n η^-i⌋ trials until epoch ⌈R η^(i - s)⌉

    (Li et al. 2018, JMLR 18:1-52, algorithm 1; epochs are whole, so they are rounded up).
    """
    most = 0
    while factor ** (most + 1) <= epochs:
        most += 1
    found: list[Bracket] = []
    for s in range(most, -1, -1):
        n = -(-(most + 1) * factor**s // (s + 1))
        sizes = tuple(n // factor**i for i in range(s + 1))
        found.append(Bracket(sizes, tuple(-(-epochs // factor ** (s - i)) for i in range(s + 1))))
    return found
