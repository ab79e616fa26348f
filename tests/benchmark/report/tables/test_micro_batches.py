"""Tables say which trials computed a step in parts of its batch, why, and what that does to batch normalisation."""

from dataclasses import replace

import pytest

from unetbench.benchmark.report.frame import frames
from unetbench.benchmark.report.tables.micro_batches import micro_batch_remarks
from unetbench.benchmark.report.tables.notes import recipe_text, remarks
from unetbench.benchmark.report.tables.summary import comparison_tables
from unetbench.benchmark.report.tables.terminal import terminal_text
from unetbench.benchmark.report.tables.training import training_grid

TOLD = {"device": "cpu", "batch": 8, "first_step_s": 1.0, "steps_s": [0.1], "host_peak_bytes": 2**30}
PARTS = {**TOLD, "micro_batch": 4, "batch_statistics": True, "micro_because": "training on 8 does not fit"}


@pytest.fixture
def table(sweep, make):
    scores = [make.score(case, 0.8) for case in "ab"]
    folder = sweep(
        make.record(make.trial("vnet"), scores, training=PARTS),
        make.record(make.trial("unet"), scores, training={**PARTS, "batch_statistics": False}),
        make.record(make.trial("segnet"), scores, training=TOLD),
    )
    (found,) = comparison_tables(frames(folder, "nan_worst"))
    return found


def test_rows_that_ran_in_parts_are_named_with_the_reason_and_the_effect(table):
    lines = micro_batch_remarks(table)
    assert len(lines) == 2
    (batch,) = (line for line in lines if line.startswith("vnet: "))
    assert batch.startswith(
        "vnet: steps of 8 patches in parts of 4, gradients averaged, because training on 8 does not fit; batch "
        "normalisation saw 4 patches, so it is not what training on the whole batch gives ("
    )
    (exact,) = (line for line in lines if line.startswith("unet: "))
    assert "to rounding what the whole batch gives" in exact
    assert set(lines) <= set(remarks(table))
    assert "vnet: steps of 8 patches in parts of 4" in " ".join(terminal_text([table], 200).split())


def test_the_training_table_shows_how_many_were_computed_at_once(table):
    grid = training_grid(table)
    column = grid.headers.index("Batch")
    assert {row[0]: row[column] for row in grid.cells} == {"vnet": "8 by 4", "unet": "8 by 4", "segnet": "8"}


def test_a_recipe_that_asks_for_parts_is_another_table(table, sweep, make):
    trial = make.trial("vnet")
    asked = replace(trial, recipe=replace(trial.recipe, accumulate=2))
    told = {name: value for name, value in PARTS.items() if name != "micro_because"}
    folder = sweep(*(make.record(one, [make.score("a", 0.8)], training=told) for one in (trial, asked)), name="both")
    tables = comparison_tables(frames(folder, "nan_worst"))
    assert sorted(recipe_text(one) for one in tables) == [
        "standard v2 with patch=32x32, epochs=3",
        "standard v2 with patch=32x32, epochs=3, accumulate=2",
    ]
    assert all("because" not in line for one in tables for line in micro_batch_remarks(one))
