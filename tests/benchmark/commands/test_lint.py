"""`unetbench lint` from the command line."""

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import unetbench
from unetbench.benchmark.cli import main

RESULTS = Path(unetbench.__file__).parent / "results"
WRONG = "M,Dice,IoU,Speed\nA,0.80,0.82,3\n"


@pytest.fixture
def lint(tmp_path, monkeypatch, capsys):
    """Run the command on a text; returns status, stdout and stderr."""

    def run(text, *words, name="table.csv"):
        monkeypatch.chdir(tmp_path)
        Path(name).write_text(text, "utf-8")
        status = main(["lint", name, *words])
        return status, *capsys.readouterr()

    return run


def test_a_finding_names_file_line_rule_cell_and_what_would_be_consistent(lint):
    status, out, _ = lint(WRONG)
    first, columns, missed, summary = out.splitlines()
    assert status == 1
    assert first == (
        "table.csv:2: impossible: dice_iou: A · IoU: IoU 0.82, Dice 0.80: "
        "means of cases have D / (2 - D) ≤ IoU ≤ D; consistent: IoU 0.66 to 0.81"
    )
    assert columns == "table.csv:1: 1 row; Dice = dice in fractions, IoU = iou in fractions"
    assert "not understood: Speed" in missed and summary == "1 table: 1 impossible, 0 doubtful"


def test_json_says_columns_and_findings(lint):
    status, out, _ = lint(WRONG, "--json", "--column", "Speed=fps")
    read = json.loads(out)
    assert status == 1 and read["tables"][0]["columns"][2] == {"header": "Speed", "quantity": "fps", "unit": ""}
    (found,) = read["findings"]
    assert (found["rule"], found["severity"], found["line"], found["row"]) == ("dice_iou", "impossible", 2, "A")


def test_what_is_doubtful_fails_only_when_asked(lint):
    text = "| M | Dice |\n|--|--|\n| A | **0.80** |\n| B | 0.81 |\n"
    assert lint(text, name="t.md")[0] == 0
    assert lint(text, "--strict", name="t.md")[0] == 1
    assert lint(text, "--strict", "--ignore", "bold_not_best", name="t.md")[0] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--ignore", "dice_iuo"], "rule 'dice_iuo' is unknown; did you mean 'dice_iou'"),
        (["--column", "Dcie=dice"], "column 'Dcie' is unknown; did you mean 'Dice'"),
        (["--column", "Speed=fqs"], "quantity 'fqs' is unknown; did you mean"),
        (["--column", "Speed"], "write HEADER=QUANTITY"),
    ],
)
def test_a_wrong_option_is_one_line(lint, words, message):
    status, _, error = lint(WRONG, *words)
    assert status == 2 and message in error and error.count("\n") == 1


def test_a_file_without_a_table_and_no_file_are_refused(lint, capsys):
    assert lint("only text\n", name="t.md")[0] == 2
    assert main(["lint"]) == 2 and "which table?" in capsys.readouterr().err


def test_a_table_is_read_from_stdin(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(WRONG.encode())))
    assert main(["lint", "-"]) == 1
    assert capsys.readouterr().out.startswith("stdin:2: impossible: dice_iou")


def test_the_rules_are_listed_with_their_sources(capsys):
    assert main(["lint", "--rules"]) == 0
    text = capsys.readouterr().out
    assert "D / (2 - D) ≤ IoU ≤ D" in text and "doi:10.1177/1948550616673876" in text
    assert main(["lint", "--rules", "--json"]) == 0
    assert {"grim", "dice_iou"} <= {rule["name"] for rule in json.loads(capsys.readouterr().out)}


def test_every_published_report_is_clean(capsys):
    files = [str(file) for kind in ("md", "csv", "tex") for file in sorted(RESULTS.glob(f"*/report/**/*.{kind}"))]
    assert len(files) > 60
    assert main(["lint", "--strict", *files]) == 0
    assert "0 impossible, 0 doubtful" in capsys.readouterr().out
