"""Run settings that cannot change a trial's outcome: where things are, and what is kept beside the scores."""

import platform
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...core.errors import DataError
from ...core.sources import source_digest
from ...core.task import Task
from ...core.trial import Choice
from ...datasets import DATASETS, modalities
from ...datasets.batches import Arrived, arrived_of, arrived_split, batches_by_case, replayed_cases
from ...datasets.case import Case, Dataset, Role, Sample
from ...datasets.digests import FileDigests
from ...datasets.disk_cache import CaseKeys, CasesOnDisk
from ...datasets.held import Held
from ...datasets.near_duplicates import near_duplicates
from ...datasets.object_labels import ObjectLabels
from ...datasets.prepare import Prepared, Preprocess, hold, prepare, task_after
from ...datasets.resizing import nearest
from ...datasets.source import Source
from ...datasets.split import Split, split_cases
from ...datasets.weak.kinds import Fraction, WeakLabels, options_of, weak_labels
from ...datasets.weak.mark import marked
from ...datasets.weak.weaken import check_weak, kept_cases, left_open, task_with_ignored, weaken
from ..timing.options import LatencyOptions
from .averaging import Averaging
from .image_options import preprocess_of
from .later import later_sets, with_later

CachePlace = Literal["memory", "disk"]
"""Where training and validation cases are kept; the same numbers come out."""


@dataclass(frozen=True)
class Context:
    """Travels to the worker processes by pickling.

    source: where data sets are found. folder: where relative paths in the sweep start. results, sweep: the store.
    latency: None when several trials run at once, since a clock read beside them would lie.
    gpus: numbers of the GPUs that trials on `gpu` share, empty for all there are. weights, probabilities: whether the
    selected weights, and the probabilities of test cases, are kept.
    threads: CPU threads of a trial, 0 for all. cache: where training and validation cases are kept.
    averagings: the weights that trainings keep beside the selected ones.
    """

    source: Source
    folder: Path
    results: Path
    sweep: str
    plugins: tuple[str, ...] = ()
    runtimes: tuple[Choice, ...] = ()
    latency: LatencyOptions | None = None
    previews: int = 4
    weights: bool = False
    probabilities: bool = False
    threads: int = 0
    gpus: tuple[int, ...] = ()
    cache: CachePlace = "memory"
    averagings: tuple[Averaging, ...] = ()

    @property
    def cases(self) -> Path | None:
        """The folder in which cases are kept, None for memory."""
        return cases_folder(self.source.cache) if self.cache == "disk" else None


def cases_folder(cache: Path) -> Path:
    """The part of the cache folder in which cases are kept as training holds them."""
    return cache / "cases"


