"""Whether what a record's file holds is what the report and the commands take it for."""

import re
from collections.abc import Mapping
from typing import Any

from .backend import BACKENDS
from .structure import COUNT, MAPPING, NUMBER, NUMBERS, ROWS, TEXT, TEXTS, WHOLE, Kind, check, list_of, one_of

STATUSES = ("done", "unfit", "failed", "timed_out")

TRIAL_ID = Kind("sixteen hexadecimal digits", lambda value: isinstance(value, str) and bool(_ID.fullmatch(value)))
"""Of a trial: names of files are made of it."""

_ID = re.compile("[0-9a-f]{16}")

_PARTS = ("dataset", "model", "loss")
_TRIAL = {**dict.fromkeys((*_PARTS, "split", "recipe"), MAPPING), "seed": WHOLE}
_PLACE = {"sources": TEXTS, "backend": one_of(*BACKENDS), "device": one_of("", "cpu", "gpu")}
_CHOICE = {"name": TEXT, "options": MAPPING}
_DERIVATION = {"step": one_of("magnitude", "channels", "distil"), "parent": TRIAL_ID, "of": MAPPING, "options": MAPPING}

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
_INSIDE: dict[str, dict[str, Kind]] = {
    "machine": dict.fromkeys(("name", "cpu", "gpu", "digest", "system"), TEXT),
    "git": {"commit": TEXT},
    "versions": {"backend": one_of("", *BACKENDS)},
    "task": {"rank": COUNT, "channels": COUNT, "classes": list_of(TEXT, least=1), "kind": TEXT},
    "model": {"trainable": _KNOWN, "total": _KNOWN, "macs": _KNOWN, "size": TEXT},
    "selection": {"epoch": COUNT, "score": _KNOWN, "threshold": _KNOWN},
    "data": {"notes": list_of(TEXT), "licence": TEXT, "citation": TEXT},
    "training": {"device": TEXT, "device_name": TEXT, "steps_s": list_of(NUMBER)},
}
_SCORE = {
    **dict.fromkeys(("case", "class", "group"), TEXT),
    "empty": one_of("none", "truth", "prediction", "both"),
    **dict.fromkeys(("tp", "fp", "fn", "tn"), NUMBER),
}
_VALUE = Kind("a number, null or a list of numbers", lambda value: _KNOWN.holds(value) or list_of(NUMBER).holds(value))
_LATENCY = {"runtime": TEXT, "samples_s": list_of(_KNOWN)}


def check_trial(told: Any) -> None:
    """Raise ValueError for fields of a trial that are missing or not of their kinds."""
    check(told, "trial", {**_TRIAL, **_PLACE}, *_TRIAL)
    for name in _PARTS:
        check(told[name], name, _CHOICE, "name")
    if told.get("derivation") is not None:
        check(told["derivation"], "derivation", _DERIVATION, "step", "parent", "of")
        check(told["derivation"]["of"], "derivation: of", _CHOICE, "name")


def check_record(told: Mapping[str, Any]) -> None:
    """Raise ValueError naming the first field of a record, or row of a field, that is not of its kind."""
    check(told, "record", _RECORD, "status")
    check_trial(told["trial"])
    for name, kinds in _INSIDE.items():
        if told.get(name):
            check(told[name], name, kinds, *(kinds if name == "task" else ()))
    for index, row in enumerate(told.get("history", ())):
        check(row, f"history[{index}]", dict.fromkeys(row, _KNOWN))
    check_scores(told.get("scores", ()), "scores", "empty")
    for index, row in enumerate(told.get("latency", ())):
        check(row, f"latency[{index}]", _LATENCY, *_LATENCY)


def check_scores(rows: Any, where: str, *needed: str) -> None:
    """Raise ValueError for rows of scores whose facts or measures are not of their kinds."""
    for index, row in enumerate(rows):
        measures = dict.fromkeys(row.keys() - _SCORE.keys(), _VALUE)
        check(row, f"{where}[{index}]", {**measures, **_SCORE}, "case", "class", *needed)
