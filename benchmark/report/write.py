"""The report of a sweep: read the records, write tables, plots and the page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from matplotlib.figure import Figure

from ...core.errors import StoreError, UnetbenchError
from ..naming.names import file_stem
from ..records.store import read_sweep
from .annotation_methods import methods_reports
from .annotation_report import annotation_reports
from .continual_report import continual_reports
from .ensemble_report import ensemble_reports
from .frame import Frames, frames
from .modality_report import modality_reports
from .page.document import Plot, Section, page
from .page.prose import CAPTIONS, METHODS
from .plots.curves import curves
from .plots.distribution import distribution
from .plots.heatmap import heatmap
from .plots.panel import panel
from .plots.roofline import roofline
from .plots.style import look, save
from .plots.tradeoff import tradeoff
from .published_report import published_reports
from .runtime_report import runtime_reports
from .several_report import several_reports
from .statistics_report import statistics_reports
from .tables.apart import is_stage
from .tables.columns import shortened
from .tables.csv_text import csv_text
from .tables.grid import markdown_code, markdown_text
from .tables.hardware import TITLES, hardware_frames, hardware_grids
from .tables.lighter_table import lighter_frame, lighter_grid
from .tables.notes import facts, remarks
from .tables.roofline import points
from .tables.summary import ComparisonTable, comparison_tables
from .tables.table import class_frame, class_grid, latency_grid, pairs_frame, results_frame, results_grid
from .written import Written

STANDARD_POLICY = "nan_worst"
INDEX = "index.html"

ENDINGS = ("beside", "classes", "lighter", "pairs", *TITLES, *CAPTIONS)
"""Of the names of a table's further files."""

PLOTTED = {"cases": 40, "curves": 24}
"""Rows of a table that a plot has room for, the best ones; the tables have all."""

Wanted = tuple[str, str, Callable[[], Figure | None]]
"""Of a plot: the ending of its file's name, its title, and what draws it."""

LONGEST = 400
"""Letters of an error that stands in place of a plot."""


@dataclass(frozen=True)
class Report:
    """What was written for one sweep.

    page: one HTML file. tables: what the files say. files: all, the page first. notes: plots that could not be drawn
    and why, and what else the writer should be told. recommended: the file to deploy in one line, a data set, machine
    and setting. sweep: the folder that was read.
    """

    sweep: Path
    page: Path
    tables: tuple[ComparisonTable, ...]
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()
    recommended: tuple[str, ...] = ()


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
    deployed, unknown = runtime_reports(read, sweep)
    whole = [table for table in summaries if not is_stage(table.example.trial)]
    annotated = annotation_reports(whole, read.sweep)
    further = [
        *statistics_reports(whole, read.sweep),
        *ensemble_reports(summaries, read),
        *continual_reports(summaries, read),
        *several_reports(whole, read.sweep),
        *annotated,
        *methods_reports(annotated, read.sweep),
        *modality_reports(whole, read.sweep),
        *deployed,
        *published_reports(sweep, read.sweep),
    ]
    written = Written(out)
    notes = [*([written.problem] if written.problem else []), *unknown]
    stems = _stems([*_names(summaries, read), *(file_stem(one.stem) for one in further)])
    tables, figures = [], []
    for table, stem in zip(summaries, stems, strict=False):
        tables += _tables(read, table, stem, written)
    for one, stem in zip(further, stems[len(summaries) :], strict=True):
        tables += [written.put(name, text.encode()) for name, text in one.files(stem).items()]
    bare = [one.section() for one in further]
    written.put(INDEX, page(read, [(table, ()) for table in summaries], bare).encode())
    shown: list[tuple[ComparisonTable, Sequence[Plot]]] = []
    for table, stem in zip(summaries, stems, strict=False):
        plots, files = _plots(_figures(read, table, sweep), stem, written)
        shown.append((table, plots))
        figures += files
        notes += _problems(table.title, plots)
        written.put(f"{stem}.md", _markdown(read, table, plots).encode())
    sections: list[Section] = []
    for one, stem in zip(further, stems[len(summaries) :], strict=True):
        plots, files = _plots([one.plot], stem, written)
        sections.append(one.section(plots))
        figures += files
        notes += _problems(one.title, plots)
        written.put(f"{stem}.md", one.files(stem, plots)[f"{stem}.md"].encode())
    index = written.put(INDEX, page(read, shown, sections).encode())
    written.finish()
    headlines = tuple(line for one in deployed for line in one.headlines)
    return Report(sweep, index, tuple(summaries), (index, *tables, *figures), tuple(notes), headlines)


