"""`unetbench check models`: every recipe against its published parameter count, and what it costs."""

import argparse
import gc
import json
import math
from collections.abc import Iterator
from typing import Any

from tqdm import tqdm

from ...core.errors import SpecError, Unfit

SIZES = {2: (256, 256), 3: (64, 64, 64)}
"""Image that is measured, by rank."""


def check(options: argparse.Namespace) -> int:
    """Build every row of the table of published counts; 1 when a count differs or a recipe has none.

    Raises SpecError for an option of `check runtimes`, which would be passed over.
    """
    if options.only or options.runtimes or options.read:
        raise SpecError("--only, --runtimes and --read are of `check runtimes`; `check models` takes every recipe")
    table, asked = _table(), {len(size): size for size in options.size}
    rows = list(tqdm(_rows(table, asked), total=len(table), desc="recipes", leave=False, disable=None))
    if options.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        _print(rows)
    return 0 if all(row["ok"] for row in rows) else 1


def edges(text: str) -> tuple[int, ...]:
    """Read a size such as 256x256. Raises ArgumentTypeError."""
    parts = text.lower().replace("×", "x").split("x")
    if len(parts) not in SIZES or not all(part.isdecimal() and int(part) for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 256x256 or 64x64x64")
    return tuple(map(int, parts))


def _table() -> list[Any]:
    from ...models import MODELS
    from ...models.anatomy.published import PUBLISHED, Published

    package = __name__.split(".", 1)[0]
    nameless = set(MODELS) - {row.recipe for row in PUBLISHED}
    ours = sorted(name for name in nameless if MODELS.part(name).module.split(".", 1)[0] == package)
    return [*PUBLISHED, *(Published(name, "nobody has published a count") for name in ours)]


def _rows(table: list[Any], asked: dict[int, tuple[int, ...]]) -> Iterator[dict[str, Any]]:
    import keras

    from ...models import MODELS

    for published in table:
        size = asked.get(published.rank) or published.size or SIZES[published.rank]
        facts = _measure(MODELS[published.recipe](published.task, **published.options), size)
        about = {"name": published.name, "rank": published.rank, "channels": published.channels}
        about |= {"outputs": published.outputs, "published": published.count, "source": published.source}
        met = published.count is not None and published.meets(facts["trainable"], facts["total"])
        yield {**about, **facts, "ok": met}
        keras.backend.clear_session()
        gc.collect()


def _measure(model, size: tuple[int, ...]) -> dict[str, Any]:
    from ...models.anatomy.cost import count_macs
    from ...models.anatomy.memory import ITEM_BYTES, peak_activation_bytes
    from ...models.anatomy.receptive_field import receptive_field
    from ...models.anatomy.trace import trace

    facts = {"trainable": sum(math.prod(weight.shape) for weight in model.trainable_weights)}
    facts |= {"total": model.count_params(), "parameter_bytes": model.count_params() * ITEM_BYTES}
    unknown = {"macs": None, "flops": None, "peak_activation_bytes": None, "receptive_field": None}
    try:
        steps = trace(model, size)
    except Unfit as error:
        return {**facts, **unknown, "size": list(size), "note": str(error)}
    field = receptive_field(steps)
    macs = count_macs(steps)
    measured: dict[str, Any] = {"macs": macs, "flops": 2 * macs, "peak_activation_bytes": peak_activation_bytes(steps)}
    measured["receptive_field"] = field and ["image" if math.isinf(edge) else math.ceil(edge) for edge in field]
    return {**facts, **measured, "size": list(size), "note": ""}


def _print(rows: list[dict[str, Any]]) -> None:
    head = (
        "",
        "recipe",
        "task",
        "published",
        "trainable",
        "total",
        "size",
        "GMACs",
        "GFLOPs",
        "weights",
        "peak",
        "sees",
    )
    lines: list[tuple[str, ...]] = [head]
    for row in rows:
        counts = tuple("–" if row[key] is None else f"{row[key]:,}" for key in ("published", "trainable", "total"))
        giga = tuple("–" if row[key] is None else f"{row[key] / 1e9:.2f}" for key in ("macs", "flops"))
        memory = tuple(_megabytes(row[key]) for key in ("parameter_bytes", "peak_activation_bytes"))
        task, size = f"{row['rank']}D {row['channels']}→{row['outputs']}", "×".join(map(str, row["size"]))
        mark = "ok" if row["ok"] else "NO"
        lines.append((mark, row["name"], task, *counts, size, *giga, *memory, _sees(row["receptive_field"])))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())
    exact = sum(row["ok"] for row in rows)
    print(f"\n{exact} of {len(rows)} counts are the published ones. Sources: --json. One MAC is two FLOPs.")


def _megabytes(count: int | None) -> str:
    return "–" if count is None else f"{count / 2**20:.1f} MiB"


def _sees(field: list[Any] | None) -> str:
    if field is None:
        return "?"
    return "image" if "image" in field else "×".join(map(str, field))
