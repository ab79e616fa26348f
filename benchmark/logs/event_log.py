"""A sweep under way for machines: an event a line."""

import json
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from ... import __version__
from ...core.errors import StoreError
from ...core.record import Record, finite
from ..run.listener import Listener, SweepState, mean_dice
from ..run.running import Running
from .events import SCHEMA, Begin, End, Epoch, Event, Finish, Phase, Remark, Resume, Start, Stop, Wait

STANDARD_OUTPUT = "-"
"""In the place of a file."""


class EventLog(Listener):
    """Writes `events` at the end of a file, or to standard output where that is `-`.

    sweep: its name. Raises StoreError when the file cannot be opened.
    """

    def __init__(self, target: str, sweep: str) -> None:
        self.name, self.sweep = f"events to {target}", sweep
        self.phases: dict[str, str] = {}
        self.stream: TextIO = sys.stdout
        if target == STANDARD_OUTPUT:
            return
        try:
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            self.stream = Path(target).open("a", encoding="utf-8")  # noqa: SIM115  # open as long as the sweep runs
        except OSError as error:
            raise StoreError(f"{target}: {error.strerror}; give another place with --events FILE") from None

    def begin(self, state: SweepState) -> None:
        """Write what the sweep is."""
        self._write(
            Begin(
                time=_now(),
                schema=SCHEMA,
                sweep=self.sweep,
                trials=state.total,
                settled=state.settled,
                host=socket.gethostname(),
                process=os.getpid(),
                unetbench=__version__,
            )
        )

    def reject(self, state: SweepState, record: Record, name: str) -> None:
        """Write that it failed."""
        self._finish(state, record, name, None, elsewhere=False)

    def start(self, state: SweepState, running: Running) -> None:
        """Write which trial it is, and where."""
        trial = running.trial
        self._write(
            Start(
                **_of(running),
                where=running.where,
                dataset=trial.dataset.label,
                model=trial.network,
                loss=trial.loss.label,
                seed=trial.seed,
                epochs=running.epochs,
            )
        )

    def on_progress(self, state: SweepState, running: Running, event: Mapping[str, Any]) -> None:
        """Write epochs, warnings, and phases as they change; not the steps inside them."""
        phase = event["phase"]
        if phase == "epoch":
            self._write(_epoch(state, running, event))
        elif phase == "warning":
            self._write(Remark(**_of(running), text=event["text"]))
        elif phase == "resume":
            self._write(Resume(**_of(running), epoch=running.epoch))
        elif self.phases.get(running.trial.id) != phase:
            self.phases[running.trial.id] = phase
            self._write(Phase(**_of(running), phase=phase))

    def stop(self, state: SweepState, running: Running) -> None:
        """Write that it has."""
        self.phases.pop(running.trial.id, None)
        self._write(Stop(**_of(running)))

    def wait(self, state: SweepState, count: int) -> None:
        """Write for how many."""
        self._write(Wait(time=_now(), count=count))

    def finish(self, state: SweepState, record: Record, name: str, running: Running | None) -> None:
        """Write how it went."""
        self.phases.pop(record.trial.id, None)
        self._finish(state, record, name, running, elsewhere=running is None)

    def end(self, state: SweepState) -> None:
        """Write the counts and close the file."""
        self._write(
            End(
                time=_now(),
                settled=state.settled,
                trials=state.total,
                under_way=len(state.running),
                seconds=round(state.spent_s, 1),
                counts=dict(state.counts),
            )
        )
        if self.stream is not sys.stdout:
            self.stream.close()

    def _finish(
        self, state: SweepState, record: Record, name: str, running: Running | None, *, elsewhere: bool
    ) -> None:
        self._write(
            Finish(
                time=_now(),
                id=record.trial.id,
                trial=name,
                worker=None if running is None else running.worker,
                elsewhere=elsewhere,
                status=record.status,
                reason=record.reason,
                dice=mean_dice(record, state.policy),
                seconds=None if running is None else round(running.spent_s, 1),
                settled=state.settled,
                trials=state.total,
                seconds_left=_rounded(state.left_s),
                counts=dict(state.counts),
            )
        )

    def _write(self, event: Event) -> None:
        fields = asdict(event)
        line = {"event": fields.pop("event"), **finite(fields)}
        self.stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        self.stream.flush()  # whoever reads along is to see it now


def _epoch(state: SweepState, running: Running, event: Mapping[str, Any]) -> Epoch:
    readings = ("loss", "val_loss", "val_dice", "best", "rate", "train_s", "validate_s")
    values = {name: event[name] for name in readings}
    left = _rounded(state.left_s)
    return Epoch(**_of(running), epoch=running.epoch, epochs=running.epochs, seconds_left=left, **values)


def _of(running: Running) -> dict[str, Any]:
    return {"time": _now(), "id": running.trial.id, "trial": running.name, "worker": running.worker}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
