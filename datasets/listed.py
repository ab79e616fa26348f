"""Values in a message."""

from collections.abc import Callable, Sequence


def listed(values: Sequence[int], show: Callable[[int], str] = str, *, most: int = 8) -> str:
    """`0, 1, 2`, or `0, 1, 2 and 7 more` where there are more than so many."""
    text = ", ".join(map(show, values[:most]))
    return f"{text} and {len(values) - most} more" if len(values) > most else text
