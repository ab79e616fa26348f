"""Multiply-accumulates that are called floating-point operations."""

import math
import re
from collections.abc import Iterator

from ..cell import Number
from ..finding import Finding, finding
from ..known import Known, named
from ..table import Column, Options, Row, Table, scaled
from . import RULES

NEAR = 0.02
"""Share by which counts of the same network differ that count bias, normalisation and activations or do not."""

LEAST = 1.8
"""FLOPs a MAC: two, less what a count leaves out that takes n - 1 additions to n products."""

_SIZE = re.compile(
    r"(?<!\d)(\d{2,4})\s*[×x]\s*(\d{2,4})(?:\s*[×x]\s*(\d{1,4}))?(?!\d)|(?<!\d)(\d{2,4})²|@\s*(\d{2,4})(?!\d)"
)


@RULES.add
def macs_called_flops(table: Table, options: Options) -> Iterator[Finding]:
    """Under FLOPs, the multiply-accumulates of a known network: one MAC is two FLOPs.

    Only where the name is that of a network whose counts are known as a whole, its parameters in the table are those to
    the last printed digit, and the size of the image is said (in the header, the caption, or `--size`); the number must
    be the MACs within 2 %. `unetbench check models` lists the counts and their sources. Doubtful: papers do write so.
    """
    for column, parameters in ((c, p) for c in table.of("flops") for p in table.of("parameters")):
        size = options.size or _size(column.header) or _size(table.title)
        for row in table.rows if size else ():
            number, count = scaled(table.cell(row, column), column), scaled(table.cell(row, parameters), parameters)
            if number and count:
                yield from _of_known(table, row, column, size, number, count)


@RULES.add
def flops_below_macs(table: Table, options: Options) -> Iterator[Finding]:
    """FLOPs beside MACs that are not at least about twice as many: one MAC is a multiplication and an addition."""
    for flops in table.of("flops"):
        for macs in (column for column in table.of("macs") if column.meaning.apart == flops.meaning.apart):
            for row in table.rows:
                above, below = scaled(table.cell(row, flops), flops), scaled(table.cell(row, macs), macs)
                if above and below and above.value + above.half < LEAST * (below.value - below.half):
                    reason = "one MAC is two FLOPs"
                    yield finding(
                        table,
                        row,
                        (flops, macs),
                        reason,
                        consistent=f"about {_giga(2 * below.value)}",
                        severity="doubtful",
                    )


def _of_known(
    table: Table, row: Row, column: Column, size: tuple[int, ...], number: Number, count: Number
) -> Iterator[Finding]:
    for network in named(row.key):
        macs = network.macs_at(size)
        if macs is not None and _is(count, network) and abs(number.value - macs) <= max(number.half, NEAR * macs):
            edges = "×".join(map(str, size))
            reason = f"{network.recipe} with {network.parameters:,} parameters has {_giga(macs)} MACs at {edges}"
            yield finding(
                table,
                row,
                column,
                reason,
                consistent=f"{_giga(2 * macs)} FLOPs, or MACs in the header",
                severity="doubtful",
            )
            return


def _is(count: Number, network: Known) -> bool:
    """Whether the parameters printed are the network's, whose count differs a little by channels and classes."""
    return abs(count.value - network.parameters) <= max(count.half, 1e-3 * network.parameters)


def _size(text: str) -> tuple[int, ...]:
    found = _SIZE.search(text)
    if not found:
        return ()
    if edge := found[4] or found[5]:
        return (int(edge), int(edge))
    edges = tuple(int(edge) for edge in found.group(1, 2, 3) if edge)
    return edges[:2] if len(edges) == 3 and edges[2] <= 4 else edges  # the last are channels


def _giga(count: float) -> str:
    for factor, sign in ((1e9, "G"), (1e6, "M")):
        if count >= factor:
            return f"{count / factor:.{max(0, 2 - int(math.log10(count / factor)))}f} {sign}"
    return f"{count:.0f}"
