"""Which layers of a quantised file are furthest from float32, in words."""

import math
from collections.abc import Mapping
from typing import Any


def layer_errors(row: Mapping[str, Any]) -> list[tuple[str, float]]:
    """The layers of a row with the largest errors and these, the largest first; what is not finite is infinite."""
    known = [(entry["layer"], entry["error"]) for entry in row.get("layer_errors") or ()]
    return [(layer, math.inf if error is None else float(error)) for layer, error in known]


def layer_error_text(layer: str, error: float) -> str:
    """`conv2d_9 12 % (18.4 dB)`: the share of the float32 output, and the signal to quantisation noise ratio.

    SQNR = -20 log10(error) decibels.
    """
    if not math.isfinite(error):
        return f"{layer} not finite"
    if error == 0:
        return f"{layer} 0 %"
    return f"{layer} {_percent(100 * error)} % ({-20 * math.log10(error):.1f} dB)"


def _percent(value: float) -> str:
    """Two significant digits, never in powers of ten."""
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"
