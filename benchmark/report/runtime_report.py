"""The part of a report that shows trained trials on runtimes: recommendation, table, notes and front of each group."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from .frame import Frames
from .page.document import Plot, Section
from .plots.front import runtime_front
from .recommend import Recommendation, recommend
from .recommended import export_command, headline, numbers, place_text, reason
from .tables.csv_text import csv_text
from .tables.deployed import Group, groups
from .tables.grid import Grid, markdown_code, markdown_text
from .tables.runtime_notes import runtime_remarks
from .tables.runtimes import runtimes_frame, runtimes_grid

FRONT = "Dice against latency of models and runtimes"
"""Title of the plot."""


@dataclass(frozen=True)
class RuntimeReport:
    """A group, and what is recommended at each of its places without limits. sweep: its folder.

    name: what files of the data set are called.
    """

    group: Group
    found: tuple[Recommendation, ...]
    sweep: Path
    name: str

    @property
    def title(self) -> str:
        """Data set and workload."""
        return f"{self.group.subject}: runtimes, {self.group.workload}"

    @property
    def stem(self) -> str:
        """What its files are called."""
        return "-".join(filter(None, [self.name, self.group.apart, "runtimes", self.group.workload]))

    @property
    def headlines(self) -> list[str]:
        """The recommended file of each place in one line."""
        return [headline(self.group, one) for one in self.found]

    @property
    def lines(self) -> list[str]:
        """What is recommended at each place and why, and the command by itself."""
        lines = []
        for one in self.found:
            where = f"Recommended on {place_text(self.group, one.place)}"
            if one.chosen is None:
                lines.append(f"{where}: {reason(one)}")
            else:
                lines.append(f"{where}: {one.chosen.label}: {numbers(one.chosen)}. {reason(one)}")
                lines.append(export_command(one.chosen, Path("results", self.sweep.name)))
        return lines

    @property
    def grid(self) -> Grid:
        """The table, with the recommended rows in bold."""
        return runtimes_grid(self.group, [one.chosen for one in self.found if one.chosen])

    @property
    def plot(self) -> tuple[str, str, Callable[[], Figure | None]]:
        """Ending of its file's name, title, and what draws the front; that is None with fewer than two points."""
        return "front", FRONT, lambda: runtime_front(self.group, self.found)

    def section(self, plots: Sequence[Plot] = ()) -> Section:
        """For the page."""
        return Section(self.title, tuple(self.lines), self.grid, tuple(runtime_remarks(self.group)), tuple(plots))

    def files(self, stem: str, plots: Sequence[Plot] = ()) -> dict[str, str]:
        """Names and contents of its table as Markdown, LaTeX and CSV."""
        notes = runtime_remarks(self.group)
        return {
            f"{stem}.md": self._markdown(notes, plots),
            f"{stem}.tex": self.grid.latex([*self.lines, *notes]),
            f"{stem}.csv": csv_text(runtimes_frame(self.group)),
        }

    def _markdown(self, notes: Sequence[str], plots: Sequence[Plot]) -> str:
        records = dict.fromkeys(row.key for row in self.group.rows)
        parts = [f"# {markdown_text(f'{self.sweep.resolve().name}: {self.title}')}\n"]
        parts += [f"{markdown_text(line)}\n" for line in self.lines]
        parts += [self.grid.markdown(), "".join(f"- {markdown_text(note)}\n" for note in notes)]
        parts += [f"## {plot.title}\n\n{plot.markdown()}\n" for plot in plots]
        parts += ["## Records\n", "".join(f"- {markdown_code(key)}\n" for key in records)]
        return "\n".join(parts)


def runtime_reports(read: Frames, sweep: Path) -> tuple[list[RuntimeReport], list[str]]:
    """One a group of the sweep's deployments, and notes."""
    found, notes = groups(read)
    made = [
        RuntimeReport(
            group, tuple(recommend(group, place) for place in group.places), sweep.resolve(), read.files[group.name]
        )
        for group in found
    ]
    return made, notes
