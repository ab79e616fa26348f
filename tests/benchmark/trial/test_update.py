"""Stages of continual learning: Fisher matrices by hand, what each method adds, and that a broken-off one goes on."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from unetbench.benchmark.records.store import Store
from unetbench.benchmark.sweep.continual import Continual
from unetbench.benchmark.trial.compiled_model import CompiledModel
from unetbench.benchmark.trial.context import Context, open_dataset
from unetbench.benchmark.trial.fisher import fisher, log_likelihood
from unetbench.benchmark.trial.origin import origin_of
from unetbench.benchmark.trial.run_trial import run_trial, train_trial
from unetbench.benchmark.trial.trained import WorkerCache
from unetbench.benchmark.trial.update import prepared
from unetbench.core.recipe import Recipe
from unetbench.core.task import Task
from unetbench.core.trial import Choice, Trial
from unetbench.datasets.source import Source
from unetbench.runtimes import RUNTIMES

BINARY = Task(2, 1, ("cell",), "binary", None)
UNET = Choice("unet", {"width": 4, "depth": 1, "normalisation": "batch"})
RECIPE = Recipe(patch=(32, 32), batch=4, epochs=2, steps=3, rate=0.01, threshold="tuned")
DATASET = Choice("cells", {"count": 48, "size": [32, 32], "domains": ["plain", "inverted"]})
SPLIT = {"train": 0.4, "validation": 0.2, "test": 0.4}
METHODS = (
    {"method": "finetune"},
    {"method": "replay", "keep": 4},
    {"method": "ewc", "weight": 1e9},
    {"method": "lwf", "weight": 0.5, "temperature": 2.0},
    {"method": "average", "share": 0.25},
)


def _silent(event):
    pass


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A context, and the records of all stages of one order by method and number of batches."""
    folder = tmp_path_factory.mktemp("continual")
    context = Context(Source(None, folder / "cache"), folder, folder / "results", "test", weights=True, previews=0)
    opened = open_dataset(DATASET, SPLIT, context)
    split = {**SPLIT, "digest": opened.split.digest}
    joint = Trial(DATASET, split, UNET, Choice("bce_dice"), RECIPE, 0, backend=keras.backend.backend())
    order = Continual("stratum", METHODS, (("plain", "inverted"),))
    store, records = Store.here(context.results, context.sweep), {}
    for trial in order.trials([joint], opened.split):
        record = run_trial(trial, context, WorkerCache(), _silent)
        assert record.status == "done", record.reason
        store.put(record)
        method = trial.derivation.options["method"] if trial.derivation else "first"
        records[method, trial.dataset.options["arrived"]["batches"][-1]] = record
    return context, records


def _stage(trained, method):
    return trained[1][method, "inverted"]


def _weights(trained, record):
    context, _ = trained
    file = Store.here(context.results, context.sweep).weights_of(record.trial.id)
    return [variable.numpy() for variable in keras.saving.load_model(file, compile=False).variables]


def _origin(trained, trial):
    context, _ = trained
    store = Store.here(context.results, context.sweep)
    return prepared(trial, origin_of(trial, store), context, store)


def _logistic(weight, bias):
    """z = w x + b at each pixel."""
    inputs = keras.Input((2, 2, 1))
    network = keras.Model(inputs, keras.layers.Conv2D(1, 1)(inputs))
    network.set_weights([np.full((1, 1, 1, 1), weight), np.array([bias])])
    return network


def test_the_fisher_matrix_of_a_logistic_model_by_hand():
    # Weight 0 and bias 0: p = 1/2. d l / d w is the mean of (y - p) x, d l / d b that of (y - p). Image one is all 2
    # with truth 1: 1/2 · 2 = 1 and 1/2; image two all 4 with truth 0: -1/2 · 4 = -2 and -1/2. Squares: 1, 4; 1/4, 1/4.
    patches = [
        (np.full((1, 2, 2, 1), 2, np.float32), np.ones((1, 2, 2, 1), np.uint8)),
        (np.full((1, 2, 2, 1), 4, np.float32), np.zeros((1, 2, 2, 1), np.uint8)),
    ]
    found = fisher(_logistic(0.0, 0.0), patches, BINARY)
    assert [float(one.ravel()[0]) for one in found] == pytest.approx([2.5, 0.25])


def test_ignored_pixels_have_no_share_in_a_fisher_matrix():
    task = replace(BINARY, ignore=255)
    images = np.array([2, 2, 100, 100], np.float32).reshape(1, 2, 2, 1)
    truths = np.array([1, 1, 255, 255], np.uint8).reshape(1, 2, 2, 1)
    found = fisher(_logistic(0.0, 0.0), [(images, truths)], task)
    assert [float(one.ravel()[0]) for one in found] == pytest.approx([1.0, 0.25])


def test_the_likelihood_is_that_of_the_classes_however_many_there_are():
    logits = np.log(np.array([0.2, 0.3, 0.5], np.float32)).reshape(1, 1, 1, 3)
    three = Task(2, 1, ("a", "b", "c"), "exclusive", None)
    value = log_likelihood(keras.ops.array([[[[1]]]]), keras.ops.array(logits), three)
    assert float(value[0]) == pytest.approx(np.log(0.3), rel=1e-5)
    value = log_likelihood(keras.ops.array([[[[1]]]]), keras.ops.array([[[[np.log(4.0)]]]]), BINARY)
    assert float(value[0]) == pytest.approx(np.log(0.8), rel=1e-5)


def test_every_stage_is_scored_on_the_test_cases_of_all_batches(trained):
    _, records = trained
    cases = {tuple(row["case"] for row in record.scores) for record in records.values()}
    assert len(cases) == 1
    record = _stage(trained, "finetune")
    assert set(record.data["batches"]) == set(next(iter(cases)))
    assert set(record.data["batches"].values()) == {"plain", "inverted"}
    assert record.data["train"] == records["first", "inverted"].data["train"]


