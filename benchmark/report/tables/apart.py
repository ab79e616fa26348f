"""What differs between the tables of one data set, in words."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from ....core.trial import Trial, canonical, without_paths
from ....datasets.split import CONTENT
from ...naming.names import without_batches

DIGITS = 8
"""Of a split's digest."""

STAGES = "in batches"
"""What tells a table of stages of continual learning from the other of its data set."""


UPDATES = "updated"
"""What tells a table of updates with data of their own from the others."""


def is_update(trial: Trial) -> bool:
    """Whether it was updated with a data set of its own, see `trial.later`; such trials stand apart from stages."""
    return is_stage(trial) and "later" in trial.dataset.options


def is_stage(trial: Trial) -> bool:
    """Whether it is a stage of continual learning; all such trials of a data set stand in one table."""
    return bool(without_batches(trial.dataset)[1])


def told_apart(tables: Sequence[tuple[str, Trial]]) -> list[str]:
    """For the data set's name and a trial of each table: what of split and recipe is not the same in all of that name.

    `epochs 60, batch 8`. The digest of the split, which changes with the data, is told where the rest is the same in
    two tables. "" where nothing differs. Tables of stages and of updates are told from the others, and each kind by
    itself.
    """
    found = [""] * len(tables)
    kinds = [(name, UPDATES if is_update(trial) else STAGES * is_stage(trial)) for name, trial in tables]
    for kind in dict.fromkeys(kinds):
        places = [place for place, other in enumerate(kinds) if other == kind]
        for place, text in zip(places, _told([tables[place][1] for place in places]), strict=True):
            found[place] = ", ".join(filter(None, [kind[1], text]))
    return found


def _told(trials: Sequence[Trial]) -> list[str]:
    told = [{**_split(trial), **_recipe(trial)} for trial in trials]
    names = list(dict.fromkeys(name for entry in told for name in entry))
    differing = [name for name in names if len({entry.get(name, "none") for entry in told}) > 1]
    texts = [", ".join(f"{name} {entry.get(name, 'none')}" for name in differing) for entry in told]
    digests = [_digest(trial) for trial in trials]
    common = Counter(texts)
    different = {text: len({d for d, other in zip(digests, texts, strict=True) if other == text}) for text in common}
    return [
        ", ".join(filter(None, [text, f"data {digest}" if digest and different[text] > 1 else ""]))
        for text, digest in zip(texts, digests, strict=True)
    ]


def _digest(trial: Trial) -> str:
    """A few digits of the split's digest; of an update, of one of its new data."""
    if is_update(trial):
        told = canonical(without_paths(trial.dataset.options)["later"])
        return hashlib.sha256(told.encode()).hexdigest()[:DIGITS]
    return str(trial.split.get("digest", "")).removeprefix(CONTENT)[:DIGITS]


def _split(trial: Trial) -> dict[str, str]:
    return {f"split {name}": str(value) for name, value in trial.split.items() if name not in ("fold", "digest")}


def _recipe(trial: Trial) -> dict[str, str]:
    fields = asdict(trial.recipe)
    fields.pop("precision")  # tells rows apart
    augment = {f"augment {name}": str(value) for name, value in fields.pop("augment").items()}
    return {**{name: _text(value) for name, value in fields.items()}, **augment}


def _text(value: object) -> str:
    return "×".join(map(str, value)) if isinstance(value, tuple) else str(value)
