"""A comparison table as grids of texts, and as flat frames for CSV."""

import math
from collections.abc import Sequence

import pandas as pd

from ....core.measure import Measure, measure, signed
from ..frame import PRIMARY
from ..statistics.intervals import Estimate
from .grid import Grid
from .row import Row
from .summary import STATUSES, ComparisonTable

PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"))
STATUS_WORDS = {"done": "done", "failed": "failed", "timed_out": "timed out", "unfit": "unfit"}
UNDEFINED = "–"
NO_SCORE = "undefined"
"""Of trials that are done and whose scores are all undefined, where `–` is what there is not."""

SIDES = ("truth", "prediction", "both")


def results_grid(table: ComparisonTable) -> Grid:
    """Models × losses: rank, scores, counts, cost and time of each configuration."""
    rows = table.rows
    setting = [row.latency(table.setting) for row in rows]
    median = [entry.median_s if entry else math.nan for entry in setting]
    p95 = [entry.p95_s if entry else math.nan for entry in setting]
    size = next((row.size for row in rows if row.size), "")
    columns = {
        "Model": [row.model for row in rows],
        "Loss": [row.loss for row in rows],
        "Rank": [rank_text(row.rank) for row in rows],
        measure(PRIMARY).title: [score_text(row) + ("†" if row.collapsed else "") for row in rows],
        "95\u00a0%\u00a0CI": [interval_text(row.dice, measure(PRIMARY)) for row in rows],
        **{
            measure(name).title: [measure(name).text(row.estimates[name].mean) for row in rows]
            for name in _first(table)
        },
        "Seeds × folds" if table.example.trial.split.get("folds") else "Seeds": [status_text(row) for row in rows],
        "Cases": [str(row.cases) for row in rows],
        "Empty t/p/b": ["/".join(str(row.empty[side]) for side in SIDES) if row.scored else UNDEFINED for row in rows],
        "Undefined": [f"{row.undefined} of {row.scored}" if row.scored else UNDEFINED for row in rows],
        **scaled("Parameters", [row.trainable for row in rows], ""),
        **scaled(f"MACs at {size}" if size else "MACs", [row.macs for row in rows], ""),
        **scaled("Latency, median", median, "s"),
        **scaled("Latency, p95", p95, "s"),
        **scaled("Training", [row.train_s for row in rows], "s"),
    }
    best = frozenset(index for index, row in enumerate(rows) if row.rank and row.rank[0] == 1 and not row.collapsed)
    links = tuple(anchor(row.records[0]) for row in rows)
    cells = tuple(zip(*columns.values(), strict=True))
    return Grid(f"{table.title}: models and losses", tuple(columns), cells, bold=best, links=links)


def class_grid(table: ComparisonTable) -> Grid | None:
    """Every class by itself; None for a single class."""
    if len(table.classes) < 2:
        return None
    rows = [(row, name) for row in table.rows for name in table.classes if name in row.by_class]
    first = measure(PRIMARY)
    cells = tuple(
        (
            row.model,
            row.loss,
            name,
            score_text(row, row.by_class[name][PRIMARY]) + ("†" if _fell(row, name) else ""),
            interval_text(row.by_class[name][PRIMARY], first),
            *(estimate_text(row.by_class[name][key], measure(key)) for key in _first(table)),
        )
        for row, name in rows
    )
    titles = tuple(measure(key).title for key in _first(table))
    headers = ("Model", "Loss", "Class", first.title, "95\u00a0%\u00a0CI", *titles)
    return Grid(f"{table.title}: each class", headers, cells, names=3)


def latency_grid(table: ComparisonTable) -> Grid | None:
    """Every setting in which latency was measured; None when there is one at most."""
    entries = [(row, entry) for row in table.rows for entry in row.latencies]
    if len({entry.setting for _, entry in entries}) < 2:
        return None
    columns = {
        "Model": [row.model for row, _ in entries],
        "Loss": [row.loss for row, _ in entries],
        "Setting": [entry.setting for _, entry in entries],
        **scaled("Median", [entry.median_s for _, entry in entries], "s"),
        **scaled("p95", [entry.p95_s for _, entry in entries], "s"),
        "Samples": [str(len(entry.samples_s)) for _, entry in entries],
    }
    cells = tuple(zip(*columns.values(), strict=True))
    return Grid(f"{table.title}: latency", tuple(columns), cells, names=3)


def results_frame(table: ComparisonTable) -> pd.DataFrame:
    """The results as raw numbers in base units, one row a configuration, with the ids of its records."""
    return pd.DataFrame([_flat(table, row) for row in table.rows])


def class_frame(table: ComparisonTable) -> pd.DataFrame:
    """The scores of every class as raw numbers."""
    return pd.DataFrame(
        [
            {"model": row.model, "loss": row.loss, "class": name, **_numbers(estimates)}
            for row in table.rows
            for name, estimates in row.by_class.items()
        ]
    )


def pairs_frame(table: ComparisonTable) -> pd.DataFrame:
    """Every paired comparison: mean Dice difference (first minus second), p, and p after Holm's correction."""
    found, rows = table.comparison, table.compared
    if found is None:
        return pd.DataFrame()
    return pd.DataFrame(
        {
            "first": [rows[i].label for i, _ in found.pairs],
            "second": [rows[j].label for _, j in found.pairs],
            "dice_difference": found.difference,
            "p": found.p,
            "p_holm": found.adjusted,
            "cases": found.cases.astype(int),
            "groups": found.groups,
        }
    )


