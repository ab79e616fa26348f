"""Serial sections: which of them may serve as one group, when each resembles its neighbours."""

from collections.abc import Sequence

from ..core.errors import SpecError


def blocks(sections: Sequence[str], size: int, gap: int) -> dict[str, str]:
    """Group of each section: `size` neighbours a group; the `gap` sections between two groups belong to none.

    The last group may be shorter, and a tail of less than half a group joins the one before. Raises SpecError for a
    size below 1 or a negative gap.
    """
    if size < 1 or gap < 0:
        raise SpecError(f"blocks of {size} sections with gaps of {gap}; give at least 1 and 0")
    starts = list(range(0, len(sections), size + gap))
    if len(starts) > 1 and 2 * (len(sections) - starts[-1]) < size:
        starts.pop()
    ends = [start + size for start in starts[:-1]] + [len(sections)]
    return {
        section: f"{sections[start]}-{sections[min(end, len(sections)) - 1]}"
        for start, end in zip(starts, ends, strict=True)
        for section in sections[start:end]
    }
