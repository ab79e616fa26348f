"""How long it takes until a recipe can train: building it at its full width and tracing its training step.

    pytest -m slow tests/perf/test_build_speed.py --benchmark-enable --benchmark-columns=min,rounds

Every recipe that serves 2D, with patches of 256×256×3, each in a process of its own as in a worker: Keras is loaded and
has built a small network before, which the time leaves out.
"""

import os
import subprocess
import sys

import pytest

from unetbench.models import MODELS

PROGRAM = """
import sys
import tensorflow as tf
from unetbench.benchmark.trial.compiled_model import Graph
from unetbench.core.errors import Unfit
from unetbench.core.recipe import Recipe
from unetbench.core.task import Task
from unetbench.core.trial import Choice, Trial

IMAGES, TRUTHS = (tf.TensorSpec((2, 256, 256, channels), "float32") for channels in (3, 1))

def ready(name):
    recipe = Recipe(patch=(256, 256), batch=2)
    graph = Graph(Trial(Choice("cells"), {}, Choice(name), Choice("bce_dice"), recipe, 0), Task(2, 3, ("cell",)))
    step = tf.function(lambda images, truths: graph.model.train_step((images, truths)))
    step.get_concrete_function(IMAGES, TRUTHS)
    return graph.model.count_params()

ready("unet_quarter")
print("warm", flush=True)
name = sys.stdin.readline().strip()
try:
    print(ready(name), flush=True)
except Unfit as error:
    print(error, flush=True)
"""


@pytest.mark.slow
@pytest.mark.benchmark(group="build and trace")
@pytest.mark.parametrize("name", MODELS)
def test_a_recipe_of_2d_is_built_and_its_step_traced(benchmark, name):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    # As `unetbench run` sets it: what TensorFlow would log of a trace costs up to a second.
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
    with subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment, **pipes) as child:

        def ready() -> str:
            child.stdin.write(f"{name}\n")
            child.stdin.flush()
            return child.stdout.readline().strip()

        assert child.stdout.readline() == "warm\n"
        answer = benchmark.pedantic(ready, rounds=1)
    if "needs rank 3" in answer:
        pytest.skip(answer)
    assert answer.isdigit()
    assert int(answer) > 0
