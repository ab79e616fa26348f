"""A trained trial as a folder that runs without Keras and without unetbench, tested before it is finished."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import yaml

from ... import __version__
from ...core.errors import ConversionError, SpecError, StoreError, Unfit
from ...core.files import write
from ...core.task import Task
from ...core.trial import Choice
from ...runtimes.file_runtime import FileRuntime, file_formats, file_runtime
from ..naming.names import described
from ..trial.predict import sigmoid, softmax
from .bioimageio import (
    LARGEST_TOLERANCE,
    preprocessed,
    preprocessing,
    put_description,
    put_test_tensors,
    require_describable,
)
from .candidate import Candidate, Converters
from .example.segment import Model, share_beyond
from .export import Export, Plan, finish, moved, put_self_test
from .measure import Comparison
from .trained_trial import CALIBRATION, TrainedTrial

SHARE = 0.001
"""Of a self-test's probabilities, beside those measured, that may differ by more than the tolerance."""

REDUCED = 0.05
"""Difference of a probability from float64 that the self-test of a file of reduced precision looks at: a step of an
8-bit sigmoid near a half."""

LARGEST = 0.05
"""Share of probabilities beyond it with which a file is not exported: it is not the network that was trained."""


def export(
    trained: TrainedTrial,
    runtime: Choice,
    folder: Path,
    *,
    window: Sequence[int] | None = None,
    threads: int = 0,
    bioimageio: bool = False,
) -> Export:
    """Write the folder of a runtime's file. window: edges of the images it takes, by default the recipe's patch.

    bioimageio: with a bioimage.io model description, which only ONNX files have. An export that is there before stays
    until the new one is finished.

    Raises Unavailable, Unfit, ConversionError for what cannot be converted or does not agree with float64, StoreError
    for a folder that holds something else, SpecError for a window of another rank.
    """
    if window and len(window) != trained.task.rank:
        size = "x".join(map(str, window))
        raise SpecError(f"--size: {size} has {len(window)} edges, images have {trained.task.rank}")
    kind = file_runtime(runtime.name, runtime.options)
    if kind is None or not kind.portable:
        raise Unfit(f"export: {runtime.label} runs in Keras and has no file; {', '.join(file_formats())} are possible")
    kind.require(runtime.label, trained.task.rank)
    _require_free(folder)
    plan = trained.plan(window)
    if bioimageio:
        require_describable(runtime.label, kind, plan)
    calibration = trained.windows("validation", plan.window, CALIBRATION) if kind.calibrated else None
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (
        Converters(trained.weights, trained.exports, trained.plugins, trained.backend) as converters,
        TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as part,
    ):
        candidate = converters.open(runtime, plan, threads=threads, calibration=calibration, folder=Path(part))
        try:
            _finish(trained, converters, candidate, kind, plan, Path(part), bioimageio=bioimageio)
        finally:
            candidate.child.close()
        return moved(Path(part), folder)


def _finish(
    trained: TrainedTrial,
    converters: Converters,
    candidate: Candidate,
    kind: FileRuntime,
    plan: Plan,
    folder: Path,
    *,
    bioimageio: bool,
) -> None:
    found = Comparison.of(trained, converters, plan, role="validation").with_candidate(candidate)
    apart, bound = found["difference"], found["gate"]
    if kind.precision == "float32" and apart > bound:
        raise ConversionError(
            f"export: {candidate.runtime.label} differs from float64 by {apart:.2g} in a probability, {bound:.2g} is "
            "what float32 explains; take another format"
        )
    case = trained.opened.split.cases("validation")[0]
    image = _cropped(case.read().image, plan)
    wanted = Model(Path(candidate.child.ask("folder")), run=converters.reference).probabilities(image)
    tolerance = bound if kind.precision == "float32" else REDUCED
    beyond = share_beyond(candidate.probabilities(image), wanted, tolerance)
    if beyond > LARGEST:
        raise ConversionError(
            f"export: {candidate.runtime.label} differs from float64 by more than {tolerance:g} in {beyond:.0%} of the "
            "probabilities; take another format"
        )
    put_self_test(folder, image, wanted)
    share = 0.0 if kind.precision == "float32" else 2 * beyond + SHARE
    further = {
        "batch": 1,
        "network": converters.network["digest"],
        "conversion": {key: value for key, value in candidate.facts.items() if key not in ("load_s", "session")},
        "difference": apart,
        "self_test": {"case": case.name, "tolerance": tolerance, "share": share},
    }
    _put_texts(trained, candidate, kind, plan, folder, bioimageio=bioimageio)
    if bioimageio:
        _describe(trained, converters, candidate, plan, folder, tolerance=tolerance)
    finish(folder, plan, candidate.runtime.label, kind, further)


def _require_free(folder: Path) -> None:
    """Raise StoreError for a folder that holds anything but an export."""
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir()) and not _is_export(folder)):
        raise StoreError(f"{folder}: is there and is no export folder; give another --out")


def _is_export(folder: Path) -> bool:
    """Whether it was laid out for an export, finished or not."""
    return all((folder / name).is_file() for name in ("segment.py", "session.py"))


