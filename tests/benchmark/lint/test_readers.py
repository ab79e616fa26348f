"""Cells, headers, lines and marks of the three formats."""

import io
import sys
from types import SimpleNamespace

import pytest

from unetbench.benchmark.lint.readers.latex_text import latex_text
from unetbench.benchmark.lint.readers.read import read_tables
from unetbench.core.errors import DataError

LATEX = r"""
\newcommand{\best}[1]{\textbf{#1}}
\begin{table}
\caption{Scores on Kvasir, 256$\times$256} % a comment with & and \\
\begin{tabular}{l|cc|S}
\toprule
\multirow{2}{*}{Method} & \multicolumn{2}{c|}{Kvasir} & Params \\
\cmidrule(lr){2-3}
 & Dice$\uparrow$ & HD$_{95}$ & (M) \\
\midrule
U-Net~\cite{unet} & $0.818 \pm 0.02$ & 12.1 & 31.03 \\
\midrule
\rowcolor[gray]{.9} Ours & \best{\num{0.898 +- 0.01}} & \underline{10.2}$^{*}$ &
  \makecell{9.04} \\[2pt]
\bottomrule
\end{tabular}
\end{table}
"""


def _read(tmp_path, text, name):
    (tmp_path / name).write_text(text, "utf-8")
    return read_tables(str(tmp_path / name))


def _texts(table):
    return [[cell.text for cell in row.cells] for row in table.rows]


def test_a_latex_table_with_two_header_rows_is_read(tmp_path):
    (table,) = _read(tmp_path, LATEX, "paper.tex")
    assert table.title == "Scores on Kvasir, 256×256"
    assert table.headers == ["Method", "Kvasir / Dice↑", "Kvasir / HD95", "Params (M)"]
    assert _texts(table) == [["U-Net", "0.818 ±0.02", "12.1", "31.03"], ["Ours", "0.898 ± 0.01", "10.2", "9.04"]]
    ours = table.rows[1]
    assert [cell.bold for cell in ours.cells] == [False, True, False, False]
    assert ours.cells[2].underlined
    assert [table.rows[0].cells[1].line, ours.cells[1].line, ours.cells[3].line] == [11, 13, 14]


def test_headings_between_rows_are_their_section(tmp_path):
    text = r"""\begin{tabular}{lcc} M & Dice & IoU \\ \hline
    \multicolumn{3}{l}{\textit{Set A}} \\ U-Net & 0.9 & 0.8 \\ \hline
    \multicolumn{3}{l}{Set B} \\ U-Net & 0.7 & 0.6 \\ \end{tabular}"""
    (table,) = _read(tmp_path, text, "sections.tex")
    assert [row.section for row in table.rows] == ["Set A", "Set B"]
    assert table.rows[0].block != table.rows[1].block


def test_rules_between_rows_divide_them_but_not_those_after_every_row(tmp_path):
    rows = [f"M{k} & 0.{k} \\\\" for k in range(1, 5)]
    for marks, blocks in ((["", "", r"\midrule", ""], [0, 0, 1, 1]), ([r"\hline"] * 4, [0] * 4)):
        body = " ".join(mark + " " + row for mark, row in zip(marks, rows, strict=True))
        text = r"\begin{tabular}{lc} M & Dice \\ \hline " + body + r"\end{tabular}"
        (table,) = _read(tmp_path, text, "rules.tex")
        assert [row.block for row in table.rows] == blocks


def test_a_cell_over_several_rows_stands_in_each(tmp_path):
    text = r"""\begin{tabular}{llc} Data & M & Dice \\ \hline
    \multirow{2}{*}{Kvasir} & A & 0.9 \\ & B & 0.8 \\ \end{tabular}"""
    (table,) = _read(tmp_path, text, "rows.tex")
    assert _texts(table) == [["Kvasir", "A", "0.9"], ["Kvasir", "B", "0.8"]]


