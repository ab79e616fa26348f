"""What the suite adds to the training steps themselves.

    pytest tests/perf/test_training_speed.py --benchmark-enable --benchmark-group-by=group

Read each group's ratio column: its first line is the bare step.
"""

from pathlib import Path

import keras
import numpy as np
import pytest

from unetbench.benchmark.trial.compiled_model import CompiledModel
from unetbench.benchmark.trial.context import Context, open_dataset
from unetbench.benchmark.trial.train import PatchDataset
from unetbench.core.recipe import Augmentation, Recipe
from unetbench.core.trial import Choice, Trial
from unetbench.datasets.patches import PatchSampler
from unetbench.datasets.source import Source

PATCH, BATCH, STEPS = (128, 128), 8, 6


class InMemory(keras.utils.PyDataset):
    """One batch, drawn beforehand, again and again: the fastest feed there can be."""

    def __init__(self, sampler):
        super().__init__()
        self.batch = sampler.batch(0, 0)

    def __len__(self):
        return STEPS

    def __getitem__(self, index):
        return self.batch


@pytest.fixture(scope="module")
def trial():
    recipe = Recipe(patch=PATCH, batch=BATCH)
    dataset = Choice("cells", {"count": 24, "size": [160, 160]})
    return Trial(dataset, {}, Choice("unet_quarter", {"normalisation": "batch"}), Choice("bce_dice"), recipe, 0)


@pytest.fixture(scope="module")
def sampler(trial, tmp_path_factory):
    folder = tmp_path_factory.mktemp("speed")
    opened = open_dataset(trial.dataset, {}, Context(Source(None, folder), folder, Path(folder), "speed"))
    cases = opened.split.cases("train")
    prepared = [opened.prepare(case) for case in cases]
    names = [case.name for case in cases]
    found = PatchSampler(prepared, names, PATCH, BATCH, steps=STEPS, seed=0, augment=Augmentation())
    return opened.task, found


@pytest.fixture(scope="module")
def graph(trial, sampler):
    found = CompiledModel(trial, sampler[0])
    found.model.fit(InMemory(sampler[1]), epochs=1, verbose=0)
    return found


def _epoch(graph, batches):
    graph.model.fit(batches, epochs=1, verbose=0, shuffle=False)


@pytest.mark.slow
@pytest.mark.benchmark(group="an epoch of six steps")
@pytest.mark.parametrize("batches", ["arrays in memory", "augmented patches"])
def test_an_epoch_from_the_pipeline_beside_one_from_memory(benchmark, graph, sampler, batches):
    source = InMemory(sampler[1]) if batches == "arrays in memory" else PatchDataset(sampler[1])
    benchmark.pedantic(_epoch, (graph, source), rounds=8, warmup_rounds=1)


@pytest.mark.slow
@pytest.mark.benchmark(group="one step under a seed")
@pytest.mark.parametrize("way", ["step alone", "reused step, new seed", "fresh graph"])
def test_a_further_seed_beside_a_fresh_graph(benchmark, trial, sampler, graph, way):
    task, source = sampler
    images, truths = source.batch(0, 0)

    def step():
        if way == "reused step, new seed":
            graph.take(trial)
        used = CompiledModel(trial, task) if way == "fresh graph" else graph
        return used.model.train_on_batch(images, truths, return_dict=True)["loss"]

    loss = benchmark.pedantic(step, rounds=2 if way == "fresh graph" else 6, warmup_rounds=1)
    assert np.isfinite(loss)
