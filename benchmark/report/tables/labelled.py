"""What the labels of a table stand for."""

from collections.abc import Sequence

from ....core.record import Record
from ...naming.labels import Labels
from ...naming.names import described


def labelled(labels: Labels, records: Sequence[Record]) -> tuple[tuple[str, str], ...]:
    """Each label of these records and what it stands for."""
    trials = [record.trial for record in records]
    named = [(labels.dataset(trial), described(trial.dataset)) for trial in trials]
    named += [(labels.model(trial.model), trial.model.label) for trial in trials]
    named += [(labels.loss(trial.loss), trial.loss.label) for trial in trials]
    timed = [str(entry.get("runtime")) for record in records for entry in record.latency]
    named += [(labels.runtime(name), name) for name in timed if labels.runtime(name) != name]
    return tuple(dict.fromkeys((label, meant) for label, meant in named if label))
