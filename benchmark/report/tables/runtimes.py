"""A group of deployments as a table: a row a model, loss and runtime, its seeds pooled."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ....core.measure import measure, signed
from ..deployments import CaseDice, Deployment, Key, Verdict, lost_by_case, mean_of_known
from ..frame import PRIMARY
from ..kernels import delegated_text, precision_text
from ..statistics.intervals import Estimate, estimate
from .deployed import Deployed, Group
from .grid import Grid
from .table import UNDEFINED, digits, estimate_text, interval_text

ENERGY = "{0.title} [{0.unit}]".format(measure("energy_j"))
"""Header of the column that is there where a machine tells."""


@dataclass(frozen=True)
class RuntimeRow:
    """The seeds of a model and loss on a runtime at one place, a machine with a number of threads.

    Dice and Dice lost are means over cases, then over seeds; latency samples of all seeds are pooled, for the seed
    does not change a network's speed. where: the place in words, "" where the group has one only.
    """

    rows: tuple[Deployed, ...]
    where: str = ""

    @property
    def first(self) -> Deployed:
        """One of them, to read what all share."""
        return self.rows[0]

    @property
    def label(self) -> str:
        """Model, loss and runtime, and the place where the group has several."""
        return f"{self.first.model} · {self.first.loss} · {self.first.deployment.runtime}{self.where}"

    @property
    def deployments(self) -> list[Deployment]:
        """Of each seed."""
        return [row.deployment for row in self.rows]

    @property
    def verdicts(self) -> Counter[Verdict]:
        """How many seeds have which."""
        return Counter(one.verdict for one in self.deployments)

    @property
    def agrees(self) -> bool:
        """Whether the files of all seeds agree with Keras."""
        return all(one.agrees for one in self.deployments)

    @property
    def collapsed(self) -> int:
        """How many seeds' trials collapsed."""
        return sum(bool(row.collapsed) for row in self.rows)

    @cached_property
    def dice(self) -> Estimate | None:
        """Of test cases, None where none was segmented."""
        return _pooled([(one.test, one.test.dice) for one in self.deployments if one.test], (0.0, 1.0))

    @cached_property
    def lost(self) -> Estimate | None:
        """Dice by Keras float32 less Dice by this, of test cases; None where the two were not compared."""
        return _pooled(
            [
                (one.test, lost_by_case(one.keras_test, one.test))
                for one in self.deployments
                if one.test and one.keras_test and not one.as_keras and one.verdict != "baseline"
            ],
            (-1.0, 1.0),
        )

    @cached_property
    def choosing(self) -> float:
        """Mean Dice by which files are chosen, over seeds; NaN without any."""
        return mean_of_known([one.choosing.mean for one in self.deployments if one.choosing])

    @cached_property
    def samples_s(self) -> np.ndarray:
        """Seconds of single calls of all seeds."""
        return np.concatenate([one.samples_s for one in self.deployments])

    def latency_s(self, percentile: float) -> float:
        """A percentile of the calls, NaN where it was not timed."""
        return float(np.percentile(self.samples_s, percentile)) if len(self.samples_s) else math.nan

    @property
    def images_per_s(self) -> float:
        """At the median."""
        return self.first.deployment.row["batch"] / self.latency_s(50)

    @property
    def times_baseline(self) -> float:
        """Mean over seeds of the median over Keras' in the same rounds."""
        return mean_of_known([one.times_baseline for one in self.deployments])

    @property
    def energy_j(self) -> float:
        """Joules of a call, mean over seeds; NaN where the machine does not tell."""
        return mean_of_known([one.energy_j for one in self.deployments])

    def fact(self, name: str, over: Callable[[Sequence[float]], float] = np.median) -> float:
        """A number that rows hold, over seeds; NaN where none has it."""
        known = [float(one.row[name]) for one in self.deployments if one.row.get(name) is not None]
        return float(over(known)) if known else math.nan


def runtime_rows(group: Group) -> list[RuntimeRow]:
    """A row a place, model, loss and runtime; of a model and loss the fastest first, what was not timed last."""
    found: dict[tuple[str, int, str, str, str], list[Deployed]] = {}
    for row in group.rows:
        key = (row.machine, row.threads, row.model, row.loss, row.deployment.runtime)
        found.setdefault(key, []).append(row)
    several = len(group.places) > 1
    made = {
        key: RuntimeRow(
            tuple(sorted(rows, key=lambda row: row.seed)), f" on {key[0]} with {key[1]} threads" if several else ""
        )
        for key, rows in found.items()
    }

    def order(key: tuple[str, int, str, str, str]) -> tuple[object, ...]:
        latency = made[key].latency_s(50)
        return (*key[:4], math.isnan(latency), 0.0 if math.isnan(latency) else latency, key[4])

    return [made[key] for key in sorted(made, key=order)]


