"""`unetbench power` as a user runs it, on records made here."""

import json

import numpy as np
import pandas as pd
import pytest

from unetbench.benchmark.cli import main
from unetbench.benchmark.report.frame import frames
from unetbench.benchmark.report.power_report import text
from unetbench.benchmark.report.statistics.power import Question
from unetbench.benchmark.report.tables.power import power_table, subjects

GROUPS, SIZE = 12, 3


@pytest.fixture
def results(make, sweep):
    """A function that writes a sweep of models with so many seeds; each case has the group of its number."""

    def put(models=("unet", "vnet", "unet_light"), *, seeds=3, shift=0.008, group="g{}", only=None, **keys):
        generator = np.random.default_rng(4)
        cases = generator.normal(0.85, 0.04, GROUPS * SIZE)
        records = []
        for model in models:
            own = np.repeat(generator.normal(0, 0.01, GROUPS), SIZE) + generator.normal(0, 0.02, len(cases))
            for seed in range(seeds):
                dice = np.clip(cases + own + generator.normal(0, shift) + generator.normal(0, 0.01, len(cases)), 0, 1)
                rows = [
                    make.score(f"c{k}", float(value), group=group.format(k // SIZE))
                    for k, value in enumerate(dice)
                    if only is None or k in only[model]
                ]
                records.append(make.record(make.trial(model, seed=seed), rows))
        return sweep(*records, **keys)

    return put


def told(capsys, *words):
    status = main(["power", *map(str, words)])
    output = capsys.readouterr()
    return status, output.out, output.err


def said(folder, **options):
    """What is said of the one table of a sweep, without files."""
    read = frames(folder, "nan_worst")
    (subject,) = subjects(read)
    return text(power_table(read, subject, Question(), name="dice", **options))


def test_it_says_components_needs_and_the_floor_of_the_seeds(results):
    found = said(results())
    assert "| median of 3 pairs" in found
    assert "| unet and vnet" in found
    for name in ("groups", "cases of a group", "case × seed", "seeds"):
        assert f"\n| {name} " in found
    assert "36 cases in 12 groups, 3 seeds each" in found
    assert "More cases cannot mend the seeds" in found
    assert "--comparisons 3" in found


def test_it_writes_tables_and_a_curve(results, capsys):
    folder = results()
    told(capsys, folder)
    out = folder / "report" / "power"
    stem = "dsb2018-desk-8-cores-dice"
    assert (out / f"{stem}-curve.png").read_bytes().startswith(b"\x89PNG")
    pairs = pd.read_csv(out / f"{stem}-pairs.csv")
    assert len(pairs) == 3
    assert set(pairs["cases"]) == {36}
    curve = pd.read_csv(out / f"{stem}-curve.csv")
    assert sorted(set(curve["seeds"])) == [1, 3, 5, 10]
    for _, part in curve.groupby("seeds"):
        assert part["cases"].is_monotonic_decreasing
    assert np.isinf(curve[(curve["seeds"] == 3)]["cases"]).any()


def test_json_holds_the_same_as_numbers(results, capsys):
    status, output, _ = told(
        capsys, results(), "--json", "--seeds", "3", "6", "--difference", "0.03", "--measure", "iou"
    )
    (found,) = json.loads(output)
    assert status == 0
    assert found["measure"] == "iou"
    assert [row["seeds"] for row in found["needed"]] == [3, 6]
    assert found["question"]["difference"] == 0.03
    assert found["typical"]["groups"] == GROUPS
    assert all(row["present"] > row["unlimited"] > 0 for row in found["needed"])


def test_each_of_several_sweeps_has_its_own_folder(results, capsys, tmp_path):
    folders = [results(("unet", "vnet"), seeds=1, name=name) for name in ("first", "second")]
    for words in ([], ["--out", tmp_path / "out"]):
        told(capsys, folders[0].parent, "--json", "--seeds", "1", *words)
    assert all(list((folder / "report" / "power").glob("*.md")) for folder in folders)
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["first", "second"]


def test_one_seed_leaves_the_seeds_unknown(results):
    found = said(results(seeds=1))
    assert "One seed each: how much trainings differ is not in these records" in found
    assert "case × seed" not in found
    assert "unknown |" in found
    assert "| 3 " not in found.partition("## Needed")[2]


def test_cases_that_are_groups_of_their_own_are_counted_as_cases(results):
    found = said(results(group=""))
    assert "Cases needed" in found
    assert "Groups needed" not in found


def test_one_group_that_outweighs_the_others_is_said(make, sweep):
    generator = np.random.default_rng(6)
    records = [
        make.record(
            make.trial(model),
            [make.score(f"c{k}", float(generator.uniform(0.7, 0.9)), group="b" if k == 0 else "a") for k in range(90)],
        )
        for model in ("unet", "vnet")
    ]
    found = said(sweep(*records))
    assert "One of 2 groups, unequal, that weigh as 1, outweighs the others" in found
    assert "| unet and vnet |" in found


@pytest.mark.parametrize("models", ["unet,vnet", "unet · bce,vnet · bce", " unet , vnet "])
def test_a_pair_is_named_by_models_or_rows(results, models):
    found = said(results(), models=models)
    assert "| unet and vnet" in found
    assert "median" not in found


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--measure", "dise"], "--measure 'dise' is unknown; did you mean 'dice'"),
        (["--models", "unett,vnet"], "--models 'unett' is unknown; did you mean 'unet'"),
        (["--models", "unet"], "names no pair; give two of"),
        (["--power", "0.01"], "--power 0.01: is between the level (0.05) and 1"),
        (["--alpha", "0.6"], "--alpha 0.6: a level is below 0.5"),
        (["--deviation", "0.1"], "take the place of a folder of results"),
    ],
)
def test_what_is_not_there_is_one_line(results, capsys, words, message):
    status, output, error = told(capsys, results(), *words)
    assert (status, output) == (2, "")
    assert message in error
    assert error.count("\n") == 1


