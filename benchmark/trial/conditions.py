"""Score a trained network where tests lack a modality that it knows, or have another one in its place."""

from typing import Any

from ...core.errors import DataError
from ...core.trial import Choice
from ...datasets.modalities import named
from .context import OpenedDataset
from .evaluate import evaluate
from .predict import Forward
from .selection import Selection
from .train import ProgressCallback
from .windows import Windows


def conditions(
    forward: Forward,
    selection: Selection,
    opened: OpenedDataset,
    dataset: Choice,
    *,
    windows: Windows,
    mirror: bool,
    on_progress: ProgressCallback,
) -> list[dict[str, Any]]:
    """What a record's `prediction` has of `conditions`; empty for a data set without `test_modalities`.

    The selection was frozen on validation cases with the modalities of training, and the weights are the same for all.
    What cannot be scored says why in `unscored`: the scores of the trial itself are worth keeping.
    """
    found: list[dict[str, Any]] = []
    for entry in dataset.options.get("test_modalities", ()):
        names = named(entry)
        seen, tested = opened.given(names)
        made: dict[str, Any] = {"modalities": list(names), "how": seen.how, "reason": seen.reason}
        scores, unscored = [], []
        if seen.how in ("missing", "replaced"):
            cases = tested.split.cases("test")
            options = {"windows": windows, "mirror": mirror, "previews": 0, "on_progress": on_progress}
            try:
                result = evaluate(forward, selection, cases, tested, **options)
                scores, unscored = result.scores, result.missing
            except DataError as error:  # as where all cases hold NaN in the modality that training did not see
                unscored = [str(error)]
        found.append({**made, "scores": scores, "unscored": unscored})
    return found
