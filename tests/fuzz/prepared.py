"""What a reader is given: strategies, and the act of reading."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import files
from hypothesis import strategies as st
from mutations import mutated

from unetbench.core.errors import UnetbenchError


class Prepared(NamedTuple):
    """inputs: what is drawn. read: reads one of them in a folder, or raises. valid: some that must be read."""

    inputs: st.SearchStrategy[Any]
    read: Callable[[Path, Any], object]
    valid: Sequence[Any]


def archive(seeds: list[dict[str, bytes]], read: Callable[[Path, bytes], object]) -> Prepared:
    """An archive of arrays: its bytes changed, or those of a member before it was packed."""

    @st.composite
    def inside(draw: Callable[..., Any]) -> bytes:
        members = dict(draw(st.sampled_from(seeds)))
        name = draw(st.sampled_from(sorted(members)))
        members[name] = draw(mutated([members[name]]))
        return files.zipped_arrays(members)

    valid = [files.zipped_arrays(members) for members in seeds]
    return Prepared(mutated(valid) | inside(), read, valid)


def tried(act: Callable[[], object]) -> object:
    """What an act gives or raises."""
    try:
        return act()
    except UnetbenchError as error:
        return error


def first(outcomes: Sequence[object]) -> object:
    """What the first act gave, or raised."""
    if isinstance(outcomes[0], UnetbenchError):
        raise outcomes[0]
    return outcomes[0]
