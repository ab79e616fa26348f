#!/usr/bin/env bash
# TensorFlow 2.21.0 (oneDNN 3.7.3): without AVX-512, a 2D convolution with batch normalisation of ONE image takes oneDNN's
# im2col path with reference post-processing, and is several times slower than the same for TWO images.
#
# Expected: predicting one image takes about half the time of two, or at worst as long.
# Seen:     convolution x64:gemm:jit for a batch of 1, brg_conv_fwd:avx2 for a batch of 2 (names as ONEDNN_VERBOSE prints
#           them); on two Zen 5 cores limited to AVX2: one 128×128×16 image 35 ms, two 2.1 ms.
#           With AVX-512 both take brg_conv_fwd and one is the faster.
# Why:      oneDNN leaves its AVX2 kernel for a batch of one in float32, and its matrix-product convolution has compiled
#           post-operations for AVX-512 only; TensorFlow fuses the normalisation into the convolution as such an operation.
# Fails when a batch of one is no longer convolved by gemm:jit, or a batch of two no longer by brg_conv_fwd.
# Needs x86-64 with AVX2; a processor with AVX-512 is limited by ONEDNN_MAX_CPU_ISA, oneDNN's own switch.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tensorflow==2.21.0 keras==3.15.1 numpy==2.4.6
cat > "$folder/one.py" <<'PYTHON'
import sys
import time

import numpy as np
import tensorflow as tf

kernel = tf.constant(np.random.default_rng(0).standard_normal((3, 3, 16, 16)), tf.float32)
ones, zeros = tf.ones(16), tf.zeros(16)


@tf.function(jit_compile=False)
def layer(x):
    x = tf.nn.conv2d(x, kernel, 1, "SAME")
    x = tf.raw_ops.FusedBatchNormV3(x=x, scale=ones, offset=zeros, mean=zeros, variance=ones, is_training=False)[0]
    return tf.nn.relu(x)


images = tf.random.normal((int(sys.argv[1]), 128, 128, 16))
seconds = []
for _ in range(12):
    begun = time.perf_counter()
    layer(images).numpy()
    seconds.append(time.perf_counter() - begun)
print(f"took {1e3 * min(seconds):.1f} ms")
PYTHON
export ONEDNN_MAX_CPU_ISA=AVX2 ONEDNN_VERBOSE=1 TF_CPP_MIN_LOG_LEVEL=3
for batch in 1 2; do
  "$folder/venv/bin/python" "$folder/one.py" "$batch" > "$folder/$batch.txt" 2> /dev/null
  implementation="$(grep 'exec,cpu,convolution' "$folder/$batch.txt" | cut -d, -f7 | sort | uniq -c | sort -rn | head -n 1 | awk '{print $2}')"
  echo "batch $batch: $implementation, $(grep '^took' "$folder/$batch.txt")"
  echo "$implementation" > "$folder/$batch.name"
done
grep -q 'gemm:jit' "$folder/1.name" || { echo "changed: a batch of one"; exit 1; }
grep -q 'brg_conv_fwd' "$folder/2.name" || { echo "changed: a batch of two"; exit 1; }
echo "as described"
