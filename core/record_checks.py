"""Whether what a record's file holds is what the report and the commands take it for."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, get_type_hints

from .backend import BACKENDS
from .recipe import Augmentation, Recipe
from .structure import COUNT, MAPPING, NUMBER, NUMBERS, ROWS, TEXT, TEXTS, WHOLE, Kind, check, kind_of, list_of, one_of
from .trial import METHODS

STATUSES = ("done", "unfit", "failed", "timed_out")


def _hints(settings: type) -> Iterator[tuple[str, Any]]:
    hints = get_type_hints(settings)
    return ((field.name, hints[field.name]) for field in fields(settings))


TRIAL_ID = Kind("sixteen hexadecimal digits", lambda value: isinstance(value, str) and bool(_ID.fullmatch(value)))
"""Of a trial: names of files are made of it."""

_ID = re.compile("[0-9a-f]{16}")

_PARTS = ("dataset", "model", "loss")
_TRIAL = {**dict.fromkeys((*_PARTS, "split", "recipe"), MAPPING), "seed": WHOLE}
_PLACE = {"sources": TEXTS, "backend": one_of(*BACKENDS), "device": one_of("", "cpu", "gpu")}
_CHOICE = {"name": TEXT, "options": MAPPING}
_STEPS = one_of("magnitude", "channels", "distil", "ensemble", "snapshots", "averaged", "update")
_DERIVATION = {"step": _STEPS, "parent": TRIAL_ID, "of": MAPPING, "options": MAPPING, "members": ROWS}
_MEMBER = {"trial": TRIAL_ID, "model": MAPPING, "loss": MAPPING, "seed": WHOLE}
_STEP = {
    **dict.fromkeys(("share", "sparsity", "rate", "weight", "temperature", "decay", "begin"), NUMBER),
    **dict.fromkeys(("epochs", "multiple", "last", "most", "rounds", "keep"), COUNT),
    **dict.fromkeys(("ranking", "mean", "choose", "copies", "by"), TEXT),
    "over": list_of(TEXT),
    "method": one_of(*METHODS),
}
_ARRIVED = {"by": TEXT, "batches": list_of(TEXT, least=1), "keep": COUNT, "seed": WHOLE}
_LATER = ("name", "options", "split")
_RECIPE = {name: kind_of(hint) for name, hint in _hints(Recipe) if name != "augment"} | {"augment": MAPPING}
_AUGMENT = {name: kind_of(hint) for name, hint in _hints(Augmentation)}

_RECORD = {
    "status": one_of(*STATUSES),
    **dict.fromkeys(("reason", "started", "finished", "traceback"), TEXT),
    **dict.fromkeys(("machine", "git", "task", "data", "model", "selection", "prediction", "training"), MAPPING),
    **dict.fromkeys(("history", "scores", "latency"), ROWS),
    "log": list_of(TEXT),
    "versions": TEXTS,
    "timing": NUMBERS,
    "schema": WHOLE,
}
_KNOWN = NUMBER.or_null()
_MODALITY = Kind(
    "a name with its number of channels",
    lambda value: (
        isinstance(value, list | tuple) and len(value) == 2 and TEXT.holds(value[0]) and COUNT.holds(value[1])
    ),
)
_INSIDE: dict[str, dict[str, Kind]] = {
    "machine": dict.fromkeys(("name", "cpu", "gpu", "digest", "system"), TEXT),
    "git": {"commit": TEXT},
    "versions": {"backend": one_of("", *BACKENDS)},
    "task": {
        "rank": COUNT,
        "channels": COUNT,
        "classes": list_of(TEXT, least=1),
        "kind": TEXT,
        "modalities": list_of(_MODALITY),
    },
    "model": {"trainable": _KNOWN, "total": _KNOWN, "macs": _KNOWN, "size": TEXT},
    "selection": {"epoch": COUNT, "score": _KNOWN, "threshold": _KNOWN, "members": ROWS, "best": TEXT},
    "data": {
        "notes": list_of(TEXT),
        **dict.fromkeys(("licence", "citation"), TEXT),
        **dict.fromkeys(("train", "validation", "test"), COUNT),
        **dict.fromkeys(("train_groups", "validation_groups", "test_groups"), COUNT.or_null()),
    },
    "training": {
        **dict.fromkeys(("device", "device_name", "micro_because"), TEXT),
        **dict.fromkeys(("batch", "micro_batch", "out_of_memory"), COUNT),
        **dict.fromkeys(("first_step_s", "host_peak_bytes", "device_peak_bytes"), _KNOWN),
        "steps_s": list_of(NUMBER),
    },
    "prediction": {"windows": ROWS, "mismatch": _KNOWN},
}
_NEEDED = {"task": ("rank", "channels", "classes", "kind"), "prediction": ("windows",)}
_SCORE = {
    **dict.fromkeys(("case", "class"), TEXT),
    "group": TEXT.or_null(),
    "empty": one_of("none", "truth", "prediction", "both"),
    **dict.fromkeys(("tp", "fp", "fn", "tn"), NUMBER),
}
_MATCHES = dict.fromkeys(("objects", "matched"), list_of(NUMBER).or_null())
_SIZE = Kind("text or a list of whole numbers", lambda value: TEXT.holds(value) or list_of(COUNT).holds(value))
_LATENCY = {
    **dict.fromkeys(("runtime", "device", "dtype"), TEXT),
    **dict.fromkeys(("batch", "channels", "warmup"), COUNT.or_null()),
    "size": _SIZE,
    "samples_s": list_of(_KNOWN),
}
_CONDITION = {
    "modalities": list_of(TEXT, least=1),
    "how": one_of("given", "missing", "replaced", "impossible"),
    "reason": TEXT,
    "scores": ROWS,
    "unscored": list_of(TEXT),
}
_PART = {"trial": TRIAL_ID, "weight": NUMBER, "dice": _KNOWN}
_WINDOW = {"window": _SIZE, "cases": COUNT}


def check_trial(told: Any) -> None:
    """Raise ValueError for fields of a trial that are missing or not of their kinds."""
    check(told, "trial", {**_TRIAL, **_PLACE}, *_TRIAL)
    for name in _PARTS:
        check(told[name], name, _CHOICE, "name")
    check(told["recipe"], "recipe", _RECIPE)
    check(told["recipe"].get("augment", {}), "recipe: augment", _AUGMENT)
    check_arrived(told["dataset"].get("options", {}).get("arrived"))
    check_later(told["dataset"].get("options", {}).get("later", []))
    if told.get("derivation") is not None:
        check(told["derivation"], "derivation", _DERIVATION, "step", "parent", "of")
        check(told["derivation"]["of"], "derivation: of", _CHOICE, "name")
        needed = ("method",) if told["derivation"]["step"] == "update" else ()
        check(told["derivation"].get("options", {}), "derivation: options", _STEP, *needed)
        for index, member in enumerate(told["derivation"].get("members", ())):
            check(member, f"derivation: members[{index}]", _MEMBER, *_MEMBER)
            check(member["model"], f"derivation: members[{index}].model", _CHOICE, "name")
            check(member["loss"], f"derivation: members[{index}].loss", _CHOICE, "name")


def check_arrived(told: Any) -> None:
    """Raise ValueError for what does not tell the batches that a stage has seen; None is fine."""
    if told is not None:
        check(told, "dataset: arrived", _ARRIVED, "by", "batches")


def check_later(told: Any) -> None:
    """Raise ValueError for what does not tell the data sets that came after a model was trained."""
    check({"later": told}, "dataset", {"later": ROWS})
    for index, one in enumerate(told):
        check(one, f"dataset: later[{index}]", {"name": TEXT, "options": MAPPING, "split": MAPPING}, *_LATER)


def check_record(told: Mapping[str, Any]) -> None:
    """Raise ValueError naming the first field of a record, or row of a field, that is not of its kind."""
    check(told, "record", _RECORD, "status")
    check_trial(told["trial"])
    for name, kinds in _INSIDE.items():
        if told.get(name):
            check(told[name], name, kinds, *_NEEDED.get(name, ()))
    for index, row in enumerate(told.get("prediction", {}).get("windows", ())):
        check(row, f"prediction: windows[{index}]", _WINDOW, *_WINDOW)
    conditions = told.get("prediction", {}).get("conditions", ())
    check({"conditions": conditions}, "prediction", {"conditions": ROWS})
    for index, row in enumerate(conditions):
        check(row, f"prediction: conditions[{index}]", _CONDITION, *_CONDITION)
        check_scores(row["scores"], f"prediction: conditions[{index}]: scores", "empty")
    for index, row in enumerate(told.get("selection", {}).get("members", ())):
        check(row, f"selection: members[{index}]", _PART, *_PART)
    for index, row in enumerate(told.get("history", ())):
        check(row, f"history[{index}]", dict.fromkeys(row, _KNOWN))
    check_scores(told.get("scores", ()), "scores", "empty")
    for index, row in enumerate(told.get("latency", ())):
        check(row, f"latency[{index}]", _LATENCY, "runtime", "samples_s")


def check_scores(rows: Any, where: str, *needed: str) -> None:
    """Raise ValueError for rows of scores whose facts or measures are not of their kinds."""
    for index, row in enumerate(rows):
        measures = dict.fromkeys(row.keys() - _SCORE.keys(), _KNOWN)
        check(row, f"{where}[{index}]", {**measures, **_MATCHES, **_SCORE}, "case", "class", *needed)
