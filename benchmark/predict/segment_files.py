"""Files segmented one after the other: the next is read, and the last written, while the network works."""

import re
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ...core.errors import DataError
from ...datasets.prepare import PreparedImage
from ...datasets.readers import Page, Reading
from ...datasets.regions import PreparedRegions, Stored
from ..trial.predict import to_labels
from ..trial.segmenter import Segmenter
from .inputs import Input
from .outputs import Outputs, Wanted
from .progress import Progress
from .segment import MEMORY_MIB, check_mirror, predicted, prepared_for
from .segmented import Segmented
from .source import Source, open_source
from .streamed import Streamed, streams

T = TypeVar("T")

_WAITING = 2  # images that may wait to be written


@dataclass(frozen=True)
class Part:
    """One image of a source, ready for the network."""

    source: Source
    page: Page | None
    image: Stored
    prepared: PreparedImage | PreparedRegions


@dataclass(frozen=True)
class Failure:
    """An input that cannot be segmented, and why, in one line that names it."""

    entry: Input
    reason: str


@dataclass
class Outcome:
    """done, skipped: images segmented now, and finished before. failed: the others. tables: files of measures."""

    done: int = 0
    skipped: int = 0
    failed: list[Failure] = field(default_factory=list)
    tables: list[Path] = field(default_factory=list)


def segment_files(
    entries: Sequence[Input],
    segmenter: Segmenter,
    out: Path,
    *,
    wanted: Wanted,
    reading: Reading,
    progress: Progress,
    mirror: bool | None = None,
    memory_mib: int = MEMORY_MIB,
    overwrite: bool = False,
) -> Outcome:
    """Segment inputs into a folder (see `Outputs`); those that are finished are left out unless `overwrite` is set.

    What cannot be read or does not fit the network is told, and the rest goes on. Raises StoreError when outputs cannot
    be written, SpecError when the folder is another model's or the network saw no mirrored images.
    """
    check_mirror(segmenter, mirror)
    mirrored = segmenter.mirror if mirror is None else mirror
    outputs = Outputs(out, wanted)
    outputs.begin(_settings(segmenter, reading, mirrored, memory_mib))
    pending = [entry for entry in entries if overwrite or not outputs.finished(entry)]
    outcome = Outcome(skipped=len(entries) - len(pending))
    progress.begin(len(pending), outcome.skipped)
    run = _Run(segmenter, outputs, mirrored, memory_mib, progress, outcome)
    with ThreadPoolExecutor(1, "read") as reader, ThreadPoolExecutor(1, "write") as writer:
        try:
            for found in _ahead(_parts(pending, segmenter, reading, memory_mib), reader):
                run.take(found, writer)
            run.wait(0)
        finally:
            run.abandon()
            progress.close()
    outcome.tables = outputs.write_tables()
    return outcome


class _Run:
    """Takes the parts of inputs as they come; all parts of an input come in a row."""

    def __init__(
        self,
        segmenter: Segmenter,
        outputs: Outputs,
        mirror: bool,
        memory_mib: int,
        progress: Progress,
        outcome: Outcome,
    ) -> None:
        self._segmenter, self._outputs, self._mirror = segmenter, outputs, mirror
        self._memory_mib, self._progress, self._outcome = memory_mib, progress, outcome
        self._making: Segmented | Streamed | None = None
        self._failed: Input | None = None
        self._writing: deque[Future[None]] = deque()

    def take(self, found: Part | Failure, writer: ThreadPoolExecutor) -> None:
        """Segment a part; what it completes is written by `writer`."""
        if isinstance(found, Failure):
            self._fail(found)
            return
        source = found.source
        if source.entry == self._failed:
            return
        try:
            if found.page == source.parts[0]:
                self._begin(source)
            making = self._making
            assert making is not None  # the first part began it
            for place, probabilities in predicted(
                found.prepared,
                self._segmenter,
                mirror=self._mirror,
                memory_mib=self._memory_mib,
                on_progress=self._progress.windows,
            ):
                labels = to_labels(probabilities, self._segmenter.task, self._segmenter.threshold)
                making.put(found.page, found.image, place, labels, probabilities)
        except DataError as error:  # a region of an OME-Zarr that cannot be read
            self._fail(Failure(source.entry, str(error)))
            return
        if found.page == source.parts[-1]:
            self._making = None
            self._writing.append(writer.submit(making.finish))
            self.wait(_WAITING)

    def wait(self, most: int) -> None:
        """Wait until so many images at most are still to be written. Raises what writing raised."""
        while len(self._writing) > most:
            self._writing.popleft().result()
            self._outcome.done += 1
            self._progress.finish()

    def abandon(self) -> None:
        """Leave no trace of an input of which parts are missing."""
        if self._making is not None:
            self._making.abandon()
            self._making = None

    def _begin(self, source: Source) -> None:
        self._progress.image(source.entry.name)
        for note in source.notes:
            self._progress.note(str(source.entry.file), as_options(note))
        kind = Streamed if streams(source, self._segmenter, self._memory_mib) else Segmented
        self._making = kind(source, self._segmenter, self._outputs)

    def _fail(self, found: Failure) -> None:
        failure = Failure(found.entry, as_options(found.reason))
        self.abandon()
        self._failed = failure.entry
        self._outcome.failed.append(failure)
        self._progress.problem(failure.reason)
        self._progress.finish()


def _parts(
    entries: Sequence[Input], segmenter: Segmenter, reading: Reading, memory_mib: int
) -> Iterator[Part | Failure]:
    for entry in entries:
        try:
            source = open_source(entry, segmenter, reading)
            for page in source.parts:
                image = source.image(page)
                name = str(entry.file)
                if page is not None and len(source.parts) > 1:
                    name += f", {told(page)}"
                yield Part(source, page, image, prepared_for(image, segmenter, name=name, memory_mib=memory_mib))
        except DataError as error:
            yield Failure(entry, str(error))
        except MemoryError:
            reason = f"{entry.file}: does not fit into memory; save it as OME-Zarr, which is read by regions"
            yield Failure(entry, reason)


def as_options(text: str) -> str:
    """A message of the readers, which name keys of a sweep file, with the options of `unetbench predict` instead."""
    return re.sub(r"`(pages|channels|exif)(?:: ([a-z]+))?`", _option, text.replace("`image_array`", "`--array`"))


def _option(found: re.Match[str]) -> str:
    return f"`--{' '.join(filter(None, found.groups()))}`"


def told(page: Page) -> str:
    """How messages name a page."""
    return f"frame {page.frame}" if page.slice is None else f"frame {page.frame}, slice {page.slice}"


def _ahead(items: Iterator[T], reader: ThreadPoolExecutor) -> Iterator[T]:
    """The items, of which the next is made in a thread while one is used."""
    end: Any = object()
    coming = reader.submit(next, items, end)
    while (item := coming.result()) is not end:
        coming = reader.submit(next, items, end)
        yield item


def _settings(segmenter: Segmenter, reading: Reading, mirror: bool, memory_mib: int) -> dict[str, Any]:
    """What decides predictions; a folder holds those of one."""
    own = {key: value for key, value in asdict(reading).items() if key in ("channels", "exif", "array", "pages")}
    return {
        "model": segmenter.name,
        "classes": list(segmenter.task.classes),
        "threshold": None if segmenter.task.kind == "exclusive" else segmenter.threshold,
        "objects": segmenter.objects,
        "mirror": mirror,
        "memory_mib": memory_mib,
        **own,
    }
