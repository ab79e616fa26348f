"""A runtime with a network loaded in it, in a process of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ...core import onednn
from ...core.errors import StoreError, Unavailable
from ...core.trial import Choice
from ...runtimes.file_runtime import FileRuntime, file_runtime
from .child import Child
from .export import Export, Plan, begin, finish, put_plan

BACKENDS = {"jax": "jax", "torch": "torch", "keras_xla": "tensorflow"}
"""Keras backends that the runtimes of a Keras model need; the others run on the one that trained it."""


@dataclass
class Candidate:
    """runtime, with options. child: its process. facts: what is known of it before it is timed, JSON values."""

    runtime: Choice
    child: Child
    facts: dict[str, Any] = field(default_factory=dict)

    def probabilities(self, image: np.ndarray) -> np.ndarray:
        """Probabilities (*space, k) float32 of an image as its file has it, by the export's own code."""
        return self.child.ask("probabilities", image)

    def forward(self, images: np.ndarray) -> np.ndarray:
        """Logits (n, *window, k) of images, as many as the file's batch at a time."""
        return self.child.ask("forward", images)


class Converters:
    """The network of a .keras file, converted and opened for each runtime that asks.

    exports: folder in which folders are kept by the network's digest, so that nothing is converted twice. plugins:
    files of a user's own parts. backend: that trained the network. child: the process that converts, a fresh one by
    default. Usable in a `with` statement, which ends the process.
    """

    def __init__(
        self,
        weights: Path,
        exports: Path,
        plugins: Sequence[str] = (),
        backend: str = "tensorflow",
        child: Child | None = None,
    ) -> None:
        self.weights, self.exports, self.plugins, self.backend = weights, exports, tuple(plugins), backend
        self.child = child or Child("deploy.converter")
        self.network: dict[str, Any] = self.child.ask("open", str(weights), self.plugins)

    def __enter__(self) -> "Converters":
        return self

    def __exit__(self, *_: object) -> None:
        self.child.close()

    def open(
        self,
        runtime: Choice,
        plan: Plan,
        *,
        batch: int = 1,
        threads: int = 0,
        calibration: np.ndarray | None = None,
        folder: Path | None = None,
    ) -> Candidate:
        """Convert where that was not done before, and load. folder: of the export, in place of one in `exports`.

        Raises Unavailable, Unfit, ConversionError.
        """
        kind = file_runtime(runtime.name, runtime.options)
        if kind is None:
            return self._open_network(runtime, plan, threads)
        kind.require(runtime.label, plan.task.rank)
        export = self.convert(runtime, kind, plan, batch=batch, calibration=calibration, folder=folder)
        child = Child("deploy.session", environment=_limited(threads))
        opened = child.ask("open_folder", str(export.folder), threads)
        facts = {"precision": kind.precision, "file_bytes": export.file_bytes, **export.about["conversion"], **opened}
        return Candidate(runtime, child, facts)

    def convert(
        self,
        runtime: Choice,
        kind: FileRuntime,
        plan: Plan,
        *,
        batch: int = 1,
        calibration: np.ndarray | None = None,
        folder: Path | None = None,
    ) -> Export:
        """The export folder of a runtime, as it is there or made now. Raises ConversionError, Unfit, Unavailable."""
        size = self._place(plan, batch)
        folder = folder or size / _slug(runtime.label)
        try:
            found = Export.read(folder)
            if _same(found.about, plan, network=self.network["digest"], runtime=runtime.label, batch=batch):
                return found
        except StoreError:  # none yet, or one that was changed: it is made anew
            pass
        file, shared = begin(folder, kind), size / "shared"
        shared.mkdir(parents=True, exist_ok=True)
        facts = self.child.ask(
            "convert",
            runtime.name,
            runtime.options,
            str(file),
            plan.window,
            batch,
            str(shared),
            calibration if kind.calibrated else None,
            plan.task.kind,
        )
        further = {"batch": batch, "network": self.network["digest"], "conversion": facts}
        return finish(folder, plan, runtime.label, kind, further)

    def layer_errors(self, runtime: Choice, plan: Plan, images: np.ndarray) -> dict[str, float] | None:
        """Error of each layer of the quantised file that was opened at batch 1, on images (n, *window, c).

        None for a runtime that has no quantised layers. Both files run in a process of its own, which ends with it.
        Raises ConversionError.
        """
        kind = file_runtime(runtime.name, runtime.options)
        if kind is None or kind.layers is None:
            return None
        size = self._place(plan, 1)
        shared = size / "shared"
        shared.mkdir(parents=True, exist_ok=True)
        full, names = self.child.ask("full", runtime.name, runtime.options, plan.window, str(shared))
        with Child("deploy.layers") as child:
            file = size / _slug(runtime.label) / f"network{kind.suffix}"
            return child.ask("compare", runtime, self.plugins, (full, str(file)), names, images)

    def reference(self, images: np.ndarray) -> np.ndarray:
        """Logits of float64."""
        return self.child.ask("reference", images)

    def _open_network(self, runtime: Choice, plan: Plan, threads: int) -> Candidate:
        """Keras in one of its ways: `predict` in TensorFlow as it is installed, the others as is faster."""
        folder = self._place(plan, 1) / "keras"
        put_plan(folder, plan)
        backend, reason = BACKENDS.get(runtime.name, self.backend), missing(runtime, self.backend)
        if reason:
            raise Unavailable(f"runtime {runtime.label}: {reason}")
        faster = onednn.turned_on() if plan.task.rank == 3 and runtime.name != "keras_predict" else {}
        child = Child("deploy.session", environment={**_limited(threads), "KERAS_BACKEND": backend, **faster})
        words = (str(folder), str(self.weights), runtime.name, runtime.options, self.plugins)
        opened = child.ask("open_network", *words)
        facts = {"precision": "float32", "file_bytes": self.weights.stat().st_size, "backend": backend, **opened}
        return Candidate(runtime, child, facts)

    def _place(self, plan: Plan, batch: int) -> Path:
        window = "x".join(map(str, plan.window))
        return self.exports / f"{self.network['digest']}-{window}-batch{batch}"


def missing(runtime: Choice, trained_on: str = "tensorflow") -> str:
    """Why a runtime cannot run here, in words that name what to install; "" when it can."""
    kind = file_runtime(runtime.name, runtime.options)
    if kind is not None:
        return kind.missing()
    backend = BACKENDS.get(runtime.name, trained_on)
    return "" if find_spec(backend) else f"{backend} not installed: pip install 'unetbench[{backend}]'"


def _limited(threads: int) -> dict[str, str]:
    names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
    return {"TF_CPP_MIN_LOG_LEVEL": "2", **({name: str(threads) for name in names} if threads else {})}


def _same(about: dict[str, Any], plan: Plan, **further: Any) -> bool:
    """Whether what an export says is what the plan says, and further fields have these values."""
    return all(about.get(key) == value for key, value in {**plan.about(), **further}.items())


def _slug(label: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in label).strip("-")
