"""Read a sweep file, once, and turn it into values; every error names the file, the key, what came and what could."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from ...core.errors import SpecError, unknown
from ...core.recipe import FIRST_STANDARD, Augmentation, Recipe
from ...core.trial import Choice
from ...core.yaml_text import parsed_yaml
from ...datasets import DATASETS
from ...datasets.meaning import spelled_out
from ...datasets.modalities import ALL, Wanted
from ...datasets.prepare import Preprocess
from ...metrics.empty import POLICIES
from ...metrics.objects import SPLITS
from ...models import MODELS
from ...runtimes import RUNTIMES
from ..naming.labels import Labels
from ..timing.options import LatencyOptions
from ..trial.context import CachePlace
from .choices import Entry, choices, losses, mapping
from .continual import Continual, continual
from .ensembles import EnsembleStep, ensembles
from .hardware import Hardware, HardwareKeys, hardware
from .label_axis import read_labels
from .modality_axis import read_axis
from .override import put
from .steps import LighterStep, steps
from .tuning import Tuning, tuning
from .validate import validate

SHIPPED = Path(__file__).parents[1] / "sweeps"

MOST_SEEDS = 100_000
"""Of one sweep; a list of many more of them would fill the memory before anything is planned."""


class SplitOptions(BaseModel):
    """How cases get their roles: fractions, or `folds` and `fold`."""

    model_config = ConfigDict(extra="forbid")
    train: float = Field(default=0.7, ge=0, le=1)
    validation: float = Field(default=0.1, ge=0, le=1)
    test: float = Field(default=0.2, ge=0, le=1)
    folds: int = Field(default=0, ge=0)
    fold: int = Field(default=0, ge=0)
    seed: int = Field(default=0, ge=0)


class SweepFile(HardwareKeys):
    """The keys of a sweep file."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)  # of a folder
    datasets: list[Entry] = Field(min_length=1)
    models: list[Entry] = Field(min_length=1)
    losses: list[Entry] = Field(min_length=1)
    seeds: int | list[int] = 1
    labels: list[Any] = Field(default_factory=lambda: ["full"], min_length=1)
    modalities: list[Any] = Field(default_factory=lambda: [ALL], min_length=1)
    test_modalities: list[Any] = Field(default_factory=list)
    split: SplitOptions = Field(default_factory=SplitOptions)
    standard: Literal[1, 2] = 2
    recipe: dict[str, Any] = Field(default_factory=dict)
    runtimes: list[Entry] = Field(default_factory=lambda: ["keras"])
    latency: LatencyOptions = Field(default_factory=LatencyOptions)
    empty: str = "nan_worst"
    previews: int = Field(default=4, ge=0)
    weights: bool = False
    cache: CachePlace = "memory"
    lighter: list[dict[str, Any]] = Field(default_factory=list)
    ensembles: list[dict[str, Any]] = Field(default_factory=list)
    continual: dict[str, Any] | None = None
    tune: dict[str, Any] | None = None


@dataclass(frozen=True)
class DataChoice:
    """A data set as the sweep wants it, with the recipe and the split that hold for it."""

    choice: Choice
    recipe: Recipe
    split: dict[str, Any]


@dataclass(frozen=True)
class Sweep:
    """A sweep as values.

    folder: where relative paths of the user's own data start. training_labels: what each kind of labels adds to the
    options of every data set. modalities, test_modalities: what it is trained with, and what its tests have.
    hardware: what trials are run on, an axis of the sweep.
    resolved: the file's content. labels: what its parts are to be called. lighter: the steps that make trained models
    lighter. ensembles: the steps that make ensembles of them. continual: the batches in which cases arrive, None where
    all are there at once. tune: how models are tuned, None where the file does not say.
    """

    name: str
    folder: Path
    datasets: tuple[DataChoice, ...]
    training_labels: tuple[dict[str, Any], ...]
    modalities: tuple[Wanted, ...]
    test_modalities: tuple[Wanted, ...]
    models: tuple[Choice, ...]
    losses: tuple[Choice, ...]
    seeds: tuple[int, ...]
    hardware: Hardware
    runtimes: tuple[Choice, ...]
    latency: LatencyOptions
    empty: str
    previews: int
    weights: bool
    cache: CachePlace
    standard: int
    resolved: dict[str, Any]
    labels: Labels
    lighter: tuple[LighterStep, ...]
    ensembles: tuple[EnsembleStep, ...]
    continual: Continual | None
    tune: Tuning | None


