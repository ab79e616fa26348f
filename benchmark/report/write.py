"""The report of a sweep: read the records, write tables, plots and the page."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from ...core.errors import StoreError
from ..naming.names import file_stem
from ..records.store import read_sweep
from ..records.store import write as write_file
from .frame import Frames, frames
from .page.document import Plot, page
from .page.prose import CAPTIONS, METHODS
from .plots.curves import curves
from .plots.distribution import distribution
from .plots.heatmap import heatmap
from .plots.panel import panel
from .plots.style import look, save
from .plots.tradeoff import tradeoff
from .tables.grid import Grid
from .tables.notes import facts, remarks
from .tables.summary import ComparisonTable, comparison_tables
from .tables.table import class_frame, class_grid, latency_grid, pairs_frame, results_frame, results_grid

STANDARD_POLICY = "nan_worst"


@dataclass(frozen=True)
class Report:
    """What was written for one sweep. page: one HTML file. tables: what the files say. files: all, the page first."""

    page: Path
    tables: tuple[ComparisonTable, ...]
    files: tuple[Path, ...]


def write_report(results: Path, out: Path | None = None, *, empty: str | None = None) -> list[Path]:
    """Write the report of one sweep, or of each sweep of a folder, and return the files, each page first."""
    return [file for report in write_reports(results, out, empty=empty) for file in report.files]


def write_reports(results: Path, out: Path | None = None, *, empty: str | None = None) -> list[Report]:
    """Write the report of one sweep, or of each sweep of a folder.

    results: a sweep's folder, with `records` inside, or a folder of such folders. out: where to write, by default
    `<sweep>/report`; for several sweeps each gets its own folder in it. empty: the policy for empty masks, by default
    the sweep's. Trials that are not done are listed, never left out. Raises StoreError when there is no record or
    one is damaged, SpecError for an unknown policy.
    """
    if (results / "records").is_dir():
        return [_report(results, out or results / "report", empty)]
    sweeps = sorted(folder.parent for folder in results.glob("*/records"))
    if not sweeps:
        raise StoreError(f"{results}: no sweep here; give a folder with `records` inside, which `unetbench run` makes")
    return [_report(sweep, out / sweep.name if out else sweep / "report", empty) for sweep in sweeps]


def _report(sweep: Path, out: Path, empty: str | None) -> Report:
    read = frames(sweep, empty or read_sweep(sweep).get("empty") or STANDARD_POLICY)
    out.mkdir(parents=True, exist_ok=True)
    summaries = comparison_tables(read)
    written: list[Path] = []
    shown: list[tuple[ComparisonTable, Sequence[Plot]]] = []
    for table, stem in zip(summaries, _stems(summaries), strict=True):
        plots, files = _plots(table, sweep, out / stem)
        shown.append((table, plots))
        written += [*_tables(read, table, out / stem, plots), *files]
    index = _text(out / "index.html", page(read, shown))
    return Report(index, tuple(summaries), (index, *written))


def _stems(summaries: Sequence[ComparisonTable]) -> list[str]:
    """A file name a table: the data set, the machine where there are several, a number where that is not enough."""
    machines = len({table.machine for table in summaries}) > 1
    names = [file_stem(f"{table.name}-{table.machine}" if machines else table.name) for table in summaries]
    folded = [name.casefold() for name in names]  # some file systems take A and a for the same
    seen: Counter[str] = Counter()
    stems = []
    for name in names:
        seen[name.casefold()] += 1
        stems.append(f"{name}-{seen[name.casefold()]}" if folded.count(name.casefold()) > 1 else name)
    return stems


def _plots(table: ComparisonTable, sweep: Path, stem: Path) -> tuple[list[Plot], list[Path]]:
    plots, files = [], []
    with look():
        for suffix, title, caption, made in _figures(table, sweep):
            if made is not None:
                saved = save(made, stem.with_name(f"{stem.name}-{suffix}"))
                plots.append(Plot(title, caption, saved[0], made.get_figwidth()))
                files += saved
    return plots, files


def _figures(table: ComparisonTable, sweep: Path) -> list[tuple[str, str, str, Figure | None]]:
    scored = bool(table.compared)
    return [
        ("cases", "Dice of each test case", CAPTIONS["cases"], distribution(table) if scored else None),
        (
            "heatmap",
            "Losses and models",
            CAPTIONS["heatmap"],
            heatmap(table) if scored and len(table.rows) > 1 else None,
        ),
        ("latency", "Dice against latency", CAPTIONS["latency"], tradeoff(table)),
        ("curves", "Learning curves", CAPTIONS["curves"], curves(table)),
        ("images", "Test images", CAPTIONS["images"], panel(table, sweep)),
    ]


def _tables(read: Frames, table: ComparisonTable, stem: Path, plots: Sequence[Plot]) -> list[Path]:
    grid, classes, latency = results_grid(table), class_grid(table), latency_grid(table)
    notes = [*remarks(table), *(f"{name}: {text}" for name, text in facts(table))]
    written = [
        _text(stem.with_name(f"{stem.name}.md"), _markdown(read, table, [grid, classes, latency], plots)),
        _text(stem.with_name(f"{stem.name}.tex"), grid.latex(notes)),
        _csv(stem.with_name(f"{stem.name}.csv"), results_frame(table)),
    ]
    if classes:
        written.append(_text(stem.with_name(f"{stem.name}-classes.tex"), classes.latex(notes)))
        written.append(_csv(stem.with_name(f"{stem.name}-classes.csv"), class_frame(table)))
    if table.comparison:
        written.append(_csv(stem.with_name(f"{stem.name}-pairs.csv"), pairs_frame(table)))
    return written


def _markdown(read: Frames, table: ComparisonTable, grids: Sequence[Grid | None], plots: Sequence[Plot]) -> str:
    lines = [f"# {read.sweep}: {table.name} on {table.machine}\n"]
    for level, grid in enumerate(grid for grid in grids if grid):
        lines += [f"## {grid.caption.rpartition(': ')[2].capitalize()}\n"] if level else []
        lines.append(grid.markdown())
        lines += ["".join(f"- {line}\n" for line in remarks(table))] if not level else []
    lines += [f"## {plot.title}\n\n![{plot.title}]({plot.png.name})\n\n{plot.caption}\n" for plot in plots]
    lines += ["## Facts\n", "".join(f"- {name}: {text}\n" for name, text in facts(table))]
    lines += ["## How the numbers are made\n", "".join(f"- {line}\n" for line in METHODS)]
    lines += [
        "## Records\n",
        "".join(f"- {row.label}: {', '.join(f'`{key}`' for key in row.records)}\n" for row in table.rows),
    ]
    return "\n".join(lines)


def _text(file: Path, text: str) -> Path:
    write_file(file, text.encode())
    return file


def _csv(file: Path, table: pd.DataFrame) -> Path:
    return _text(file, table.to_csv(index=False))
