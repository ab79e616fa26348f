"""The data set with which a model is updated, as a command line names it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.errors import SpecError, unknown
from ...core.trial import Choice, Trial
from ...core.yaml_text import parsed_yaml
from ...datasets import DATASETS
from ..sweep import file as sweep_file
from ..sweep.file import SplitOptions
from ..trial.context import ASIDE
from ..trial.later import SHARED

POSSIBLE = "a folder, a YAML file with one data set, or the name of a data set are possible"


@dataclass(frozen=True)
class NewData:
    """choice: the data set without what the first one's preparation says for it. split: options of its split."""

    choice: Choice
    split: dict[str, Any]


def new_data(asked: str, parent: Trial) -> NewData:
    """Read what the command line says of new data; nothing is listed.

    A folder is read as the parent's own. A YAML file is an entry of `datasets` of a sweep file, or a sweep file with
    one data set, of which nothing else is taken. Where it says no split, the parent's shares hold. Raises SpecError.
    """
    place = Path(asked)
    shares = {name: value for name, value in parent.split.items() if name in SplitOptions.model_fields}
    if place.is_dir():
        return NewData(_folder(asked, parent), shares)
    if place.is_file():
        return _of_file(place, parent, shares)
    if asked not in DATASETS:
        raise SpecError(f"{asked}: there is no such file or folder, and {unknown('data set', asked, DATASETS)}")
    return _taken(sweep_file.of_dataset(asked, split=shares), parent, asked)


def _folder(asked: str, parent: Trial) -> Choice:
    if parent.dataset.name != "folder":
        raise SpecError(
            f"{asked}: the model was trained on {parent.dataset.name}, which does not say how a folder is read; give a "
            "YAML file with `folder`, `images`, `masks` and `classes`"
        )
    return Choice("folder", {**_own(parent.dataset.options), "path": asked})


def _of_file(place: Path, parent: Trial, shares: dict[str, Any]) -> NewData:
    try:
        raw = parsed_yaml(place.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SpecError(f"{place}: is no YAML file with a data set ({' '.join(str(error).split())[:200]})") from None
    if isinstance(raw, dict) and "datasets" in raw:
        return _taken(sweep_file.read(place), parent, place.name, place.resolve().parent)
    if not isinstance(raw, str | dict):
        raise SpecError(f"{place}: is no data set; {POSSIBLE}")
    if isinstance(raw, dict) and "recipe" in raw:
        raise SpecError(f"{place}: recipe: an update has its parent's; --epochs and --rate are its own")
    return _taken(
        sweep_file.of_dataset(raw, where=place.name, split=shares), parent, place.name, place.resolve().parent
    )


def _taken(wanted: sweep_file.Sweep, parent: Trial, where: str, folder: Path | None = None) -> NewData:
    if len(wanted.datasets) != 1:
        raise SpecError(f"{where}: has {len(wanted.datasets)} data sets; an update takes one at a time")
    (found,) = wanted.datasets
    for name in SHARED:
        if name in found.choice.options and found.choice.options[name] != parent.dataset.options.get(name):
            raise SpecError(f"{where}: {name}: is not the parent's; leave it out, an update prepares images as before")
    options = _own(found.choice.options)
    if folder is not None and "path" in options and (folder / Path(options["path"]).expanduser()).exists():
        options["path"] = str(folder / Path(options["path"]).expanduser())
    return NewData(Choice(found.choice.name, options), found.split)


def _own(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in ASIDE}
