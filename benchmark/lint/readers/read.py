"""The tables of a file, by its ending or by what is in it."""

import sys
from pathlib import Path

from ....core.errors import DataError
from ..grid import PrintedTable
from .csv_reader import read_csv
from .latex_reader import read_latex
from .markdown_reader import read_markdown

READERS = {
    **dict.fromkeys((".csv", ".tsv"), read_csv),
    **dict.fromkeys((".md", ".markdown", ".qmd", ".rmd"), read_markdown),
    **dict.fromkeys((".tex", ".latex"), read_latex),
}
STDIN = "-"


def read_tables(name: str) -> list[PrintedTable]:
    r"""The tables of a file, or of stdin for `-`.

    A file of another ending is LaTeX where it has a `\begin{tabular}` or the like, else Markdown where it has a table
    with pipes, else CSV. Raises DataError for one that cannot be read.
    """
    try:
        content = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"lint: {name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DataError(f"lint: {name} is not text in UTF-8; convert it first") from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    title = "" if name == STDIN else Path(name).stem
    reader = READERS.get(Path(name).suffix.lower())
    if reader:
        return reader(text, title)
    return read_latex(text, title) or read_markdown(text, title) or read_csv(text, title)