@dataclass(frozen=True)
class OpenedDataset:
    """A data set as a trial sees it.

    task: after preprocessing. objects: how a predicted mask becomes objects. keys: names its cases where they are kept
    on disk. digests: of the files. labels: what training cases have in place of full masks, None for these. open: the
    training cases of which nothing is known. whole: the data set with all its modalities, which `dataset` may have some
    of. blank: channels that are 0. arrived: the batches that a stage has seen, None where all cases are there at once.
    kept: names of the cases of earlier ones that it has.
    """

    dataset: Dataset
    split: Split
    preprocess: Preprocess
    task: Task
    objects: str
    keys: CaseKeys
    digests: FileDigests
    labels: WeakLabels | None = None
    open: frozenset[str] = frozenset()
    whole: Dataset | None = None
    blank: tuple[int, ...] = ()
    arrived: Arrived | None = None
    kept: frozenset[str] = frozenset()

    def with_modalities(self, names: Sequence[str]) -> "OpenedDataset":
        """The data set with these of its modalities alone; with none named as it is. Raises SpecError."""
        if not names:
            return self
        name, whole = self.dataset.name, self.dataset.task
        (own,) = modalities.Wanted(tuple(names)).of(whole, name)
        if own == tuple(modality for modality, _ in whole.modalities):
            return self
        dataset = modalities.only(self.dataset, own)
        keys = replace(self.keys, dataset=dataset, options=self.keys.options | {"modalities": modalities.option(own)})
        return replace(
            self,
            dataset=dataset,
            split=replace(self.split, dataset=modalities.only(self.split.dataset, own)),
            task=task_after(dataset.task, self.preprocess),
            keys=keys,
            whole=self.dataset,
        )

    def given(self, names: Sequence[str]) -> tuple[modalities.Seen, "OpenedDataset"]:
        """What a network of this task gets where tests have these modalities alone, and the data set so.

        Raises SpecError for modalities that the data set has not.
        """
        whole = self.whole or self.dataset
        (there,) = modalities.Wanted(tuple(names)).of(whole.task, whole.name)
        found = modalities.seen(self.dataset.task, whole.task, there)
        if found.how != "replaced":
            return found, replace(self, blank=found.blank)
        dataset = modalities.only(whole, there)
        return found, replace(self, split=replace(self.split, dataset=dataset))

    def with_batches(self, arrived: Arrived | None) -> "OpenedDataset":
        """The data set as a stage of continual learning trains on it; its test cases are those of all batches."""
        if arrived is None:
            return self
        kept = frozenset(case.name for case in replayed_cases(self.split, arrived))
        return replace(self, split=arrived_split(self.split, arrived), arrived=arrived, kept=kept)

    @property
    def test_batches(self) -> dict[str, str]:
        """The batch of each test case by its name; empty where all cases are there at once."""
        if self.arrived is None:
            return {}
        of = batches_by_case(self.dataset, self.arrived.by)
        return {case.name: of[case.name] for case in self.split.cases("test")}

    def with_labels(self, labels: WeakLabels | None) -> "OpenedDataset":
        """The data set whose training cases have these in place of full masks. Raises SpecError for a task without."""
        if labels is None:
            return self
        check_weak(labels, self.task)
        if not isinstance(labels, Fraction):
            return replace(self, task=task_with_ignored(self.task), labels=labels)
        dataset, roles = self.split.dataset, self.split.roles
        names = [case.name for case in self.split.cases("train")]
        kept = kept_cases(names, labels)
        if labels.rest == "open":
            return replace(self, task=task_with_ignored(self.task), labels=labels, open=frozenset(names) - kept)
        cases = tuple(case for case in dataset.cases if roles[case.name] != "train" or case.name in kept)
        return replace(self, split=replace(self.split, dataset=replace(dataset, cases=cases)), labels=labels)

    def prepare(self, case: Case) -> Prepared:
        """Read a case and make it what the network sees. Raises DataError naming it."""
        prepared = prepare(case.name, case.read(), self.dataset.task, self.preprocess)
        if self.blank:
            prepared.image[..., list(self.blank)] = 0  # as scaling makes of a constant image
        return prepared

    def hold(self, case: Case, objects: ObjectLabels | None = None) -> Held:
        """Read a case as training holds it; its labels are counted in `objects`. Raises DataError naming it.

        A training case has the truth that `labels` leave of it, a validation case the full one; both have the marks of
        clicks, strokes or boxes.
        """
        sample = case.read()
        if objects is not None:
            objects.add(case.name, sample.instances)
        held = hold(case.name, sample, self.dataset.task, self.preprocess)
        if self.labels is None:
            return held
        instances = self._instances(sample)
        if self.split.roles[case.name] != "train":
            return replace(
                held, truth=marked(held.truth, instances, self.task, self.labels), planes=held.truth.shape[-1]
            )
        if case.name in self.open:
            made = left_open(held.truth, self.task)
        else:
            made = weaken(case.name, held.image, held.truth, instances, self.task, self.labels)
        if objects is not None:
            objects.draw(made.drawn)
        return replace(held, truth=made.marked, planes=held.truth.shape[-1])

    def _instances(self, sample: Sample) -> np.ndarray | None:
        """The numbers of the objects at the size that training sees; None without any, and where images are padded."""
        if sample.instances is None or self.preprocess.pad:
            return None
        size = self.preprocess.resize
        return sample.instances if size is None else nearest(sample.instances[..., None], size)[..., 0]

    def held(
        self, role: Role, folder: Path | None, objects: ObjectLabels, on_case: Callable[[int], None] = lambda _: None
    ) -> Sequence[Held]:
        """All cases of a role as training holds them, in memory or below a folder.

        objects: their labels are counted in it. on_case: is told how many are there. Raises
        DataError naming a case, or the folder when it cannot be written.
        """
        cases = self.split.cases(role)
        if folder is None:
            found: list[Held] = []
            for case in cases:
                found.append(self.hold(case, objects))
                on_case(len(found))
            return found
        keys = self.keys
        if self.labels is not None and role == "train":  # in another split they validate, with full masks
            told = {"labels": options_of(self.labels), "open": sorted(self.open)}
            keys = replace(keys, options=keys.options | told)
        elif self.labels is not None and not isinstance(self.labels, Fraction):
            keys = replace(keys, options=keys.options | {"marks": type(self.labels).MAIN})
        kept = CasesOnDisk(folder / keys.folder, cases, keys.of(cases, self.digests), self.hold, on_case)
        objects.merge(kept.objects)
        return kept


