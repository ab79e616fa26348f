"""Decisions are written once each; what is in place follows from them, and a pointer names it."""

import json

import pytest

from unetbench.benchmark.records.updates import UNDO, UPDATE, Decision, Line, line_of, lines_at, pointed
from unetbench.core.errors import StoreError

FIRST, SECOND, THIRD = (f"records/desk/{digit * 16}.json" for digit in "abc")


@pytest.fixture
def line(tmp_path):
    for name in (FIRST, SECOND, THIRD):
        file = tmp_path / "nuclei" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}")
    return Line(tmp_path / "nuclei" / "updates" / "nuclei")


def _decision(number, before, model, act=UPDATE, *, replaced=True):
    current = model if replaced else before
    return Decision(number, act, replaced, "2026-01-01T00:00:00+00:00", "because", before, model, current)


def test_what_is_in_place_follows_from_the_decisions(line):
    assert line.models() == []
    line.add(_decision(1, FIRST, SECOND, replaced=False))
    assert line.models() == [FIRST]
    line.add(_decision(2, FIRST, SECOND))
    line.add(_decision(3, SECOND, THIRD))
    assert line.models() == [FIRST, SECOND, THIRD]
    assert pointed(line.pointer) == line.sweep / THIRD
    line.add(_decision(4, THIRD, SECOND, UNDO))
    line.add(_decision(5, SECOND, FIRST, UNDO))
    assert line.models() == [FIRST]
    assert pointed(line.pointer) == line.sweep / FIRST
    assert [one.number for one in line.decisions()] == [1, 2, 3, 4, 5]  # nothing is deleted


def test_a_decision_is_never_written_over(line):
    file = line.add(_decision(1, FIRST, SECOND))
    before = file.read_bytes()
    with pytest.raises(StoreError, match="0001.json: is there already; another command has decided meanwhile"):
        line.add(_decision(1, FIRST, THIRD))
    assert file.read_bytes() == before


def test_a_decision_that_was_edited_or_is_missing_is_told(line):
    for number, pair in enumerate([(FIRST, SECOND), (SECOND, THIRD)], 1):
        line.add(_decision(number, *pair))
    file = line.folder / "0002.json"
    told = json.loads(file.read_text())
    file.write_text(json.dumps({**told, "current": SECOND}))
    with pytest.raises(
        StoreError, match=r"0002.json: says that records/desk/b+.json is current, which does not follow"
    ):
        line.models()
    file.write_text(json.dumps({**told, "replaced": "yes"}))
    with pytest.raises(
        StoreError, match=r"0002.json: is no file of updates \(it: replaced is 'yes', not true or false\)"
    ):
        line.models()
    file.write_text(json.dumps({**told, "schema": 9}))
    with pytest.raises(StoreError, match="0002.json: schema 9 is newer than 1; update unetbench to read it"):
        line.models()
    file.write_text(json.dumps(told))
    (line.folder / "0001.json").unlink()
    with pytest.raises(StoreError, match=r"has decisions \[2\]; one of them is missing"):
        line.models()


def test_a_pointer_that_a_crash_left_behind_is_mended(line):
    line.add(_decision(1, FIRST, SECOND))
    line.point(FIRST, 0)
    line.mend()
    assert pointed(line.pointer) == line.sweep / SECOND
    line.pointer.unlink()
    line.mend()
    assert pointed(line.pointer) == line.sweep / SECOND


def test_a_pointer_whose_record_is_not_there_or_lies_elsewhere_is_one_line(line):
    line.add(_decision(1, FIRST, SECOND))
    (line.sweep / SECOND).unlink()
    with pytest.raises(StoreError, match=r"current.json: names .*, which is not there; copy the whole folder"):
        pointed(line.pointer)
    line.pointer.write_text(json.dumps({"schema": 1, "decisions": 1, "record": "../../etc/passwd.json"}))
    with pytest.raises(
        StoreError, match=r"current.json: is no file of updates \(it: record is .*, not records/MACHINE"
    ):
        pointed(line.pointer)


def test_a_record_finds_the_lines_in_which_it_is_first_or_current(line):
    line.add(_decision(1, FIRST, SECOND))
    line.add(_decision(2, SECOND, THIRD))
    other = line_of(line.sweep / SECOND, "other")
    other.add(_decision(1, SECOND, THIRD, replaced=False))
    assert [one.name for one in lines_at(line.sweep / FIRST)] == ["nuclei"]
    assert [one.name for one in lines_at(line.sweep / SECOND)] == ["other"]
    assert [one.name for one in lines_at(line.sweep / THIRD)] == ["nuclei"]
    assert line_of(line.pointer).folder == line.folder
