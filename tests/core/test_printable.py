"""Text of others steers no terminal, no direction of writing and no spreadsheet."""

import io

import pytest

from unetbench.core.printable import PrintableStream, csv_cell, one_line_printable, printable


def test_what_steers_a_terminal_is_shown_and_letters_of_any_script_stay():
    assert printable("\x1b[31mred\x07 naïve 細胞 \u202eabc") == "\\x1b[31mred\\x07 naïve 細胞 \\u202eabc"
    assert printable("a\tb\nc") == "a\tb\nc"
    assert one_line_printable("a\nb") == "a\\nb"


def test_a_name_of_a_file_that_is_no_utf_8_can_be_written():
    assert printable(b"caf\xe9".decode("utf-8", "surrogateescape")) == "caf\\udce9"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_text_that_a_spreadsheet_would_compute_begins_with_an_apostrophe(text):
    assert csv_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", [-1.5, -3, None, "unet", "a=b", ""])
def test_other_cells_stay_as_they_are(value):
    assert csv_cell(value) == value


def test_a_stream_writes_what_can_be_shown_and_is_else_the_one_below():
    below = io.StringIO()
    print("\x1b]0;title\x07", file=PrintableStream(below))
    assert below.getvalue() == "\\x1b]0;title\\x07\n"
    assert PrintableStream(below).getvalue() == below.getvalue()
