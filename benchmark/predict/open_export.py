"""An export folder, ready to segment images, without Keras."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import ConversionError, Unavailable, one_line
from ...runtimes import RUNTIMES
from ...runtimes.file_runtime import SESSIONS, file_runtime
from ..deploy.about import About
from ..deploy.export import Export
from ..trial.predict import Forward
from ..trial.segmenter import Segmenter


def open_export(folder: Path, threads: int = 0) -> Segmenter:
    """The network of a folder that `unetbench export` wrote, in its runtime.

    What runs it is unetbench's own session of that runtime, never code of the folder. threads: 0 for one a core.
    Raises StoreError for a folder that is none or was changed, Unavailable where its runtime is not installed,
    ConversionError where it does not load.
    """
    export = Export.read(folder)
    about = About.of(export.about)

    def windows(_: tuple[int, ...]) -> dict[str, Any]:
        return {"window": about.window, "overlap": about.overlap, "batch": 1, "align": None}

    return Segmenter(
        source=about.source,
        task=about.task,
        preprocess=about.preprocess,
        forward=_forward(export.folder, about, threads),
        windows=windows,
        threshold=about.threshold,
        mirror=about.mirror,
        mirrored_axes=about.mirrored_axes,
        name=f"{about.network} on {about.runtime}, windows of {'×'.join(map(str, about.window))} by {about.overlap:g}",
        objects=about.objects,
        reading=about.reading,
    )


def _forward(folder: Path, about: About, threads: int) -> Forward:
    script = SESSIONS / f"{about.session}.py"
    spec = importlib.util.spec_from_file_location(f"session_{about.session}", script)
    if spec is None or spec.loader is None:
        raise Unavailable(f"{folder}: this version of unetbench has no session {about.session}; update it")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    file = folder / about.file
    try:
        run, _ = module.load(file, threads=threads, **about.options)
    except ModuleNotFoundError as error:
        install = f"pip install 'unetbench[{_extra(about.session)}]'"
        raise Unavailable(f"{folder}: {error.name} is not installed: {install}, or its requirements.txt") from None
    except Exception as error:  # the runtimes' own types are many
        raise ConversionError(f"{file}: cannot be loaded: {one_line(error)}") from error

    def forward(images: np.ndarray) -> np.ndarray:
        """A closed file takes one image at a time."""
        return np.concatenate([run(np.ascontiguousarray(images[k : k + 1])) for k in range(len(images))])

    return forward


def _extra(session: str) -> str:
    """The extra of unetbench that brings what a session needs."""
    kinds = (file_runtime(name, {}) for name in RUNTIMES)
    return next((kind.extra for kind in kinds if kind is not None and kind.session == session), "deploy")
