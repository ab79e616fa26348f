"""A recommendation in words: the file, why, what comes next, and the command that exports it."""

import math
import shlex
from collections.abc import Sequence
from pathlib import Path

from ...core.counted import counted
from ...core.measure import signed
from .deployments import MARGIN
from .recommend import TOLERANCE, Limits, Recommendation, Tie, configuration, values
from .tables.deployed import Deployed, Group
from .tables.grid import Grid
from .tables.table import UNDEFINED

MOST = 3
"""Rows that a sentence names at most."""


def place_text(group: Group, place: tuple[str, int]) -> str:
    """Machine, workload and threads."""
    machine, threads = place
    return f"{machine}: {group.workload}, {counted(threads, 'thread')}"


def headline(group: Group, found: Recommendation) -> str:
    """The recommended file in one line, or that there is none."""
    if found.chosen is None:
        return f"{group.subject} on {place_text(group, found.place)}: {_nothing(found)}"
    return f"{group.subject} on {place_text(group, found.place)}: {found.chosen.label}: {numbers(found.chosen)}"


def numbers(row: Deployed) -> str:
    """Dice of validation and test, latency and size."""
    dice, latency, size = values(row)
    test = row.deployment.dice
    parts = [
        f"{row.deployment.chosen_on} Dice {dice:.3f}",
        "" if math.isnan(test) or row.deployment.chosen_on == "test" else f"test Dice {test:.3f}",
        f"{latency * 1e3:.3g} ms",
        _megabytes(size),
    ]
    return ", ".join(part for part in parts if part)


def reason(found: Recommendation) -> str:
    """Why the chosen one is: one sentence."""
    chosen, best = found.chosen, found.best
    if chosen is None or best is None:
        return _nothing(found)
    if found.qualified == 1:
        return "The only one that qualifies."
    if len(found.front) == 1:
        return f"No other that qualifies is better in {chosen.deployment.chosen_on} Dice, latency or size."
    tie = next((tie for tie in found.ties if tie.row is chosen), None)
    if tie is None:
        nearest = min(found.ties, key=lambda tie: tie.below, default=None)
        first = f"The best {chosen.deployment.chosen_on} Dice"
        if nearest is None:
            return f"{first}, and the fastest."
        return f"{first}; of the faster ones {nearest.row.label} comes nearest, {_gap(nearest)}."
    good = 1 + sum(other.as_good for other in found.ties)
    times = values(best)[1] / values(chosen)[1]
    return (
        f"The fastest of {good} whose {best.deployment.chosen_on} Dice is not told from the best, "
        f"{values(best)[0]:.3f} ({best.label}): {_gap(tie)}, {times:.1f} times as fast."
    )


def export_command(row: Deployed, sweep: Path) -> str:
    """The command that writes the export folder; where Keras runs it, the weights to load instead."""
    if "backend" in row.deployment.row:
        return f"nothing to export: Keras runs {sweep / 'weights' / row.key}.keras"
    record = shlex.quote(str(sweep / "records" / f"{row.key}.json"))
    size = tuple(row.deployment.row["size"])
    window = "" if size == tuple(row.record.trial.recipe.patch) else f" --size {'x'.join(map(str, size))}"
    name, bracket, settings = row.deployment.runtime.partition("(")
    options = "".join(f" --set {shlex.quote(one)}" for one in settings.removesuffix(")").split(", ") if bracket)
    return f"unetbench export {record} --format {shlex.quote(name)}{options}{window}"


def front_grid(group: Group, found: Recommendation) -> Grid:
    """What no other beats in all of validation Dice, latency and size, and the chosen one; the fastest first."""
    rows = sorted({id(row): row for row in (*found.front, *_chosen(found))}.values(), key=lambda row: values(row)[1])
    headers = (
        "Model",
        "Loss",
        "Seed",
        "Runtime",
        "Validation Dice",
        "Mean of seeds",
        "Test Dice",
        "Dice lost",
        "Median [ms]",
        "p95 [ms]",
        "File [MB]",
        "First call [ms]",
    )
    bold = frozenset(index for index, row in enumerate(rows) if row is found.chosen)
    return Grid("Pareto-best", headers, tuple(_cells(group, row) for row in rows), names=4, bold=bold)


