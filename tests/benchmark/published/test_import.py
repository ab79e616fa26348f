"""From a published table and its mapping to the section of a report."""

import json
import math

import pytest
import yaml

from unetbench.benchmark.published.mapping import read_mapping
from unetbench.benchmark.published.results import published_results
from unetbench.benchmark.records.published import read_published, write_published
from unetbench.benchmark.report.published_report import PublishedReport
from unetbench.core.errors import DataError, SpecError, StoreError

TABLE = """\
| Method | A Dice (%) | B Dice (%) | C Dice (%) | A HD95 |
|--|--|--|--|--|
| U-Net | 81.8 ± 21.0 | 82.3 [78.0, 86.0] | 39.8 | 12.1 |
| Mine | 89.8 ± 12.0 | 89.9 [86.0, 93.0] | 62.8 | – |
"""
MAPPING = {
    "source": "Some et al. 2020",
    "doi": "10.1000/xyz.1",
    "model": "Method",
    "spread": "cases",
    "columns": {
        "A Dice (%)": {"measure": "dice", "dataset": "A", "cases": 100},
        "B Dice (%)": {"measure": "dice", "dataset": "B", "cases": 62},
        "C Dice (%)": {"measure": "dice", "dataset": "C", "cases": 196},
        "A HD95": {"measure": "hd95", "dataset": "A", "cases": 100},
    },
}


@pytest.fixture
def read(tmp_path):
    """What is read from a table with changes to the mapping."""

    def reading(text=TABLE, name="table.md", **changes):
        (tmp_path / name).write_text(text, "utf-8")
        (tmp_path / "map.yaml").write_text(yaml.safe_dump(MAPPING | changes), "utf-8")
        return published_results(tmp_path / name, read_mapping(tmp_path / "map.yaml"))

    return reading


def test_intervals_are_stated_or_reconstructed_and_called_so(read):
    results = {(one.dataset, one.measure, one.model): one for one in read().results}
    assert len(results) == 7  # the dash is no number
    stated = results["B", "dice", "U-Net"]
    assert (stated.interval, stated.low, stated.high, stated.how) == ("stated", 0.78, 0.86, "")
    by_spread = results["A", "dice", "U-Net"]  # 1.96 · 0.21 / 10 = 0.04116
    assert by_spread.interval == "reconstructed" and "stated sd" in by_spread.how
    assert (by_spread.low, by_spread.high) == pytest.approx((0.818 - 0.04116, 0.818 + 0.04116))
    usual = results["C", "dice", "U-Net"]  # 1.96 · 0.25 · sqrt(0.398 · 0.602) / 14 = 0.01713
    assert usual.interval == "reconstructed" and "usual sd" in usual.how
    assert usual.high == pytest.approx(0.398 + 1.96 * 0.25 * math.sqrt(0.398 * 0.602) / 14)
    distance = results["A", "hd95", "U-Net"]
    assert (distance.interval, distance.low, distance.value, distance.better) == ("none", None, 12.1, "lower")


def test_a_spread_over_seeds_is_no_interval_of_cases(read):
    (first, *_) = read(spread="seeds").results
    assert "usual sd" in first.how


def test_data_sets_may_stand_in_rows(read):
    text = "Data,Model,Dice\nA,U-Net,0.9\nB,U-Net,0.8\n"
    mapping = {"model": "Model", "columns": {"Dice": {"measure": "dice"}}, "cases": {"A": 50}}
    results = read(text, "t.csv", dataset_column="Data", **mapping).results
    assert [(one.dataset, one.cases, one.interval) for one in results] == [
        ("A", 50, "reconstructed"),
        ("B", None, "none"),
    ]
    with pytest.raises(SpecError, match="no data set for A"):
        read(text, "t.csv", **mapping)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"doi": "doi.org/10.1000/1"}, "doi: string should match pattern"),
        ({"spread": None}, "spread is missing: say what the ± of 81.8 ± 21.0 is over"),
        ({"model": "Metod"}, "model: column 'Metod' is unknown; did you mean 'Method'"),
        ({"columns": {"A Dice (%)": {"measure": "dcie", "dataset": "A"}}}, "'dcie' is unknown; did you mean 'dice'"),
        ({"columns": {"X": {"measure": "dice", "dataset": "A"}}}, "columns: column 'X' is unknown"),
        ({"colums": {}}, "key 'colums' is unknown; did you mean 'columns'"),
    ],
)
def test_a_wrong_mapping_is_one_line(read, changes, message):
    with pytest.raises(SpecError) as error:
        read(**changes)
    assert message in str(error.value)


def test_a_table_that_is_not_there_is_one_line(read):
    with pytest.raises(DataError, match="table 2 is not there; it has 1"):
        read(table=2)


def test_what_is_kept_is_read_again_and_damage_is_told(read, tmp_path):
    published = read()
    file = write_published(tmp_path, "some", published)
    assert read_published(tmp_path) == [published]
    content = json.loads(file.read_text())
    content["results"][0]["value"] = "high"
    file.write_text(json.dumps(content))
    with pytest.raises(StoreError, match="value is 'high', not a number; import its table anew"):
        read_published(tmp_path)


def test_the_section_names_sources_and_ranks_within_one_publication_only(read):
    published = read()
    notes = PublishedReport("s", (published, published)).notes
    assert "[1] Some et al. 2020, doi:10.1000/xyz.1" in notes
    ranks = [note for note in notes if "mean ranks" in note]
    assert [note[:3] for note in ranks] == ["[1]", "[2]"]
    assert "over 3 data sets of this publication: Mine 1.00, U-Net 2.00" in ranks[0]
    grid = PublishedReport("s", (published,)).grid
    assert grid.cells[0] == ("Mine", "A", "Dice", "0.898", "[0.874, 0.922]", "reconstructed (a)", "100", "[1]")


def test_what_lint_finds_in_the_table_is_told(read):
    text = "| Method | A Dice | A IoU |\n|--|--|--|\n| U-Net | 0.80 | 0.90 |\n"
    columns = {f"A {name}": {"measure": name.lower(), "dataset": "A"} for name in ("Dice", "IoU")}
    published = read(text, columns=columns)
    assert len(published.doubts) == 1 and "dice_iou" in published.doubts[0]
    told = PublishedReport("s", (published,)).notes[-1]
    assert told.startswith("[1] unetbench lint: table.md:3: impossible")
