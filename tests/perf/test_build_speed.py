"""How long it takes until a recipe can train: building it at its full width and tracing its training step.

    pytest tests/perf/test_build_speed.py --benchmark-enable --benchmark-columns=min,rounds

Every recipe that serves 2D, with patches of 256×256×3. Weights are made anew each time.
"""

import keras
import pytest
import tensorflow as tf

from unetbench.benchmark.graph import Graph
from unetbench.core.errors import Unfit
from unetbench.core.recipe import Recipe
from unetbench.core.task import Task
from unetbench.core.trial import Choice, Trial
from unetbench.models import MODELS

TASK, RECIPE = Task(2, 3, ("cell",)), Recipe(patch=(256, 256), batch=2)
IMAGES, TRUTHS = (tf.TensorSpec((2, 256, 256, channels), "float32") for channels in (3, 1))


def _ready(name: str) -> Graph:
    graph = Graph(Trial(Choice("cells"), {}, Choice(name), Choice("bce_dice"), RECIPE, 0), TASK)
    tf.function(lambda images, truths: graph.model.train_step((images, truths))).get_concrete_function(IMAGES, TRUTHS)
    return graph


@pytest.mark.slow
@pytest.mark.benchmark(group="build and trace")
@pytest.mark.parametrize("name", MODELS)
def test_a_recipe_of_2d_is_built_and_its_step_traced(benchmark, name):
    try:
        graph = benchmark.pedantic(_ready, (name,), rounds=1)
    except Unfit as error:
        pytest.skip(str(error))
    assert graph.model.count_params() > 0
    keras.backend.clear_session()