def _problems(title: str, plots: Sequence[Plot]) -> list[str]:
    return [f"{title}: {plot.title}: {plot.problem}" for plot in plots if plot.problem]


def _names(summaries: Sequence[ComparisonTable], read: Frames) -> list[str]:
    """Of the tables' files: data set, machine where there are several, what tells it apart."""
    machines = len({table.machine for table in summaries}) > 1
    return [
        file_stem("-".join(filter(None, [read.files[table.name], table.machine if machines else "", table.apart])))
        for table in summaries
    ]


def _stems(names: Sequence[str]) -> list[str]:
    """The names, with a number where they clash.

    None is another's with an ending: `cells-classes` is a file of the data set `cells`.
    """
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


def _plots(wanted: Sequence[Wanted], stem: str, written: Written) -> tuple[list[Plot], list[Path]]:
    """The plots that there are, and their files; one that fails is a note in its place."""
    plots, files = [], []
    with look():
        for ending, title, made in wanted:
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


def _figures(read: Frames, table: ComparisonTable, sweep: Path) -> list[Wanted]:
    scored = bool(table.compared)
    best = {ending: table.leading(most) for ending, most in PLOTTED.items()}
    rest = {ending: f", the first {most} rows of {len(table.rows)}" for ending, most in PLOTTED.items()}
    rest = {ending: text if len(table.rows) > PLOTTED[ending] else "" for ending, text in rest.items()}
    return [
        ("cases", f"Dice of each test case{rest['cases']}", lambda: distribution(best["cases"]) if scored else None),
        ("heatmap", "Losses and models", lambda: heatmap(table) if scored and len(table.rows) > 1 else None),
        ("latency", "Dice against latency", lambda: tradeoff(table)),
        ("roofline", "Roofline", lambda: roofline(points(table, read))),
        ("curves", f"Learning curves{rest['curves']}", lambda: curves(best["curves"])),
        ("images", "Test images", lambda: panel(table, sweep)),
    ]


def _tables(read: Frames, table: ComparisonTable, stem: str, written: Written) -> list[Path]:
    grid, classes = results_grid(table), class_grid(table)
    notes = [*remarks(table), *(f"{name}: {text}" for name, text in facts(table))]
    files = {
        f"{stem}.md": _markdown(read, table, ()),
        f"{stem}.tex": grid.latex(notes),
        f"{stem}.csv": csv_text(results_frame(table)),
    }
    for title, more, own in hardware_grids(table, read):
        files[f"{stem}-{title.lower()}.tex"] = more.latex(own or notes)
    for ending, frame in hardware_frames(table, read).items():
        files[f"{stem}-{ending}.csv"] = csv_text(frame)
    if classes:
        files |= {f"{stem}-classes.tex": classes.latex(notes), f"{stem}-classes.csv": csv_text(class_frame(table))}
    if lighter := lighter_grid(table):
        files |= {f"{stem}-lighter.tex": lighter.latex(notes), f"{stem}-lighter.csv": csv_text(lighter_frame(table))}
    if table.comparison:
        files[f"{stem}-pairs.csv"] = csv_text(pairs_frame(table))
    return [written.put(name, text.encode()) for name, text in files.items()]


def _markdown(read: Frames, table: ComparisonTable, plots: Sequence[Plot]) -> str:
    lines = [f"# {markdown_text(f'{read.sweep}: {table.title}')}\n"]
    grids = results_grid(table), lighter_grid(table), class_grid(table), latency_grid(table)
    for level, grid in enumerate(grid for grid in grids if grid):
        lines += [f"## {grid.caption.rpartition(': ')[2].capitalize()}\n"] if level else []
        lines.append(grid.markdown())
        lines += ["".join(f"- {markdown_text(line)}\n" for line in remarks(table))] if not level else []
    for title, grid, notes in hardware_grids(table, read):
        lines += [f"## {title}\n", grid.markdown(), "".join(f"- {markdown_text(line)}\n" for line in notes)]
    lines += [f"## {plot.title}\n\n{plot.markdown()}\n" for plot in plots]
    lines += ["## Facts\n", "".join(f"- {name}: {markdown_text(text)}\n" for name, text in facts(table))]
    lines += ["## How the numbers are made\n", "".join(f"- {line}\n" for line in METHODS)]
    lines += [
        "## Records\n",
        "".join(
            f"- {markdown_text(row.label)}: {', '.join(markdown_code(key) for key in row.records)}\n"
            for row in table.rows
        ),
    ]
    return "\n".join(lines)
