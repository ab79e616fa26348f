"""The process that compares the layers of a quantised file with those of a float32 file; no TensorFlow in it."""

from pathlib import Path

import numpy as np

from ...core.errors import ConversionError
from ...core.registry import load_plugin
from ...core.trial import Choice
from ...runtimes.file_runtime import file_runtime
from ...runtimes.layer_errors import layer_errors
from .child import serve


def compare(
    runtime: Choice, plugins: tuple[str, ...], files: tuple[str, str], layers: list[str], images: np.ndarray
) -> dict[str, float]:
    """Errors by layer, the largest first, on images (n, *space, c).

    plugins: files of the user's own parts. files: the float32 one and the quantised one. layers: names of the
    network's. Raises ConversionError where nothing compares.
    """
    for plugin in plugins:
        load_plugin(plugin)
    kind = file_runtime(runtime.name, runtime.options)
    if kind is None or kind.layers is None:
        raise ConversionError(f"the layers of {runtime.label} cannot be looked into")
    full, quantised = map(Path, files)
    return layer_errors(kind.layers.outputs(full, quantised, images), layers)


if __name__ == "__main__":
    serve({"compare": compare})
