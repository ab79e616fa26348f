"""A card says what record and measurements say, and nothing typed."""

import re

import numpy as np
import pytest

from unetbench.benchmark.cli import main
from unetbench.benchmark.records import pretrained
from unetbench.benchmark.report.model_card import model_card, scores_of
from unetbench.benchmark.sweep import file

MODELS = [pretrained.named(name) for name in pretrained.shipped()]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_card_that_ships_is_the_one_of_its_record(model):
    assert model.card == model_card(model)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_its_dice_is_the_mean_of_the_scores_of_the_record(model):
    for name in {row["class"] for row in model.record.scores}:
        rows = [row for row in model.record.scores if row["class"] == name]
        values = [row["dice"] for row in rows if row["empty"] != "both"]
        assert all(row["dice"] == 0 for row in rows if row["empty"] in ("truth", "prediction"))
        row = next(line for line in model.card.splitlines() if "its own test images" in line and f"| {name} |" in line)
        assert f"| {np.mean(values):.3f} |" in row


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_every_other_source_has_a_row_and_a_licence(model):
    for other in model.measured["others"]:
        (row, *_) = (line for line in model.card.splitlines() if line.startswith(f"| another source: {other['text']}"))
        assert f"| {other['licence']} |" in row
        cases, groups = ({row[key] for row in other["rows"]} for key in ("case", "group"))
        assert f"| {len(cases)}, {len(groups)} |" in row
        assert (" | – | " in row) == (len(groups) < 6)  # no interval from fewer than six groups


def test_what_a_person_wrote_has_no_numbers_of_scores():
    for model in MODELS:
        for key in ("looks", "limits", "takes"):
            assert model.about[key]
            assert not [text for text in model.about[key] if re.search(r"0\.\d", text)]


def test_scores_are_means_over_cases_and_undefined_ones_are_left_out():
    def row(case, name, dice, empty="none"):
        return {"case": case, "group": case, "class": name, "dice": dice, "empty": empty}

    rows = [row("a", "x", 0.5), row("a", "y", 0.9), row("b", "x", 0.3), row("b", "y", None, "both")]
    assert scores_of(rows, "dice", "x")[0] == pytest.approx(0.4)  # (0.5 + 0.3) / 2
    assert scores_of(rows, "dice")[0] == pytest.approx(0.5)  # ((0.5 + 0.9) / 2 + 0.3) / 2
    assert np.isnan(scores_of(rows, "dice")[1])  # two groups give no interval


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_sweep_of_its_name_trains_it(model):
    trial, sweep = model.record.trial, file.read(file.find(model.name))
    (data,) = sweep.datasets
    assert (sweep.models, sweep.losses, sweep.seeds) == ((trial.model,), (trial.loss,), (trial.seed,))
    assert data.choice.canonical == trial.dataset.canonical
    assert data.recipe.canonical == trial.recipe.canonical
    assert sweep.weights


def test_list_and_show_tell_of_them(capsys):
    assert main(["list", "pretrained"]) == 0
    told = capsys.readouterr().out
    assert all(model.name in told for model in MODELS)
    assert main(["show", "pretrained", "nuclei-light"]) == 0
    assert capsys.readouterr().out == pretrained.named("nuclei-light").card
    assert main(["show", "pretrained", "nuclei"]) == 2
    assert "pretrained model 'nuclei' is unknown; did you mean 'nuclei-light'" in capsys.readouterr().err
