"""What a sweep wants kept beside the scores and a settled trial's record has not."""

from ...core.record import Record
from ..records.store import Store
from ..trial.context import Context
from ..trial.own_parts import own_metrics, own_runtimes


def lacking(record: Record, store: Store, context: Context) -> list[str]:
    """Return what is wanted and missing, as words; nothing unless the trial is done.

    Scores of the user's own metrics as their sources are now, latency by runtime, weights, previews.
    """
    if record.status != "done":
        return []
    scored = record.data.get("metrics", {})
    found = [
        f"scores of metric {name}" + (" as it is now" if name in scored else "")
        for name, digest in own_metrics().items()
        if scored.get(name) != digest
    ]
    own = own_runtimes(context)
    timed = {str(entry.get("runtime")): entry.get("source", "") for entry in record.latency}
    for runtime in context.runtimes if context.latency is not None else ():
        if runtime.label not in timed:
            found.append(f"latency ({runtime.label})")
        elif timed[runtime.label] != own.get(runtime.name, ""):
            found.append(f"latency ({runtime.label}) as it is now")
    if context.weights and not store.kept("weights", record.trial, ".keras"):
        found.append("weights")
    if context.previews and not store.kept("previews", record.trial, ".npz"):
        found.append("previews")
    return found
