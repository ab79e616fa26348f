"""Names in records of others are shown as they are: no HTML, no link, no command of TeX, no formula, no folder."""

import csv
import re
from dataclasses import replace

from unetbench.benchmark.report.tables.csv_text import csv_text
from unetbench.benchmark.report.tables.grid import Grid, markdown_code, markdown_text
from unetbench.benchmark.report.write import write_report
from unetbench.core.trial import Choice

HTML = '"><script>alert(1)</script>'
LINK = "[see](javascript:alert(1)) ![x](https://example.org/x.png)"
TEX = r"\input{/etc/passwd}^^M%"
PATH = "../../elsewhere"


def _report(sweep, make):
    """A report of trials whose model, loss, class, case, reason and machine are all such names."""
    names = (HTML, LINK, TEX, PATH, "=1+1")
    records = []
    for seed, name in enumerate(names):
        trial = replace(make.trial(seed=seed), model=Choice(name), loss=Choice(f"loss {name}"), dataset=Choice(name))
        scores = [make.score(f"{name} {case}", dice, name=name) for case, dice in (("a", 0.8), ("b", 0.7))]
        records.append(make.record(trial, scores, reason=name, started=name, finished=name))
    failed = make.record(make.trial(model=HTML, seed=9), status="failed", reason=LINK + TEX, traceback=HTML)
    folder = sweep(*records, failed)
    return folder, write_report(folder)


def test_a_report_of_such_names_stays_in_its_folder_and_holds_them_as_text(sweep, make):
    folder, files = _report(sweep, make)
    assert files
    assert {file.parent for file in files} == {folder / "report"}
    for file in files:
        if file.suffix == ".html":
            text = file.read_text("utf-8")
            assert "<script>alert" not in text
            assert "&lt;script&gt;alert(1)" in text
            assert not re.search(r'(?:src|href)="(?!#|data:image/png;base64,)', text)
        if file.suffix == ".md":
            text = file.read_text("utf-8")
            assert "](javascript:" not in text
            assert "](https:" not in text
            assert not re.search(r"(?<!\\)<script>", text)
        if file.suffix == ".tex":
            text = "\n".join(line for line in file.read_text("utf-8").split("\n") if not line.startswith("%"))
            assert not re.search(r"\\(input|include|write|openout|immediate|catcode|def)\b", text)
            assert "^^" not in text
        if file.suffix == ".csv":
            with file.open(newline="", encoding="utf-8") as table:
                cells = [cell for row in csv.reader(table) for cell in row]
            assert not [cell for cell in cells if cell.startswith(("=", "@"))]


def test_a_text_of_markdown_has_no_link_no_code_and_no_line_end():
    assert markdown_text("[a](b) `c` <d> $e$ f|g\nh") == r"[a]\(b) \`c\` \<d> \$e\$ f\|g h"
    assert markdown_code("a`b\nc") == "`a'b c`"


def test_a_cell_of_latex_is_text_to_the_last_sign():
    grid = Grid("caption", ("Model",), ((TEX + "\x00\x0c\x7f",),), names=1)
    (row,) = [line for line in grid.latex([]).split("\n") if "input" in line]
    assert row == r"\textbackslash{}input\{/etc/passwd\}\textasciicircum{}\textasciicircum{}M\%    \\"


def test_numbers_of_a_csv_stay_numbers_and_texts_are_no_formulas():
    import pandas as pd

    frame = pd.DataFrame({"=name": ["=1+1", "unet", None], "value": [-1.5, 2.0, None], "count": [-1, 2, 3]})
    assert csv_text(frame) == "'=name,value,count\n'=1+1,-1.5,-1\nunet,2.0,2\n,,3\n"
