"""What came of a run."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...core.record import Record
from ...core.trial import Trial
from ..records.store import SETTLED

WHOLE = 100
"""Records of a run that are kept whole; of further ones only what tells how they went, the rest is in their files."""


@dataclass
class Outcome:
    """What a run did: the records it made, and the trials that were settled before.

    others: records that other drivers made meanwhile. elsewhere: trials that they had when this one ended. stopped:
    whether it ended before its trials because it was asked to.
    """

    made: list[Record] = field(default_factory=list)
    settled: int = 0
    lost: list[str] = field(default_factory=list)
    others: list[Record] = field(default_factory=list)
    elsewhere: list[Trial] = field(default_factory=list)
    stopped: bool = False

    @property
    def fine(self) -> bool:
        """Whether every trial is done or declared unfit; what other drivers still have does not count."""
        return not self.lost and all(record.status in SETTLED for record in (*self.made, *self.others))


def kept(record: Record, before: Sequence[Record]) -> Record:
    """The record as the driver keeps it: a long sweep's would fill its memory."""
    return record if len(before) < WHOLE else Record(record.trial, record.status, record.reason)
