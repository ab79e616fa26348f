"""An order to train a trial of a search, which is scored on validation cases and on no others."""

from dataclasses import dataclass

from ...core.trial import Trial


@dataclass(frozen=True)
class SearchTrial:
    """A trial that is trained until an epoch, selected, and scored on whole validation cases; no test case is read.

    until: the last epoch, counted from 1. Where it is below the recipe's epochs, a checkpoint stays from which the same
    trial goes on to a later one, with the optimizer's state and at its place in the schedule. parts: as `run_trial` has
    it.
    """

    trial: Trial
    until: int
    parts: int = 0