def rank_text(rank: tuple[int, int] | None) -> str:
    """`2`, or `1–3` when the order within is not known."""
    if rank is None:
        return UNDEFINED
    return str(rank[0]) if rank[0] == rank[1] else f"{rank[0]}–{rank[1]}"


def estimate_text(estimate: Estimate, reading: Measure) -> str:
    """Mean ± standard deviation over seeds, or the mean alone for one seed."""
    spread = "" if math.isnan(estimate.spread) else f" ± {reading.text(estimate.spread)}"
    return reading.text(estimate.mean) + spread


def score_text(row: Row, dice: Estimate | None = None) -> str:
    """The row's Dice, or another of its Dice; `undefined` where trials are done and no case has one."""
    dice = dice or row.dice
    return NO_SCORE if row.done and math.isnan(dice.mean) else estimate_text(dice, measure(PRIMARY))


def interval_text(estimate: Estimate, reading: Measure) -> str:
    """The 95 % interval in brackets."""
    return UNDEFINED if math.isnan(estimate.low) else f"[{reading.text(estimate.low)}, {reading.text(estimate.high)}]"


def signed_text(value: float) -> str:
    """A difference of scores with its sign: `+0.012`."""
    return UNDEFINED if math.isnan(value) else signed(value, 3).replace("-", "\u2212")


def percent_text(share: float) -> str:
    """A share as per cent with one decimal."""
    return UNDEFINED if math.isnan(share) else f"{100 * share:.1f}\u00a0%"


def status_text(row: Row) -> str:
    """How many trials ended how: `3 done`, `2 done, 1 failed`."""
    return ", ".join(f"{row.statuses[name]} {STATUS_WORDS[name]}" for name in STATUSES if row.statuses[name])


def anchor(record: str) -> str:
    """The place of a record in the HTML page."""
    return "record-" + record.replace("/", "-")


def prefix(values: Sequence[float]) -> tuple[float, str]:
    """The factor and SI prefix in which the middle of the positive values is between 1 and 1000."""
    middle = _middle(values)
    return next(((factor, sign) for factor, sign in PREFIXES if middle >= factor), PREFIXES[-1])


def _middle(values: Sequence[float]) -> float:
    known = sorted(value for value in values if value > 0)
    return known[len(known) // 2] if known else 1.0


def scaled(title: str, values: Sequence[float], unit: str) -> dict[str, list[str]]:
    """A column of numbers with three digits under a title that has the unit with its SI prefix."""
    factor, sign = prefix(values)
    if unit == "s" and factor >= 1:
        factor, sign, unit = (60.0, "", "min") if _middle(values) >= 300 else (1.0, "", "s")
    heading = f"{title} [{sign}{unit}]" if sign + unit else title
    return {heading: [digits(value / factor) for value in values]}


def digits(value: float) -> str:
    """Three significant digits, never in powers of ten."""
    if not math.isfinite(value):
        return UNDEFINED if math.isnan(value) else f"{value}".replace("inf", "∞")
    decimals = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:z,.{min(decimals, 6)}f}"


def _first(table: ComparisonTable) -> list[str]:
    """The measures beside the primary one that a printed table has room for."""
    return [name for name in table.measures if name != PRIMARY and measure(name).headline]


def _flat(table: ComparisonTable, row: Row) -> dict[str, object]:
    latency = row.latency(table.setting)
    return {
        "model": row.model,
        "loss": row.loss,
        "rank_best": row.rank[0] if row.rank else None,
        "rank_worst": row.rank[1] if row.rank else None,
        **_numbers(row.estimates),
        "cases": row.cases,
        "seeds": row.seeds,
        **{name: row.statuses[name] for name in STATUSES},
        "collapsed": len(row.collapsed),
        "undefined": row.undefined,
        **{f"empty_{side}": row.empty[side] for side in SIDES},
        "parameters": row.trainable,
        "parameters_total": row.total,
        "macs": row.macs,
        "macs_size": row.size,
        "latency_median_s": latency.median_s if latency else math.nan,
        "latency_p95_s": latency.p95_s if latency else math.nan,
        "latency_setting": table.setting,
        "train_s": row.train_s,
        "peak_bytes": row.peak_bytes,
        "machine": table.machine,
        "empty_policy": table.policy,
        "data_set": table.name,
        "data_set_options": table.records[row.records[0]].trial.dataset.label,
        "model_options": table.records[row.records[0]].trial.model.label,
        "loss_options": table.records[row.records[0]].trial.loss.label,
        "records": " ".join(row.records),
    }


def _numbers(estimates: dict[str, Estimate]) -> dict[str, float]:
    return {
        f"{name}{suffix}": value
        for name, entry in estimates.items()
        for suffix, value in (("", entry.mean), ("_sd_seeds", entry.spread), ("_low", entry.low), ("_high", entry.high))
    }


def _fell(row: Row, name: str) -> bool:
    return any(name in names for names in row.collapsed.values())
