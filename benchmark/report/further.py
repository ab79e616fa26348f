"""What the further parts of a report share: a table with notes under it, for the page and as files."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import pandas as pd

from .page.document import Plot, Section
from .tables.csv_text import csv_text
from .tables.grid import Grid, markdown_text


class FurtherReport(ABC):
    """A table of its own beside those that rank models and losses. sweep: its name."""

    sweep: str

    @property
    @abstractmethod
    def title(self) -> str:
        """What the table is called."""

    @property
    @abstractmethod
    def grid(self) -> Grid:
        """The table."""

    @property
    @abstractmethod
    def notes(self) -> tuple[str, ...]:
        """Sentences under the table."""

    @abstractmethod
    def numbers(self) -> pd.DataFrame:
        """The table's numbers, unrounded."""

    def section(self, plots: Sequence[Plot] = ()) -> Section:
        """For the page."""
        return Section(self.title, (), self.grid, self.notes, tuple(plots))

    def files(self, stem: str, plots: Sequence[Plot] = ()) -> dict[str, str]:
        """Names and contents of its table as Markdown, LaTeX and CSV."""
        parts = [f"# {markdown_text(f'{self.sweep}: {self.title}')}\n", self.grid.markdown()]
        parts += ["".join(f"- {markdown_text(note)}\n" for note in self.notes)]
        parts += [f"## {plot.title}\n\n{plot.markdown()}\n" for plot in plots]
        return {
            f"{stem}.md": "\n".join(parts),
            f"{stem}.tex": self.grid.latex(self.notes),
            f"{stem}.csv": csv_text(self.numbers()),
        }
