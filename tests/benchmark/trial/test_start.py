"""What a model really began with is in its record, whichever seed and whichever weights were asked for."""

from pathlib import Path

import keras
import numpy as np
import pytest

from unetbench.benchmark.records.store import records
from unetbench.benchmark.trial.compiled_model import CompiledModel
from unetbench.core.recipe import Recipe
from unetbench.core.task import Task
from unetbench.core.trial import Choice, Trial

FAULTY = Path(__file__).parents[1] / "faulty_parts.py"
TASK = Task(2, 3, ("cell",))


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A file of a mobilenet's weights without its top."""
    made = tmp_path_factory.mktemp("weights") / "mobilenet.weights.h5"
    keras.applications.MobileNet(include_top=False, weights=None, input_shape=(None, None, 3)).save_weights(made)
    return made


def _trial(weights, seed):
    model = Choice("encoder_unet", {"encoder": "mobilenet", "weights": weights})
    return Trial(Choice("cells"), {}, model, Choice("dice"), Recipe(patch=(32, 32), batch=2), seed)


def _encoder_and_decoder(graph):
    encoder = graph.model.get_layer("encoder")
    return [weight.numpy() for weight in encoder.weights], graph.model.trainable_weights[-2].numpy()


def test_the_next_seed_on_the_same_graph_begins_with_the_same_file_and_another_decoder(file):
    graph = CompiledModel(_trial(str(file), 0), TASK)
    encoder, decoder = _encoder_and_decoder(graph)
    began = graph.initialisation
    for variable in graph.model.variables:
        variable.assign(np.full(variable.shape, 0.5))
    graph.take(_trial(str(file), 1))
    again, other = _encoder_and_decoder(graph)
    assert all(np.array_equal(mine, theirs) for mine, theirs in zip(encoder, again, strict=True))
    assert not np.array_equal(decoder, other)
    assert graph.initialisation == began
    assert began["initial_weights"].startswith(f"{file}, SHA-256 ")


@pytest.mark.slow
def test_missing_weights_are_told_by_plan_run_record_and_report(tmp_path, command, write_sweep):
    sweep = write_sweep(tmp_path, "start", models=["starts_otherwise", "tiny"])
    words = (sweep, "--results", tmp_path, "--plugin", FAULTY)
    plan = command("plan", *words)
    assert plan.returncode == 0, plan.stderr
    assert "warning: starts_otherwise: weights asked of nobody could not be fetched; it starts at random" in plan.stdout
    run = command("run", *words)
    assert run.returncode == 0, run.stderr
    assert run.stderr.count("warning: weights asked of nobody could not be fetched; it starts at random") == 1
    models = {record.trial.model.name: record.model for record in records(tmp_path / "start")}
    assert {model["initial_weights"] for model in models.values()} == {"random"}
    assert models["starts_otherwise"]["missing_weights"] == "weights asked of nobody could not be fetched"
    assert "missing_weights" not in models["tiny"]
    (table,) = (tmp_path / "start" / "report").glob("*.md")
    assert "began at random: weights asked of nobody could not be fetched" in table.read_text("utf-8")
