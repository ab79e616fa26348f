from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from unetbench.benchmark.trial.context import Context, open_dataset
from unetbench.benchmark.trial.evaluate import evaluate
from unetbench.benchmark.trial.train import Selection
from unetbench.benchmark.trial.windows import Windows
from unetbench.core.errors import DataError
from unetbench.core.trial import Choice
from unetbench.datasets.source import Source

SELECTION = Selection(epoch=1, score=0.5, monitor="dice", threshold=0.5)


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluate")
    choice = Choice("cells", {"count": 16, "size": [64, 64]})
    return open_dataset(choice, {}, Context(Source(None, folder), folder, Path(folder), "evaluate"))


def _evaluate(opened, cases):
    def forward(windows: np.ndarray) -> np.ndarray:
        return 4 * windows - 2

    windows = Windows((64, 64), (32, 32), 0, overlap=0.5, batch=2, grows=False, divisor=(1, 1))
    options = {"windows": windows, "mirror": False, "previews": 0, "on_progress": lambda progress: None}
    return evaluate(forward, SELECTION, cases, opened, **options)


def test_a_test_case_is_scored_with_its_instances_spacing_and_probabilities(opened):
    cases = opened.dataset.cases[:2]
    rows = _evaluate(opened, cases).scores
    assert [row["case"] for row in rows] == [case.name for case in cases]
    for row, case in zip(rows, cases, strict=True):
        assert row["objects"][0] == len(np.unique(case.read().instances)) - 1
        assert {"pq", "dsb2018_score", "hd95_directed", "nsd", "ece", "brier"} <= set(row)
        assert row["diagonal"] == pytest.approx(np.hypot(*(64 * edge for edge in opened.task.spacing_mm)))


def test_what_cannot_be_scored_is_an_error_that_names_the_case(opened):
    case = opened.dataset.cases[0]
    bent = replace(case, read=lambda: replace(case.read(), spacing_mm=(1.0, -1.0)))
    with pytest.raises(DataError, match=rf"{case.name}: spacing_mm is \(1.0, -1.0\)"):
        _evaluate(opened, [bent])


def test_a_case_that_cannot_be_read_any_more_leaves_the_others_scored(opened):
    def damaged():
        raise DataError("images/3.png: cannot be decoded")

    first, second = opened.dataset.cases[:2]
    found = _evaluate(opened, [replace(first, read=damaged), second])
    assert [row["case"] for row in found.scores] == [second.name]
    assert found.missing == ["images/3.png: cannot be decoded"]
    assert found.prediction()["windows"][0]["cases"] == 1
    with pytest.raises(DataError, match=r"no test case can be scored: images/3\.png"):
        _evaluate(opened, [replace(first, read=damaged)])


def test_touching_objects_are_parted_by_a_watershed_where_the_sweep_asks_for_it(opened):
    # The probability has two peaks of 0.98 joined by a bridge of 0.6: one component, two basins.
    logits = np.full((64, 64, 1), -4.0, np.float32)
    logits[20:30, 10:50], logits[20:30, 10:25], logits[20:30, 35:50] = 0.4, 4.0, 4.0
    case = opened.dataset.cases[0]
    windows = Windows((64, 64), (32, 32), 0, overlap=0.0, batch=1, grows=False, divisor=(1, 1))
    found = {}
    for objects in ("components", "watershed"):
        choice = replace(opened, objects=objects)
        scored = evaluate(
            lambda windows: np.broadcast_to(logits, windows.shape),
            SELECTION,
            [case],
            choice,
            windows=windows,
            mirror=False,
            previews=0,
            on_progress=lambda progress: None,
        )
        found[objects] = scored.scores[0]["objects"][1]
    assert found == {"components": 1, "watershed": 2}
