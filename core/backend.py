"""The Keras backends: which are installed here, and which one is used where nobody says. Keras is not imported."""

import json
import os
from collections.abc import Mapping
from importlib.machinery import PathFinder
from pathlib import Path

BACKENDS = ("tensorflow", "jax", "torch")
"""Names of the backends that can train, the usual one first; those of the packages, and of the extras but for
TensorFlow, which is installed with unetbench."""

FOR_GPUS = {
    "tensorflow": "pip install 'unetbench[gpu]' brings CUDA's libraries on Linux",
    "jax": "pip install 'jax[cuda12]' brings CUDA's libraries on Linux",
    "torch": "pip install torch of an index for CUDA, see pytorch.org",
}
"""What lets a backend see an NVIDIA GPU that is there."""


def installed(backend: str) -> bool:
    """Whether the package of a backend is there; it is not imported."""
    return PathFinder.find_spec(backend) is not None  # not through sys.meta_path, where loaders of ours may stand


def default_backend(environ: Mapping[str, str] = os.environ, folder: Path | None = None) -> str:
    """Return the backend that Keras is to use: KERAS_BACKEND, else that of Keras' own file, else the first installed.

    folder: of Keras' file `keras.json`, by default $KERAS_HOME or `~/.keras`. Keras writes TensorFlow into it wherever
    it runs first, so a backend that is not installed does not count there.
    """
    if environ.get("KERAS_BACKEND"):
        return environ["KERAS_BACKEND"]
    place = folder or Path(environ.get("KERAS_HOME") or Path.home() / ".keras")
    try:
        written = json.loads((place / "keras.json").read_text("utf-8")).get("backend", "")
    except (OSError, ValueError, AttributeError):  # Keras passes over such a file too
        written = ""
    return next((name for name in (written, *BACKENDS) if name in BACKENDS and installed(name)), BACKENDS[0])


def install(backend: str) -> str:
    """The words that install a backend."""
    return "pip install tensorflow" if backend == "tensorflow" else f"pip install 'unetbench[{backend}]'"
