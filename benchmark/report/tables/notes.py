"""What stands under a table: the facts that hold for all of it, and what a reader must know to believe it."""

import math
import re
from dataclasses import replace

from ....core.counted import counted
from ....core.record import Record
from ....metrics.empty import describe
from ...naming.names import described
from ...naming.trial_names import HARDWARE, shared_options
from ...records.machine import describe as describe_machine
from ..frame import size_text
from ..statistics.compare import ALPHA
from ..statistics.intervals import MINIMUM_GROUPS
from .columns import shortened
from .coverage import coverage_remarks
from .lighter_table import lighter_remarks
from .micro_batches import micro_batch_remarks
from .summary import ComparisonTable
from .table import STATUS_WORDS, UNDEFINED

ROLES = ("train", "validation", "test")

KINDS, LONGEST = 8, 400
"""Notes of the data under a table at most, and letters of each."""

CONTENT_SCHEMA = 4
"""Version of the records whose trials are told by the contents of files and by the sources of parts of one's own."""

SKIPPED = re.compile(r"skipped: (\w+) (without .+)")
"""A note of an earlier version about one file."""


def facts(table: ComparisonTable) -> list[tuple[str, str]]:
    """What holds for the whole table: data, split, recipe, policy, machine, versions, selection, licence."""
    record = table.example
    trial, data = record.trial, record.data
    splits = table.differing(lambda r: f"{r.trial.split.get('digest', UNDEFINED)}{_fold(r.trial.split)}")
    options = ", ".join(f"{key} {value}" for key, value in trial.split.items() if key not in ("digest", "fold"))
    told = [record.machine for key, record in table.records.items() if key not in table.older]
    hardware = "; ".join(dict.fromkeys(describe_machine(machine) for machine in told))
    versions = table.differing(lambda r: ", ".join(f"{key} {value}" for key, value in r.versions.items()))
    commits = table.differing(_commit)
    lines = [
        ("Data set", described(trial.dataset)),
        ("Labels", "; ".join(f"{label} is {meant}" for label, meant in table.labelled)),
        *shared_facts(table),
        ("Cases", ", ".join(_role_text(data, role) for role in ROLES if role in data)),
        ("Split", f"{options}; digest {', '.join(splits)}".removeprefix("; ")),
        ("Recipe", recipe_text(table)),
        ("Hardware", hardware_text(table)),
        ("Selection", selection_text(table)),
        ("Prediction", prediction_text(table)),
        ("Empty masks", describe(table.policy).removeprefix("Empty masks ")),
        ("Machine", f"{table.machine}: {hardware}"),
        ("Latency", table.setting or "not measured"),
        ("Versions", "; ".join(entry for entry in versions if entry)),
        ("Code", ", ".join(entry for entry in commits if entry)),
        ("Licence", str(data.get("licence") or "")),
        ("Citation", str(data.get("citation") or "")),
    ]
    return [(name, text) for name, text in lines if text]


def shared_facts(table: ComparisonTable) -> list[tuple[str, str]]:
    """The options that all rows share and their names leave out."""
    explained = {meant for _, meant in table.labelled}
    trials = [record.trial for record in table.records.values()]
    return [(name, text) for name, text in shared_options(trials) if text not in explained]


def recipe_text(table: ComparisonTable) -> str:
    """How trials were trained; precisions of which rows differ are told with the hardware."""
    recipe = table.example.trial.recipe
    same = len(table.differing(lambda record: record.trial.recipe.precision)) == 1
    return (recipe if same else replace(recipe, precision="float32")).describe()


def hardware_text(table: ComparisonTable) -> str:
    """Backends, devices and precisions of the rows: `backend tensorflow or jax; device cpu; precision float32`."""
    words = {name: dict.fromkeys(table.differing(lambda r, w=word: w(r.ran))) for name, word in HARDWARE.items()}
    return "; ".join(f"{name} {' or '.join(found)}" for name, found in words.items())


def selection_text(table: ComparisonTable) -> str:
    """How checkpoint and threshold were chosen; the evaluation cannot start before they are frozen."""
    recipe = table.example.trial.recipe
    reading = "the highest mean Dice" if recipe.monitor == "dice" else "the lowest loss"
    kind = table.example.task.get("kind")
    if kind == "exclusive":
        rule = "each pixel gets its likeliest class"
    elif recipe.threshold == "tuned":
        rule = "the threshold was tuned on validation"
    else:
        rule = f"the threshold was fixed at {recipe.threshold} beforehand"
    chosen = f"Checkpoint: the epoch with {reading} on validation; {rule}."
    return f"{chosen} Both were frozen before a test case was predicted."


