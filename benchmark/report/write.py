"""The report of a sweep: read the records, write tables, plots and the page."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import yaml
from matplotlib.figure import Figure

from ...core.errors import StoreError
from ..store import write as write_file
from .curves import curves
from .distribution import distribution
from .frame import Frames, frames
from .grid import Grid
from .heatmap import heatmap
from .notes import facts, remarks
from .page import Plot, page
from .panel import panel
from .prose import CAPTIONS, METHODS
from .style import look, save
from .summary import Board, boards
from .table import class_frame, class_grid, latency_grid, pairs_frame, results_frame, results_grid
from .tradeoff import tradeoff

STANDARD_POLICY = "nan_worst"


def write_report(results: Path, out: Path | None = None, *, empty: str | None = None) -> list[Path]:
    """Write the report of one sweep, or of each sweep of a folder, and return the files, each page first.

    results: a sweep's folder, with `records` inside, or a folder of such folders. out: where to write, by default
    `<sweep>/report`; for several sweeps each gets its own folder in it. empty: the policy for empty masks, by default
    the sweep's. Trials that are not done are listed, never left out. Raises StoreError when there is no record or
    one is damaged, SpecError for an unknown policy.
    """
    if (results / "records").is_dir():
        return _report(results, out or results / "report", empty)
    sweeps = sorted(folder.parent for folder in results.glob("*/records"))
    if not sweeps:
        raise StoreError(f"{results}: no sweep here; give a folder with `records` inside, which `unetbench run` makes")
    return [file for sweep in sweeps for file in _report(sweep, out / sweep.name if out else sweep / "report", empty)]


def _report(sweep: Path, out: Path, empty: str | None) -> list[Path]:
    read = frames(sweep, empty or _policy(sweep))
    out.mkdir(parents=True, exist_ok=True)
    summaries = boards(read)
    written: list[Path] = []
    shown: list[tuple[Board, Sequence[Plot]]] = []
    for board, stem in zip(summaries, _stems(summaries), strict=True):
        plots, files = _plots(board, sweep, out / stem)
        shown.append((board, plots))
        written += [*_tables(read, board, out / stem, plots), *files]
    index = _text(out / "index.html", page(read, shown))
    return [index, *written]


def _policy(sweep: Path) -> str:
    file = sweep / "sweep.yaml"
    resolved = yaml.safe_load(file.read_text("utf-8")) if file.exists() else None
    return (resolved or {}).get("empty", STANDARD_POLICY)


def _stems(summaries: Sequence[Board]) -> list[str]:
    """A file name a board: the data set, the machine where there are several, a number where that is not enough."""
    machines = len({board.machine for board in summaries}) > 1
    names = [_slug(f"{board.name}-{board.machine}" if machines else board.name) for board in summaries]
    seen: Counter[str] = Counter()
    stems = []
    for name in names:
        seen[name] += 1
        stems.append(f"{name}-{seen[name]}" if names.count(name) > 1 else name)
    return stems


def _plots(board: Board, sweep: Path, stem: Path) -> tuple[list[Plot], list[Path]]:
    plots, files = [], []
    with look():
        for suffix, title, caption, made in _figures(board, sweep):
            if made is not None:
                saved = save(made, stem.with_name(f"{stem.name}-{suffix}"))
                plots.append(Plot(title, caption, saved[0], made.get_figwidth()))
                files += saved
    return plots, files


def _figures(board: Board, sweep: Path) -> list[tuple[str, str, str, Figure | None]]:
    scored = bool(board.compared)
    return [
        ("cases", "Dice of each test case", CAPTIONS["cases"], distribution(board) if scored else None),
        (
            "heatmap",
            "Losses and models",
            CAPTIONS["heatmap"],
            heatmap(board) if scored and len(board.rows) > 1 else None,
        ),
        ("latency", "Dice against latency", CAPTIONS["latency"], tradeoff(board)),
        ("curves", "Learning curves", CAPTIONS["curves"], curves(board)),
        ("images", "Test images", CAPTIONS["images"], panel(board, sweep)),
    ]


def _tables(read: Frames, board: Board, stem: Path, plots: Sequence[Plot]) -> list[Path]:
    grid, classes, latency = results_grid(board), class_grid(board), latency_grid(board)
    notes = [*remarks(board), *(f"{name}: {text}" for name, text in facts(board))]
    written = [
        _text(stem.with_name(f"{stem.name}.md"), _markdown(read, board, [grid, classes, latency], plots)),
        _text(stem.with_name(f"{stem.name}.tex"), grid.latex(notes)),
        _csv(stem.with_name(f"{stem.name}.csv"), results_frame(board)),
    ]
    if classes:
        written.append(_text(stem.with_name(f"{stem.name}-classes.tex"), classes.latex(notes)))
        written.append(_csv(stem.with_name(f"{stem.name}-classes.csv"), class_frame(board)))
    if board.comparison:
        written.append(_csv(stem.with_name(f"{stem.name}-pairs.csv"), pairs_frame(board)))
    return written


def _markdown(read: Frames, board: Board, grids: Sequence[Grid | None], plots: Sequence[Plot]) -> str:
    lines = [f"# {read.sweep}: {board.name} on {board.machine}\n"]
    for level, grid in enumerate(grid for grid in grids if grid):
        lines += [f"## {grid.caption.rpartition(': ')[2].capitalize()}\n"] if level else []
        lines.append(grid.markdown())
        lines += ["".join(f"- {line}\n" for line in remarks(board))] if not level else []
    lines += [f"## {plot.title}\n\n![{plot.title}]({plot.png.name})\n\n{plot.caption}\n" for plot in plots]
    lines += ["## Facts\n", "".join(f"- {name}: {text}\n" for name, text in facts(board))]
    lines += ["## How the numbers are made\n", "".join(f"- {line}\n" for line in METHODS)]
    lines += [
        "## Records\n",
        "".join(f"- {row.label}: {', '.join(f'`{key}`' for key in row.records)}\n" for row in board.rows),
    ]
    return "\n".join(lines)


def _text(file: Path, text: str) -> Path:
    write_file(file, text.encode())
    return file


def _csv(file: Path, table: pd.DataFrame) -> Path:
    return _text(file, table.to_csv(index=False))


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:80].strip("-") or "table"