@pytest.mark.parametrize(
    ("source", "text", "bold"),
    [
        (r"\textbf{0.91}", "0.91", True),
        (r"{\bf 0.91}", "0.91", True),
        (r"$\mathbf{0.91}_{\pm 0.02}$", "0.91±0.02", True),
        (r"91.2\%", "91.2%", False),
        (r"\textcolor{red}{0.91}", "0.91", False),
        (r"\cellcolor[HTML]{FFF}0.91\textsuperscript{a}", "0.91", False),
        (r"$0.91^{\ast}$", "0.91", False),
        (r"\begin{tabular}[c]{@{}c@{}}Dice\\ (\%)\end{tabular}", "Dice (%)", False),
        (r"0.88--0.93", "0.88–0.93", False),
        (r"bce\_dice \footnotemark[1]", "bce_dice", False),
        (r"\SI{12.3}{ms}", "12.3 ms", False),
    ],
)
def test_commands_of_latex_become_text(source, text, bold):
    assert (latex_text(source).text, latex_text(source).bold) == (text, bold)


def test_a_command_that_expands_into_itself_ends(tmp_path):
    text = r"\def\x{\x\x}\begin{tabular}{ll} A & Dice \\ \x & 0.9 \\ \end{tabular}"
    (table,) = _read(tmp_path, text, "loop.tex")
    assert _texts(table) == [["", "0.9"]]


def test_a_cell_that_claims_to_cover_very_much_takes_no_memory(tmp_path):
    text = r"\begin{tabular}{ll} A & Dice \\ \hline \multicolumn{999999999}{c}{x} & \multirow{99999999999}{*}{0.9} \\"
    (table,) = _read(tmp_path, text + r"\end{tabular}", "wide.tex")
    assert len(table.rows[0].cells) < 2000


def test_markdown_tables_are_read_but_not_those_in_code(tmp_path):
    text = "# Scores\n\n| M | Dice |\n|:--|--:|\n| a\\_b \\| c | **0.91** |\n| `d` | <u>0.90</u> $\\pm$ 0.02 |\n\n```\n"
    text += "| M | Dice |\n|---|---|\n| x | 9 |\n```\n\nSet B\n\nM | Dice\n--|--\nu | 1\n"
    first, second = _read(tmp_path, text, "page.md")
    assert (first.title, second.title, second.line) == ("Scores", "Set B", 16)
    assert _texts(first) == [["a_b | c", "0.91"], ["d", "0.90 ± 0.02"]]
    assert [first.rows[0].cells[1].bold, first.rows[1].cells[1].underlined] == [True, True]


@pytest.mark.parametrize(("text", "name"), [("M;Dice\nA;0,9\n", "a.csv"), ("M\tDice\nA\t0,9\n", "a.tsv")])
def test_the_delimiter_of_csv_is_seen(tmp_path, text, name):
    (table,) = _read(tmp_path, text, name)
    assert (table.headers, _texts(table)) == (["M", "Dice"], [["A", "0,9"]])


def test_lines_of_csv_are_those_of_the_file(tmp_path):
    (table,) = _read(tmp_path, 'M,Dice\n"a\nb",0.9\n\nc,0.8\n', "lines.csv")
    assert [row.cells[0].line for row in table.rows] == [2, 5]


def test_other_files_and_stdin_are_read_by_what_is_in_them(monkeypatch, tmp_path):
    assert _read(tmp_path, LATEX, "table.txt")[0].title.startswith("Scores")
    assert _read(tmp_path, "| M | Dice |\n|---|---|\n| x | 9 |\n", "table.txt")[0].headers == ["M", "Dice"]
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"\xef\xbb\xbfM,Dice\r\nx,0.9\r\n")))
    assert read_tables("-")[0].headers == ["M", "Dice"]


def test_a_file_that_cannot_be_read_is_one_line(tmp_path):
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_tables(str(tmp_path / "none.csv"))
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not text in UTF-8"):
        read_tables(str(tmp_path / "bytes.csv"))