def shipped() -> list[str]:
    """Names of the sweeps that come with the package."""
    return sorted(file.stem for file in SHIPPED.glob("*.yaml"))


def find(sweep: str) -> Path:
    """Return the file of a sweep given by path or by the name of a shipped one. Raises SpecError."""
    for file in (Path(sweep), SHIPPED / f"{sweep}.yaml"):
        with contextlib.suppress(OSError):  # a name that no file can have
            if file.is_file():
                return file
    raise SpecError(f"no file {sweep}, and {unknown('shipped sweep', sweep, shipped())}")


def read(file: Path, overrides: Sequence[str] = (), begun: Path | None = None) -> Sweep:
    """Read a sweep file; `overrides` are `key.key=value` texts from the command line. Raises SpecError.

    begun: the file that an earlier run left with its records. Where that was before there were two standard recipes,
    the sweep goes on with the first one, so that its trials stay the same; a shipped sweep goes on as it was then.
    """
    raw = _load(file)
    raw.setdefault("name", file.stem)
    before = _load(begun) if begun is not None and begun.is_file() else {"standard": 2}
    asked = "standard" in raw or any(override.startswith("standard=") for override in overrides)
    if "standard" not in before and not asked:
        raw = {**(before if file.parent == SHIPPED else raw), "standard": 1}
    for override in overrides:
        put(raw, override)
    return _values(validate(TypeAdapter(SweepFile), raw, file.name), file, raw)


def of_dataset(entry: Entry, overrides: Sequence[str] = (), *, where: str = "", **keys: Any) -> Sweep:
    """The sweep of a data set, a name or an entry of `datasets`: a quarter-width U-Net and `bce_dice`.

    The network has group normalisation: without one some networks learn nothing of the classes for epochs on end.
    overrides: as `read` has them. where: begins errors, by default the name. keys: further ones of a sweep file.
    """
    name = entry if isinstance(entry, str) else "data"
    model = {"name": "unet_quarter", "normalisation": "group"}
    raw: dict[str, Any] = {"name": name, "datasets": [entry], "models": [model], "losses": ["bce_dice"], **keys}
    for override in overrides:
        put(raw, override)
    where = where or name
    return _values(validate(TypeAdapter(SweepFile), raw, where), SHIPPED / where, raw)


