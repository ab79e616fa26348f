"""What a sweep wants kept beside the scores and a settled trial's record has not."""

from collections.abc import Mapping

from ...core.record import Record
from ..records.store import Store
from ..trial.averaging import lacks_averages, wanted_of
from ..trial.context import Context
from ..trial.own_parts import own_metrics, own_runtimes


def incomplete(records: Mapping[str, Record], store: Store, contexts: Mapping[str, Context]) -> dict[str, list[str]]:
    """What is wanted and missing of records that are done, as words, by the records' keys; those that lack nothing not.

    Scores of the user's own metrics as their sources are now, latency by runtime, weights, previews. contexts: by the
    device of trials.
    """
    metrics = own_metrics()
    runtimes = {device: own_runtimes(context) for device, context in contexts.items()}
    found: dict[str, list[str]] = {}
    for key, record in records.items():
        device = record.trial.device
        if record.status == "done" and (lacks := _lacking(record, store, contexts[device], metrics, runtimes[device])):
            found[key] = lacks
    return found


def _lacking(
    record: Record, store: Store, context: Context, metrics: Mapping[str, str], own: Mapping[str, str]
) -> list[str]:
    scored = record.data.get("metrics", {})
    found = [
        f"scores of metric {name}" + (" as it is now" if name in scored else "")
        for name, digest in metrics.items()
        if scored.get(name) != digest
    ]
    timed = {str(entry.get("runtime")): entry.get("source", "") for entry in record.latency}
    for runtime in context.runtimes if context.latency is not None else ():
        if runtime.label not in timed:
            found.append(f"latency ({runtime.label})")
        elif timed[runtime.label] != own.get(runtime.name, ""):
            found.append(f"latency ({runtime.label}) as it is now")
    if context.weights and not store.kept("weights", record.trial, ".keras"):
        found.append("weights")
    if lacks_averages(store.averages_of(record.trial.id), wanted_of(record.trial, context.averagings)):
        found.append("averaged weights")
    if context.previews and not store.kept("previews", record.trial, ".npz"):
        found.append("previews")
    return found
