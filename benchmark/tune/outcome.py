"""What came of a trial of a search, as a file of a kind of its own, so that nobody takes it for a sweep's record."""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np

from ...core.errors import StoreError
from ...core.measure import MEASURES
from ...core.record import Record

KIND = "trial of a search"
SCHEMA = 1

SCORE = MEASURES["dice"]
"""What is searched for: the mean Dice over whole validation cases, at the selected epoch and threshold."""


@dataclass(frozen=True)
class Outcome:
    """A trial as it stood after epoch `until`, which may not be its last. record: without scores of test cases."""

    until: int
    record: Record

    @property
    def done(self) -> bool:
        """Whether it was trained and has a score of its own."""
        return self.record.status == "done" and self.record.selection.get("dice") is not None

    @property
    def score(self) -> float:
        """What the engine is told; the worst there is where nothing was trained or the score is undefined."""
        return float(self.record.selection["dice"]) if self.done else SCORE.worst

    @property
    def reason(self) -> str:
        """Why it has no score of its own."""
        if self.record.status == "done" and not self.done:
            return "no validation case has a defined Dice"
        return self.record.reason

    @property
    def epochs(self) -> int:
        """Epochs that the trial has been trained for, from its begin."""
        return max((int(row["epoch"]) for row in self.record.history), default=0)

    @cached_property
    def seconds(self) -> float:
        """Of training and validation in these epochs; of all where the trial failed before the first one ended."""
        if self.record.history:
            return sum(float(row["train_s"]) + float(row["validate_s"]) for row in self.record.history)
        times = self.record.started, self.record.finished
        if self.done or not all(times):
            return 0.0
        begun, ended = map(datetime.fromisoformat, times)
        return max(0.0, (ended - begun).total_seconds())

    def cases(self) -> tuple[np.ndarray, np.ndarray]:
        """Dice of each validation case, NaN where undefined, and the group that each belongs to; both (n,)."""
        rows = self.record.selection.get("cases") or []
        dice = [np.nan if row["dice"] is None else float(row["dice"]) for row in rows]
        return np.array(dice), np.array([str(row["group"] or row["case"]) for row in rows])

    def to_json(self) -> str:
        """As text."""
        record: dict[str, Any] = json.loads(self.record.to_json())
        return json.dumps({"kind": KIND, "schema": SCHEMA, "until": self.until, "record": record}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, source: str) -> "Outcome":
        """Read it back. Raises StoreError, in one line with the source, for what is no such text or of a later kind."""
        try:
            fields = json.loads(text)
            if fields["kind"] != KIND:
                raise ValueError(f"it is a {fields['kind']}")
            if fields["schema"] > SCHEMA:
                raise StoreError(f"{source}: schema {fields['schema']} is newer than {SCHEMA}; update unetbench")
            return cls(int(fields["until"]), Record.from_json(json.dumps(fields["record"]), source))
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{source}: is no trial of a search ({error}); delete it to have the trial run") from None
