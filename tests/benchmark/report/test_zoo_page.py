"""The page of the zoo: its drawings are those of the networks, and its own variant can be planned and swept."""

import re
import shlex
from pathlib import Path

import pytest

import unetbench
from unetbench.benchmark.cli import main
from unetbench.benchmark.records.store import records

DOCS = Path(unetbench.__file__).parent / "docs"
PAGE = (DOCS / "zoo.md").read_text("utf-8")
DRAWINGS = re.findall(r"<!-- unetbench (show models .*?) -->", PAGE)


def _texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_every_drawing_of_the_page_is_there_and_small():
    named = {Path(shlex.split(words)[-1]).name for words in DRAWINGS}
    assert len(named) == len(DRAWINGS) == 11
    assert named == {file.name for file in (DOCS / "zoo").iterdir()}
    assert all(f"(zoo/{name})" in PAGE and (DOCS / "zoo" / name).stat().st_size < 60_000 for name in named)


def test_a_drawing_is_the_one_that_the_network_gives(tmp_path):
    words = shlex.split(next(words for words in DRAWINGS if "models u_lite" in words))
    assert main([*words[:-1], str(tmp_path / "u_lite.svg")]) == 0
    fresh, kept = (file.read_text("utf-8") for file in (tmp_path / "u_lite.svg", DOCS / "zoo" / "u_lite.svg"))
    assert _texts(fresh) == _texts(kept)
    assert fresh.count("<path") == kept.count("<path")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("losses", "dice", "--draw", "dice.svg"), "--draw draws models"),
        (("models", "unet", "--draw", "unet.gif"), "ending in .svg, .pdf, .png"),
        (("models", "unet", "--draw", "u.svg", "--set", "widht=3"), "did you mean 'width'"),
        (("models", "unet", "--draw", "u.svg", "--set", "width"), "write key=value"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(capsys, words, message):
    assert main(["show", *words]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.slow
def test_the_variant_of_the_page_is_planned_and_swept(tmp_path, command):
    section = PAGE[PAGE.index("## A variant of your own") :]
    for language, text in re.findall(r"```(python|yaml)\n(.*?)```", section, re.S):
        name = re.match(r"# (\S+)\n", text)
        assert name is not None, language
        (tmp_path / name[1]).write_text(text)
    words = (tmp_path / "mine.yaml", "--plugin", tmp_path / "my_parts.py", "--results", tmp_path)
    plan = command("plan", *words)
    assert plan.returncode == 0, plan.stderr
    assert "squeezed_skips(ratio=2, width=8)" in plan.stdout
    run = command("run", *words)
    assert run.returncode == 0, run.stderr
    assert [record.status for record in records(tmp_path / "mine")] == ["done"] * 3
