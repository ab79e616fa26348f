"""The axis of training labels, as a sweep file writes it."""

from collections.abc import Sequence
from typing import Any

from ...core.errors import SpecError
from ...datasets.weak.kinds import options_of, weak_labels


def read_labels(labels: Sequence[Any], where: str) -> tuple[dict[str, Any], ...]:
    """What each kind of labels adds to the options of a data set; nothing for full masks. Raises SpecError."""
    found: list[dict[str, Any]] = []
    for index, said in enumerate(labels):
        try:
            options = options_of(weak_labels(said))
        except SpecError as error:
            raise SpecError(f"{where}[{index}]: {str(error).removeprefix('labels: ')}") from None
        more = {"labels": options} if options else {}
        if more in found:
            raise SpecError(f"{where}[{index}]: {said} is there twice")
        found.append(more)
    return tuple(found)
