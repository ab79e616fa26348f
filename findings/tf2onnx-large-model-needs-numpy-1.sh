#!/usr/bin/env bash
# tf2onnx 1.17.0 with NumPy 2: `large_model=True`, which is what networks of more than 2 GB need and what keeps weights out
# of the graph, raises AttributeError for any function with a weight; the package asks for no older NumPy.
#
# Expected: a model and its external tensors, as with NumPy 1.
# Seen:     AttributeError: module 'numpy' has no attribute 'product'
# Fails when the conversion works or raises something else.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  tensorflow==2.21.0 keras==3.15.1 tf2onnx==1.17.0 onnx==1.23.2 protobuf==7.36.2 numpy==2.3.5
cd "$folder"
TF_CPP_MIN_LOG_LEVEL=3 venv/bin/python - 2>/dev/null <<'PYTHON'
import numpy as np
import tensorflow as tf
import tf2onnx

kernel = tf.Variable(np.ones((3, 3, 1, 8), "float32"))


@tf.function(input_signature=[tf.TensorSpec((1, 8, 8, 1), "float32", name="images")])
def network(images):
    return tf.nn.conv2d(images, kernel, (1, 1, 1, 1), "SAME")


tf2onnx.convert.from_function(network, input_signature=network.input_signature, opset=17)
print("without large_model: converted")
try:
    tf2onnx.convert.from_function(network, input_signature=network.input_signature, opset=17, large_model=True)
except AttributeError as error:
    print(f"large_model=True: AttributeError: {error}")
    assert str(error) == "module 'numpy' has no attribute 'product'", "changed"
else:
    raise SystemExit("changed: it converts")
PYTHON
echo "as described"