def prediction_text(table: ComparisonTable) -> str:
    """In which windows test cases were predicted, and by how much probabilities differ where windows overlap."""
    lines: list[str] = []
    for row in table.rows:
        made = [table.records[key].prediction for key in row.records if table.records[key].prediction]
        windows = dict.fromkeys(size_text(entry["window"]) for entry in made for entry in entry["windows"])
        differ = [entry["mismatch"] for entry in made if entry.get("mismatch") is not None]
        if windows:
            sizes = ", ".join(list(windows)[:3]) + (", …" if len(windows) > 3 else "")
            mismatch = f", mismatch {sum(differ) / len(differ):.2g}" if differ else ""
            lines.append(f"{table.short(row)}: windows {sizes}{mismatch}")
    return "; ".join(lines)


def remarks(table: ComparisonTable) -> list[str]:
    """What a reader must know to believe the table: missing trials, collapsed ones, few groups, single seeds."""
    lines = [
        *rank_remarks(table),
        *coverage_remarks(table),
        *seed_remarks(table),
        *_collapse_remarks(table),
        *_start_remarks(table),
    ]
    lines += [*undefined_remarks(table), *_missing_remarks(table), *micro_batch_remarks(table), *lighter_remarks(table)]
    lines += [*older_remarks(table), *_identity_remarks(table), *_run_remarks(table)]
    return lines + [f"Data: {note}" for note in data_notes(table)]


def data_notes(table: ComparisonTable) -> list[str]:
    """What was noticed when the data was read and the results were kept, one line a kind and a few kinds at most.

    Records of earlier versions have one line a file; lines that differ after their last colon only are told as one.
    """
    noted = table.differing(lambda record: tuple(record.data.get("notes") or ()))
    kinds: dict[str, list[str]] = {}
    for line in dict.fromkeys(line for lines in noted for line in lines):
        kinds.setdefault(line.rpartition(": ")[0] or line, []).append(line)
    notes = [_gathered(kind, lines) for kind, lines in kinds.items()]
    more = [f"and {len(notes) - KINDS} more kinds of notes, in the records"] if len(notes) > KINDS else []
    return [shortened(note, LONGEST) for note in notes[:KINDS]] + more


def _gathered(kind: str, lines: list[str]) -> str:
    first = lines[0].removeprefix(f"{kind}: ")
    if skipped := SKIPPED.fullmatch(kind):
        one = len(lines) == 1
        what = f"{len(lines)} {skipped[1]}{'' if one else 's'} {skipped[2]} skipped"
        return f"{what}: {first}" if one else f"{what} (first: {first})"
    if len(lines) == 1:
        return lines[0]
    return f"{kind}: {len(lines)} times (first: {first})"


def rank_remarks(table: ComparisonTable, *, brief: bool = False) -> list[str]:
    """What the ranks mean and how many share the first; `brief`: without the method."""
    found, rows = table.comparison, table.compared
    if found is None:
        return []
    pairs = counted(len(found.pairs), "pair")
    if all(row.rank is None for row in rows):
        return [
            f"Not ranked: {_groups(table)} cannot tell {len(rows)} configurations apart at "
            f"{100 * ALPHA:.0f}\u00a0% after correction for {pairs}; the order is that of the means."
        ]
    first = sum(row.rank is not None and row.rank[0] == 1 for row in rows)
    if brief and first == 1:
        return [f"Rank: paired tests set the first of {len(rows)} apart from all others."]
    if brief:
        return [f"Rank: places that paired tests leave open; {first} of {len(rows)} cannot be told from the best."]
    return [
        "Rank: the range of places that the paired comparisons leave open (sign-flip tests of "
        f"{pairs} over {table.groups} groups of cases, Holm-corrected, {100 * ALPHA:.0f}\u00a0%). "
        f"{first} of {len(rows)} cannot be told from the best: their ranges start at 1; bold where none collapsed."
    ]