def _load(file: Path) -> dict[str, Any]:
    try:
        raw = parsed_yaml(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{file}: cannot be read: {error}") from None
    except ValueError as error:
        raise SpecError(f"{file.name}: {error}") from None
    if not isinstance(raw, dict):
        raise SpecError(f"{file.name}: a sweep is a mapping with datasets, models and losses")
    return raw


def _values(spec: SweepFile, file: Path, raw: dict[str, Any]) -> Sweep:
    where = file.name
    if spec.empty not in POLICIES:
        raise SpecError(f"{where}: empty: {unknown('empty-mask policy', spec.empty, POLICIES)}")
    if isinstance(spec.seeds, int) and spec.seeds > MOST_SEEDS:
        raise SpecError(f"{where}: seeds: {spec.seeds} is more than {MOST_SEEDS:,}")
    seeds = tuple(range(spec.seeds)) if isinstance(spec.seeds, int) else tuple(spec.seeds)
    if not seeds or len(set(seeds)) != len(seeds):
        raise SpecError(f"{where}: seeds: {spec.seeds} is not a positive number or a list of different seeds")
    resolved = {**raw, "standard": spec.standard}
    labels, models = Labels(resolved, where), choices(MODELS, spec.models, f"{where}: models")
    datasets, chosen = _data_choices(spec, where), losses(spec.losses, f"{where}: losses")
    recipes = [data.recipe for data in datasets]
    return Sweep(
        name=spec.name,
        folder=file.resolve().parent,
        datasets=datasets,
        training_labels=read_labels(spec.labels, f"{where}: labels"),
        modalities=read_axis(spec.modalities, f"{where}: modalities"),
        test_modalities=read_axis(spec.test_modalities, f"{where}: test_modalities", test=True),
        models=models,
        losses=chosen,
        seeds=seeds,
        hardware=hardware(spec, raw, where),
        runtimes=choices(RUNTIMES, spec.runtimes, f"{where}: runtimes"),
        latency=spec.latency,
        empty=spec.empty,
        previews=spec.previews,
        weights=spec.weights,
        cache=spec.cache,
        standard=spec.standard,
        resolved=resolved,
        labels=labels,
        lighter=steps(spec.lighter, models, labels, f"{where}: lighter"),
        ensembles=ensembles(
            spec.ensembles,
            {"models": models, "losses": chosen, "seeds": seeds},
            recipes,
            labels,
            f"{where}: ensembles",
        ),
        continual=None if spec.continual is None else continual(spec.continual, f"{where}: continual"),
        tune=None if spec.tune is None else tuning(spec.tune, models, chosen, recipes, seeds[0], f"{where}: tune"),
    )


def _data_choices(spec: SweepFile, where: str) -> tuple[DataChoice, ...]:
    found: list[DataChoice] = []
    for index in range(len(spec.datasets)):
        chosen = _data_choice(spec, index, where)
        if chosen in found:
            raise SpecError(f"{where}: datasets[{index}]: {chosen.choice.label} is there twice")
        found.append(chosen)
    return tuple(found)


def _data_choice(spec: SweepFile, index: int, where: str) -> DataChoice:
    where = f"{where}: datasets[{index}]"
    entry = spec.datasets[index]
    options: dict[str, Any] = {"name": entry} if isinstance(entry, str) else dict(entry)
    if "folder" in options:
        if "name" in options:
            raise SpecError(f"{where}.name: {options['name']!r} beside a folder; write `label: {options['name']}`")
        options = {"name": "folder", "path": options.pop("folder"), **options}
    if options.get("name") == "folder":
        try:
            options = spelled_out(options)
        except SpecError as error:
            raise SpecError(f"{where}: {error}") from None
    split = {**spec.split.model_dump(), **mapping(options.pop("split", {}), f"{where}.split")}
    split = validate(TypeAdapter(SplitOptions), split, f"{where}.split").model_dump()
    _check_shares(split, f"{where}.split")
    standard = FIRST_STANDARD if spec.standard == 1 else {}
    recipe = {**standard, **spec.recipe, **mapping(options.pop("recipe", {}), f"{where}.recipe")}
    for key, value in recipe.items():  # pydantic takes true for 1
        if isinstance(value, bool) and not isinstance(getattr(Recipe, key, value), bool):
            raise SpecError(
                f"{where}: recipe.{key}: {str(value).lower()} does not belong here; try {getattr(Recipe, key)}"
            )
    if recipe.get("augment") == "none":
        recipe["augment"] = Augmentation.none()
    preprocess = validate(TypeAdapter(Preprocess), options.pop("preprocess", {}), f"{where}.preprocess")
    objects = options.pop("objects", "components")
    if not isinstance(objects, str) or objects not in SPLITS:
        raise SpecError(f"{where}.objects: {unknown('way to objects', str(objects), SPLITS)}")
    choice = choices(DATASETS, [options], where, indexed=False)[0]
    further: dict[str, Any] = {} if objects == "components" else {"objects": objects}
    differing = _differing(preprocess, Preprocess())
    if differing:
        further["preprocess"] = differing
    choice = Choice(choice.name, choice.options | further)
    return DataChoice(choice, validate(TypeAdapter(Recipe), recipe, f"{where}: recipe"), split)


def _check_shares(split: dict[str, Any], where: str) -> None:
    """Raise SpecError for shares with which nothing can be trained, selected or tested, whatever the data."""
    shares = {role: split[role] for role in ("train", "validation", "test")}
    if abs(sum(shares.values()) - 1) > 1e-6:
        text = ", ".join(f"{role} {share:g}" for role, share in shares.items())
        raise SpecError(f"{where}: {text} do not add up to 1")
    for role, why in (("train", "nothing to train on"), ("validation", "nothing to select the epoch with")):
        if shares[role] == 0:
            raise SpecError(f"{where}.{role}: 0 leaves {why}; give a share above 0")
    if shares["test"] == 0 and not split["folds"]:
        raise SpecError(f"{where}.test: 0 leaves nothing to score; give a share above 0")
    if split["folds"] == 1 or split["fold"] >= max(split["folds"], 1):
        raise SpecError(f"{where}: fold {split['fold']} of {split['folds']}; at least 2 folds, from 0 to folds - 1")


def _differing(own: Any, standard: Any) -> dict[str, Any]:
    names = own.__dataclass_fields__
    pairs = ((name, getattr(own, name), getattr(standard, name)) for name in names)
    return {name: list(value) if isinstance(value, tuple) else value for name, value, usual in pairs if value != usual}
