"""One self-contained HTML page: tables, plots as embedded images, the facts around them, and every record."""

import base64
import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....core.measure import measure
from ....core.record import Record
from ..frame import PRIMARY, Frames
from ..tables.grid import Grid, markdown_text
from ..tables.hardware import hardware_grids
from ..tables.lighter_table import lighter_grid
from ..tables.notes import facts, remarks
from ..tables.summary import ComparisonTable
from ..tables.table import NO_SCORE, STATUS_WORDS, UNDEFINED, anchor, class_grid, latency_grid, results_grid
from .prose import METHODS

TRIAL = ("dataset", "model", "loss", "seed")
"""Columns of the frame of trials that name one."""

UNFOLDED, SHOWN = 40, 15
"""Rows from which on a table is folded, and how many then stand open."""

CSS = """
:root { color-scheme: light; --ink: #1c1f23; --soft: #5c6570; --line: #dfe3e8; --best: #f1f7f4; }
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; color: var(--ink);
  margin: 0 auto; max-width: 1480px; padding: 24px 28px 80px; background: #fff; }
h1 { font-size: 26px; margin: 0 0 4px; }
h2 { font-size: 20px; margin: 44px 0 8px; padding-top: 12px; border-top: 2px solid var(--ink); }
h3 { font-size: 16px; margin: 28px 0 6px; }
p, li { max-width: 92ch; }
.soft { color: var(--soft); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 12px; font-variant-numeric: tabular-nums; }
th { text-align: right; font-weight: 600; vertical-align: bottom; padding: 4px 6px; border-bottom: 1.5px solid; }
th.word { text-align: left; }
td { padding: 4px 6px; border-bottom: 1px solid var(--line); white-space: nowrap; }
td.number { text-align: right; }
td.long { white-space: normal; min-width: 22em; }
tr.best { background: var(--best); }
tr.best td.word { font-weight: 650; }
tr:target { background: #fff3cd; }
a { color: #0b5cad; text-decoration: none; }
a:hover { text-decoration: underline; }
ul.notes { padding-left: 18px; font-size: 13px; color: var(--soft); }
dl { display: grid; grid-template-columns: 9em 1fr; gap: 3px 14px; font-size: 13px; }
dt { color: var(--soft); }
dd { margin: 0; max-width: 92ch; overflow-wrap: anywhere; }
figure { margin: 22px 0; }
figure img { max-width: 100%; height: auto; }
figcaption { font-size: 13px; color: var(--soft); max-width: 92ch; }
code { font-size: 12px; }
summary { cursor: pointer; color: #0b5cad; font-size: 13px; margin: 8px 0; }
@media print { body { max-width: none; padding: 0; } figure { break-inside: avoid; } }
"""


@dataclass(frozen=True)
class Plot:
    """A figure on disk, how many inches wide it is, and what it shows. problem: why there is none, in place of it."""

    title: str
    caption: str
    png: Path | None = None
    width: float = 0.0
    problem: str = ""

    def markdown(self) -> str:
        """The figure as a file beside the text, and what it shows."""
        return f"![{self.title}]({self.png.name})\n\n{self.caption}" if self.png else markdown_text(self.problem)


@dataclass(frozen=True)
class Section:
    """A further table. lines: what is said before it; notes: what is said after it."""

    title: str
    lines: tuple[str, ...]
    grid: Grid
    notes: tuple[str, ...]
    plots: tuple[Plot, ...] = ()


def page(
    frames: Frames, shown: Sequence[tuple[ComparisonTable, Sequence[Plot]]], sections: Sequence[Section] = ()
) -> str:
    """The page as text; images are embedded, nothing is loaded from elsewhere."""
    done = sum(record.status == "done" for record in frames.records.values())
    last = max((record.finished for record in frames.records.values()), default="")
    summary = f"{done} of {len(frames.records)} trials done" + (f"; the last ended {last}" if last else "")
    body = [
        f"<h1>{_(frames.sweep)}</h1>",
        f'<p class="soft">unetbench report · {_(summary)}</p>',
        _contents(shown, sections),
    ]
    for index, (table, plots) in enumerate(shown):
        body += _section(frames, table, plots, index)
    for index, section in enumerate(sections):
        body += _further(section, index)
    body += ["<h2>How the numbers are made</h2><ul>", *(f"<li>{_(line)}</li>" for line in METHODS), "</ul>"]
    body += [
        "<h2>Records</h2><p>Each number above comes from these files, <code>records/&lt;record&gt;.json</code>.</p>"
    ]
    body.append(_records(frames))
    return _document(frames.sweep, body)


def sections_page(title: str, summary: str, sections: Sequence[Section]) -> str:
    """A page of sections alone; images are embedded, nothing is loaded from elsewhere."""
    body = [f"<h1>{_(title)}</h1>", f'<p class="soft">unetbench report · {_(summary)}</p>', _contents((), sections)]
    for index, section in enumerate(sections):
        body += _further(section, index)
    return _document(title, body)


