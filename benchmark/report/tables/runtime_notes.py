"""What stands under a table of runtimes: what failed and why, what is slower, what is not what it is called."""

from collections import defaultdict
from collections.abc import Iterable

from ...records.machine import describe
from ..deployments import MARGIN
from ..kernels import kernel_counts, precision_text
from ..layers import layer_error_text, layer_errors
from ..statistics.intervals import MINIMUM_GROUPS
from .deployed import Group
from .runtimes import RuntimeRow, runtime_rows

MOST = 6
"""Rows that a note names at most."""

COLUMNS = (
    "Dice: mean over test cases and classes, then over seeds, as the file segments whole cases with the code of its "
    "export folder; Dice lost: that of Keras float32 less it, case by case. Latency: single calls, all runtimes in "
    "turns; load and first call are apart from them (a first call may compile). Peak: resident memory of the process "
    "that runs the file alone.",
    "Agreement: exact, a float32 file whose probabilities differ from a float64 run by no more than float32 explains; "
    f"within margin, the 95\u00a0% interval of the Dice lost on validation cases lies below {MARGIN:g} (the mean does, "
    f"where fewer than {MINIMUM_GROUPS} groups of cases allow no interval); everything else is never recommended.",
)


def runtime_remarks(group: Group) -> list[str]:
    """The notes, the ones that forbid to believe something first."""
    rows = runtime_rows(group)
    notes = [
        *_problems(rows),
        *_named_otherwise(rows),
        *_layers(rows),
        *_slower(rows),
        *_noisy(group),
        *_unsteady(rows),
    ]
    notes += [*_chosen_on(rows), *_as_keras(rows), *_other_instructions(rows), *_collapsed(rows), *_places(group)]
    return [*notes, *COLUMNS]


def _problems(rows: list[RuntimeRow]) -> list[str]:
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        for one in row.deployments:
            if one.row.get("problem"):
                found[f"{one.runtime}: {one.verdict}: {one.row['problem']}"].append(row.label)
    return [text + (f" ({len(labels)} trials)" if len(labels) > 1 else "") for text, labels in found.items()]


def _named_otherwise(rows: list[RuntimeRow]) -> list[str]:
    """Files of a reduced precision whose convolutions compute in another, all or in part."""
    found = []
    for row in rows:
        texts = {precision_text(one.row) for one in row.deployments if kernel_counts(one.row)}
        asked = {str(one.row.get("precision", "")) for one in row.deployments}
        found += [f"{row.label} ({text})" for text in sorted(texts - asked) if text]
    return [f"convolutions are not all of the precision that was asked for: {_some(found)}"] if found else []


def _layers(rows: list[RuntimeRow]) -> list[str]:
    """The layer of each quantised file with the largest error, over its seeds, the worst files first."""
    found, notes = [], []
    for row in rows:
        known = [entry for one in row.deployments for entry in layer_errors(one.row)]
        found += [(row.label, *max(known, key=lambda entry: entry[1]))] if known else []
        problems = dict.fromkeys(one.row.get("layer_errors_problem") for one in row.deployments)
        notes += [f"{row.label}: its layers were not compared: {problem}" for problem in problems if problem]
    texts = [f"{label}: {layer_error_text(layer, error)}" for label, layer, error in sorted(found, key=lambda e: -e[2])]
    return ([f"largest error of a layer against float32: {_some(texts)}"] if texts else []) + notes


def _slower(rows: list[RuntimeRow]) -> list[str]:
    keras = [
        f"{row.label} (× {row.times_baseline:.2f})"
        for row in rows
        if row.times_baseline > 1 and row.verdicts["baseline"] == 0
    ]
    notes = [f"slower than Keras float32: {_some(keras)}"] if keras else []
    known = {(*_where(row), row.first.deployment.runtime): row for row in rows}
    own = []
    for row in rows:
        name, _, reduced = row.first.deployment.runtime.partition("_")
        full = known.get((*_where(row), name))
        if reduced and full and row.first.deployment.row.get("precision") != "float32":
            times = row.latency_s(50) / full.latency_s(50)
            own += [f"{row.label} (× {times:.2f})"] if times > 1 else []
    return notes + ([f"slower than the same runtime in float32: {_some(own)}"] if own else [])


def _noisy(group: Group) -> list[str]:
    notes = []
    for place in group.places:
        spreads = [row.deployment.spread for row in group.at(place) if row.deployment.noisy]
        if spreads:
            notes.append(
                f"{place[0]} was noisy: the time of a fixed computation differed by up to {max(spreads):.0%} of its "
                "median between rounds; time again when it is idle"
            )
    return notes


def _unsteady(rows: list[RuntimeRow]) -> list[str]:
    found = [row.label for row in rows if any(one.row.get("steady") is False for one in row.deployments)]
    return [f"not steady after the warm-up: {_some(found)}"] if found else []


def _chosen_on(rows: list[RuntimeRow]) -> list[str]:
    found = [row.label for row in rows if any(one.test and one.chosen_on == "test" for one in row.deployments)]
    text = "without scores of validation cases, so that agreement is judged on test cases"
    return [f"{text}: {_some(found)}"] if found else []


def _as_keras(rows: list[RuntimeRow]) -> list[str]:
    found = dict.fromkeys(one.runtime for row in rows for one in row.deployments if one.as_keras and one.test)
    text = ", ".join(found)
    return (
        [f"run in Keras and were not run on whole cases, so that their Dice is that of keras: {text}"] if found else []
    )


def _other_instructions(rows: list[RuntimeRow]) -> list[str]:
    found = [row.label for row in rows if not all(one.same_instructions for one in row.rows)]
    text = "timed with other instruction sets than the machine has, never recommended"
    return [f"{text}: {_some(found)}"] if found else []


def _collapsed(rows: list[RuntimeRow]) -> list[str]:
    found = dict.fromkeys(f"{row.first.model} · {row.first.loss}" for row in rows if row.collapsed)
    return [f"† has trials that collapsed, never recommended: {', '.join(found)}"] if found else []


def _places(group: Group) -> list[str]:
    facts = {row.machine: describe(row.facts) for row in group.rows}
    return [f"{name}: {text}" for name, text in facts.items()]


def _where(row: RuntimeRow) -> tuple[str, int, str, str]:
    return row.first.machine, row.first.threads, row.first.model, row.first.loss


def _some(labels: Iterable[str]) -> str:
    listed = list(labels)
    more = f" and {len(listed) - MOST} more" if len(listed) > MOST else ""
    return ", ".join(listed[:MOST]) + more
