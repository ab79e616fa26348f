import re

import pytest

from unetbench.benchmark.report.page.document import SHOWN, UNFOLDED, Section, sections_page
from unetbench.benchmark.report.tables.grid import Grid


def page_of(rows: int) -> str:
    cells = tuple((f"model {k}", "bce", f"0.{k:03d}") for k in range(rows))
    grid = Grid("scores", ("Model", "Loss", "Dice"), cells, bold=frozenset({0, rows - 1}))
    return sections_page("nuclei", "", [Section("scores", (), grid, ())])


@pytest.mark.parametrize(("rows", "folded"), [(1, False), (UNFOLDED, False), (UNFOLDED + 1, True), (200, True)])
def test_a_long_table_shows_its_first_rows_and_folds_the_whole(rows, folded):
    text = page_of(rows)
    whole = re.search(r"<details><summary>All (\d+) rows</summary>(.*)</details>", text)
    assert bool(whole) == folded
    if whole:
        assert int(whole[1]) == rows == whole[2].count("<tr") - 1
        assert text.count("<tr") == rows + SHOWN + 2
    else:
        assert text.count("<tr") == rows + 1