def test_one_group_is_one_line(results, capsys):
    status, _, error = told(capsys, results(group="patient 7"))
    assert status == 2
    assert "all 36 cases are one group (patient 7)" in error


def test_configurations_without_common_cases_are_one_line(results, capsys):
    only = {"unet": range(18), "vnet": range(18, 36)}
    status, _, error = told(capsys, results(("unet", "vnet"), only=only))
    assert status == 2
    assert "no two of the configurations have a defined dice on cases of two groups or more in common" in error


def test_scores_that_are_all_undefined_are_one_line(make, sweep, capsys):
    rows = [make.score(f"c{k}", None, empty="both") for k in range(8)]
    folder = sweep(make.record(make.trial("unet"), rows), make.record(make.trial("vnet"), rows))
    status, _, error = told(capsys, folder)
    assert status == 2
    assert "no configuration that did not collapse has a defined dice" in error


def test_a_collapsed_configuration_is_left_out_and_named(make, sweep, results):
    folder = results(("unet", "vnet"))
    rows = [make.score(f"c{k}", 0.0, empty="prediction", group=f"g{k // SIZE}") for k in range(36)]
    sweep(make.record(make.trial("tiny"), rows))
    found = said(folder)
    assert "Left out, for a trial collapsed: tiny" in found
    assert "| unet and vnet" in found


@pytest.mark.parametrize(("correlation", "found", "observed"), [(0.8, 249, 111), (0.5, 620, 273)])
def test_what_is_planned_needs_no_results(capsys, correlation, found, observed):
    words = ["--deviation", "0.1", "--correlation", correlation, "--one-sided"]
    status, output, _ = told(capsys, *words)
    assert status == 0
    assert f"one-sided: {found}\n" in output
    assert f"one-sided: {observed}\n" in output
    assert json.loads(told(capsys, *words, "--json")[1])["cases_if_observed"] == observed


def test_without_results_both_are_needed(capsys):
    status, _, error = told(capsys, "--deviation", "0.1")
    assert status == 2
    assert "give a folder of results, or --deviation and --correlation" in error
