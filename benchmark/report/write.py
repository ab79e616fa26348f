"""The report of a sweep: read the records, write tables, plots and the page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from ...core.errors import StoreError, UnetbenchError
from ..naming.names import file_stem
from ..records.store import read_sweep
from .frame import Frames, frames
from .page.document import Plot, page
from .page.prose import CAPTIONS, METHODS
from .plots.curves import curves
from .plots.distribution import distribution
from .plots.heatmap import heatmap
from .plots.panel import panel
from .plots.style import look, save
from .plots.tradeoff import tradeoff
from .tables.columns import shortened
from .tables.grid import MARKDOWN
from .tables.lighter_table import lighter_frame, lighter_grid
from .tables.notes import facts, remarks
from .tables.summary import ComparisonTable, comparison_tables
from .tables.table import class_frame, class_grid, latency_grid, pairs_frame, results_frame, results_grid
from .written import Written

STANDARD_POLICY = "nan_worst"
INDEX = "index.html"

ENDINGS = ("classes", "lighter", "pairs", *CAPTIONS)
"""Of the names of a table's further files."""

LONGEST = 400
"""Letters of an error that stands in place of a plot."""


@dataclass(frozen=True)
class Report:
    """What was written for one sweep.

    page: one HTML file. tables: what the files say. files: all, the page first. notes: plots that could not be drawn
    and why, and what else the writer should be told.
    """

    page: Path
    tables: tuple[ComparisonTable, ...]
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


def write_report(results: Path, out: Path | None = None, *, empty: str | None = None) -> list[Path]:
    """Write the report of one sweep, or of each sweep of a folder, and return the files, each page first."""
    return [file for report in write_reports(results, out, empty=empty) for file in report.files]


def write_reports(results: Path, out: Path | None = None, *, empty: str | None = None) -> list[Report]:
    """Write the report of one sweep, or of each sweep of a folder.

    results: a sweep's folder, with `records` inside, or a folder of such folders. out: where to write, by default
    `<sweep>/report`; for several sweeps each gets its own folder in it. empty: the policy for empty masks, by default
    the sweep's. Trials that are not done are listed, never left out; a plot that fails is a note in its place. What an
    earlier report wrote into the folder and this one does not is removed, and nothing else. Raises StoreError when
    there is no record or one is damaged, SpecError for an unknown policy.
    """
    if (results / "records").is_dir():
        return [_report(results, out or results / "report", empty)]
    sweeps = sorted(folder.parent for folder in results.glob("*/records"))
    if not sweeps:
        raise StoreError(f"{results}: no sweep here; give a folder with `records` inside, which `unetbench run` makes")
    return [_report(sweep, out / sweep.name if out else sweep / "report", empty) for sweep in sweeps]


def _report(sweep: Path, out: Path, empty: str | None) -> Report:
    """Tables and page first, then the plots, then tables and page with them: plots can fail, and take long."""
    read = frames(sweep, empty or read_sweep(sweep).get("empty") or STANDARD_POLICY)
    summaries = comparison_tables(read)
    written = Written(out)
    notes = [written.problem] if written.problem else []
    stems = _stems(summaries)
    tables, figures = [], []
    for table, stem in zip(summaries, stems, strict=True):
        tables += _tables(read, table, stem, written)
    written.put(INDEX, page(read, [(table, ()) for table in summaries]).encode())
    shown: list[tuple[ComparisonTable, Sequence[Plot]]] = []
    for table, stem in zip(summaries, stems, strict=True):
        plots, files = _plots(table, sweep, stem, written)
        shown.append((table, plots))
        figures += files
        notes += [f"{table.title}: {plot.title}: {plot.problem}" for plot in plots if plot.problem]
        written.put(f"{stem}.md", _markdown(read, table, plots).encode())
    index = written.put(INDEX, page(read, shown).encode())
    written.finish()
    return Report(index, tuple(summaries), (index, *tables, *figures), tuple(notes))


def _stems(summaries: Sequence[ComparisonTable]) -> list[str]:
    """A file name a table: data set, machine where there are several, what tells it apart; a number where they clash.

    None is another's with an ending: `cells-classes` is a file of the data set `cells`.
    """
    machines = len({table.machine for table in summaries}) > 1
    names = [
        file_stem("-".join(filter(None, [table.name, table.machine if machines else "", table.apart])))
        for table in summaries
    ]
    folded = [name.casefold() for name in names]  # some file systems take A and a for the same
    taken: set[str] = set()
    stems = []
    for name in names:
        numbered = (f"{name}-{number}" for number in count(1))
        candidates = numbered if folded.count(name.casefold()) > 1 else chain([name], numbered)
        stem = next(stem for stem in candidates if not taken & _endings(stem))
        taken |= _endings(stem)
        stems.append(stem)
    return stems


