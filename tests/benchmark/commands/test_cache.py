"""What is kept on disk is said and can be removed; the option stands in the sweep or on the command line."""

import json

import pytest

from unetbench.benchmark.cli import main, parser
from unetbench.benchmark.commands.run import context_of, read


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setenv("UNETBENCH_CACHE", str(tmp_path))
    for name, size in (("cells-0123", 3 << 20), ("own-4567", 100)):
        (tmp_path / "cases" / name / "ab").mkdir(parents=True)
        (tmp_path / "cases" / name / "ab" / "c").write_bytes(bytes(size))
    return tmp_path / "cases"


def _said(capsys, *words):
    status = main(words)
    captured = capsys.readouterr()
    return status, captured.out.splitlines(), captured.err


def test_each_data_set_is_listed_with_its_size(capsys, kept):
    status, (first, second, total), _ = _said(capsys, "cache")
    assert status == 0
    assert first.startswith("cells-0123  1 cases  3 MiB  last used 20")
    assert second.startswith("own-4567  1 cases  1 MiB")
    assert total.startswith(f"2 data sets in {kept}; ")


def test_one_or_all_are_removed(capsys, kept):
    assert _said(capsys, "cache", "--clear", "own-4567")[:2] == (0, ["own-4567 removed: 1 cases, 1 MiB"])
    assert [folder.name for folder in kept.iterdir()] == ["cells-0123"]
    assert _said(capsys, "cache", "--clear")[0] == 0
    assert not list(kept.iterdir())
    assert _said(capsys, "cache")[1][-1].startswith("0 data sets in")


def test_a_name_that_is_not_there_removes_nothing(capsys, kept):
    status, _, err = _said(capsys, "cache", "--clear", "own-4567", "cell-0123")
    assert status == 2
    assert "data set 'cell-0123' is unknown; did you mean 'cells-0123'" in err
    assert len(list(kept.iterdir())) == 2


@pytest.mark.parametrize(
    ("in_file", "words", "expected"),
    [
        ({}, (), "memory"),
        ({"cache": "disk"}, (), "disk"),
        ({}, ("--cache", "disk"), "disk"),
        ({"cache": "disk"}, ("--cache", "memory"), "memory"),
    ],
)
def test_the_command_line_wins_over_the_sweep(tmp_path, write_sweep, in_file, words, expected):
    file = write_sweep(tmp_path, "small", models=["unet"], **in_file)
    options = parser().parse_args(["run", str(file), "--results", str(tmp_path), *words])
    assert context_of(read(options), options).cache == expected


def test_another_word_is_refused(capsys, tmp_path, write_sweep):
    status, _, err = _said(capsys, "plan", str(write_sweep(tmp_path, "small", cache="ssd")))
    assert status == 2
    assert "small.yaml: cache: input should be 'memory' or 'disk', came 'ssd'" in err


def test_the_plan_says_where_the_cases_go_and_what_does_not_fit(capsys, tmp_path, write_sweep, monkeypatch):
    monkeypatch.setenv("UNETBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("unetbench.benchmark.sweep.room.memory_bytes", lambda: 1000)
    file = write_sweep(tmp_path, "small", models=["unet"])
    words = ("plan", str(file), "--results", str(tmp_path))
    assert any("say `cache: disk` in the sweep file" in line for line in _said(capsys, *words)[1])
    (line,) = json.loads("\n".join(_said(capsys, *words, "--json")[1]))["room"]
    assert "of memory, there are" in line
    told = _said(capsys, *words, "--cache", "disk")[1]
    assert f"training sets are kept on disk, in {tmp_path / 'cache' / 'cases'}; memory holds what is looked at" in told
    assert not any("say `cache: disk`" in line for line in told)
