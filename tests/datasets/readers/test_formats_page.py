import re
from pathlib import Path

from unetbench.datasets.readers import suffixes

PAGE = Path(__file__).parents[3] / "docs" / "formats.md"


def test_the_page_lists_the_suffixes_that_are_read():
    head = PAGE.read_text(encoding="utf-8").split("Hidden files")[0]
    assert tuple(re.findall(r"`(\.[a-z0-9.]+)`", head)) == suffixes()
