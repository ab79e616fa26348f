"""The terms of a loss that is a sum: told as they are computed, read by whoever wants to know.

A loss says `note("dice", value)` of each term, unweighted; `collected()` gathers what is noted inside. Both run while
a step is traced, so what is gathered are tensors of that step. Where nobody gathers, noting does nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from .planes import Tensor

_gathered: ContextVar[dict[str, Tensor] | None] = ContextVar("gathered", default=None)


@contextmanager
def collected() -> Iterator[dict[str, Tensor]]:
    """Gather terms by name, one value a case `(n,)` each; what is noted inside a further `collected` stays there."""
    found: dict[str, Tensor] = {}
    token = _gathered.set(found)
    try:
        yield found
    finally:
        _gathered.reset(token)


def note(name: str, value: Tensor) -> Tensor:
    """Note a term and return it; a second one of the same name is `name 2`."""
    found = _gathered.get()
    if found is not None:
        count = sum(key == name or key.rpartition(" ")[0] == name for key in found)
        found[f"{name} {count + 1}" if count else name] = value
    return value
