"""The labels that a sweep file gives to its parts. They name; they are no part of a trial's identity."""

import inspect
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ...core.errors import SpecError
from ...core.recipe import FIRST_STANDARD, Augmentation, Recipe
from ...core.registry import Registry
from ...core.trial import Choice, Trial, canonical
from ...datasets import DATASETS
from ...datasets.modalities import named
from ...datasets.weak.kinds import words
from ...losses import LOSSES
from ...models import MODELS
from ...runtimes import RUNTIMES
from .names import base, file_stem, is_letter, without_batches, without_labels

REGISTRIES: dict[str, Registry] = {"datasets": DATASETS, "models": MODELS, "losses": LOSSES, "runtimes": RUNTIMES}
SIGNS = " -_.,+=()[]&'@"
LONGEST = 60


@dataclass(frozen=True)
class _Entry:
    """A part as the file has it. choice: options without those at their default. recipe, split: a data set's own."""

    place: str
    choice: Choice
    registered: bool
    label: str
    recipe: Mapping[str, Any]
    split: Mapping[str, Any]


class Labels:
    """The labels of a sweep by what they name. sweep: the content of its file. where: how errors name that file.

    Raises SpecError for a label that is not text, cannot be part of a file name, or is another part's too. Whatever
    else is wrong in the content is passed over: records outlive the sweep that they were made for.
    """

    def __init__(self, sweep: Mapping[str, Any], where: str = "sweep") -> None:
        self._sweep = sweep
        self._entries = {kind: list(_entries(sweep.get(kind), kind, where)) for kind in REGISTRIES}
        for entries in self._entries.values():
            _check_different(entries)
        self._known: dict[tuple[str, str, str], str] = {}

    def model(self, choice: Choice) -> str:
        """The label of a model, "" for none."""
        return self._part("models", choice)

    def loss(self, choice: Choice) -> str:
        """The label of a loss, "" for none."""
        return self._part("losses", choice)

    def runtime(self, name: str) -> str:
        """The label of a runtime that records call by this name, or that name."""
        return next((e.label for e in self._entries["runtimes"] if e.choice.label == name and e.label), name)

    def dataset(self, trial: Trial) -> str:
        """The label of a trial's data set, "" for none. Recipe and split decide where a data set is listed twice."""
        split = {name: value for name, value in trial.split.items() if name not in ("digest", "fold")}
        known = trial.dataset.canonical, trial.recipe.canonical, canonical(split)
        if known not in self._known:
            full, weak = without_labels(without_batches(trial.dataset)[0])
            plain, own = without_modalities(full)
            label = self._dataset(replace(trial, dataset=plain))
            more = [*([" + ".join(own)] if own else []), *([words(weak)] if weak else [])]
            self._known[known] = ", ".join([label, *more]) if label else ""
        return self._known[known]

    def _part(self, kind: str, choice: Choice) -> str:
        return next((entry.label for entry in _matching(self._entries[kind], choice)), "")

    def _dataset(self, trial: Trial) -> str:
        listed = self._entries["datasets"]
        moved = [replace(entry, choice=_moved(entry.choice)) for entry in listed]
        found = _matching(listed, trial.dataset) or _matching(moved, _moved(trial.dataset))
        if len(found) > 1:
            found = [entry for entry in found if self._fits(entry, trial)]
        return found[0].label if len(found) == 1 else ""

    def _fits(self, entry: _Entry, trial: Trial) -> bool:
        usual = _usual_split()  # also of options that are younger than the trial's record
        split = {**usual, **_mapping(self._sweep.get("split")), **entry.split}
        if any(trial.split.get(name, usual.get(name)) != value for name, value in split.items() if name != "fold"):
            return False
        first = self._sweep.get("standard", 1) == 1  # files from before there were two do not name it
        standard = FIRST_STANDARD if first else {}
        recipe = _recipe({**standard, **_mapping(self._sweep.get("recipe")), **entry.recipe})
        if recipe is not None and self._sweep.get("precisions"):  # an axis of the sweep, and no recipe's own
            recipe = replace(recipe, precision=trial.recipe.precision)
        if recipe is not None and self._sweep.get("modalities"):
            recipe = replace(recipe, modality_dropout=trial.recipe.modality_dropout)
        return recipe == trial.recipe


def without_modalities(dataset: Choice) -> tuple[Choice, tuple[str, ...]]:
    """A data set as it is with all its modalities, and those that training has where it has not all of them."""
    options = {name: value for name, value in dataset.options.items() if name not in ("modalities", "test_modalities")}
    return Choice(dataset.name, options), named(dataset.options.get("modalities"))


