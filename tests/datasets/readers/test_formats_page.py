import re
import runpy
from pathlib import Path

import pytest

from unetbench.datasets.readers import suffixes

SCRIPT = runpy.run_path(str(Path(__file__).with_name("formats_page.py")))
TEXT = SCRIPT["PAGE"].read_text(encoding="utf-8")
SMALL = """# Page

## Images

Words.

| format | written by | what | read as |
|---|---|---|---|
| PNG | OpenCV | grey | gone |
| PNG | Pillow | grey | other |

## Other

| a | b |
"""


def test_the_page_lists_the_suffixes_that_are_read():
    assert tuple(re.findall(r"`(\.[a-z0-9.]+)`", TEXT.split("Hidden files")[0])) == suffixes()


def test_the_tables_are_made_from_the_tests():
    assert SCRIPT["from_tests"]() == TEXT, (
        "run `python tests/datasets/readers/formats_page.py`, which writes the tables"
    )


def test_the_markers_of_a_test_file_are_found_without_running_it():
    source = """
@pytest.mark.formats_row("Images", "PNG", "a long "
                         "cell")
@pytest.mark.parametrize("x", unknown())
@pytest.mark.formats_row("Images", "BMP")
def test_this(x): ...
"""
    assert SCRIPT["markers"](source) == [("Images", "PNG", "a long cell"), ("Images", "BMP")]


def test_rows_keep_their_place_and_new_ones_come_last():
    new, old = ("Images", "BMP", "Pillow", "grey", ""), ("Images", "PNG", "Pillow", "grey", "exactly")
    made = SCRIPT["page"](SMALL, [old[:4], new, old])
    rows = "| PNG | Pillow | grey | exactly |\n| BMP | Pillow | grey | |\n"
    assert made == SMALL.replace("| PNG | OpenCV | grey | gone |\n| PNG | Pillow | grey | other |\n", rows)


@pytest.mark.parametrize(
    ("marks", "message"),
    [
        ([("Pictures", "PNG", "Pillow", "grey", "exactly")], r"has no table \['Pictures'\]; it has \['Images'\]"),
        ([("Images", "PNG")], "has 1 cells; state all of .* or the first 3"),
        ([("Images", "PNG", "Pillow", "grey")], r"\('PNG', 'Pillow', 'grey'\) has no test that states the whole row"),
        ([("Images", "PNG", "Pillow", "grey", "a")] * 2, "is stated twice; state the first 3 cells"),
    ],
)
def test_markers_that_make_no_row_are_refused(marks, message):
    with pytest.raises(ValueError, match=message):
        SCRIPT["page"](SMALL, marks)
