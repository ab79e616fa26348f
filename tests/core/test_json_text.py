"""Whatever is wrong with JSON of others is a ValueError."""

import pytest

from unetbench.core.json_text import parsed, read_json


@pytest.mark.parametrize("text", ["", "{", "nul", '"\\u12"', "[" * 100_000, "9" * 5000, '{"a": "\\ud800"}'])
def test_what_is_no_json_or_cannot_be_written_again_is_a_value_error(text):
    with pytest.raises(ValueError):
        parsed(text)


def test_a_character_of_two_halves_is_one():
    assert parsed('"\\ud83d\\ude00"') == "\U0001f600"


def test_a_file_that_is_no_text_is_a_value_error(tmp_path):
    (tmp_path / "a.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError):
        read_json(tmp_path / "a.json")
