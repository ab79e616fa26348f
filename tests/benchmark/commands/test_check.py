"""`unetbench check models` builds the recipes and compares; a count that is not met fails."""

import json
from pathlib import Path

import pytest

from unetbench.benchmark.cli import main
from unetbench.benchmark.commands import check as command_check
from unetbench.models import MODELS
from unetbench.models.anatomy import published
from unetbench.models.anatomy.published import PUBLISHED, Published

TRUE = Published("unet_quarter", "the test", 1_941_105)
FALSE = Published("unet_quarter", "the test", 1_941_104)


@pytest.fixture
def table(monkeypatch):
    """Put these rows in the place of the table, as if the registry had no other recipes."""

    def put(*rows):
        monkeypatch.setattr(command_check, "_table", lambda: list(rows))

    return put


def test_the_json_has_a_row_with_counts_costs_and_sight(capsys, table):
    table(TRUE)
    assert main(["check", "models", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["name"], row["published"], row["source"]) == ("unet_quarter", 1_941_105, "the test")
    assert row["trainable"] == row["total"] == 1_941_105
    assert row["ok"] is True
    assert row["flops"] == 2 * row["macs"]
    # A quarter of the width has about a sixteenth of the original's 48.17 GMACs.
    assert 3.0 < row["macs"] / 1e9 < 3.1
    assert row["parameter_bytes"] == 4 * 1_941_105
    # Two 3×3 convolutions at five levels, down and up: 187 pixels the way down, 200 with those of the way up.
    assert row["receptive_field"] == [200, 200]
    # At full size 16 channels of the skip, 16 of the up-convolution and their 32 concatenated.
    assert row["peak_activation_bytes"] == 4 * 64 * 256 * 256
    assert row["size"] == [256, 256]


def test_a_count_that_is_not_met_is_told_and_the_status_is_1(capsys, table):
    table(TRUE, FALSE)
    assert main(["check", "models"]) == 1
    out = capsys.readouterr().out
    assert "NO  unet_quarter" in out
    assert "1 of 2 counts are the published ones" in out


def test_a_recipe_without_a_published_count_is_not_ok(capsys, table):
    table(Published("unet_quarter", "nobody"))
    assert main(["check", "models", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)[0]["ok"] is False


def test_another_size_changes_the_cost_and_not_the_count(capsys, table):
    table(TRUE)
    assert main(["check", "models", "--json", "--size", "128x256"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["size"] == [128, 256]
    assert 1.5 < row["macs"] / 1e9 < 1.55


def test_a_size_that_does_not_fit_is_noted_and_the_count_stays(capsys, table):
    table(TRUE)
    assert main(["check", "models", "--json", "--size", "100x100"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["macs"] is None
    assert "multiples of 16×16" in row["note"]


def test_a_size_that_is_none_is_refused(capsys):
    with pytest.raises(SystemExit) as error:
        main(["check", "models", "--size", "256"])
    assert error.value.code == 2
    assert "'256' is not a size" in capsys.readouterr().err


def test_every_registered_recipe_has_a_published_count():
    ours = {part.name for part in MODELS.parts().values() if part.module.startswith("unetbench.models")}
    assert ours == {row.recipe for row in PUBLISHED}
    assert all(row.count and row.source for row in PUBLISHED)


def test_no_row_of_the_table_stands_twice():
    keys = [(row.name, row.rank, row.channels, row.outputs) for row in PUBLISHED]
    assert len(keys) == len(set(keys))


def test_a_row_asks_for_the_counts_it_knows():
    both = published.Published("unet", "the test", 10, 12)
    assert both.meets(10, 12)
    assert not both.meets(10, 13)
    assert not both.meets(11, 12)
    assert published.Published("unet", "the test", total=12).meets(1, 12)


def test_the_page_of_the_zoo_has_every_row_of_the_table():
    page = (Path(published.__file__).parents[2] / "docs" / "zoo.md").read_text("utf-8")
    missing = [row.name for row in PUBLISHED if f"| `{row.name}` |" not in page or f"{row.count:,}" not in page]
    assert not missing
