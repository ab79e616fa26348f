import textwrap

import pytest

from unetbench.benchmark.lint.check import lint
from unetbench.benchmark.lint.table import Options


@pytest.fixture
def check(tmp_path):
    """Lint a text as a file of that name; returns the outcome."""

    def checked(text, name="table.md", *, ignored=(), **options):
        file = tmp_path / name
        file.write_text(textwrap.dedent(text).lstrip("\n"), "utf-8")
        return lint([str(file)], Options(**options), ignored=ignored)

    return checked


@pytest.fixture
def found(check):
    """The same, as (severity, rule, line) of each finding."""

    def listed(text, name="table.md", **options):
        return [(one.severity, one.rule, one.line) for one in check(text, name, **options).findings]

    return listed
