"""A sweep in TensorBoard: one run for each trial."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...core.errors import StoreError
from ...core.record import Record
from ...core.trial import Trial
from ..naming.names import file_stem
from ..run.listener import Listener, SweepState
from ..run.running import Running
from .facts import ended, readings, settings, test_means, timed

if TYPE_CHECKING:
    from .event_file import EventFile

SHOWN = ("dataset", "model", "loss", "seed", "backend", "device")
RECIPE = ("patch", "batch", "epochs", "optimizer", "rate", "schedule", "precision")
"""Settings in TensorBoard's table HPARAMS; the others are in the record."""

ID_DIGITS = 16
"""Of a trial's id, with which the name of its folder ends."""


class TensorBoardLog(Listener):
    """Writes a folder `NAME-ID` for each trial: readings of each epoch, then means on the test cases by class.

    A trial that begins anew has its folder emptied, and one that goes on from a checkpoint gets the epochs that this
    had, so that no point is there twice. A trial that was settled before, or that another driver ran, is written from
    its record where it has no folder; one that was settled before, also where a log failed or was killed before the
    trial's end. policy: for empty masks, as in the sweep file. Raises StoreError when the folder cannot be made.
    """

    def __init__(self, folder: Path, policy: str) -> None:
        self.name, self.folder, self.policy = f"TensorBoard log in {folder}", folder, policy
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{folder}: {error.strerror}; give another place with --tensorboard DIR") from None
        self.runs = {place.name[-ID_DIGITS:]: place for place in folder.iterdir() if place.is_dir()}
        self.open: dict[str, EventFile] = {}

    def known(self, state: SweepState, record: Record, name: str) -> None:
        """Write it, if it is not there to its end."""
        from .event_file import is_ended

        place = self.runs.get(record.trial.id)
        if place is None or not is_ended(place):
            self._write_whole(record, name)

    def start(self, state: SweepState, running: Running) -> None:
        """Begin its run."""
        self._close(running.trial)
        self._begin(running.trial, running.name, time.time())

    def on_progress(self, state: SweepState, running: Running, event: Mapping[str, Any]) -> None:
        """Write an epoch, or those that a checkpoint had."""
        if event["phase"] == "epoch":
            self._epochs(running.trial, [event])
        elif event["phase"] == "resume":
            self._epochs(running.trial, event["history"])

    def stop(self, state: SweepState, running: Running) -> None:
        """Leave what is there."""
        self._close(running.trial)

    def finish(self, state: SweepState, record: Record, name: str, running: Running | None) -> None:
        """Write its means, and how it ended."""
        if record.trial.id in self.open:
            self._end(record)
        elif self._place(record.trial) is None:
            self._write_whole(record, name)

    def end(self, state: SweepState) -> None:
        """Close what still runs."""
        for file in self.open.values():
            file.close()

    def _write_whole(self, record: Record, name: str) -> None:
        trial, at = record.trial, ended(record, time.time())
        self._begin(trial, name, at - sum(record.timing.get(phase, 0.0) for phase in ("load_s", "build_s", "train_s")))
        self._epochs(trial, record.history, at)
        self._end(record)

    def _begin(self, trial: Trial, name: str, at: float) -> None:
        from .event_file import EventFile  # TensorBoard is loaded by who asks for it

        place = self._place(trial) or self.folder / f"{file_stem(name)}-{trial.id}"
        self.runs[trial.id], self.open[trial.id] = place, EventFile(place)
        every = settings(trial)
        wanted = {key: every[key] for key in SHOWN} | {key: every[f"recipe.{key}"] for key in RECIPE}
        self.open[trial.id].begin(wanted, at)

    def _place(self, trial: Trial) -> Path | None:
        """The folder of a trial, under whichever name, which another driver may have made since we began."""
        return self.runs.get(trial.id) or next(self.folder.glob(f"*-{trial.id}"), None)

    def _epochs(self, trial: Trial, rows: Any, at: float = 0.0) -> None:
        for when, row in timed(rows, at or time.time()):
            self.open[trial.id].scalars(readings(row), int(row["epoch"]), when)

    def _end(self, record: Record) -> None:
        at, file = ended(record, time.time()), self.open.pop(record.trial.id)
        file.scalars(test_means(record, self.policy), int(record.selection.get("epoch", 0)), at)
        reason = f": {record.reason}" if record.reason else ""
        file.text("record", f"{record.status}{reason}\n\nid {record.trial.id}", at)
        file.end(at, done=record.status == "done")

    def _close(self, trial: Trial) -> None:
        file = self.open.pop(trial.id, None)
        if file is not None:
            file.close()
