"""The bioimage.io model description of an export folder with ONNX weights: `rdf.yaml` and its two test tensors.

Written as plain data after the specification (https://github.com/bioimage-io/spec-bioimage-io, model 0.5), of which it
uses operations that mean the same as ours, and refuses what has none.
"""

import math
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ... import __version__
from ...core.errors import Unfit
from ...core.files import write
from ...runtimes.file_runtime import FileRuntime
from .export import DESCRIPTION, Plan, sha256

SPECIFICATION = "0.5.12"
"""Version of the model specification that is written."""

MOST_MISMATCHED = 5000
"""Elements per million that may differ by more than the tolerance: the most that the specification takes."""

LARGEST_TOLERANCE = 0.0099
"""Absolute tolerance over the test output's largest value: bioimageio.spec refuses more than 1 %, in float32."""

EPSILON = 1e-12
"""Added to a range before it divides. The specification wants one above 0; ours has none, so it is made to vanish.

bioimageio.core 0.11 reads no epsilon and takes 1e-6, which integers do not notice.
"""

AXES = {2: ("y", "x"), 3: ("z", "y", "x")}


def require_describable(label: str, kind: FileRuntime, plan: Plan) -> None:
    """Raise Unfit, one line, for what the specification has no words for. label: of the runtime."""
    preprocess = plan.preprocess
    problem = ""
    if kind.suffix != ".onnx":
        problem = f"takes ONNX weights, {label} has {kind.suffix}; take --format onnx"
    elif preprocess.clahe:
        problem = f"has no operation for preprocess.clahe ({preprocess.clahe:g})"
    elif preprocess.resize:
        problem = f"has no operation for preprocess.resize ({list(preprocess.resize)})"
    elif plan.source.channels != plan.task.channels:
        problem = f"has no operation for preprocess.colour ({preprocess.colour})"
    if problem:
        raise Unfit(f"export --bioimageio: a bioimage.io description {problem}; without --bioimageio it is exported")


def preprocessing(plan: Plan, dtype: np.dtype) -> list[dict[str, Any]]:
    """The operations that make of an image, as its file has it, what the network sees.

    dtype: of the data set's images; 8-bit colours share one range, other channels have each their own. Statistics are
    of one image: the batch axis is left out.
    """
    rule = plan.preprocess.normalise
    if rule == "none":
        return []
    colours = dtype == np.uint8 and plan.task.channels == 3
    axes = [*AXES[plan.task.rank], *(["channel"] if colours else [])]
    if rule == "zscore":
        # The mean of equal values is rounded, which a smaller epsilon would blow up.
        return [{"id": "zero_mean_unit_variance", "kwargs": {"axes": axes, "eps": 1e-6}}]
    low, high = (1.0, 99.8) if rule == "percentile" else (0.0, 100.0)
    kwargs = {"axes": axes, "min_percentile": low, "max_percentile": high, "eps": EPSILON}
    return [{"id": "scale_range", "kwargs": kwargs}]


def preprocessed(image: np.ndarray, steps: list[dict[str, Any]]) -> np.ndarray:
    """An image (*space, c) after the operations, as the specification defines them, float32.

    scale_range: (x - v_low) / (v_high - v_low + eps) with v of the percentiles; zero_mean_unit_variance:
    (x - mean) / (std + eps). kwargs.axes are those that the statistics are taken over.
    """
    names = [*AXES[image.ndim - 1], "channel"]
    made = image.astype(np.float64)
    for step in steps:
        kwargs = step["kwargs"]
        over = tuple(names.index(axis) for axis in kwargs["axes"])
        if step["id"] == "scale_range":
            percentiles = (kwargs["min_percentile"], kwargs["max_percentile"])
            low, high = np.percentile(made, percentiles, axis=over, keepdims=True)
            made = (made - low) / (high - low + kwargs["eps"])
        else:
            made = (made - made.mean(over, keepdims=True)) / (made.std(over, keepdims=True) + kwargs["eps"])
    return made.astype(np.float32)


def put_test_tensors(folder: Path, image: np.ndarray, probabilities: np.ndarray) -> None:
    """Keep an image (*window, c) as its file has it and the probabilities (*window, k) for it, float32, batch first."""
    for name, array in zip(DESCRIPTION[1:], (image, probabilities), strict=True):
        np.save(folder / name, np.ascontiguousarray(array[None], np.float32))


