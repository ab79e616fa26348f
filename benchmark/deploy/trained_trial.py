"""A trained trial as it is found on disk: its record, its weights, and how its images are read."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ...core.errors import DamagedRecord, StoreError, Unfit
from ...core.record import Record
from ...core.task import Task
from ...datasets.case import Case, Role, Sample
from ...datasets.prepare import mixed, prepare
from ..records.store import read
from ..records.updates import is_pointer, pointed
from ..trial.context import Context, OpenedDataset, open_dataset
from ..trial.image_options import preprocess_of, reading_of
from .export import Plan

RECORD, WEIGHTS = ".json", ".keras"
"""What the names of a trial's files end in."""

CALIBRATION = 32
"""Windows of validation cases from which ranges of quantised values are taken."""


@dataclass(frozen=True)
class TrainedTrial:
    """record: of a done trial. weights: its .keras file. opened: its data set. context: where things are."""

    record: Record
    weights: Path
    opened: OpenedDataset
    context: Context

    @classmethod
    def of(cls, record: Record, weights: Path, context: Context) -> "TrainedTrial":
        """Open the data set of a trial. Raises StoreError for a trial that is not done, DataError for its data."""
        if record.status != "done":
            raise StoreError(f"{record.trial.label}: is {record.status}, so there is nothing to take out of it")
        if not weights.is_file():
            raise StoreError(
                f"{record.trial.label}: its weights were not kept ({weights}); run the sweep with `weights: true` "
                "and --retrain-incomplete"
            )
        return cls(record, weights, open_dataset(record.trial.dataset, record.trial.split, context), context)

    @property
    def exports(self) -> Path:
        """Where its conversions are kept."""
        return self.context.results / self.context.sweep / "exports"

    @property
    def plugins(self) -> tuple[str, ...]:
        """Files of the user's own parts."""
        return self.context.plugins

    @property
    def backend(self) -> str:
        """Of Keras, that trained it."""
        return self.record.versions.get("backend") or "tensorflow"

    @property
    def task(self) -> Task:
        """As the network sees it."""
        return self.opened.task

    def plan(self, window: Sequence[int] | None = None) -> Plan:
        """What is exported. window: of the file, by default the recipe's patch.

        Raises Unfit where modalities are prepared apart because three channels of one would be taken for colours.
        """
        record, recipe, dataset = self.record, self.record.trial.recipe, self.opened.dataset
        if mixed(dataset.task.parts, np.dtype(np.uint8), self.opened.preprocess):
            raise Unfit(
                f"{record.trial.label}: modalities of {dataset.task.parts} channels are scaled apart, which no file "
                "can; it runs in Keras, with predict"
            )
        about = {
            "id": record.trial.id,
            "dataset": record.trial.dataset.label,
            "model": record.trial.network,
            "loss": record.trial.loss.label,
            "seed": record.trial.seed,
            "recipe": recipe.describe(),
            "epoch": record.selection["epoch"],
            "versions": record.versions,
        }
        return Plan(
            source=dataset.task,
            task=self.opened.task,
            preprocess=preprocess_of(record.trial.dataset),
            window=tuple(window or recipe.patch),
            overlap=recipe.overlap,
            threshold=float(record.selection["threshold"]),
            mirror=recipe.mirror,
            mirrored_axes=recipe.augment.flips,
            reading=asdict(reading_of(record.trial.dataset)),
            objects=record.trial.dataset.options.get("objects", "components"),
            trial=about,
            licence=dataset.licence,
            citation=dataset.citation,
        )

    def samples(self, role: Role, most: int | None = None) -> Iterator[tuple[str, str, Sample]]:
        """Name, group and content of each case of a role, read when it is asked for.

        most: of a role with more cases, that many, evenly spaced in their order.
        """
        cases = self.opened.split.cases(role)
        return ((case.name, case.group, case.read()) for case in _spread(cases, len(cases) if most is None else most))

    def windows(self, role: Role, window: Sequence[int], count: int) -> np.ndarray:
        """Prepared windows (m, *window, c) float32 from the middle of cases of a role, spread over the role.

        With as many cases as windows, or more, one window a case; else further ones are drawn, always the same.
        """
        cases = _spread(self.opened.split.cases(role), count)
        rng, made = np.random.default_rng(0), []
        for index in range(count):
            case = cases[index % len(cases)]
            image = prepare(case.name, case.read(), self.opened.dataset.task, self.opened.preprocess).image
            image = np.pad(
                image, [*((0, max(0, w - n)) for n, w in zip(image.shape, window, strict=False)), (0, 0)], "symmetric"
            )
            spare = [n - w for n, w in zip(image.shape, window, strict=False)]
            first = index < len(cases)
            corner = [n // 2 if first else int(rng.integers(n + 1)) for n in spare]
            made.append(image[tuple(slice(c, c + w) for c, w in zip(corner, window, strict=True))])
        return np.ascontiguousarray(np.stack(made), np.float32)


def _spread(cases: Sequence[Case], most: int) -> Sequence[Case]:
    """All of the cases, or as many as that, evenly spaced in their order."""
    return cases if len(cases) <= most else [cases[index * len(cases) // most] for index in range(most)]


def find_record(place: Path) -> tuple[Record, Path]:
    """The record of a file of a record, of weights or of what is current, and its weights' place. Raises StoreError.

    In the layout of a store, `records/<machine>/<id>.json` lies beside `weights/<machine>/<id>.keras`; a record that
    was copied from another sweep has its weights in that one. Where there are none, the place is where they would be.
    `updates/<line>/current.json` stands for the record that it names.
    """
    if is_pointer(place) and place.is_file():
        place = pointed(place)
    text = f"{place}: is no trained trial; give results/SWEEP/records/MACHINE/ID.json, or the weights beside it"
    if place.suffix not in (RECORD, WEIGHTS) or not place.is_file():
        raise StoreError(text)
    if len(place.absolute().parents) < 4:
        raise StoreError(f"{place}: is not in a folder of results, as results/SWEEP/records/MACHINE/ID.json is")
    sweep, machine = place.absolute().parents[2], place.absolute().parent.name
    if place.suffix == WEIGHTS:
        record = sweep / "records" / machine / f"{place.stem}{RECORD}"
        if not record.is_file():
            raise StoreError(
                f"{place}: its record is not beside it, which says how images are prepared; expected {record}, as the "
                "results folder of the sweep has it"
            )
        return read(record), place
    try:
        record = read(place)
    except DamagedRecord:
        if place.absolute().parents[1].name == "records":
            raise
        raise StoreError(text) from None  # any other file: to say that it can be deleted would be wrong
    kept = Path("weights", machine, f"{place.stem}{WEIGHTS}")
    found = [sweep / kept, *sorted(sweep.parent.glob(f"*/{kept.as_posix()}"))]
    return record, next((file for file in found if file.is_file()), found[0])