def runtimes_grid(group: Group, chosen: Sequence[Deployed] = ()) -> Grid:
    """The table of a group; the rows of the recommended files are set in bold."""
    rows = runtime_rows(group)
    reading, several = measure(PRIMARY), len({row.machine for row in group.rows}) > 1
    threads = len({row.threads for row in group.rows}) > 1
    seeds = max(len(row.rows) for row in rows) > 1
    named = {
        **({"Machine": [row.first.machine for row in rows]} if several else {}),
        **({"Threads": [str(row.first.threads) for row in rows]} if threads else {}),
        "Model": [row.first.model for row in rows],
        "Loss": [row.first.loss for row in rows],
        "Runtime": [row.first.deployment.runtime for row in rows],
        "Agreement": [verdict_text(row) for row in rows],
        "Precision of convolutions": [_common(row, precision_text) for row in rows],
    }
    columns = {
        "Delegate": [_common(row, delegated_text) for row in rows],
        reading.title: [_dice_text(row) for row in rows],
        "95\u00a0%\u00a0CI": [UNDEFINED if row.dice is None else interval_text(row.dice, reading) for row in rows],
        f"{reading.title} lost": [UNDEFINED if row.lost is None else signed(row.lost.mean, 4) for row in rows],
        "95\u00a0%\u00a0CI of it": [lost_interval(row.lost) for row in rows],
        **{
            f"{name} [ms]": [digits(row.latency_s(percentile) * 1e3) for row in rows]
            for name, percentile in (("Median", 50), ("p95", 95), ("p99", 99))
        },
        "Images/s": [digits(row.images_per_s) for row in rows],
        "× Keras": [digits(row.times_baseline) for row in rows],
        "Load [ms]": [digits(row.fact("load_s") * 1e3) for row in rows],
        "First call [ms]": [digits(row.fact("first_call_s") * 1e3) for row in rows],
        "File [MB]": [digits(row.fact("file_bytes") / 1e6) for row in rows],
        "Peak [MiB]": [digits(row.fact("peak_bytes", max) / 2**20) for row in rows],
        **({ENERGY: [digits(row.energy_j) for row in rows]} if any(row.energy_j > 0 for row in rows) else {}),
        **({"Seeds": [str(len(row.rows)) for row in rows]} if seeds else {}),
    }
    columns = {header: cells for header, cells in columns.items() if header != "Delegate" or set(cells) != {UNDEFINED}}
    cells = tuple(zip(*named.values(), *columns.values(), strict=True))
    keys = {id(row) for row in chosen}
    bold = frozenset(index for index, row in enumerate(rows) if keys & {id(one) for one in row.rows})
    title = f"{group.subject}, {group.workload}" + ("" if several else f" on {group.places[0][0]}")
    return Grid(f"{title}: models, losses and runtimes", (*named, *columns), cells, names=len(named), bold=bold)


def runtimes_frame(group: Group) -> pd.DataFrame:
    """The table as raw numbers in base units, one row a place, model, loss and runtime, with its records."""
    return pd.DataFrame([_flat(group, row) for row in runtime_rows(group)])


def verdict_text(row: RuntimeRow) -> str:
    """`exact`, or of several seeds `2 within margin, 1 loses Dice`; † where a trial collapsed."""
    if len(row.verdicts) == 1:
        text = str(next(iter(row.verdicts)))
    else:
        text = ", ".join(f"{count} {verdict}" for verdict, count in row.verdicts.items())
    return text + ("†" if row.collapsed else "")


def lost_interval(lost: Estimate | None) -> str:
    """The 95 % interval of the Dice lost."""
    return UNDEFINED if lost is None or math.isnan(lost.low) else f"[{signed(lost.low, 4)}, {signed(lost.high, 4)}]"


def _pooled(scored: Sequence[tuple[CaseDice, Mapping[Key, float]]], bounds: tuple[float, float]) -> Estimate | None:
    """Mean and interval over the cases and classes of all seeds, which are clustered by group."""
    if not scored:
        return None
    groups = {key: group for scores, _ in scored for key, group in scores.groups.items()}
    keys = [key for key in groups if any(key in values for _, values in scored)]
    if not keys:
        return None
    values = np.array([[values.get(key, math.nan) for key in keys] for _, values in scored])
    return estimate(values, np.array([groups[key] for key in keys]), bounds=bounds)


def _common(row: RuntimeRow, read: Callable[[Mapping[str, Any]], str]) -> str:
    """What the seeds say, in words; the different ones one after the other."""
    found = dict.fromkeys(read(one.row) for one in row.deployments)
    return ", ".join(text for text in found if text) or UNDEFINED


def _dice_text(row: RuntimeRow) -> str:
    return UNDEFINED if row.dice is None else estimate_text(row.dice, measure(PRIMARY))


def _flat(group: Group, row: RuntimeRow) -> dict[str, object]:
    def ends(name: str, entry: Estimate | None) -> dict[str, float]:
        known = (math.nan, math.nan, math.nan) if entry is None else (entry.mean, entry.low, entry.high)
        return dict(zip((name, f"{name}_low", f"{name}_high"), known, strict=True))

    return {
        "machine": row.first.machine,
        "threads": row.first.threads,
        "batch": group.batch,
        "size": "x".join(map(str, group.size)),
        "model": row.first.model,
        "loss": row.first.loss,
        "runtime": row.first.deployment.runtime,
        "precision": _common(row, precision_text),
        "delegate": _common(row, delegated_text),
        "choosing_dice": row.choosing,
        "chosen_on": row.first.deployment.chosen_on,
        **ends("test_dice", row.dice),
        **ends("dice_lost", row.lost),
        **{f"latency_p{percentile}_s": row.latency_s(percentile) for percentile in (50, 95, 99)},
        "images_per_s": row.images_per_s,
        "times_keras": row.times_baseline,
        "convert_s": row.fact("convert_s"),
        "load_s": row.fact("load_s"),
        "first_call_s": row.fact("first_call_s"),
        "file_bytes": row.fact("file_bytes"),
        "peak_bytes": row.fact("peak_bytes", max),
        "energy_j": row.energy_j,
        "difference": row.fact("difference", max),
        "agreement": verdict_text(row),
        "agrees": row.agrees,
        "seeds": len(row.rows),
        "problem": "; ".join(dict.fromkeys(str(one.row["problem"]) for one in row.deployments if "problem" in one.row)),
        "data_set": group.subject,
        "records": " ".join(one.key for one in row.rows),
    }