def remarks(group: Group, found: Recommendation) -> list[str]:
    """What must be known to believe the choice: ties, cold start, what takes no part, how seeds count."""
    rows = [*found.front, *_chosen(found)]
    notes = [_untold(found.ties)]
    if found.left_out:
        notes.append("not considered: " + ", ".join(f"{count} {why}" for why, count in found.left_out.items()))
    if any(row.deployment.chosen_on == "test" for row in rows):
        notes.append(
            "chosen by test cases, for these deployments have no scores of validation cases, so that the Dice shown is "
            "too good to be true of new images: `unetbench time` measures both"
        )
    if any(row.deployment.as_keras for row in rows):
        notes.append("runtimes that run in Keras have its Dice: they are exact and were not run on whole cases")
    if any(row.deployment.noisy for row in rows):
        notes.append("the machine was noisy while some of these were timed; time again when it is idle")
    if any(len(configuration(group, row)) > 1 for row in rows):
        notes.append(
            "a candidate is one trained file, of one seed; «mean of seeds» is that of its model, loss and runtime. The "
            "best seed of several by validation is partly luck, which its test Dice, not used to choose, does not share"
        )
    if group.batch > 1:
        notes.append(f"latency is that of a call with {group.batch} images; an exported file takes one at a time")
    return [note for note in notes if note]


def nearest_lines(group: Group, found: Recommendation) -> list[str]:
    """By limit that cannot be kept: what comes nearest, and by how much it misses."""
    lines = []
    for name, row in found.nearest.items():
        beyond = found.limits.excess(row)
        also = [
            f"{_limit(found.limits, other)} {_missed(found.limits, other, row)}"
            for other, gap in beyond.items()
            if gap and other != name
        ]
        own = f"missed {_missed(found.limits, name, row)}, nearest is" if beyond[name] else "kept by"
        lines.append(
            f"{_limit(found.limits, name)}: {own} {row.label}"
            + (f", which misses {' and '.join(also)}" if also else "")
        )
    return lines


def _chosen(found: Recommendation) -> tuple[Deployed, ...]:
    return () if found.chosen is None else (found.chosen,)


def _nothing(found: Recommendation) -> str:
    wanted = [_limit(found.limits, name) for name in ("dice", "latency_s", "bytes")]
    asked = ", ".join(text for text in wanted if text)
    return f"nothing qualifies ({asked})" if asked and found.nearest else "nothing that agrees with Keras was timed"


def _limit(limits: Limits, name: str) -> str:
    if name == "dice":
        return "" if limits.min_dice is None else f"Dice of at least {limits.min_dice:g}"
    if name == "latency_s":
        return "" if limits.max_latency_s is None else f"at most {limits.max_latency_s * 1e3:g} ms"
    return "" if limits.max_bytes is None else f"at most {limits.max_bytes / 1e6:g} MB"


def _missed(limits: Limits, name: str, row: Deployed) -> str:
    """By how much a limit is missed, and what the row has."""
    dice, latency, size = values(row)
    gap = limits.excess(row)[name]
    if name == "dice":
        return f"by {gap:.4f} ({dice:.4f})"
    if name == "latency_s":
        return f"by {gap * 1e3:.3g} ms ({latency * 1e3:.3g} ms)"
    return f"by {_megabytes(gap)} ({_megabytes(size)})"


def _untold(ties: Sequence[Tie]) -> str:
    """What cannot be told from the best and yet was not preferred to it."""
    rows = sorted((tie for tie in ties if tie.untold and not tie.as_good), key=lambda tie: tie.below)
    if not rows:
        return ""
    more = f"; and {len(rows) - MOST} more" if len(rows) > MOST else ""
    named = "; ".join(f"{tie.row.label}, {_gap(tie)}" for tie in rows[:MOST])
    return f"faster, not told from the best, yet more than {TOLERANCE:g} below it: {named}{more}"


def _gap(tie: Tie) -> str:
    if math.isinf(tie.below):
        return "without common cases"
    side = f"{abs(tie.below):.4f} {'below' if tie.below >= 0 else 'above'}"
    groups = f"{counted(tie.groups, 'group')} of cases"
    if math.isnan(tie.p):
        return f"{side} ({groups}, too few for a test, so that up to {MARGIN:g} counts as none)"
    return f"{side} (p = {tie.p:.2g}, {groups})"


def _cells(group: Group, row: Deployed) -> tuple[str, ...]:
    dice, latency, size = values(row)
    one = row.deployment
    mean = configuration(group, row)
    return (
        row.model,
        row.loss,
        str(row.seed),
        one.runtime,
        f"{dice:.3f}{' (test)' if one.chosen_on == 'test' else ''}",
        f"{sum(mean) / len(mean):.3f} of {len(mean)}" if len(mean) > 1 else UNDEFINED,
        UNDEFINED if math.isnan(one.dice) else f"{one.dice:.3f}",
        UNDEFINED if one.lost is None else signed(one.lost.mean, 4),
        f"{latency * 1e3:.3g}",
        f"{one.latency_s(95) * 1e3:.3g}",
        f"{size / 1e6:.3g}",
        f"{one.row.get('first_call_s', math.nan) * 1e3:.3g}",
    )


def _megabytes(size: float) -> str:
    return f"{size / 1e6:.3g} MB"
