"""A recipe with random weights, for how long it takes and whether it converts; it has no cases and no scores."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...core.task import Task
from ...core.trial import Choice
from ...datasets.case import Role, Sample
from ...datasets.prepare import Preprocess
from .child import Child
from .export import Plan


@dataclass(frozen=True)
class UntrainedRecipe:
    """model, task: what is built. folder: of its weights and conversions. plugins: files of the user's own parts."""

    model: Choice
    task: Task
    folder: Path
    plugins: tuple[str, ...] = ()
    backend: str = "tensorflow"

    @classmethod
    def build(cls, model: Choice, task: Task, folder: Path, plugins: Sequence[str] = ()) -> "UntrainedRecipe":
        """Build the network in a process of its own, saved in a folder. Raises Unfit where it cannot serve the task."""
        made = cls(model, task, folder, tuple(plugins))
        with Child("deploy.converter") as child:
            child.ask("build", model.name, model.options, task, str(made.weights), made.plugins)
        return made

    @property
    def weights(self) -> Path:
        """The .keras file."""
        return self.folder / "network.keras"

    @property
    def exports(self) -> Path:
        """Where conversions are kept."""
        return self.folder / "exports"

    def plan(self, window: Sequence[int]) -> Plan:
        """What is exported: images as they come, no overlap."""
        about = {"model": self.model.label}
        return Plan(
            self.task, self.task, Preprocess(normalise="none"), tuple(window), 0.0, 0.5, False, False, trial=about
        )

    def windows(self, role: Role, window: Sequence[int], count: int) -> np.ndarray:
        """Images (count, *window, c) of noise, another draw for each role."""
        rng = np.random.default_rng({"train": 0, "validation": 1, "test": 2}[role])
        return rng.standard_normal((count, *window, self.task.channels), np.float32)

    def samples(self, role: Role, most: int | None = None) -> Iterator[tuple[str, str, Sample]]:
        """None."""
        return iter(())
