"""What a command line calls a model, as a `Segmenter`."""

from pathlib import Path

from ...core.errors import SpecError, StoreError
from ..deploy.trained_trial import RECORD, WEIGHTS
from ..trial.segmenter import Segmenter
from .open_export import open_export
from .open_trial import open_trial

POSSIBLE = (
    "give the record of a trained trial, results/<sweep>/records/<machine>/<id>.json, its .keras weights, or a folder "
    "that `unetbench export` wrote"
)


def open_model(model: Path) -> Segmenter:
    """Open a trained trial, or an export folder, for which Keras is not loaded.

    Raises StoreError for what is not there and SpecError for what is no model.
    """
    if not model.exists():
        raise StoreError(f"{model}: there is no such file; {POSSIBLE}")
    if model.is_dir():
        return open_export(model)
    if model.suffix not in (RECORD, WEIGHTS):
        raise SpecError(f"{model}: is no model; {POSSIBLE}")
    return open_trial(model)


def check_classes(segmenter: Segmenter, expected: str) -> None:
    """Raise SpecError when the model does not have these classes, names apart by commas, in any order."""
    wanted = [name.strip() for name in expected.split(",")]
    if sorted(wanted) != sorted(segmenter.task.scored) and sorted(wanted) != sorted(segmenter.task.classes):
        raise SpecError(
            f"--classes {expected}: the model was trained for {', '.join(segmenter.task.scored)}; give one that was "
            "trained for these classes"
        )
