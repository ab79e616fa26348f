"""The report of a tuning: tables, plots and one page, in a folder of its own beside the sweep's report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from ...core.errors import one_line
from ..naming.names import file_stem
from ..records.store import read_sweep
from ..report.page.document import Plot, Section, sections_page
from ..report.plots.style import look, save
from ..report.tables.grid import Grid, markdown_text
from ..report.write import INDEX, STANDARD_POLICY
from ..report.written import Written
from .difference_table import difference_frame, difference_grid, difference_notes
from .plots import IMPORTANCE, TRACE, importances, trace
from .results import Tuned, read_tuning
from .store import FOLDER
from .tables import (
    budget_grid,
    budget_notes,
    importance_grid,
    importance_notes,
    trials_frame,
)

TUNING = "tuning"
"""The folder in the sweep's report."""


@dataclass(frozen=True)
class TuningReport:
    """page: one HTML file. files: all, that first. tables: winners beside defaults, in Markdown. notes: problems."""

    page: Path
    files: tuple[Path, ...]
    tables: tuple[str, ...]
    notes: tuple[str, ...]


def write_tuning(sweep: Path, out: Path | None = None, *, empty: str | None = None) -> TuningReport | None:
    """Write the report of a sweep's tuning; None where it has none.

    out: the folder of the sweep's report, by default `<sweep>/report`; the tuning's files go to `tuning` in it. Files
    of an earlier report that this one does not write are removed. Raises StoreError for a damaged file.
    """
    if not any(sweep.glob(f"{FOLDER}/searches/*/*/search.json")):
        return None
    found = read_tuning(sweep, empty or str(read_sweep(sweep).get("empty") or STANDARD_POLICY))
    written = Written((out or sweep / "report") / TUNING)
    sections: list[Section] = []
    files: list[Path] = []
    notes, tables = [written.problem] if written.problem else [], []
    by_place: dict[tuple[str, str], list[Tuned]] = {}
    for one in found:
        by_place.setdefault((one.name.dataset, one.machine), []).append(one)
    machines = len({machine for _, machine in by_place}) > 1
    for (dataset, machine), tuned in by_place.items():
        called = tuned[0].name.file
        stem = file_stem(f"{called}-{machine}" if machines else called)
        own = _sections(tuned, f"{dataset} on {machine}", stem, written, files)
        notes += [f"{section.title}: {plot.problem}" for section in own for plot in section.plots if plot.problem]
        tables += [section.grid.markdown() for section in own if section.title.endswith(BESIDE)]
        text = "\n".join(_markdown(section) for section in own)
        files.append(written.put(f"{stem}.md", text.encode()))
        sections += own
    for name, frame in (("trials.csv", trials_frame(found)), ("tuned.csv", difference_frame(found))):
        if len(frame):
            files.append(written.put(name, _csv(frame)))
    title = f"Tuning of {sweep.resolve().name}"
    trials = sum(len(one.search.attempts) for one in found)
    page = written.put(INDEX, sections_page(title, f"{len(found)} searches of {trials} trials", sections).encode())
    written.finish()
    return TuningReport(page, (page, *files), tuple(tables), tuple(notes))


BESIDE = "tuned beside default"


def _sections(tuned: Sequence[Tuned], title: str, stem: str, written: Written, files: list[Path]) -> list[Section]:
    """The sections of one data set on one machine; their tables and plots are written as files too."""
    traced = _plot("Trace", TRACE, lambda: trace(tuned), f"{stem}-trace", written, files)
    matters = _plot("Importance", IMPORTANCE, lambda: importances(tuned), f"{stem}-importance", written, files)
    beside = difference_grid(tuned, title)
    parts: list[tuple[str, Grid | None, list[str], tuple[Plot, ...]]] = [
        (BESIDE, beside, difference_notes(tuned), ()),
        ("what was tried", budget_grid(tuned, title), budget_notes(tuned), traced),
        ("importance", importance_grid(tuned, title), importance_notes(tuned), matters),
    ]
    found: list[Section] = []
    for name, grid, notes, plots in parts:
        if grid is None:
            continue
        found.append(Section(f"{title}: {name}", (), grid, tuple(notes), plots))
        files.append(written.put(f"{stem}-{file_stem(name)}.tex", grid.latex(notes).encode()))
    return found


def _plot(
    title: str, caption: str, made: Callable[[], Figure | None], stem: str, written: Written, files: list[Path]
) -> tuple[Plot, ...]:
    """The plot and its files, none where there is nothing to draw; one that fails is a note in its place."""
    try:
        with look():
            drawn = made()
            if drawn is None:
                return ()
            saved = save(drawn, written, stem)
    except Exception as error:  # whatever went wrong in a picture, the tables must not be lost for it
        return (Plot(title, "", problem=f"This plot could not be drawn: {one_line(error)}"),)
    files += saved
    return (Plot(title, caption, saved[0], drawn.get_figwidth()),)


def _markdown(section: Section) -> str:
    lines = [f"# {markdown_text(section.title)}\n", section.grid.markdown()]
    lines.append("".join(f"- {markdown_text(note)}\n" for note in section.notes))
    lines += [f"{plot.markdown()}\n" for plot in section.plots]
    return "\n".join(lines)


def _csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()
