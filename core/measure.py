"""The one table of readings: unit, direction and format. Nothing else knows that Dice is better when higher."""

import math
from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True)
class Measure:
    """A reading. better: `higher`, `lower` or `none`; best and worst are the ends of its range.

    worst: infinite for a distance, of which the case's own image diagonal is the worst.
    always: defined without foreground, so that no empty-mask policy touches it.
    headline: shown in the first table; the files beside it hold every measure.
    """

    name: str
    title: str
    unit: str
    better: Literal["higher", "lower", "none"]
    format: str
    best: float = float("nan")
    worst: float = float("nan")
    defined_when_empty: bool = False
    headline: bool = True

    @property
    def bounds(self) -> tuple[float, float]:
        """The lower and the upper end of the range, NaN where nobody said one."""
        return (self.best, self.worst) if self.best < self.worst else (self.worst, self.best)

    def text(self, value: float) -> str:
        """The value as tables print it; an undefined one is an en dash."""
        return "–" if value != value else format(value, f"z{self.format}")  # z: what rounds to zero has no minus


def _share(name: str, title: str, **options: bool) -> Measure:
    return Measure(name, title, "", "higher", ".3f", 1.0, 0.0, **options)


def _error(name: str, title: str, worst: float = 1.0, **options: bool) -> Measure:
    return Measure(name, title, "", "lower", ".3f", 0.0, worst, **options)


def _distance(name: str, title: str, unit: str, **options: bool) -> Measure:
    key = name if unit == "mm" else f"{name}_{unit}"
    return Measure(key, f"{title} [{unit}]", unit, "lower", ".4g", 0.0, math.inf, **options)


MEASURES = {
    measure.name: measure
    for measure in (
        _share("dice", "Dice"),
        _share("iou", "IoU"),
        _share("precision", "Precision"),
        _share("recall", "Recall"),
        _share("specificity", "Specificity", defined_when_empty=True, headline=False),
        _share("f_beta", "F2", headline=False),
        Measure("mcc", "MCC", "", "higher", ".3f", 1.0, -1.0, headline=False),
        _error("volume_difference", "Volume difference", headline=False),
        *(
            _distance(name, title, unit, headline=name == "hd95_directed")
            for unit in ("mm", "px")
            for name, title in (
                ("hd", "HD"),
                ("hd95_directed", "HD95 (larger directed)"),
                ("hd95_pooled", "HD95 (pooled)"),
                ("assd", "ASSD"),
                ("masd", "MASD"),
            )
        ),
        _share("nsd", "NSD"),
        _share("boundary_iou", "Boundary IoU", headline=False),
        _share("cldice", "clDice", headline=False),
        _share("pq", "PQ"),
        _share("sq", "SQ", headline=False),
        _share("rq", "RQ", headline=False),
        _share("object_ap", "Object AP", headline=False),
        _share("object_f1", "Object F1", headline=False),
        _share("dsb2018_score", "DSB 2018 score"),
        _share("aji", "AJI", headline=False),
        _error("ece", "ECE", defined_when_empty=True),
        _error("mce", "MCE", defined_when_empty=True, headline=False),
        _error("brier", "Brier", defined_when_empty=True, headline=False),
        _error("nll", "NLL", 16.12, defined_when_empty=True, headline=False),
        _share("isbi_rand", "ISBI Rand", defined_when_empty=True, headline=False),
        _share("isbi_info", "ISBI information", defined_when_empty=True, headline=False),
        Measure("parameters", "Parameters", "", "lower", ",.0f"),
        Measure("macs", "MACs", "", "lower", ",.0f"),
        Measure("latency_s", "Latency", "s", "lower", ".4f", 0.0),
        Measure("energy_j", "Energy a call", "J", "lower", ".4g", 0.0),
        Measure("train_s", "Training time", "s", "lower", ".1f", 0.0),
        Measure("step_s", "Step, median", "s", "lower", ".4f", 0.0),
        Measure("images_per_s", "Images a second", "", "higher", ",.1f", worst=0.0),
        Measure("first_step_s", "First step", "s", "lower", ".2f", 0.0),
        Measure("peak_bytes", "Peak memory", "B", "lower", ",.0f", 0.0),
        Measure("host_peak_bytes", "Peak memory of the process", "B", "lower", ",.0f", 0.0),
        Measure("device_peak_bytes", "Peak memory of the GPU", "B", "lower", ",.0f", 0.0),
        Measure("loss", "Loss", "", "lower", ".4f"),
    )
}


def signed(value: float, decimals: int) -> str:
    """A difference with its sign, so rounded; what rounds to zero is `+0.000`, on whichever side it lies."""
    return format(value, f"+z.{decimals}f")


def measure(name: str) -> Measure:
    """The line of a reading, also of one with options, such as `nsd(tolerance_px=1)`.

    One that nobody described, a plug-in's say, has its name for a title, four digits, no direction and no worst value.
    """
    if name in MEASURES:
        return MEASURES[name]
    base, bracket, options = name.partition("(")
    known = MEASURES.get(base)
    if known is None or not bracket:
        return Measure(name, name, "", "none", ".4g")
    return replace(known, name=name, title=f"{known.title} ({options}")