ASIDE = ("preprocess", "objects", "labels", "modalities", "test_modalities", "arrived", "later")
"""Options of a data set in a trial that its function does not take."""


def list_dataset(choice: Choice, context: Context) -> Dataset:
    """The data set of a choice, before it is split. Raises DataError, also for what is no list of distinct cases."""
    options = {key: value for key, value in choice.options.items() if key not in ASIDE}
    if "path" in options:
        options["path"] = _place(options["path"], context)
    dataset = DATASETS[choice.name](context.source, **options)
    if not isinstance(dataset, Dataset):
        raise DataError(f"dataset {choice.name}: gives {type(dataset).__name__}; a datasets.case.Dataset is possible")
    name, count = Counter(case.name for case in dataset.cases).most_common(1)[0] if dataset.cases else ("", 0)
    if count != 1:
        problem = f"has {count} cases called {name}" if count else "has no cases"
        raise DataError(f"dataset {choice.name}: {problem}; give it cases of distinct names")
    return dataset


def open_dataset(choice: Choice, split: dict[str, Any], context: Context) -> OpenedDataset:
    """List a data set's cases, digest their files, and give them roles. Raises DataError.

    Nothing is decoded but images of a folder without groups, of which `near_duplicates` makes a note.
    """
    return split_dataset(list_dataset(choice, context), choice, split, context)


def split_dataset(dataset: Dataset, choice: Choice, split: dict[str, Any], context: Context) -> OpenedDataset:
    """What `open_dataset` does once the cases are listed."""
    preprocess = preprocess_of(choice)
    # The contents of the files count, not where they are; how objects are told apart is no part of the truth, nor when
    # a case arrived. Weaker labels count for training cases alone, see `held`; modalities where not all are taken, see
    # `with_modalities`.
    told = {key: value for key, value in choice.options.items() if key not in ("path", *ASIDE)}
    told |= {"name": choice.name, "preprocess": choice.options.get("preprocess", {})}
    keys = CaseKeys(dataset, told, source_digest(DATASETS.part(choice.name)))
    wanted = {key: value for key, value in split.items() if key != "digest"}
    digests = _digests(context.source.cache / "digests")
    found = split_cases(dataset, digests, **wanted)
    digest = split.get("digest")
    if digest is not None and digest != found.digest:
        raise DataError(
            f"{choice.label}: its files are not those that the sweep was planned with; they changed since, or "
            f"{platform.node()} has others in that place: run the sweep again with the same files on every machine"
        )
    if choice.name == "folder":
        dataset = replace(dataset, notes=(*dataset.notes, *near_duplicates(found)))
    objects = choice.options.get("objects", "components")
    opened = OpenedDataset(dataset, found, preprocess, task_after(dataset.task, preprocess), objects, keys, digests)
    opened = opened.with_modalities(modalities.named(choice.options.get("modalities")))
    opened = opened.with_labels(weak_labels(choice.options.get("labels")))
    opened = with_later(opened, [open_dataset(*one, context) for one in later_sets(choice)], choice)
    return opened.with_batches(arrived_of(choice.options.get("arrived")))


def _place(path: str, context: Context) -> str:
    """An absolute path, one beside the sweep file, or, where nothing is there, one below the data folder."""
    beside = context.folder / Path(path).expanduser()
    below = context.source.data / path if context.source.data is not None else beside
    return str(below if below.exists() and not beside.exists() else beside)


@cache
def _digests(folder: Path) -> FileDigests:
    return FileDigests(folder)
