"""Imported tables in a sweep's report."""

import pytest
import yaml

from unetbench.benchmark.cli import main

TABLE = "Method,Dice,IoU\nMine,0.90 ± 0.10,0.84\nU-Net,0.85,0.77\n"


@pytest.fixture
def words(tmp_path):
    """The command that imports a table."""
    columns = {name: {"measure": name.lower(), "dataset": "Kvasir", "cases": 100} for name in ("Dice", "IoU")}
    keys = {"source": "Some et al. 2020", "doi": "10.1000/xyz.1", "model": "Method", "spread": "cases"}
    (tmp_path / "table.csv").write_text(TABLE, "utf-8")
    (tmp_path / "some.yaml").write_text(yaml.safe_dump({**keys, "columns": columns}), "utf-8")
    return ["import", str(tmp_path / "table.csv"), "--map", str(tmp_path / "some.yaml")]


def test_without_a_folder_the_table_is_shown_and_nothing_kept(words, tmp_path, capsys):
    before = sorted(tmp_path.rglob("*"))
    assert main(words) == 0
    out, error = capsys.readouterr()
    assert "| Mine " in out and "nothing was kept" in error and sorted(tmp_path.rglob("*")) == before
    assert main([*words, "--out", str(tmp_path)]) == 2
    assert "is no sweep's folder of results" in capsys.readouterr().err


def test_the_report_shows_it_apart_from_its_own_table(words, make, sweep, capsys):
    folder = sweep(make.record(make.trial(), [make.score(f"c{k}", 0.5 + 0.05 * k) for k in range(8)]))
    assert main(["report", str(folder)]) == 0
    report = folder / "report"
    own = {file.name: file.read_text() for file in report.glob("*.csv")}
    assert main([*words, "--out", str(folder)]) == 0
    assert main(["report", str(folder)]) == 0
    page = (report / "index.html").read_text()
    assert "Published results (not run here)" in page and "10.1000/xyz.1" in page
    assert {file.name: file.read_text() for file in report.glob("*.csv")} == {
        **own,
        "published.csv": (report / "published.csv").read_text(),
    }
    text = (report / "published.md").read_text()
    assert "reconstructed (a)" in text and "reconstructed (b)" in text and "in no paired test" in text
    assert (report / "published-intervals.png").exists() and (report / "published.tex").exists()
    assert main(["lint", "--strict", *map(str, report.glob("*.md"))]) == 0, capsys.readouterr().out


def test_a_damaged_import_is_one_line(words, make, sweep, capsys):
    folder = sweep(make.record(make.trial(), [make.score("a", 0.5)]))
    assert main([*words, "--out", str(folder)]) == 0
    (folder / "published" / "some.json").write_text("{}")
    assert main(["report", str(folder)]) == 2
    assert "some.json: cannot be read: it has no 'schema'; import its table anew" in capsys.readouterr().err
