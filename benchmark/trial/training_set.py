"""What a trial trains and validates on, as a worker holds it from one trial to the next."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ...core.errors import DataError
from ...core.memory import memory_bytes, told
from ...core.trial import Trial, canonical
from ...datasets.case import Role
from ...datasets.held import Held
from ...datasets.object_labels import ObjectLabels
from ...datasets.patches import PatchSampler
from .context import Context, OpenedDataset
from .train import ProgressCallback
from .validate import ValidationCases


@dataclass
class HeldCases:
    """Prepared training and validation cases of one data set, by role, and what their labels of objects look like."""

    key: str = ""
    roles: dict[str, Sequence[Held]] = field(default_factory=dict)
    objects: ObjectLabels = field(default_factory=ObjectLabels)

    def of(
        self, role: Role, trial: Trial, opened: OpenedDataset, context: Context, on_progress: ProgressCallback
    ) -> Sequence[Held]:
        """The cases of a role, read unless the trial before had the same. Raises DataError naming a case."""
        key = canonical([asdict(trial.dataset), trial.split])
        if self.key != key:
            self.key, self.roles, self.objects = key, {}, ObjectLabels()
        if role not in self.roles:
            on_case = _loading(len(opened.split.cases(role)), on_progress)
            self.roles[role] = opened.held(role, context.cases, self.objects, on_case)
        return self.roles[role]


def training_set(
    trial: Trial, opened: OpenedDataset, training: Sequence[Held], validation: Sequence[Held], scratch: Path | None
) -> tuple[PatchSampler, ValidationCases]:
    """What gives the training patches, and the validation cases. scratch: folder of their files, None for memory."""
    recipe = trial.recipe
    sampler = PatchSampler(
        training,
        [case.name for case in opened.split.cases("train")],
        recipe.patch,
        recipe.batch,
        steps=recipe.steps,
        seed=trial.seed,
        augment=recipe.augment,
        foreground=recipe.foreground,
        ignore=opened.task.ignore,
        parts=opened.task.parts,
        modality_dropout=recipe.modality_dropout,
        scratch=scratch,
    )
    patches = len(sampler) * recipe.batch
    return sampler, ValidationCases.of(validation, recipe, patches, opened.task.ignore, scratch)


@contextmanager
def fits_memory(opened: OpenedDataset, context: Context) -> Iterator[None]:
    """Name the option that needs less memory where cases are held in it and it does not suffice."""
    try:
        yield
    except MemoryError:
        if context.cache == "disk":
            raise
        raise DataError(
            f"{opened.dataset.name}: its training and validation cases do not fit into memory ({told(memory_bytes())} "
            "here); say `cache: disk` in the sweep file, or --cache disk"
        ) from None


def _loading(count: int, on_progress: ProgressCallback) -> Callable[[int], None]:
    """What tells of cases as they are read, ten times a second at most."""
    last = time.perf_counter()

    def tell(done: int) -> None:
        nonlocal last
        if time.perf_counter() - last > 0.1:
            last = time.perf_counter()
            on_progress({"phase": "load", "step": done, "of": count})

    return tell
