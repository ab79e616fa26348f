"""A table of texts, written as Markdown, LaTeX or HTML."""

import html
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...naming.names import is_letter
from .columns import padded, width

LATEX = str.maketrans(
    {
        "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
        "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}",
        "±": r"$\pm$", "×": r"$\times$", "†": r"$\dagger$", "–": "--", "·": r"$\cdot$", "µ": r"$\mu$", "…": r"\dots{}",
        "\u00a0": "~", "\u202f": r"\,", "≤": r"$\leq$", "≥": r"$\geq$", "<": r"\textless{}", ">": r"\textgreater{}",
        "|": r"\textbar{}",
    }
)  # fmt: skip
_BLANKS = dict.fromkeys((*range(32), 127, 0x2028, 0x2029), " ")  # what ends a line, or what TeX calls invalid
LATEX |= _BLANKS
_MARKDOWN = str.maketrans({**_BLANKS, **{mark: f"\\{mark}" for mark in "\\|*`$<"}})

LATIN = 0x17F
"""The last letter that pdflatex has without further packages."""


@dataclass(frozen=True)
class Grid:
    """Headers and cells; the first `names` columns are words and stand left, the others are numbers and stand right.

    bold: indices of the rows whose names are set in bold. links: for each row, the anchor that its first cell leads to.
    """

    caption: str
    headers: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    names: int = 2
    bold: frozenset[int] = frozenset()
    links: tuple[str, ...] = ()

    def leading(self, count: int) -> "Grid":
        """The first rows alone."""
        return replace(self, cells=self.cells[:count], links=self.links[:count])

    def markdown(self) -> str:
        """A GitHub table, columns padded so that the source can be read too."""
        cells = [
            [_bold_markdown(markdown_text(c), i in self.bold, k) for k, c in enumerate(row)]
            for i, row in enumerate(self.cells)
        ]
        rows = [[markdown_text(header) for header in self.headers], *cells]
        widths = [max(3, *(width(row[column]) for row in rows)) for column in range(len(self.headers))]
        rule = [("-" * w) if k < self.names else "-" * (w - 1) + ":" for k, w in enumerate(widths)]
        lines = [[padded(cell, widths[k], left=k < self.names) for k, cell in enumerate(row)] for row in rows]
        return "\n".join("| " + " | ".join(line) + " |" for line in [lines[0], rule, *lines[1:]]) + "\n"

    def latex(self, notes: Sequence[str]) -> str:
        """A `table*` whose first lines name the packages that it needs, and the engine where pdflatex does not do.

        pdflatex has no letters beyond Latin ones without packages for each script; lualatex and xelatex take them from
        a font that has them, which the document chooses. pdflatex stops at the file with a line that says so.
        """
        columns = "l" * self.names + "r" * (len(self.headers) - self.names)
        body = [
            " & ".join(
                rf"\textbf{{{_tex(c)}}}" if i in self.bold and k < self.names else _tex(c) for k, c in enumerate(row)
            )
            for i, row in enumerate(self.cells)
        ]
        texts = [self.caption, *self.headers, *(cell for row in self.cells for cell in row), *notes]
        lines = [
            *_head(texts),
            r"\begin{table*}",
            r"\centering",
            rf"\caption{{{_tex(self.caption)}}}",
            r"\begin{threeparttable}",
            r"\resizebox{\textwidth}{!}{%",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            _guarded(" & ".join(_tex(header) for header in self.headers)) + r" \\",
            r"\midrule",
            *(_guarded(line) + r" \\" for line in body),
            r"\bottomrule",
            r"\end{tabular}}",
            r"\begin{tablenotes}\footnotesize",
            *(rf"\item {_guarded(_tex(note))}" for note in notes),
            r"\end{tablenotes}",
            r"\end{threeparttable}",
            r"\end{table*}",
        ]
        return "\n".join(lines) + "\n"

    def html(self) -> str:
        """A table element; escaped, with the rows' links."""
        kinds = ["word" if column < self.names else "number" for column in range(len(self.headers))]
        heads = zip(kinds, self.headers, strict=True)
        head = "".join(f'<th class="{kind}">{html.escape(header)}</th>' for kind, header in heads)
        rows = []
        for index, row in enumerate(self.cells):
            cells = [html.escape(cell) for cell in row]
            if self.links and self.links[index]:
                cells[0] = f'<a href="#{html.escape(self.links[index])}">{cells[0]}</a>'
            inside = "".join(f'<td class="{kind}">{cell}</td>' for kind, cell in zip(kinds, cells, strict=True))
            rows.append(f"<tr{' class=best' if index in self.bold else ''}>{inside}</tr>")
        return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def markdown_text(text: str) -> str:
    """The text so that Markdown shows it as it is: no mark, no HTML and no link or picture, which `](` would make."""
    return text.translate(_MARKDOWN).replace("](", "]\\(")


def markdown_code(text: str) -> str:
    """The text as code."""
    return f"`{text.translate(_BLANKS).replace('`', chr(39))}`"


def _bold_markdown(cell: str, bold: bool, column: int) -> str:
    return f"**{cell}**" if bold and column < 2 else cell


def _head(texts: Sequence[str]) -> list[str]:
    """What a document needs for the table, as comments, and a guard where there are letters that pdflatex lacks."""
    beyond = dict.fromkeys(mark for text in texts for mark in text if ord(mark) > LATIN and is_letter(mark))
    lines = [r"% \usepackage{booktabs,graphicx,threeparttable}"]
    if not beyond:
        return lines
    return [
        "% !TeX program = lualatex",
        f"% or xelatex, and a font that has the letters {''.join(list(beyond)[:12])}, such as",
        r"% \usepackage{fontspec} \setmainfont{Noto Sans CJK SC}",
        *lines,
        r"\ifdefined\Umathchar\else",
        r"\errmessage{This table has letters that pdflatex lacks: compile it with lualatex or xelatex}",
        r"\fi",
    ]


def _guarded(line: str) -> str:
    """The line, which must not begin with what the command before it would take for its argument."""
    return f"{{}}{line}" if line.startswith(("[", "*")) else line


def _tex(text: str) -> str:
    return text.translate(LATEX)