def seed_remarks(table: ComparisonTable, *, brief: bool = False) -> list[str]:
    """What few seeds or groups forbid to say, and what the counts of empty masks mean unless `brief`."""
    lines = []
    if table.compared and max(row.seeds for row in table.compared) == 1:
        lines.append("One seed each: differences are between these trained networks, not yet between methods.")
    if table.compared and table.groups < MINIMUM_GROUPS:
        lines.append(f"No interval: {_groups(table)}; at least {MINIMUM_GROUPS} are needed.")
    elif alone := [row.label for row in table.compared if math.isnan(row.dice.low)]:
        lines.append(
            f"No interval of {', '.join(alone)}: fewer than {MINIMUM_GROUPS} groups of cases have a defined score, or "
            "one group outweighs the others."
        )
    if table.compared and not brief:
        lines.append(
            "Empty t/p/b: how many scores (a case, class and seed each) have no foreground in truth, prediction or "
            "both; undefined: how many have no Dice under the policy for empty masks."
        )
    done = sum(row.done for row in table.rows)
    if not table.compared and done:
        lines.append(
            f"No Dice of the trials that are done ({done}) is defined under the policy for empty masks, so there is "
            "nothing to compare."
        )
    elif not table.compared:
        lines.append("No trial of this table is done, so there are no scores.")
    return lines


def undefined_remarks(table: ComparisonTable) -> list[str]:
    """Which rows have trials that are done and whose Dice are all undefined."""
    return [
        f"Undefined: {row.label}: {row.without_score} of {row.done} trials that are done "
        f"{'have' if row.without_score > 1 else 'has'} no defined Dice and no part in the mean."
        for row in table.rows
        if row.without_score
    ]


def _collapse_remarks(table: ComparisonTable) -> list[str]:
    return [
        f"† {row.label}: {row.collapsed_text}, and the mean contains them: "
        + "; ".join(f"{key} ({', '.join(names)})" for key, names in row.collapsed.items())
        for row in table.rows
        if row.collapsed
    ]


def _start_remarks(table: ComparisonTable) -> list[str]:
    found: dict[tuple[str, str], list[str]] = {}
    for row in table.rows:
        for key in row.records:
            missing = table.records[key].model.get("missing_weights")
            if missing:
                found.setdefault((row.label, missing), []).append(key)
    return [f"{label}: began at random: {missing} ({', '.join(keys)})" for (label, missing), keys in found.items()]


def _missing_remarks(table: ComparisonTable) -> list[str]:
    found: dict[tuple[str, str, str], list[tuple[int, str]]] = {}
    for row in table.rows:
        for key in row.records:
            record = table.records[key]
            if record.status != "done":
                what = (row.label, STATUS_WORDS[record.status], record.reason or "no reason was recorded")
                found.setdefault(what, []).append((record.trial.seed, key))
    return [
        f"{label}, seed {', '.join(str(seed) for seed, _ in sorted(trials))}: {status}: {reason} "
        f"({', '.join(key for _, key in sorted(trials))})"
        for (label, status, reason), trials in found.items()
    ]


def older_remarks(table: ComparisonTable) -> list[str]:
    """Which records tell less of their machine than the others, and what that means."""
    if not table.older:
        return []
    folders = ", ".join(sorted({key.split("/")[0] for key in table.older}))
    return [
        f"{len(table.older)} of {len(table.records)} records are older ({folders}) and do not say stepping, "
        "instruction sets and threads; what they say of their machine is the same. Their latency stands apart from the "
        "others'; their training times may be those of other hardware."
    ]


def _identity_remarks(table: ComparisonTable) -> list[str]:
    lines: list[str] = []
    first = sum(record.schema < CONTENT_SCHEMA for record in table.records.values())
    if first:
        lines.append(
            f"{first} of {len(table.records)} records were made under the older identity of a trial, which held the "
            "sizes of the data's files, not their contents, and no sources of parts of one's own."
        )
    if table.replaced:
        lines.append(
            f"{table.replaced} earlier records of these trials, made with other sources of parts of one's own, for a "
            "sweep that did not name their backend or device, or, with folds, on other data, are kept in the folder "
            "and left out here."
        )
    return lines


def _run_remarks(table: ComparisonTable) -> list[str]:
    """Which trials were run more than once, and what the further runs gave; the first counts, once."""
    return [f"Run again: {table.row_of[key].label} ({key}), of which run 1 counts; {text}." for key, text in table.runs]


def _commit(record: Record) -> str:
    return (record.git.get("commit") or "")[:12] + (" with changes" if record.git.get("dirty") else "")


def _groups(table: ComparisonTable) -> str:
    return f"{table.groups} independent group{'s' if table.groups > 1 else ''} of cases"


def _fold(split: dict[str, object]) -> str:
    return f" (fold {split['fold']})" if split.get("folds") else ""


def _role_text(data: dict[str, object], role: str) -> str:
    groups = data.get(f"{role}_groups")
    return f"{data[role]} {role}" + (f" ({groups} groups)" if groups is not None else "")