def test_replay_has_kept_cases_and_their_bytes_beside_the_new_ones(trained):
    own, new = _stage(trained, "replay").data, _stage(trained, "finetune").data
    assert (own["train"] - new["train"], new["kept"]) == (4, {"cases": 0, "bytes": 0})
    cases = own["train"] - new["train"] + own["validation"] - new["validation"]
    assert own["kept"]["cases"] == cases
    assert own["kept"]["bytes"] % cases == 0
    assert own["kept"]["bytes"] >= cases * 32 * 32 * 2  # image and truth of a byte a pixel at least


def test_a_stage_begins_with_the_weights_of_the_one_before(trained):
    trial, first = _stage(trained, "finetune").trial, trained[1]["first", "plain"]
    compiled = CompiledModel(trial, BINARY, _origin(trained, trial))
    for mine, before in zip(compiled.get_weights(), _weights(trained, first), strict=True):
        assert np.array_equal(mine, before)
    assert compiled.initialisation["initial_weights"] == f"trial {first.trial.id}"


def test_ewc_holds_weights_that_matter_and_fine_tuning_does_not(trained):
    origin = _origin(trained, _stage(trained, "ewc").trial)

    def moved(method):
        found = _weights(trained, _stage(trained, method))
        paths = [variable.path for variable in origin.network.variables]
        own = [found[paths.index(one.path)] for one in origin.network.trainable_variables]
        pairs = zip(origin.fisher, own, origin.network.trainable_variables, strict=True)
        return sum(float((important * np.square(now - before.numpy())).sum()) for important, now, before in pairs)

    assert moved("ewc") < 0.05 * moved("finetune")


def _value(compiled, images, truths):
    return float(compiled.model.compute_loss(images, truths, compiled.forward(images)))


def test_the_losses_of_ewc_and_lwf_are_theirs_by_hand(trained):
    rng = np.random.default_rng(0)
    images, truths = rng.normal(size=(2, 32, 32, 1)).astype("float32"), rng.integers(0, 2, (2, 32, 32, 1), np.uint8)
    for method, weight in (("ewc", 3.0), ("lwf", 0.5)):
        trial = _stage(trained, method).trial
        options = {**trial.derivation.options, "weight": weight}
        trial = replace(trial, derivation=replace(trial.derivation, options=options))
        origin = _origin(trained, trial)
        compiled = CompiledModel(trial, BINARY, origin)
        plain = float(np.mean(compiled.loss(truths, compiled.forward(images))))
        assert _value(compiled, images, truths) == pytest.approx(plain, abs=1e-6)  # still the parent
        for variable in compiled.network.trainable_variables:
            variable.assign(variable.value + 0.1)
        plain = float(np.mean(compiled.loss(truths, compiled.forward(images))))
        if method == "ewc":
            more = 3.0 / 2 * 0.01 * sum(float(one.sum()) for one in origin.fisher)
        else:
            s, t = (np.asarray(one(images), float) / 2 for one in (compiled.forward, RUNTIMES["keras"](origin.network)))
            p, q = 1 / (1 + np.exp(-t)), 1 / (1 + np.exp(-s))
            more = 0.5 * 4 * np.mean(p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q)))
        assert _value(compiled, images, truths) == pytest.approx(plain + more, rel=2e-4)


def test_averaged_weights_lie_between_those_of_the_parent_and_of_fine_tuning(trained):
    """Fine-tuning and averaging train alike: the latter is a quarter of the way from the parent to the former."""
    before, tuned = _weights(trained, trained[1]["first", "plain"]), _weights(trained, _stage(trained, "finetune"))
    paths = [variable.path for variable in _origin(trained, _stage(trained, "average").trial).network.variables]
    mean, compared = _weights(trained, _stage(trained, "average")), 0
    for path, own, first, last in zip(paths, mean, before, tuned, strict=True):
        if "moving" not in path and "seed" not in path:
            assert own == pytest.approx(0.75 * first + 0.25 * last, abs=1e-5)
            compared += 1
    assert compared >= 8
    moving = [k for k, path in enumerate(paths) if "moving_mean" in path]
    assert any(np.abs(mean[k] - 0.75 * before[k] - 0.25 * tuned[k]).max() > 1e-4 for k in moving)  # taken anew


@pytest.mark.parametrize(
    "method", ["ewc", pytest.param("lwf", marks=pytest.mark.slow), pytest.param("average", marks=pytest.mark.slow)]
)
def test_a_stage_that_was_broken_off_goes_on_to_the_same_bits(trained, method):
    context, _ = trained
    trial = _stage(trained, method).trial
    train_trial(trial, context, WorkerCache(), _silent, {}, until=1)
    made = train_trial(trial, context, WorkerCache(), _silent, {})
    assert len(made.compiled.get_weights()) == len(_weights(trained, _stage(trained, method)))
    for mine, whole in zip(made.compiled.get_weights(), _weights(trained, _stage(trained, method)), strict=True):
        assert np.array_equal(mine, whole)
    Store.here(context.results, context.sweep).path("checkpoints", trial, ".npz").unlink(missing_ok=True)


def test_a_stage_whose_parent_is_not_there_says_so(trained, tmp_path):
    trial = _stage(trained, "finetune").trial
    context = replace(trained[0], results=tmp_path)
    record = run_trial(trial, context, WorkerCache(), _silent)
    assert record.status == "failed"
    assert record.reason.startswith(f"parent {UNET.label} ({trial.derivation.parent}) has no record")