def _document(title: str, body: Sequence[str]) -> str:
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{_(title)}</title>'
    return (
        f'<!doctype html><html lang="en"><head>{head}<style>{CSS}</style></head><body>{"".join(body)}</body></html>\n'
    )


def _contents(shown: Sequence[tuple[ComparisonTable, Sequence[Plot]]], sections: Sequence[Section]) -> str:
    items = [f'<li><a href="#table-{k}">{_(table.title)}</a></li>' for k, (table, _p) in enumerate(shown)]
    items += [f'<li><a href="#section-{k}">{_(section.title)}</a></li>' for k, section in enumerate(sections)]
    return f"<ul>{''.join(items)}</ul>" if len(items) > 1 else ""


def _further(section: Section, index: int) -> list[str]:
    parts = [f'<h2 id="section-{index}">{_(section.title)}</h2>', *(f"<p>{_(line)}</p>" for line in section.lines)]
    return [*parts, _folded(section.grid), _list(section.notes), *(_figure(plot) for plot in section.plots)]


def _section(frames: Frames, table: ComparisonTable, plots: Sequence[Plot], index: int) -> list[str]:
    parts = [f'<h2 id="table-{index}">{_(table.subject)} <span class="soft">on {_(table.machine)}</span></h2>']
    parts += [_folded(results_grid(table)), _list(remarks(table))]
    further = (
        ("Lighter models", lighter_grid(table)),
        ("Each class", class_grid(table)),
        ("Latency", latency_grid(table)),
    )
    for title, grid in further:
        parts += [f"<h3>{title}</h3>", _folded(grid)] if grid else []
    for title, grid, notes in hardware_grids(table, frames):
        parts += [f"<h3>{title}</h3>", grid.html(), _list(notes)]
    parts += [_figure(plot) for plot in plots]
    terms = "".join(f"<dt>{_(name)}</dt><dd>{_(text)}</dd>" for name, text in facts(table))
    return [*parts, f"<h3>Facts</h3><dl>{terms}</dl>"]


def _folded(grid: Grid) -> str:
    """The table; of a long one its first rows, and the whole one folded below."""
    if len(grid.cells) <= UNFOLDED:
        return grid.html()
    whole = f"<details><summary>All {len(grid.cells)} rows</summary>{grid.html()}</details>"
    return f"{grid.leading(SHOWN).html()}{whole}"


def _list(lines: Sequence[str]) -> str:
    return '<ul class="notes">' + "".join(f"<li>{_(line)}</li>" for line in lines) + "</ul>" if lines else ""


def _figure(plot: Plot) -> str:
    if plot.png is None:
        return f"<h3>{_(plot.title)}</h3><p>{_(plot.problem)}</p>"
    data = base64.b64encode(plot.png.read_bytes()).decode()
    caption = f"<figcaption>{_(plot.caption)}</figcaption>"
    image = f'<img alt="{_(plot.title)}" width="{100 * plot.width:.0f}" src="data:image/png;base64,{data}">'
    return f"<h3>{_(plot.title)}</h3><figure>{image}{caption}</figure>"


def _records(frames: Frames) -> str:
    means: Any = frames.scores.groupby("record")[PRIMARY].mean()  # Any: pandas annotates this too widely
    order = frames.trials.sort_values(["machine", "table", "model", "loss", "seed"])
    rows = []
    names = [
        f"{dataset} · {model} · {loss} · seed {seed}"
        for dataset, model, loss, seed in zip(*(order[column] for column in TRIAL), strict=True)
    ]
    for key, name, fallen in zip(order["record"], names, order["collapsed"], strict=True):
        record = frames.records[key]
        cells = [
            f"<code>{_(key)}</code>",
            _(name),
            _(STATUS_WORDS[record.status]) + (" †" if fallen else ""),
            _(_mean_text(record, float(means.get(key, math.nan)))),
            _(str(record.selection.get("epoch", UNDEFINED))),
            _(record.started),
        ]
        inside = "".join(f"<td>{cell}</td>" for cell in cells) + f'<td class="long">{_(record.reason)}</td>'
        rows.append(f'<tr id="{_(anchor(key))}">{inside}</tr>')
    headers = ("Record", "Trial", "Status", f"Mean {measure(PRIMARY).title}", "Epoch", "Started", "Reason")
    head = "".join(f'<th class="word">{_(header)}</th>' for header in headers)
    table = f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    return table if len(rows) <= UNFOLDED else f"<details><summary>All {len(rows)} records</summary>{table}</details>"


def _mean_text(record: Record, mean: float) -> str:
    return NO_SCORE if record.status == "done" and math.isnan(mean) else measure(PRIMARY).text(mean)


def _(text: str) -> str:
    return html.escape(text)