def _cropped(image: np.ndarray, plan: Plan) -> np.ndarray:
    """The middle of an image, a window large where it is larger."""
    starts = [max(0, (n - w) // 2) for n, w in zip(image.shape, plan.window, strict=False)]
    return image[tuple(slice(s, s + w) for s, w in zip(starts, plan.window, strict=True))]


def _describe(
    trained: TrainedTrial,
    converters: Converters,
    candidate: Candidate,
    plan: Plan,
    folder: Path,
    *,
    tolerance: float,
) -> None:
    """Write the bioimage.io description, tested with a window of a validation case."""
    import onnx

    image = _raw_window(trained, plan)
    steps = preprocessing(plan, image.dtype)
    seen = preprocessed(image.astype(np.float32), steps)[None]
    activation = softmax if plan.task.kind == "exclusive" else sigmoid
    wanted, found = activation(converters.reference(seen))[0], activation(candidate.forward(seen))[0]
    tolerance = min(tolerance, LARGEST_TOLERANCE * float(wanted.max()))
    beyond = share_beyond(found, wanted, tolerance)
    put_test_tensors(folder, image, wanted)
    network = onnx.load(str(folder / "network.onnx"), load_external_data=False)
    opset = next(one.version for one in network.opset_import if one.domain in ("", "ai.onnx"))
    share = 2 * beyond + (SHARE if candidate.facts["precision"] != "float32" else 0.0)
    put_description(folder, plan, steps, opset=opset, tolerance=tolerance, share=share)


def _raw_window(trained: TrainedTrial, plan: Plan) -> np.ndarray:
    """The middle of a validation case as its file has it (*window, c), mirrored at its ends where it is smaller."""
    for case in trained.opened.split.cases("validation"):
        image = case.read().image
        if image.shape[-1] == plan.task.channels:
            image = _cropped(image, plan)
            short = [(0, w - n) for n, w in zip(image.shape, plan.window, strict=False)]
            return np.pad(image, [*short, (0, 0)], "symmetric")
    raise Unfit(f"export --bioimageio: no validation case has {plan.task.channels} channels as its file has it")


def _put_texts(
    trained: TrainedTrial, candidate: Candidate, kind: FileRuntime, plan: Plan, folder: Path, *, bioimageio: bool
) -> None:
    requirements = ["numpy", *(kind.packages[module] for module in kind.session_packages)]
    if plan.preprocess.clahe:
        requirements.append("opencv-python-headless")
    write(folder / "requirements.txt", ("\n".join(requirements) + "\n").encode())
    readme = _readme(trained, candidate, plan, requirements) + (_bioimageio_section(plan) if bioimageio else "")
    write(folder / "README.md", readme.encode())
    write(folder / "CITATION.cff", yaml.safe_dump(_citation(trained, plan), sort_keys=False).encode())


def _readme(trained: TrainedTrial, candidate: Candidate, plan: Plan, requirements: Sequence[str]) -> str:
    trial, task = trained.record.trial, plan.source
    size = "×".join(map(str, plan.window))
    values = "; ".join(f"{value} {name}" for value, name in plan.labels().items())
    licence = plan.licence or "of the data set: not stated"
    return f"""# {trial.network} on {described(trial.dataset)}, for {candidate.runtime.label}

A segmentation network of {task.rank}D images (channels: {_channels(task)}), trained with the loss {trial.loss.label}
and seed {trial.seed} by unetbench {__version__} (trial {trial.id}). It runs with NumPy and its runtime, in windows of
{size} pixels; images of any size are cut into them.

```sh
pip install {" ".join(requirements)}
python segment.py --self-test
python segment.py IMAGE.npy LABELS.npy
```

An image is an array (*space, channels) as its file has it; scaling and resizing are done here (`preprocess` in
`model.json`). Labels: {values}.

- `network.*`: the network. `session.py` runs it, `segment.py` does what comes before and after.
- `selftest.npz`: a crop of the validation case {trained.opened.split.cases("validation")[0].name} and the probabilities
  that float64 gives for it. `model.json`: all settings, and a SHA-256 of every file.

Trained on: {plan.citation or described(trial.dataset)}. Licence of these data: {licence}.
"""


def _channels(task: Task) -> str:
    """How many channels there are and, where they are named, the modalities in their order."""
    told = ", ".join(name if count == 1 else f"{name} ({count})" for name, count in task.modalities)
    return f"{task.channels}, {told}" if told else str(task.channels)


def _bioimageio_section(plan: Plan) -> str:
    decided = (
        "the class of the largest probability"
        if plan.task.kind == "exclusive"
        else f"1 where a probability is at least {plan.threshold:g}"
    )
    mirrored = ", and over mirrored images" if plan.mirror else ""
    return f"""
## bioimage.io

`rdf.yaml` is the bioimage.io description of `network.onnx`, for software that reads such models; `test-input.npy` and
`test-output.npy` are its test. It gives probabilities of one window. What it cannot say is left to that software and
done by `segment.py`: a label is {decided}; large images are cut into windows that overlap by {plan.overlap:.0%}, whose
probabilities are averaged{mirrored}.

## Validation

Does it run right: `bioimageio test rdf.yaml` (pip install bioimageio.core onnxruntime 'pydantic<2.14'). Is it good for
your images: compare its labels with masks of images that it was not trained on, class by class, by their Dice.
"""


def _citation(trained: TrainedTrial, plan: Plan) -> dict[str, Any]:
    trial = trained.record.trial
    return {
        "cff-version": "1.2.0",
        "message": "Cite the data set, the architecture (docstring of the recipe) and unetbench.",
        "title": f"{trial.network} trained on {described(trial.dataset)}",
        "type": "software",
        "authors": [{"name": "the authors of this network"}],
        "identifiers": [{"type": "other", "value": f"unetbench trial {trial.id}"}],
        "references": [
            {"type": "data", "title": plan.citation or described(trial.dataset), "authors": [{"name": "see the title"}]}
        ],
    }
