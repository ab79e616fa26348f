"""Which training labels a loss can read: those on weak labels say so, all others read every kind."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ..core.errors import Unfit
from . import LOSSES

F = TypeVar("F", bound=Callable[..., Any])


def reads_labels(*kinds: str, of: Callable[..., tuple[str, ...] | None] | None = None) -> Callable[[F], F]:
    """Mark a loss as one of these training labels, as `points`, or `boxes: ignore` where a setting of them counts.

    `of(**options)` tells them where options decide; None for all.
    """

    def mark(loss: F) -> F:
        vars(loss)["labels"] = of or (lambda **_: kinds)
        return loss

    return mark


def readable_labels(name: str, options: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The training labels that a loss reads under these options; None for all."""
    loss = LOSSES[name]
    stated = vars(loss).get("labels")
    return stated(**{**(getattr(loss, "__kwdefaults__", None) or {}), **options}) if stated else None


def check_labels(name: str, options: Mapping[str, Any], labels: Mapping[str, Any]) -> None:
    """Raise Unfit when a loss cannot read the training labels. labels: as a sweep file has them, {} for full masks."""
    kinds = readable_labels(name, options)
    if kinds is None:
        return
    kind, setting = next(iter(labels.items()), ("full", None))
    if kind in kinds or f"{kind}: {setting}" in kinds:
        return
    possible = " or ".join(f"{{{text}}}" if ":" in text else text for text in kinds) or "no labels that all parts read"
    came = f"{{{kind}: {setting}}}" if kind == "boxes" else kind
    raise Unfit(f"loss {name} learns from `labels: {possible}`; the training labels are {came}")
