"""The one table of readings: unit, direction and format. Nothing else knows that Dice is better when higher."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Measure:
    """A reading. better: `higher`, `lower` or `none`; best and worst are the ends of its range."""

    name: str
    title: str
    unit: str
    better: Literal["higher", "lower", "none"]
    format: str
    best: float = float("nan")
    worst: float = float("nan")

    def text(self, value: float) -> str:
        """The value as tables print it; an undefined one is an en dash."""
        return "–" if value != value else format(value, self.format)


MEASURES = {
    measure.name: measure
    for measure in (
        Measure("dice", "Dice", "", "higher", ".3f", 1.0, 0.0),
        Measure("iou", "IoU", "", "higher", ".3f", 1.0, 0.0),
        Measure("precision", "Precision", "", "higher", ".3f", 1.0, 0.0),
        Measure("recall", "Recall", "", "higher", ".3f", 1.0, 0.0),
        Measure("parameters", "Parameters", "", "lower", ",.0f"),
        Measure("macs", "MACs", "", "lower", ",.0f"),
        Measure("latency_s", "Latency", "s", "lower", ".4f", 0.0),
        Measure("train_s", "Training time", "s", "lower", ".1f", 0.0),
        Measure("peak_bytes", "Peak memory", "B", "lower", ",.0f", 0.0),
        Measure("loss", "Loss", "", "lower", ".4f"),
    )
}
