"""What a sweep wants kept beside the scores and a settled trial's record has not."""

from ...core.record import Record
from ..records.store import Store
from ..trial.context import Context


def lacking(record: Record, store: Store, context: Context) -> list[str]:
    """Return what is wanted and missing, as words: latency by runtime, weights, previews; nothing unless it is done."""
    if record.status != "done":
        return []
    timed = {str(entry.get("runtime")) for entry in record.latency}
    runtimes = context.runtimes if context.latency is not None else ()
    found = [f"latency ({runtime.label})" for runtime in runtimes if runtime.label not in timed]
    if context.weights and not store.kept("weights", record.trial, ".keras"):
        found.append("weights")
    if context.previews and not store.kept("previews", record.trial, ".npz"):
        found.append("previews")
    return found
