"""What a command line calls a model, as a `Segmenter`."""

import re
from pathlib import Path

from ...core.errors import SpecError, StoreError, unknown
from ..deploy.trained_trial import RECORD, WEIGHTS
from ..records.pretrained import named, shipped
from ..trial.segmenter import Segmenter
from .open_export import open_export
from .open_trial import open_trial

POSSIBLE = (
    "give the record of a trained trial, results/<sweep>/records/<machine>/<id>.json, its .keras weights, a folder "
    "that `unetbench export` wrote, or the name of a pretrained model (`unetbench list pretrained`)"
)

_NAME = re.compile(r"[A-Za-z][\w-]*")


def open_model(model: Path | str) -> Segmenter:
    """Open a pretrained model by its name, a trained trial, or an export folder, for which Keras is not loaded.

    A file or folder that has the name of a pretrained model is written `./NAME`.

    Raises StoreError for what is not there or was changed, SpecError for what is no model and for an unknown name.
    """
    path, name = Path(model), str(model)
    if name in shipped() and (isinstance(model, str) or not path.exists()):  # a Path drops the ./ of a folder
        record, _ = named(name).checked()
        return open_trial(record)
    if not path.exists():
        if _NAME.fullmatch(name):
            raise SpecError(
                f"{name}: there is no such file or folder, and {unknown('pretrained model', name, shipped())}"
            )
        raise StoreError(f"{model}: there is no such file; {POSSIBLE}")
    if path.is_dir():
        return open_export(path)
    if path.suffix not in (RECORD, WEIGHTS):
        raise SpecError(f"{model}: is no model; {POSSIBLE}")
    return open_trial(path)


def check_classes(segmenter: Segmenter, expected: str) -> None:
    """Raise SpecError when the model does not have these classes, names apart by commas, in any order."""
    wanted = [name.strip() for name in expected.split(",")]
    if sorted(wanted) != sorted(segmenter.task.scored) and sorted(wanted) != sorted(segmenter.task.classes):
        raise SpecError(
            f"--classes {expected}: the model was trained for {', '.join(segmenter.task.scored)}; give one that was "
            "trained for these classes"
        )