def _endings(stem: str) -> set[str]:
    return {stem.casefold(), *(f"{stem}-{ending}".casefold() for ending in ENDINGS)}


def _plots(table: ComparisonTable, sweep: Path, stem: str, written: Written) -> tuple[list[Plot], list[Path]]:
    """The plots that there are, and their files; one that fails is a note in its place."""
    plots, files = [], []
    with look():
        for ending, title, made in _figures(table, sweep):
            try:
                drawn = made()
                if drawn is None:
                    continue
                saved = save(drawn, written, f"{stem}-{ending}")
            except Exception as error:  # whatever went wrong in a picture, tables and page must not be lost for it
                plots.append(Plot(title, "", problem=_problem(error)))
                continue
            plots.append(Plot(title, CAPTIONS[ending], saved[0], drawn.get_figwidth()))
            files += saved
    return plots, files


def _problem(error: Exception) -> str:
    kind = "" if isinstance(error, UnetbenchError) else f"{type(error).__name__}: "
    return f"This plot could not be drawn: {kind}{shortened(' '.join(str(error).split()), LONGEST)}".rstrip(": ")


def _figures(table: ComparisonTable, sweep: Path) -> list[tuple[str, str, Callable[[], Figure | None]]]:
    """Ending of the file name, title, and what draws it."""
    scored = bool(table.compared)
    return [
        ("cases", "Dice of each test case", lambda: distribution(table) if scored else None),
        ("heatmap", "Losses and models", lambda: heatmap(table) if scored and len(table.rows) > 1 else None),
        ("latency", "Dice against latency", lambda: tradeoff(table)),
        ("curves", "Learning curves", lambda: curves(table)),
        ("images", "Test images", lambda: panel(table, sweep)),
    ]


def _tables(read: Frames, table: ComparisonTable, stem: str, written: Written) -> list[Path]:
    grid, classes = results_grid(table), class_grid(table)
    notes = [*remarks(table), *(f"{name}: {text}" for name, text in facts(table))]
    files = {
        f"{stem}.md": _markdown(read, table, ()),
        f"{stem}.tex": grid.latex(notes),
        f"{stem}.csv": _csv(results_frame(table)),
    }
    if classes:
        files |= {f"{stem}-classes.tex": classes.latex(notes), f"{stem}-classes.csv": _csv(class_frame(table))}
    if lighter := lighter_grid(table):
        files |= {f"{stem}-lighter.tex": lighter.latex(notes), f"{stem}-lighter.csv": _csv(lighter_frame(table))}
    if table.comparison:
        files[f"{stem}-pairs.csv"] = _csv(pairs_frame(table))
    return [written.put(name, text.encode()) for name, text in files.items()]


def _markdown(read: Frames, table: ComparisonTable, plots: Sequence[Plot]) -> str:
    lines = [f"# {_plain(f'{read.sweep}: {table.title}')}\n"]
    grids = results_grid(table), lighter_grid(table), class_grid(table), latency_grid(table)
    for level, grid in enumerate(grid for grid in grids if grid):
        lines += [f"## {grid.caption.rpartition(': ')[2].capitalize()}\n"] if level else []
        lines.append(grid.markdown())
        lines += ["".join(f"- {_plain(line)}\n" for line in remarks(table))] if not level else []
    lines += [f"## {plot.title}\n\n{_plot_lines(plot)}\n" for plot in plots]
    lines += ["## Facts\n", "".join(f"- {name}: {_plain(text)}\n" for name, text in facts(table))]
    lines += ["## How the numbers are made\n", "".join(f"- {line}\n" for line in METHODS)]
    lines += [
        "## Records\n",
        "".join(f"- {_plain(row.label)}: {', '.join(f'`{key}`' for key in row.records)}\n" for row in table.rows),
    ]
    return "\n".join(lines)


def _plot_lines(plot: Plot) -> str:
    return f"![{plot.title}]({plot.png.name})\n\n{plot.caption}" if plot.png else _plain(plot.problem)


def _plain(text: str) -> str:
    return text.translate(MARKDOWN)


def _csv(table: pd.DataFrame) -> str:
    return table.to_csv(index=False)
