#!/usr/bin/env bash
# tf2onnx 1.17.0 with protobuf 7.36.2 (the "upb" implementation): converting a function takes memory for dozens of copies
# of its weights, so that a network of some hundred MB ends in the out-of-memory killer.
#
# It copies the graph before each of twelve optimizers, several times over, and after each writes every constant into its
# node's message anew; upb frees what a repeated field held only with the whole message.
#
# Expected: a small multiple of the weights, say five times.
# Seen:     eight 3D convolutions of 192 filters (28 MB of weights) take 50 to 70 times their weights; a 3D attention
#           U-Net of 416 MB had taken 16 GB when it was stopped. The same function takes a third less where
#           TF2ONNX_CATCH_ERRORS is set (to anything at all, TRUE too: the name of the variable is compared with "TRUE"),
#           for then graphs are not copied.
# Fails when a conversion takes less than twenty times the weights.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  tensorflow==2.21.0 keras==3.15.1 tf2onnx==1.17.0 onnx==1.23.2 protobuf==7.36.2 numpy==2.3.5
cd "$folder"
cat > convert.py <<'PYTHON'
import resource

import numpy as np
import tensorflow as tf
import tf2onnx

widths = [1] + [192] * 8
rng = np.random.default_rng(0)
kernels = [
    tf.Variable(rng.normal(size=(3, 3, 3, a, b)).astype("float32") / a) for a, b in zip(widths[:-1], widths[1:])
]


@tf.function(input_signature=[tf.TensorSpec((1, 8, 8, 8, 1), "float32", name="images")])
def network(images):
    for kernel in kernels:
        images = tf.nn.relu(tf.nn.conv3d(images, kernel, (1,) * 5, "SAME"))
    return images


network.get_concrete_function()
weights = sum(kernel.numpy().nbytes for kernel in kernels)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
tf2onnx.convert.from_function(network, input_signature=network.input_signature, opset=17)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / weights)
PYTHON
plain="$(TF_CPP_MIN_LOG_LEVEL=3 venv/bin/python convert.py 2>/dev/null)"
uncopied="$(TF_CPP_MIN_LOG_LEVEL=3 TF2ONNX_CATCH_ERRORS=TRUE venv/bin/python convert.py 2>/dev/null)"
echo "memory in sizes of the weights: $plain; with TF2ONNX_CATCH_ERRORS=TRUE $uncopied"
venv/bin/python -c "import sys; plain, uncopied = map(float, sys.argv[1:]); sys.exit(plain < 20 or uncopied > 0.8 * plain)" "$plain" "$uncopied" || {
  echo "changed"
  exit 1
}
echo "as described"
