"""In which types a runtime's convolutions really compute, as far as the runtime tells."""

from collections.abc import Mapping
from typing import Any

TYPES = {
    "f32": "float32",
    "f16": "float16",
    "bf16": "bfloat16",
    "u8": "int8",
    "i8": "int8",
    "uint8": "int8",
    "int16x8": "int8",
}
"""Names that runtimes give to types, and the usual ones; int16x8 has weights of int8 and images of int16."""

STORED = "float16 weights"
"""A precision of the file alone: its kernels compute in float32."""


def kernel_counts(row: Mapping[str, Any]) -> dict[str, int]:
    """How many convolutions compute in which type; {} where the runtime does not tell.

    Convolutions that a quantiser left in float count as float, whatever the runtime calls their layer.
    """
    session = row.get("session") or {}
    told: Mapping[str, int] = session.get("convolutions") or session.get("kernels") or {}
    found: dict[str, int] = {}
    for name, count in told.items():
        found[TYPES.get(name, name)] = found.get(TYPES.get(name, name), 0) + count
    quantised = row.get("quantised_convolutions")
    if quantised is not None:
        every = row.get("convolutions", sum(found.values()))
        within = min(found.get("int8", quantised), quantised)
        found = {"int8": within, "float32": every - within}
    return {name: count for name, count in found.items() if count}


def precision_text(row: Mapping[str, Any]) -> str:
    """The precision that the kernels have: `int8`, `int8 in 11 of 18 convolutions`, `float32, not int8`.

    Where the runtime does not tell, the one that was asked for. "" before anything was converted.
    """
    asked, counts = str(row.get("precision", "")), kernel_counts(row)
    if not counts or asked == STORED:
        return asked
    own, every = counts.get(asked, 0), sum(counts.values())
    if own == every:
        return asked
    if own:
        return f"{asked} in {own} of {every} convolutions"
    return f"{' and '.join(sorted(counts))}, not {asked}"


def delegated_text(row: Mapping[str, Any]) -> str:
    """Which part of the operators a delegate took, or which provider ran them: `24 of 26`; "" where nothing tells."""
    session = row.get("session") or {}
    if "operators" in session:
        return f"{session['delegated']} of {session['operators']}"
    return ", ".join(name.removesuffix("ExecutionProvider") for name in session.get("providers", ()))
