"""Writes the tables of docs/formats.md from the markers `formats_row` of the tests: run it where a row changed.

A row is stated at one of the tests that prove it, `@pytest.mark.formats_row("Images", format, written by, what, read
as)`; the others state its cells before "read" only.
"""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "formats.md"
TESTS = ROOT / "tests" / "datasets"
_TABLE = re.compile(r"(?m)^(?P<head>(?P<header>\| .*)\n\|---.*\n)(?P<rows>(?:\|.*\n)*)")


def markers(source: str) -> list[tuple[str, ...]]:
    """The arguments of each `formats_row` marker of the functions in the source of a test file, in order."""
    found = []
    for node in ast.walk(ast.parse(source)):
        for mark in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.formats_row":
                found.append(tuple(ast.literal_eval(argument) for argument in mark.args))
    return found


def page(text: str, marks: list[tuple[str, ...]]) -> str:
    """The text of the page with its tables made of the markers.

    A row keeps its place as long as the cells before "read" stay as they are; new rows come last, in the order of the
    markers. Raises ValueError for a marker of no table or with other cells than its table, for a row of which only the
    first cells are stated and for one that is stated twice.
    """
    sections = re.split(r"(?m)^(?=## )", text)
    names = [section.partition("\n")[0].removeprefix("## ") for section in sections]
    known = [name for name, section in zip(names, sections, strict=True) if _TABLE.search(section)]
    if strange := {table for table, *_ in marks} - set(known):
        raise ValueError(f"formats_row: the page has no table {sorted(strange)}; it has {known}")
    for place, name in enumerate(names):
        own = [tuple(cells) for table, *cells in marks if table == name]
        sections[place] = _TABLE.sub(lambda found, own=own: found["head"] + _rows(found, own), sections[place])
    return "".join(sections)


def _rows(table: re.Match[str], marks: list[tuple[str, ...]]) -> str:
    header = _cells(table["header"])
    known = next(place for place, name in enumerate(header) if name.startswith("read"))
    rows: dict[tuple[str, ...], tuple[str, ...]] = {}
    for cells in marks:
        if len(cells) not in (known, len(header)):
            raise ValueError(f"formats_row: {cells} has {len(cells)} cells; state all of {header} or the first {known}")
        if len(cells) > known:
            if cells[:known] in rows:
                raise ValueError(f"formats_row: {cells[:known]} is stated twice; state the first {known} cells there")
            rows[cells[:known]] = cells
    if lone := {cells[:known] for cells in marks} - set(rows):
        raise ValueError(f"formats_row: {min(lone)} has no test that states the whole row")
    places = {_cells(line)[:known]: place for place, line in enumerate(table["rows"].splitlines())}
    return "".join(_line(rows[key]) for key in sorted(rows, key=lambda key: places.get(key, len(places))))


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip()[1:-1].split("|"))


def _line(cells: tuple[str, ...]) -> str:
    return "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|\n"


def from_tests() -> str:
    """The page as the tests in tests/datasets state it."""
    files = sorted(TESTS.rglob("test_*.py"))
    marks = [mark for file in files for mark in markers(file.read_text(encoding="utf-8"))]
    return page(PAGE.read_text(encoding="utf-8"), marks)


if __name__ == "__main__":
    PAGE.write_text(from_tests(), encoding="utf-8")
