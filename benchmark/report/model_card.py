"""The card of a pretrained model: every number in it is made here, of its record and of what was measured."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.counted import counted
from ...core.measure import MEASURES
from ...core.record import Record
from ...metrics.empty import apply
from ..records.pretrained import Pretrained
from .statistics.intervals import MINIMUM_GROUPS, estimate

POLICY = "nan_worst"
"""For empty masks: both empty is undefined, one empty the worst value."""

ROLES = ("train", "validation", "test")


def model_card(model: Pretrained) -> str:
    """Markdown: what it is, where it comes from, its scores with intervals, what it takes and what it is not for."""
    blocks = [f"# {model.name}", _lead(model), _facts(model), "## Scores", _scores_table(model), _reading()]
    for title, key in (("Images", "takes"), ("Seen on pictures", "looks"), ("Limits", "limits")):
        blocks += [f"## {title}", "\n".join(f"- {_line(text)}" for text in model.about[key])]
    blocks += ["## Licence", _line(model.about["licence_text"])]
    return "\n\n".join(blocks) + "\n"


def scores_of(rows: Sequence[dict[str, Any]], measure: str, name: str = "") -> tuple[float, float, float]:
    """Mean over cases, and ends of its 95 % interval, of one class or of the mean over classes.

    The interval is from a bootstrap of whole groups; its ends are NaN where these are too few.
    """
    values: dict[str, list[float]] = defaultdict(list)
    groups: dict[str, str] = {}
    for row in rows:
        if not name or row["class"] == name:
            groups[row["case"]] = row["group"]
            values[row["case"]].append(apply(POLICY, measure, row[measure], row["empty"], row.get("diagonal")))
    means = np.array([_mean(np.array(values[case])) for case in groups])
    found = estimate(means[None], np.array(list(groups.values())), bounds=MEASURES[measure].bounds)
    return found.mean, found.low, found.high


def _mean(values: np.ndarray) -> float:
    """Over the values that are defined."""
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else float("nan")


def _lead(model: Pretrained) -> str:
    record, text = model.record, _line(model.about["summary"])
    if record.trial.dataset.name != "cells":
        return text
    told = [
        f"{scores_of(other['rows'], 'dice')[0]:.3f} on {other['text']} ({_count(other)})" for other in _others(model)
    ]
    return f"**Trained on generated images only**; on real ones its mean Dice is {', '.join(told)}. {text}"


def _count(other: dict[str, Any]) -> str:
    return counted(len({row["case"] for row in other["rows"]}), "image")


def _facts(model: Pretrained) -> str:
    record, file = model.record, model.weights_file
    trial, data = record.trial, record.data
    cases = ", ".join(f"{data[role]} {role} ({data[f'{role}_groups']} groups)" for role in ROLES)
    threshold = f", probability from {record.selection['threshold']:g}" if record.task["kind"] == "binary" else ""
    rows = {
        "Segments": f"{record.task['rank']}D: {', '.join(record.task['classes'])}",
        "Network": f"`{trial.model.label}`, {record.model['trainable']:,} trained parameters, {trial.recipe.precision}",
        "File": f"{file.stat().st_size / 1e3:.0f} kB, SHA-256 `{model.measured['sha256'][model.inside(file)]}`",
        "Trained on": f"`{trial.dataset.label}`, cases: {cases}; {data['licence']}; {data['citation']}",
        "Training": f"`unetbench run {model.name}`: loss `{trial.loss.label}`, seed {trial.seed}, "
        f"{record.timing['train_s'] / 60:.0f} minutes; record `{trial.id}`",
        "Selected on validation": f"epoch {record.selection['epoch']} of {trial.recipe.epochs}{threshold}",
        "Latency": _latency(record),
        "Machine": f"{record.machine['cpu']}, {record.machine['cores']} cores; {_line(model.about['conditions'])}",
        "Versions": ", ".join(f"{name} {record.versions[name]}" for name in ("unetbench", "keras", "tensorflow")),
    }
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {text} |" for name, text in rows.items())])


def _latency(record: Record) -> str:
    measured = next(row for row in record.latency if row["runtime"] == "keras")
    low, middle, high = np.quantile(measured["samples_s"], [0.05, 0.5, 0.95]) * 1e3
    return (
        f"{middle:.1f} ms a call of {'×'.join(map(str, measured['size']))} pixels in Keras "
        f"(median of {len(measured['samples_s'])} calls; 5 to 95 %: {low:.1f} to {high:.1f})"
    )


def _others(model: Pretrained) -> list[dict[str, Any]]:
    return [other for other in model.measured["others"] if other["name"] != "cells"]


def _scores_table(model: Pretrained) -> str:
    record = model.record
    own = f"its own test images, `{record.trial.dataset.name}`"
    tables = [(own, record.data["licence"], record.scores)]
    tables += [
        (f"another source: {other['text']}", other["licence"], other["rows"]) for other in model.measured["others"]
    ]
    lines = [
        "| images | licence | images, groups | class | Dice | 95 % interval | IoU |",
        "|---|---|---|---|---|---|---|",
    ]
    for text, licence, rows in tables:
        names = list(dict.fromkeys(row["class"] for row in rows))
        number = f"{len({row['case'] for row in rows})}, {len({row['group'] for row in rows})}"
        for name in names:
            dice, low, high = scores_of(rows, "dice", name)
            ends = "–" if np.isnan(low) else f"{low:.3f} to {high:.3f}"
            iou = scores_of(rows, "iou", name)[0]
            lines.append(f"| {text} | {licence} | {number} | {name} | {dice:.3f} | {ends} | {iou:.3f} |")
    return "\n".join(lines)


def _reading() -> str:
    return (
        "Means over images of scores of whole images at their own size; an image without the class in truth and "
        "prediction is left out. Intervals are from a bootstrap of whole groups, and are not given for fewer than "
        f"{MINIMUM_GROUPS} of them. Weights, epoch and threshold were selected on validation images alone."
    )


def _line(text: str) -> str:
    return " ".join(text.split())
