"""One trial of a search, from listing to a record without scores."""

from typing import Any

import numpy as np

from ...core.record import Record
from .context import Context
from .run_trial import WorkerCache, recorded, train_trial
from .search_trial import SearchTrial
from .train import ProgressCallback
from .validate import dice_by_case


def run_search_trial(order: SearchTrial, context: Context, cache: WorkerCache, on_progress: ProgressCallback) -> Record:
    """Run a trial of a search; its record has no scores, for no test case is read.

    The record's selection also has `cases`: case, group and Dice of every whole validation case at the selected epoch
    and threshold, a mean over scored classes, None where all are empty in truth and prediction; and `dice`, the mean
    over those that are not. A trial that fails has the history of the epochs that it came to in this process.
    """
    trial, rows = order.trial, []

    def noted(event: dict[str, Any]) -> bool | None:
        if event["phase"] == "epoch":
            rows.append({name: value for name, value in event.items() if name not in ("phase", "best")})
        return on_progress(event)

    def perform(fields: dict[str, Any]) -> None:
        fields["history"] = rows
        made = train_trial(trial, context, cache, noted, fields, parts=order.parts, until=order.until)
        batch, threshold = made.trial.training.micro_batch, made.selection.threshold
        model, task = made.compiled, made.opened.task
        dice = dice_by_case(model.forward, made.cases.whole(), task, batch=batch, threshold=threshold)
        validation = made.opened.split.cases("validation")
        fields["selection"]["cases"] = [
            {"case": case.name, "group": case.group, "dice": float(value)}
            for case, value in zip(validation, dice, strict=True)
        ]
        defined = dice[~np.isnan(dice)]
        fields["selection"]["dice"] = float(defined.mean()) if len(defined) else None

    return recorded(trial, context, cache, perform)
