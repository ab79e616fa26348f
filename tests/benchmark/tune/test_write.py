"""The report of a tuning is made from its folder alone: what was tried, what matters, tuned beside default."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml

from unetbench.benchmark.cli import main
from unetbench.benchmark.commands.status_tuning import tuning_state
from unetbench.benchmark.records.store import Store
from unetbench.benchmark.tune.results import read_tuning
from unetbench.benchmark.tune.store import SearchStore
from unetbench.benchmark.tune.write import write_tuning
from unetbench.core.record import Record
from unetbench.core.trial import Choice

MACHINE = "desk"
VERSIONS = {"keras-tuner": "1.4.8", "scikit-learn": "1.9.1"}


def _searched(fake, sweep, model, tuning, outcome=None):
    """A search whose files are in the folder."""
    default = replace(fake.default(), model=Choice(model))
    store = SearchStore(sweep, MACHINE)
    kept = store.search(default.id)
    search = fake.search(tuning, kept, default)
    kept.begin(default, tuning, search.space, lambda: VERSIONS)

    class Book(dict):
        def __setitem__(self, key, made):
            store.until[key[0]] = key[1]
            store.put(made.record)
            super().__setitem__(key, made)

    return fake.Player(Book(), outcome or fake.outcome).play(search)


def _tested(sweep, trial, dice, groups=8):
    """Records of a trial with two seeds and eight test cases around a Dice."""
    rng = np.random.default_rng(int(trial.id, 16) % 2**32)
    for seed in (1, 2):
        rows = []
        for k in range(8):
            value = float(np.clip(dice + 0.02 * np.sin(k) + 0.002 * rng.standard_normal(), 0, 1))
            hit = round(1000 * value)
            counts = {"tp": hit, "fp": 1000 - hit, "fn": 1000 - hit, "tn": 8000 + hit}
            rows.append(
                {"case": f"t{k}", "group": f"g{k % groups}", "class": "cell", **counts, "empty": "none", "dice": value}
            )
        about = {"machine": {"name": MACHINE}, "versions": {"backend": "tensorflow"}, "finished": "2026-01-02"}
        Store(sweep.parent, sweep.name, MACHINE).put(Record(replace(trial, seed=seed), "done", scores=rows, **about))


@pytest.fixture(scope="module")
def sweep(fake, tmp_path_factory):
    folder = tmp_path_factory.mktemp("results") / "mine"
    tuning = fake.tuning("random", trials=12)
    folder.mkdir()
    keys = {"name": "mine", "tune": {"engine": "random", "trials": 12, "space": {}}}
    (folder / "sweep.yaml").write_text(yaml.safe_dump(keys))
    for model, gain in (("unet", 0.05), ("attention_unet", 0.0)):
        search = _searched(fake, folder, model, tuning)
        _tested(folder, search.default, 0.8)
        _tested(folder, search.winner().trial, 0.8 + gain)
    _searched(fake, folder, "unet_light", tuning, lambda t, u: fake.outcome(t, u, status="unfit", reason="too deep"))
    return folder


@pytest.fixture(scope="module")
def report(sweep):
    return write_tuning(sweep)


def test_the_searches_are_read_back_as_they_went(fake, sweep):
    found = {one.name.model: one for one in read_tuning(sweep, "nan_worst")}
    assert len(found["unet"].search.attempts) == 12
    assert found["unet"].winner.score == max(attempt.score for attempt in found["unet"].search.attempts)
    assert found["unet_light"].winner is None
    assert found["unet_light"].problem.endswith("none is the best; the first: too deep")


def test_tuned_stands_beside_default_with_the_interval_of_their_paired_difference(sweep):
    found = {one.name.model: one.test for one in read_tuning(sweep, "nan_worst") if one.test}
    assert found["unet"].seeds == (1, 2)
    assert found["unet"].difference.mean == pytest.approx(0.05, abs=0.005)
    assert 0 < found["unet"].difference.low < 0.05 < found["unet"].difference.high
    same = found["attention_unet"].difference
    assert same.low < 0 < same.high
    assert same.p > 0.05


def test_the_page_and_the_tables_say_budget_engine_and_method(report):
    text = report.page.read_text()
    for words in (
        "Engine: random, settings drawn at random (keras-tuner 1.4.8, scikit-learn 1.9.1; seed 0).",
        "Budget of each search: 12 trials; trial 0 is the default and inside it.",
        "rate: 0.0001 to 0.1, log; augment.shift: 0 to 0.5; schedule: plateau, cosine, constant",
        "fANOVA (Hutter et al. 2014",
        "uncertain: 12 trials for 3 hyper-parameters",
        "seeds 1, 2, which the search did not use",
        "the first: too deep",
    ):
        assert words in text
    assert "data:image/png" in text
    assert report.notes == ()
    names = {file.name for file in report.files}
    assert names >= {"index.html", "cells.md", "cells-trace.png", "cells-importance.pdf", "trials.csv", "tuned.csv"}


def test_dashes_in_the_place_of_intervals_and_ranks_are_explained(fake, tmp_path):
    tuning = fake.tuning("random", trials=3)
    for model in ("unet", "attention_unet"):
        search = _searched(fake, tmp_path, model, tuning)
        for trial in (search.default, search.winner().trial):
            _tested(tmp_path, trial, 0.8, groups=4)
    text = write_tuning(tmp_path).page.read_text()
    assert ": 4 independent groups of test cases; at least 6 are needed." in text
    assert "Not ranked: 4 independent groups of test cases cannot tell 2 models apart." in text
    assert "Rank: the range" not in text


def test_trainings_of_the_winner_that_collapsed_are_marked(fake, tmp_path):
    search = _searched(fake, tmp_path, "unet", fake.tuning("random", trials=3))
    _tested(tmp_path, search.default, 0.8)
    _tested(tmp_path, search.winner().trial, 0.03)
    files = {file.suffix: file for file in write_tuning(tmp_path).files if file.stem in ("cells", "tuned")}
    text = files[".md"].read_text()
    assert ": 2 of 2 trials of the tuned setting collapsed, and the mean contains them." in text
    assert text.count("†") == 2
    assert pd.read_csv(files[".csv"])[["default_collapsed", "tuned_collapsed"]].to_numpy().tolist() == [[0, 2]]


def test_the_csv_has_every_trial_with_its_settings_and_its_cost(report):
    rows = pd.read_csv(report.page.parent / "trials.csv")
    assert len(rows) == 12 + 12 + 10
    assert rows.groupby("model")["trial"].min().eq(0).all()
    assert set(rows["state"]) == {"done", "failed"}
    done = rows[rows["state"] == "done"]
    assert done["seconds"].eq(90).all()
    assert done["rate"].between(1e-4, 1e-1).all()
    assert rows.loc[rows["trial"] == 0, "source"].eq("default").all()


def test_a_report_again_gives_the_same_bytes_and_leaves_other_files(report, sweep):
    before = {file: file.read_bytes() for file in report.files if file.suffix != ".html"}
    own = report.page.parent / "notes.txt"
    own.write_text("mine")
    write_tuning(sweep)
    assert {file: file.read_bytes() for file in before} == before
    assert own.read_text() == "mine"


def _of_searches(fake, folder, tuning):
    _searched(fake, folder, "unet", tuning)
    (folder / "sweep.yaml").write_text(yaml.safe_dump({"name": "mine", "tune": {"trials": tuning.budget.trials}}))


def test_a_search_broken_off_before_its_next_proposal_is_not_at_its_end(fake, tmp_path):
    _of_searches(fake, tmp_path, fake.tuning("bayesian", trials=8))
    for file in tmp_path.glob("tune/searches/*/*/000[67].json"):
        file.unlink()
    (found,) = read_tuning(tmp_path, "nan_worst")
    assert found.winner is None
    assert found.problem == "its budget is not used up; the same command goes on"
    (row,) = tuning_state(tmp_path)[MACHINE]
    assert (row["over"], row["trials"]) == (6, 8)


def test_a_search_of_a_whole_space_is_at_its_end_before_its_budget_is(fake, tmp_path):
    _of_searches(fake, tmp_path, fake.tuning("random", trials=8, space=fake.space[2:]))
    (found,) = read_tuning(tmp_path, "nan_worst")
    assert found.winner is not None
    (row,) = tuning_state(tmp_path)[MACHINE]
    assert (row["over"], row["trials"]) == (3, 3)


def test_a_search_keeps_its_budget_where_another_recipe_is_searched_with_less(fake, tmp_path):
    _of_searches(fake, tmp_path, fake.tuning("random", trials=6))
    (before,) = read_tuning(tmp_path, "nan_worst")
    (tmp_path / "sweep.yaml").write_text(yaml.safe_dump({"name": "mine", "tune": {"trials": 2}}))
    (after,) = read_tuning(tmp_path, "nan_worst")
    assert len(after.search.attempts) == 6
    assert after.winner.number == before.winner.number
    (row,) = tuning_state(tmp_path)[MACHINE]
    assert (row["over"], row["trials"]) == (6, 6)
    (file,) = tmp_path.glob("tune/searches/*/*/budget.json")
    file.unlink()  # as an earlier version leaves it
    assert len(read_tuning(tmp_path, "nan_worst")[0].search.attempts) == 2


def test_report_of_a_tuning_without_records_writes_what_was_tried(fake, tmp_path, capsys):
    _of_searches(fake, tmp_path, fake.tuning("random", trials=3))
    assert main(["report", str(tmp_path)]) == 0
    assert str(tmp_path / "report" / "tuning" / "index.html") in capsys.readouterr().out


def test_a_part_of_a_plugin_that_is_not_given_is_asked_for(fake, tmp_path, capsys):
    _of_searches(fake, tmp_path, fake.tuning("random", trials=3))
    (file,) = tmp_path.glob("tune/searches/*/*/search.json")
    file.write_text(file.read_text().replace('"bce"', '"loss_of_mine"'))
    assert main(["status", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "loss 'loss_of_mine' is unknown" in told
    assert told.endswith("; a part of your own needs its file, --plugin FILE\n")


def test_a_sweep_without_a_tuning_has_no_such_report(tmp_path):
    assert write_tuning(tmp_path) is None