def check_label(label: Any, place: str) -> str:
    """Return the label in Unicode's composed form. Raises SpecError that begins with `place`."""
    if not isinstance(label, str):
        raise SpecError(f"{place}: {label!r} is not text; write it in quotes, for instance '{label}'")
    text = unicodedata.normalize("NFC", label)
    if not text.strip():
        raise SpecError(f"{place}: the label is empty; give a name, or leave `label` out")
    if len(text) > LONGEST:
        raise SpecError(f"{place}: {text[:LONGEST]!r}… has {len(text)} characters; give at most {LONGEST}")
    wrong = next((mark for mark in text if mark not in SIGNS and not is_letter(mark)), "")
    if wrong:
        allowed = f"use letters and digits of any script, spaces and {' '.join(SIGNS.strip())}"
        raise SpecError(f"{place}: {text!r} holds {wrong!r}, which file names or tables cannot; {allowed}")
    if not is_letter(text[0]) or text[-1] == " ":
        raise SpecError(f"{place}: {text!r} must begin with a letter or a digit and must not end with a space")
    return text


def _check_different(entries: list[_Entry]) -> None:
    for index, entry in enumerate(entries):
        place = f"{entry.place}.label: {entry.label!r}"
        for earlier in entries[:index] if entry.label else ():
            if earlier.label and _same_file(entry.label, earlier.label):
                which = (
                    "is the label" if entry.label == earlier.label else f"makes the same file name as {earlier.label!r}"
                )
                raise SpecError(f"{place} {which} of {_short(earlier.place)} too; give each a label of its own")
        for other in entries if entry.label else ():
            folder = other.choice.name == "folder" and not other.label
            names = {other.choice.label} | ({base(other.choice)} if folder else set())
            if other is not entry and any(_same_file(entry.label, name) for name in names):
                raise SpecError(
                    f"{place} is the name of {_short(other.place)}; give another label, or that one a label"
                )


def _same_file(one: str, other: str) -> bool:
    return file_stem(one).casefold() == file_stem(other).casefold()


def _short(place: str) -> str:
    return place.rsplit(": ", 1)[-1]


def _entries(raw: Any, kind: str, where: str) -> Iterable[_Entry]:
    for index, entry in enumerate(raw if isinstance(raw, list) else ()):
        place = f"{where}: {kind}[{index}]"
        options = {"name": entry} if isinstance(entry, str) else dict(_mapping(entry))
        label = check_label(options.pop("label"), f"{place}.label") if "label" in options else ""
        recipe, split = {}, {}
        if kind == "datasets":
            recipe, split = _mapping(options.pop("recipe", {})), _mapping(options.pop("split", {}))
            if "folder" in options:
                options = {"name": "folder", "path": options.pop("folder"), **options}
        name = options.pop("name", None)
        if isinstance(name, str):
            registry = REGISTRIES[kind]
            yield _Entry(place, _choice(registry, name, options), name in registry, label, recipe, split)


def _choice(registry: Registry, name: str, options: dict[str, Any]) -> Choice:
    """The part as records have it, without options at their default; of a part that is not registered all count."""
    part = registry.parts().get(name)
    defaults = part.options if part else {}
    further: dict[str, Any] = {}
    if registry is DATASETS:
        objects, preprocess = options.pop("objects", "components"), _preprocess(options.pop("preprocess", {}))
        further = {} if objects == "components" else {"objects": objects}
        further |= {"preprocess": preprocess} if preprocess else {}
    own = {k: v for k, v in sorted(options.items()) if k not in defaults or v != defaults[k]}
    return Choice(name, own | further)


def _preprocess(given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping) or not given:
        return {}
    from ...datasets.prepare import Preprocess  # OpenCV is loaded only where it is needed

    usual = {field.name: field.default for field in fields(Preprocess)}
    return {name: given[name] for name in usual if name in given and given[name] != usual[name]}


def _matching(entries: list[_Entry], recorded: Choice) -> list[_Entry]:
    """The entries of a recorded part. Digests of files that its options name are the record's alone.

    An option that only the entry has is at its default where the part is not registered, as when its plug-in is absent.
    """
    named = [entry for entry in entries if entry.choice.name == recorded.name]
    found = [entry for entry in named if entry.choice.options == _without_digests(recorded, entry)]
    unregistered = [entry for entry in named if not entry.registered]
    return found or [entry for entry in unregistered if _holds(entry.choice.options, _without_digests(recorded, entry))]


def _holds(options: Mapping[str, Any], some: Mapping[str, Any]) -> bool:
    return all(name in options and options[name] == value for name, value in some.items())


def _without_digests(recorded: Choice, entry: _Entry) -> dict[str, Any]:
    options = recorded.options.items()
    return {name: value for name, value in options if name in entry.choice.options or not name.endswith("_sha256")}


def _moved(choice: Choice) -> Choice:
    """The data set with its folder's name in the place of the path, since data may be moved between two runs."""
    if "path" not in choice.options:
        return choice
    return Choice(choice.name, {**choice.options, "path": Path(str(choice.options["path"])).name})


def _recipe(given: Mapping[str, Any]) -> Recipe | None:
    """The recipe of these keys, None where they make none."""
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    try:
        if "augment" in values:
            augment = values["augment"]
            values["augment"] = Augmentation.none() if augment == "none" else Augmentation(**_mapping(augment))
        return Recipe(**values)
    except (TypeError, SpecError):
        return None


def _usual_split() -> dict[str, Any]:
    from ...datasets.split import split_cases

    options = inspect.signature(split_cases).parameters.values()
    return {option.name: option.default for option in options if option.kind is option.KEYWORD_ONLY}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