def put_description(
    folder: Path, plan: Plan, steps: list[dict[str, Any]], *, opset: int, tolerance: float, share: float
) -> None:
    """Write rdf.yaml about the files that are in the folder, their digests included.

    steps: of `preprocessing`. opset: of the ONNX file. tolerance: absolute, of a probability. share: of the
    probabilities that may differ by more; at most MOST_MISMATCHED of a million, else Unfit.
    """
    mismatched = math.ceil(share * 1e6)
    if mismatched > MOST_MISMATCHED:
        raise Unfit(
            f"export --bioimageio: {mismatched} of a million probabilities may differ from float64 by more than "
            f"{tolerance:.2g}, a bioimage.io description takes {MOST_MISMATCHED} at most; take --format onnx"
        )
    agreed = {
        "absolute_tolerance": float(tolerance),
        "relative_tolerance": 0.0,
        "mismatched_elements_per_million": mismatched,
        "output_ids": ["probabilities"],
        "weights_formats": ["onnx"],
    }
    about = {
        **_general(folder, plan),
        "inputs": [_input(folder, plan, steps)],
        "outputs": [_output(folder, plan)],
        "weights": {"onnx": {**_file(folder, "network.onnx"), "opset_version": opset}},
        "config": {"bioimageio": {"reproducibility_tolerance": [agreed]}, "unetbench": _settings(plan)},
    }
    write(folder / "rdf.yaml", yaml.safe_dump(about, sort_keys=False, allow_unicode=True).encode())


def _general(folder: Path, plan: Plan) -> dict[str, Any]:
    trial, rank = plan.trial, plan.task.rank
    name = " ".join([_part(trial["model"]), "on", _part(trial["dataset"]), trial["id"]])
    classes = ", ".join(plan.task.classes)
    made: dict[str, Any] = {
        "format_version": SPECIFICATION,
        "type": "model",
        "name": re.sub(r"[^A-Za-z0-9_+\- ()]+", "-", name)[-64:],
        "description": (
            f"Semantic segmentation ({plan.task.kind}) of {rank}D images: probabilities of {classes}. Trained by "
            f"unetbench {__version__} on {trial['dataset']} with the loss {trial['loss']}."
        )[:1024],
        "authors": [{"name": "the authors of this network"}],
        "cite": _cited(plan.citation),
        "documentation": _file(folder, "README.md"),
        "tags": ["semantic-segmentation", "unet", f"{rank}d"],
        "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return made | ({"license": licence} if (licence := _spdx(plan.licence)) else {})


def _input(folder: Path, plan: Plan, steps: list[dict[str, Any]]) -> dict[str, Any]:
    names = [f"channel{index}" for index in range(plan.task.channels)]
    return {
        "id": "image",
        "description": "An image, values as its file has them",
        "axes": _axes(plan, names),
        "data": {"type": "float32"},
        "preprocessing": steps,
        "test_tensor": _file(folder, DESCRIPTION[1]),
    }


def _output(folder: Path, plan: Plan) -> dict[str, Any]:
    exclusive = plan.task.kind == "exclusive"
    return {
        "id": "probabilities",
        "description": "Probability of each class",
        "axes": _axes(plan, list(plan.task.classes)),
        "data": {"type": "float32", "range": [0.0, 1.0]},
        "postprocessing": [{"id": "softmax", "kwargs": {"axis": "channel"}} if exclusive else {"id": "sigmoid"}],
        "test_tensor": _file(folder, DESCRIPTION[2]),
    }


def _axes(plan: Plan, channels: list[str]) -> list[dict[str, Any]]:
    """(batch, *space, channel), the order and the closed size of the ONNX file."""
    spacing = plan.task.spacing_mm
    space = []
    for index, (axis, edge) in enumerate(zip(AXES[plan.task.rank], plan.window, strict=True)):
        measured = {"unit": "micrometer", "scale": round(spacing[index] * 1000, 9)} if spacing else {}
        space.append({"type": "space", "id": axis, "size": int(edge), **measured})
    return [{"type": "batch", "size": 1}, *space, {"type": "channel", "id": "channel", "channel_names": channels}]


def _settings(plan: Plan) -> dict[str, Any]:
    """What we do and the specification cannot say."""
    about = plan.about()
    return {key: about[key] for key in ("trial", "labels", "threshold", "overlap", "mirror")} | {
        "pad": plan.preprocess.pad
    }


def _part(label: str) -> str:
    """The name in `name(option=value)`."""
    return label.partition("(")[0]


def _file(folder: Path, name: str) -> dict[str, str]:
    return {"source": name, "sha256": sha256(folder / name)}


def _cited(citation: str) -> list[dict[str, str]]:
    """An entry for each work that has a DOI; the specification takes no others."""
    found = [(work.strip(), re.search(r"\bdoi:(10\.[^\s,;()]+)", work)) for work in citation.split(";")]
    return [{"text": text, "doi": doi[1]} for text, doi in found if doi]


def _spdx(licence: str) -> str:
    """A Creative Commons or GNU licence by its SPDX identifier; "" for other words, which the README has."""
    known = re.fullmatch(r"CC0 1\.0|CC BY(-NC)?(-SA|-ND)? [1-4]\.0|GPL-[23]\.0", licence)
    return licence.replace(" ", "-") if known else ""
