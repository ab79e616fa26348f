"""What tf2onnx makes of weights in memory, and that ours takes less for the same file."""

import os
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("tf2onnx")
pytest.importorskip("onnx")

PROGRAM = """
import resource, sys
import keras, numpy as np, tensorflow as tf
import onnx, tf2onnx
from contextlib import nullcontext
from unetbench.runtimes.tf2onnx_memory import weights_once

keras.utils.set_random_seed(0)
layers = [keras.layers.Conv3D(width, 3, padding="same", activation="relu") for width in {widths}]
model = keras.Sequential([keras.Input((8, 8, 8, 1), batch_size=1), *layers])

@tf.function(input_signature=[tf.TensorSpec((1, 8, 8, 8, 1), "float32", name="images")])
def logits(images):
    return model(images, training=False)

logits.get_concrete_function()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with weights_once() if sys.argv[1] == "once" else nullcontext():
    made, _ = tf2onnx.convert.from_function(logits, input_signature=logits.input_signature, opset=17)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / (4 * model.count_params()))
onnx.save(made, sys.argv[2])
"""


def _convert(widths, how: str, file) -> float:
    """Memory that a conversion adds, in sizes of the weights."""
    program = PROGRAM.replace("{widths}", repr(widths))
    run = subprocess.run([sys.executable, "-c", program, how, str(file)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    return float(run.stdout.split()[-1])


def test_the_file_computes_the_same_and_the_environment_is_as_before(tmp_path):
    ort = pytest.importorskip("onnxruntime")
    from unetbench.runtimes.tf2onnx_memory import CATCH_ERRORS, weights_once

    before = os.environ.get(CATCH_ERRORS)
    with weights_once():
        pass
    assert os.environ.get(CATCH_ERRORS) == before
    image = np.random.default_rng(0).normal(size=(1, 8, 8, 8, 1)).astype("float32")
    outputs = []
    for how in ("plain", "once"):
        _convert([4, 8, 2], how, tmp_path / f"{how}.onnx")
        outputs.append(ort.InferenceSession(str(tmp_path / f"{how}.onnx")).run(None, {"images": image})[0])
    assert np.array_equal(*outputs) and np.ptp(outputs[0]) > 0


@pytest.mark.slow
def test_tf2onnx_takes_memory_for_many_copies_of_the_weights_and_ours_for_few(tmp_path):
    """tf2onnx 1.17.0 with protobuf 7.36.2: this network added 59 times its weights to the process, and 22 times so."""
    widths = [192] * 8
    plain, once = (_convert(widths, how, tmp_path / "made.onnx") for how in ("plain", "once"))
    assert once < plain / 2, (plain, once)
