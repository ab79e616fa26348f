"""Short names of parts: the label where there is one, else the part with the options that the others do not share."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...core.trial import Choice
from ...datasets.weak.kinds import KINDS, words

PUNCTUATION = "-._"
"""What a file name keeps beside letters and digits."""

LONGEST_BYTES = 160
"""Of a file name without its endings; file systems allow 255 bytes with them."""


def base(choice: Choice) -> str:
    """A part's name without options; a folder of the user's own is called as the folder is."""
    folder = Path(str(choice.options.get("path", ""))).name if choice.name == "folder" else ""
    return choice.name if folder in ("", "..") else folder


def without_labels(dataset: Choice) -> tuple[Choice, dict[str, Any]]:
    """A data set as it is with full masks, and the options of the labels that training has in their place."""
    options = dict(dataset.options)
    weak = options.pop("labels", None)
    known = isinstance(weak, Mapping) and any(key in KINDS for key in weak)
    return (replace(dataset, options=options), dict(weak)) if known else (dataset, {})


def without_batches(dataset: Choice) -> tuple[Choice, dict[str, Any]]:
    """A data set as it is when all cases are there at once, and the batches that a stage has seen instead.

    Of an update the former is without what came later too.
    """
    options = dict(dataset.options)
    arrived = options.pop("arrived", None)
    if isinstance(arrived, Mapping):
        options.pop("later", None)
    return (replace(dataset, options=options), dict(arrived)) if isinstance(arrived, Mapping) else (dataset, {})


def described(choice: Choice) -> str:
    """A part with its options, the labels that training has of a data set in words: `cells(count=8), 1 point`."""
    plain, weak = without_labels(choice)
    return f"{plain.label}, {words(weak)}" if weak else choice.label


def shared(choices: Sequence[Choice]) -> dict[str, Any]:
    """The options that all of these have with the same value."""
    first, *others = choices
    return {
        name: value
        for name, value in first.options.items()
        if all(name in other.options and other.options[name] == value for other in others)
    }


def short_names(
    parts: Sequence[tuple[Choice, str]], *, by_base: bool = False, told: Callable[[Choice], str] = described
) -> list[str]:
    """A name for each part and its label ("" for none), equal for equal pairs only.

    Without a label it is the part's name with the options that not all parts share; with `by_base`, that not all parts
    of the same name share. `path`, which says where a folder lies, and `test_modalities`, which say what more it was
    scored on, are told only if nothing else tells it apart. told: how a part and its options are written.
    """
    distinct = list(dict.fromkeys((choice.canonical, label) for choice, label in parts))
    choices = {choice.canonical: choice for choice, _ in parts}
    groups: dict[str, list[Choice]] = {}
    for choice in choices.values():
        groups.setdefault(base(choice) if by_base else "", []).append(choice)
    common = {group: shared(members) for group, members in groups.items()}
    candidates = [
        _candidates(choices[part], label, common[base(choices[part]) if by_base else ""], told)
        for part, label in distinct
    ]
    named = dict(zip(distinct, _apart(candidates, [bool(label) for _, label in distinct]), strict=True))
    return [named[choice.canonical, label] for choice, label in parts]


def file_stem(name: str) -> str:
    """The name as part of a file name: letters and digits of any script and `-._`, everything else one `-`."""
    plain = "".join(
        mark if mark in PUNCTUATION or is_letter(mark) else "-" for mark in unicodedata.normalize("NFC", name)
    )
    short = re.sub("-+", "-", plain)[:80].encode()[:LONGEST_BYTES].decode("utf-8", "ignore")
    return short.rstrip("-").lstrip("-.") or "table"


def is_letter(mark: str) -> bool:
    """Whether the character is a letter, a digit or an accent of any script."""
    return unicodedata.category(mark)[0] in "LMN"


def _candidates(choice: Choice, label: str, common: dict[str, Any], told: Callable[[Choice], str]) -> list[str]:
    """What a part may be called, shortest first."""
    if label:
        return [label, f"{label} ({told(choice)})"]
    own = {name: value for name, value in choice.options.items() if name not in common}
    placed = told(Choice(base(choice), own))
    own = {name: value for name, value in own.items() if name not in ("path", "test_modalities")}
    return list(dict.fromkeys([told(Choice(base(choice), own)), placed, told(choice)]))


def _apart(candidates: Sequence[Sequence[str]], labelled: Sequence[bool]) -> list[str]:
    """The first candidate of each that no other has; labels give way last, and a number is added where all fail."""
    level = [0] * len(candidates)
    while True:
        names = [own[at] for own, at in zip(candidates, level, strict=True)]
        counts = Counter(names)
        longer = [k for k, name in enumerate(names) if counts[name] > 1 and level[k] + 1 < len(candidates[k])]
        if not longer:
            break
        for index in [k for k in longer if not labelled[k]] or longer:
            level[index] += 1
    seen: Counter[str] = Counter()
    for index, name in enumerate(names):
        seen[name] += 1
        names[index] = name if seen[name] == 1 else f"{name} #{seen[name]}"
    return names
