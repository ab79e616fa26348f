#!/usr/bin/env bash
# Keras 3.15.1: a layer that is registered under a name of its own and whose class is renamed loads from a .keras file
# without its weights.
#
# Expected: register_keras_serializable(package, name) fixes what files call the class, so that the code may rename it.
#           It does for the architecture: the file says `mine>Scale`, and the renamed class is found and built.
# Seen:     ValueError: Layer 'first' expected 1 variables, but received 0 variables during loading. Expected: ['w']
#           The weights lie in the same file under layers/scale, a path made from `__name__` and not from the registered
#           name nor from the layer's own; the renamed class looks under layers/per_channel_scale.
# Fails when the renamed class loads its weights, or fails in another way.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check keras==3.15.1 jax==0.10.2 numpy==2.4.6
cd "$folder"
cat > layers.py <<'PYTHON'
import keras


class CLASS(keras.layers.Layer):
    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1],), initializer="ones", name="w")

    def call(self, x):
        return x * self.w


keras.saving.register_keras_serializable("mine", name="Scale")(CLASS)
PYTHON
sed 's/CLASS/Scale/' layers.py > before.py
sed 's/CLASS/PerChannelScale/' layers.py > after.py
export KERAS_BACKEND=jax JAX_PLATFORMS=cpu
venv/bin/python - <<'PYTHON'
import keras
from before import Scale

image = keras.Input((3,))
model = keras.Model(image, keras.layers.Dense(2)(Scale(name="first")(image)))
model.layers[1].set_weights([model.layers[1].get_weights()[0] * 5])
model.save("model.keras")
PYTHON
venv/bin/python - <<'PYTHON'
import io
import warnings
import zipfile

import after  # noqa: F401  # registers the class
import h5py
import keras

with h5py.File(io.BytesIO(zipfile.ZipFile("model.keras").read("model.weights.h5"))) as file:
    print("in the file:", sorted(file["layers"]))
    assert "scale" in file["layers"] and "first" not in file["layers"], "changed"
try:
    keras.saving.load_model("model.keras")
except ValueError as error:
    message = " ".join(str(error).split())
    print("ValueError:", message[:230])
    assert "expected 1 variables, but received 0" in message, "changed"
else:
    raise SystemExit("changed: the renamed class loads")
PYTHON
echo "as described"
