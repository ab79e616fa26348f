"""An export folder, ready to segment images, without Keras."""

import importlib.util
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import ConversionError, Unavailable, one_line
from ...core.task import Task
from ...datasets.prepare import Preprocess
from ...datasets.readers import Reading
from ...runtimes.file_runtime import SESSIONS
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
    about = export.about
    preprocess = Preprocess(**_tuples(about["preprocess"]))
    window, overlap = tuple(about["window"]), float(about["overlap"])

    def windows(_: tuple[int, ...]) -> dict[str, Any]:
        return {"window": window, "overlap": overlap, "batch": 1, "align": None}

    return Segmenter(
        source=Task(**_tuples(about["source"])),
        task=Task(**_tuples(about["task"])),
        preprocess=preprocess,
        forward=_forward(export, threads),
        windows=windows,
        threshold=about["threshold"],
        mirror=about["mirror"],
        mirrored_axes=about["mirrored_axes"],
        name=f"{about['network']} on {about['runtime']}",
        objects=about["objects"],
        reading=Reading(**{**asdict(Reading()), **_tuples(about["reading"])}),
    )


def _forward(export: Export, threads: int) -> Forward:
    about = export.about
    file = SESSIONS / f"{Path(about['session']).name}.py"
    spec = importlib.util.spec_from_file_location(f"session_{about['session']}", file)
    if spec is None or spec.loader is None or not file.is_file():
        raise Unavailable(f"{export.folder}: this version of unetbench has no session {about['session']}; update it")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    try:
        run, _ = module.load(export.folder / about["file"], threads=threads, **about["options"])
    except ImportError as error:
        needed = " ".join((export.folder / "requirements.txt").read_text("utf-8").split())
        raise Unavailable(f"{export.folder}: {error.name} is not installed: pip install {needed}") from None
    except Exception as error:  # the runtimes' own types are many
        raise ConversionError(f"{export.folder / about['file']}: cannot be loaded: {one_line(error)}") from error

    def forward(images: np.ndarray) -> np.ndarray:
        """A closed file takes one image at a time."""
        return np.concatenate([run(np.ascontiguousarray(images[k : k + 1])) for k in range(len(images))])

    return forward


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
