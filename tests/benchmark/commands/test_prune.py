"""`unetbench prune` makes a lighter trial of a trained one and keeps its record and weights beside it."""

import json

import keras
import pytest

from unetbench.benchmark.cli import main
from unetbench.benchmark.naming.trial_names import TrialNames
from unetbench.benchmark.records.store import Store, read
from unetbench.benchmark.trial.context import Context, open_dataset
from unetbench.benchmark.trial.run_trial import WorkerCache, run_trial
from unetbench.core.recipe import Recipe
from unetbench.core.trial import Choice, Trial
from unetbench.datasets.source import Source


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The file of the record of a small U-Net."""
    folder = tmp_path_factory.mktemp("prune")
    context = Context(Source(None, folder / "cache"), folder, folder / "results", "cells", weights=True, previews=0)
    dataset = Choice("cells", {"count": 12, "size": [64, 64]})
    split = {"digest": open_dataset(dataset, {}, context).split.digest}
    recipe = Recipe(patch=(32, 32), batch=4, epochs=2, steps=2, validation="full")
    trial = Trial(dataset, split, Choice("unet", {"width": 8, "depth": 1}), Choice("dice"), recipe, 0)
    return Store.here(context.results, context.sweep).put(run_trial(trial, context, WorkerCache(), lambda event: None))


def test_a_trained_trial_is_pruned_and_its_child_pruned_again(trained, capsys):
    assert main(["prune", str(trained), "--channels", "0.5", "--epochs", "1", "--json", "--quiet"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["status"] == "done"
    assert told["total"] < 0.3 * told["parent_total"]
    child = read(trained.parent / f"{told['id']}.json")
    assert child.trial.derivation.parent == trained.stem == told["parent"]
    assert child.trial.training.epochs == len(child.history) == 1
    assert child.latency
    assert keras.saving.load_model(told["weights"]).count_params() == told["total"]

    assert main(["prune", told["weights"], "--sparsity", "0.5", "--epochs", "1", "--quiet"]) == 0
    text = capsys.readouterr().out
    assert "50.0 % of the kernels' weights are zero" in text
    again = read(next(file for file in trained.parent.glob("*.json") if file.name in text))
    assert again.trial.derivation.parent == told["id"]
    assert again.model["total"] == told["total"]
    trials = [read(trained).trial, child.trial, again.trial]
    names = TrialNames(trials)
    assert [names[trial].model for trial in trials] == [
        "unet",
        "unet, channels 0.5",
        "unet(width=8, depth=1), channels 0.5 (epochs=1, rate=0.001), magnitude 0.5",
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--channels", "1.5"], "prune: share: input should be less than 1, came 1.5"),
        (
            ["--sparsity", "0.5", "--multiple", "8"],
            "prune: --multiple is of --channels; --sparsity takes no channel out",
        ),
        (
            ["--channels", "0.5", "--ranking", "global", "--multiple", "8"],
            "prune.multiple: goes with ranking: layer; global takes channels out wherever they are",
        ),
        (["--sparsity", "0"], "prune: sparsity: input should be greater than 0, came 0.0"),
        (["--sparsity", "0.5", "--rate", "-1"], "prune: rate: input should be greater than 0, came -1.0"),
    ],
)
def test_a_share_that_cannot_be_is_one_line(trained, capsys, words, message):
    assert main(["prune", str(trained), *words]) == 2
    assert capsys.readouterr().err == f"unetbench: {message}\n"


def test_a_trial_without_weights_cannot_be_pruned(trained, tmp_path, capsys):
    file = tmp_path / "results" / "cells" / "records" / "desk" / trained.name
    file.parent.mkdir(parents=True)
    file.write_bytes(trained.read_bytes())
    assert main(["prune", str(file), "--channels", "0.5"]) == 2
    assert "its weights were not kept, so there is nothing to prune" in capsys.readouterr().err
