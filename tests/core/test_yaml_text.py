"""YAML of others is plain values, and never more of them than fit."""

import pytest

from unetbench.core.yaml_text import LONGEST, parsed_yaml


def test_plain_values_are_read_as_yaml_has_them():
    assert parsed_yaml("a: [1, 2.5, true, null, word]\nb: {c: 1e-3, d: 0x10}") == {
        "a": [1, 2.5, True, None, "word"],
        "b": {"c": 1e-3, "d": 16},
    }
    assert parsed_yaml("") is None


def test_aliases_and_merges_are_read():
    assert parsed_yaml("a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}") == {
        "a": {"b": 1},
        "c": {"b": 1},
        "d": {"b": 1, "e": 2},
    }


def test_a_date_is_its_text():
    assert parsed_yaml("name: 2026-11-28") == {"name": "2026-11-28"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "not YAML"),
        ("!!python/object/apply:builtins.len [[]]", "not YAML: could not determine a constructor"),
        ("!!binary aGk=", "not YAML: could not determine a constructor"),
        ("!!set {a, b}", "not YAML: could not determine a constructor"),
        ("a: .nan", "is no finite number"),
        ("a: -.inf", "is no finite number"),
        (f"a: {2**63}", "a whole number has 64 bits at most"),
        ("a: 0b_", "invalid literal"),
        ('a: "\\ud800"', "text holds half a character"),
        ("[" * 5000, "lie too deep inside each other"),
        ("a: &a [*a]", "an alias stands for a value that it is a part of"),
        ("--- 1\n--- 2", "not YAML: expected a single document"),
        ("a: \x1b", "not YAML"),
    ],
)
def test_what_is_no_plain_value_is_refused(text, message):
    with pytest.raises(ValueError, match=message) as caught:
        parsed_yaml(text)
    assert "\n" not in str(caught.value)


def test_aliases_that_stand_for_very_many_values_are_refused_before_they_are_written_out():
    lines = ["l0: &l0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"l{k}: &l{k} [{', '.join([f'*l{k - 1}'] * 10)}]" for k in range(1, 8)]
    with pytest.raises(ValueError, match=r"its aliases stand for 1\.\d+e\+08 values; 500,000 at most"):
        parsed_yaml("\n".join(lines))


def test_a_text_of_more_than_a_mebibyte_is_refused():
    with pytest.raises(ValueError, match="characters; 1,048,576 at most"):
        parsed_yaml("a" * (LONGEST + 1))
