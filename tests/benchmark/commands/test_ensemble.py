"""`unetbench ensemble` makes one network of trained trials, which is exported and run like a single model."""

import contextlib
import json
from dataclasses import replace

import keras
import numpy as np
import pytest

from unetbench.benchmark.cli import main
from unetbench.benchmark.predict.open_export import open_export
from unetbench.benchmark.records.store import Store, read
from unetbench.benchmark.trial.context import Context, open_dataset
from unetbench.benchmark.trial.run_trial import WorkerCache, run_trial
from unetbench.core.recipe import Recipe
from unetbench.core.trial import Choice, Trial
from unetbench.datasets.source import Source


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Files of the records of a small U-Net from two seeds."""
    folder = tmp_path_factory.mktemp("ensemble")
    context = Context(Source(None, folder / "cache"), folder, folder / "results", "cells", weights=True, previews=0)
    dataset = Choice("cells", {"count": 12, "size": [32, 32]})
    split = {"digest": open_dataset(dataset, {}, context).split.digest}
    recipe = Recipe(patch=(32, 32), batch=4, epochs=1, steps=2, validation="full")
    trial = Trial(dataset, split, Choice("unet", {"width": 4, "depth": 1}), Choice("dice"), recipe, 0)
    store, cache = Store.here(context.results, context.sweep), WorkerCache()
    return [store.put(run_trial(replace(trial, seed=seed), context, cache, lambda event: None)) for seed in (0, 1)]


@pytest.fixture(scope="module")
def made(trained, tmp_path_factory):
    """What the command says of an ensemble of both, mirrored."""
    file = tmp_path_factory.mktemp("said") / "said.json"
    with file.open("w") as stream, contextlib.redirect_stdout(stream):
        words = ["ensemble", *map(str, trained), "--copies", "mirror", "--json", "--quiet"]
        assert main(words) == 0
    return json.loads(file.read_text())


def _images():
    return np.random.default_rng(0).standard_normal((1, 32, 32, 1)).astype(np.float32)


def _wanted(trained):
    """Mean of the probabilities of both members over the four mirrored copies, member by member."""
    images, found = _images(), []
    for file in trained:
        network = keras.saving.load_model(file.parents[2] / "weights" / file.parent.name / f"{file.stem}.keras")
        for axes in ((), (1,), (2,), (1, 2)):
            logits = np.array(network(np.flip(images, axes)), float)
            found.append(np.flip(1 / (1 + np.exp(-logits)), axes))
    return np.mean(found, axis=0)


def test_trained_trials_become_one_network_with_a_record_of_its_own(trained, made):
    record, members = read(trained[0].parent / f"{made['id']}.json"), [read(file) for file in trained]
    assert (record.status, made["status"]) == ("done", "done")
    assert record.trial.derivation.parents == tuple(member.trial.id for member in members)
    assert record.trial.derivation.brief == "mean of 2 seeds, mirrored copies"
    assert made["macs"] == record.model["macs"] == 8 * members[0].model["macs"]
    assert made["total"] == 2 * members[0].model["total"]
    assert record.latency[0]["runtime"] == "keras"
    found = np.array(keras.saving.load_model(made["weights"])(_images()), float)
    assert 1 / (1 + np.exp(-found)) == pytest.approx(_wanted(trained), abs=1e-6)


@pytest.mark.parametrize(
    ("runtime", "needs"),
    [("litert", "ai_edge_litert"), pytest.param("onnx", "onnxruntime", marks=pytest.mark.slow)],
)
def test_an_exported_ensemble_is_the_mean_of_its_members(trained, made, tmp_path, runtime, needs):
    pytest.importorskip(needs, reason=f"{needs} is not installed")
    out = tmp_path / "export"
    assert main(["export", made["record"], "--format", runtime, "--out", str(out)]) == 0
    about = json.loads((out / "model.json").read_text())
    assert about["mirror"] is False  # the copies are inside
    said = np.array(open_export(out).forward(_images()), float)
    assert 1 / (1 + np.exp(-said)) == pytest.approx(_wanted(trained), abs=1e-5)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{0}"], "ensemble: one trial is no ensemble; give two or more, or --copies mirror"),
        (["{0}", "{0}"], "seed 0 is there twice"),
        (["{0}", "{1}", "--most", "1"], "ensemble: --rounds and --most go with --choose greedy"),
        (["{0}", "--copies", "turns"], "ensemble: --copies: training turns images by up to 15 degrees"),
        (["{made}", "{0}"], "is an ensemble itself; give the trials that it is made of"),
    ],
)
def test_a_mistake_is_one_line(trained, made, capsys, words, message):
    places = {"made": made["record"]}
    assert main(["ensemble", *(word.format(*trained, **places) for word in words), "--quiet"]) == 2
    text = capsys.readouterr().err
    assert message in text
    assert text.count("\n") == 1
