"""All that decides how training and prediction go, apart from data, model, loss and seed."""

import json
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any, ClassVar, Literal

from .errors import SpecError


@dataclass(frozen=True)
class Augmentation:
    """Ranges of the random draw that moves image and truth together; all zero and no flips means none.

    rotation_deg: largest angle to either side. shift, shear, zoom: largest fraction to either side, of the patch
    edge for shift. flips: mirror each axis with probability one half. brightness, contrast: largest additive and
    multiplicative change, in standard deviations of the normalised image. noise: largest standard deviation of
    additive Gaussian noise, same unit. Borders are reflected.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    rotation_deg: float = 15.0
    shift: float = 0.1
    shear: float = 0.1
    zoom: float = 0.1
    flips: bool = True
    brightness: float = 0.2
    contrast: float = 0.2
    noise: float = 0.1

    @classmethod
    def none(cls) -> "Augmentation":
        """The draw that changes nothing."""
        return cls(0.0, 0.0, 0.0, 0.0, False, 0.0, 0.0, 0.0)


Steps = int | Literal["area", "cases"]

MAX_STEPS = 250
"""Most optimizer steps of an epoch of `steps: area`, as in nnU-Net (Isensee et al. 2021)."""

FIRST_STANDARD: dict[str, Any] = {"steps": "cases", "validation": "full", "predict_mib": 0}
"""What version 1 of the standard recipe did where version 2 does otherwise. Records of that time do not name the keys
that version 2 added, so a recipe with these values has the identity that it had then."""

LATER: dict[str, Any] = {
    "accumulate": "auto",
    "consistency": 0.0,
    "cycles": 1,
    "modality_dropout": 0.0,
    "teacher_decay": 0.99,
}
"""Keys that both versions got later, with the value that does as before: with it, the identity is that of before."""


@dataclass(frozen=True)
class Recipe:
    """How a trial is trained and how its predictions are made.

    patch: edge lengths of a training patch and of the prediction window, one an axis.
    steps: optimizer steps an epoch. `area`: as many as show each training image in proportion to its area, about
        area / patch area patches, at most 250 steps; `cases`, or 0: as many as show every image once.
    validation: `sampled` scores a fixed choice of tiles after each epoch, about a quarter of the epoch's patches, each
        case at least once, and whole cases for the best three epochs before one is selected; `full` scores whole
        cases after each epoch. Both are the same where all tiles are no more than that.
    schedule: `plateau` multiplies the rate by `factor` after `patience` epochs without a better validation score;
        `cosine` falls to zero over all epochs, with `cycles` above 1 anew in each of so many equal parts of them, as
        snapshots need (Huang et al. 2017, arXiv:1704.00109); `constant` stays. `warmup` epochs rise linearly to `rate`
        first.
    stop_patience: epochs without a better validation score after which training ends; 0 never stops early.
    monitor: validation reading that chooses the checkpoint: `dice` (mean over cases and classes) or `loss`.
    accumulate: equal parts of a batch that a step computes one after the other, to average their gradients: less
        memory, and to rounding the same step, for every loss is a mean over cases. Statistics of a batch are those of
        a part, so that a network with batch normalisation becomes another one, and dropout draws otherwise. With
        `mixed_float16` a part whose gradients overflow is left out and the next ones move up. `auto`: the whole batch,
        and where a step does not fit into memory the trial is run once more in the fewest parts; a number holds.
    consistency: weight of the agreement with a teacher of averaged weights, on known and unknown pixels (Tarvainen
        & Valpola 2017, arXiv:1703.01780); 0 for none. teacher_decay: of that average.
    foreground: share of the patches that are centred on a foreground pixel.
    modality_dropout: share of the patches from which each modality of several is left out, 0 in its place; one of them
        always stays (Neverova et al. 2016, arXiv:1501.00102).
    precision: `float32`, `mixed_bfloat16` or `mixed_float16`.
    threshold: probability from which a pixel is foreground (binary, multilabel), or `tuned`: chosen on validation.
    overlap: share of the patch by which neighbouring prediction windows overlap. mirror: average over mirrored copies.
    predict_mib: MiB of activations that a prediction may take; a model that does not look across its window predicts
        in the largest windows within it. `auto`: 2048, or one patch where that takes more; 0: the patch is the window.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    patch: tuple[int, ...] = (256, 256)
    batch: int = 8
    epochs: int = 60
    steps: Steps = "area"
    validation: Literal["sampled", "full"] = "sampled"
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    rate: float = 1e-3
    weight_decay: float = 0.0
    clip_norm: float = 0.0
    schedule: Literal["plateau", "cosine", "constant"] = "plateau"
    cycles: int = 1
    warmup: int = 0
    patience: int = 5
    factor: float = 0.2
    stop_patience: int = 15
    monitor: Literal["dice", "loss"] = "dice"
    accumulate: int | Literal["auto"] = "auto"
    consistency: float = 0.0
    teacher_decay: float = 0.99
    foreground: float = 0.0
    augment: Augmentation = field(default_factory=Augmentation)
    modality_dropout: float = 0.0
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    threshold: float | Literal["tuned"] = 0.5
    overlap: float = 0.5
    mirror: bool = False
    predict_mib: int | Literal["auto"] = "auto"

    def __post_init__(self) -> None:
        if self.steps == 0:
            object.__setattr__(self, "steps", "cases")
        if isinstance(self.steps, str):
            if self.steps not in ("area", "cases"):
                raise SpecError(f"recipe.steps: {self.steps!r} is neither a number nor 'area' nor 'cases'")
        else:
            _not_negative(self, "steps")
        if isinstance(self.predict_mib, str):
            if self.predict_mib != "auto":
                raise SpecError(f"recipe.predict_mib: {self.predict_mib!r} is neither a number of MiB nor 'auto'")
        else:
            _not_negative(self, "predict_mib")
        _positive(self, "batch", "epochs", "rate", "cycles", "patience", "factor")
        _not_negative(self, "weight_decay", "clip_norm", "warmup", "stop_patience", "consistency")
        self._check_accumulate()
        self._check_cycles()
        if len(self.patch) not in (2, 3) or min(self.patch) < 1:
            raise SpecError(f"recipe.patch: {list(self.patch)} is not two or three positive edge lengths")
        if not 0 <= self.foreground <= 1:
            raise SpecError(f"recipe.foreground: {self.foreground} is not a share between 0 and 1")
        if not 0 <= self.teacher_decay < 1:
            raise SpecError(f"recipe.teacher_decay: {self.teacher_decay} is not in [0, 1)")
        if not 0 <= self.modality_dropout < 1:
            raise SpecError(f"recipe.modality_dropout: {self.modality_dropout} is not in [0, 1)")
        if not 0 <= self.overlap < 1:
            raise SpecError(f"recipe.overlap: {self.overlap} is not in [0, 1)")
        if isinstance(self.threshold, float | int) and not 0 < self.threshold < 1:
            raise SpecError(f"recipe.threshold: {self.threshold} is not in (0, 1), nor 'tuned'")

    def _check_accumulate(self) -> None:
        if isinstance(self.accumulate, str):
            if self.accumulate != "auto":
                raise SpecError(f"recipe.accumulate: {self.accumulate!r} is neither a number nor 'auto'")
        elif self.accumulate < 1 or self.batch % self.accumulate:
            possible = ", ".join(str(n) for n in range(1, min(self.batch, 64) + 1) if self.batch % n == 0)
            raise SpecError(
                f"recipe.accumulate: {self.accumulate} does not divide a batch of {self.batch}; {possible} or 'auto'"
            )

    def _check_cycles(self) -> None:
        if self.cycles > 1 and self.schedule != "cosine":
            raise SpecError(f"recipe.cycles: {self.cycles} cycles are of schedule: cosine, not {self.schedule}")
        if self.cycles > self.epochs:
            raise SpecError(f"recipe.cycles: {self.cycles} is more than the {self.epochs} epochs")

    @property
    def micro_batches(self) -> int:
        """In how many parts a step's batch is computed."""
        return 1 if isinstance(self.accumulate, str) else self.accumulate

    @property
    def micro_batch(self) -> int:
        """Patches that are computed at once."""
        return self.batch // self.micro_batches

    def describe(self) -> str:
        """One line for a table: what differs from the standard recipe, version 2, or 1 where it does as that did."""
        first = all(getattr(self, name) == value for name, value in FIRST_STANDARD.items())
        standard = Recipe(**FIRST_STANDARD) if first else Recipe()
        own = {f.name: getattr(self, f.name) for f in fields(self)}
        differing = [f"{k}={_text(v)}" for k, v in own.items() if v != getattr(standard, k)]
        return f"standard v{1 if first else 2}" + (f" with {', '.join(differing)}" if differing else "")

    def identity(self) -> dict[str, Any]:
        """The fields that make a trial's id: what version 1 did not name is left out where it is as it was then."""
        own = asdict(self)
        own["steps"] = 0 if self.steps == "cases" else self.steps
        before = {k: v for k, v in {**FIRST_STANDARD, **LATER}.items() if k != "steps"}
        return {k: v for k, v in own.items() if k not in before or v != before[k]}

    @cached_property
    def canonical(self) -> str:
        """The identity as JSON with sorted keys and no spaces."""
        return json.dumps(self.identity(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Recipe":
        """Rebuild a recipe from a record, also from one of a time when there were fewer keys."""
        own = {**FIRST_STANDARD, **fields, "patch": tuple(fields["patch"])}
        return cls(**{**own, "augment": Augmentation(**fields["augment"])})


def _text(value: object) -> str:
    if isinstance(value, Augmentation):
        standard = asdict(Augmentation())
        differing = {k: v for k, v in asdict(value).items() if v != standard[k]}
        return "none" if value == Augmentation.none() else str(differing)
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _positive(recipe: Recipe, *names: str) -> None:
    for name in names:
        if not getattr(recipe, name) > 0:
            raise SpecError(f"recipe.{name}: {getattr(recipe, name)} must be more than 0")


def _not_negative(recipe: Recipe, *names: str) -> None:
    for name in names:
        if getattr(recipe, name) < 0:
            raise SpecError(f"recipe.{name}: {getattr(recipe, name)} must not be negative")
