"""How often trials lost their worker: once is chance, always at the same place is the trial."""

from ....core.errors import one_line
from ....core.trial import Trial

MOST = 3
"""Workers that a trial may lose without coming further; then it has failed."""

NO_SCHEDULER = "scheduler-connection-lost"
"""What dask calls it; its sentences about it ask a person to do what is done here."""


def reason_of(error: BaseException) -> str:
    """Why an order was lost, in words that something follows after a semicolon."""
    if getattr(error, "reason", "") == NO_SCHEDULER:
        return "the connection to the scheduler is lost"
    return one_line(error).rstrip(".")


class Losses:
    """The lost workers of trials."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[int, int]] = {}

    def blameless(self, trial: Trial, epoch: int) -> bool:
        """Note that the trial lost its worker after an epoch, 0 for none; whether another is to go on with it.

        A worker that ends by its lifetime is lost too, so that those lost before the trial came further do not count.
        """
        count, furthest = self._of.get(trial.id, (0, 0))
        count = 1 if epoch > furthest else count + 1
        self._of[trial.id] = count, max(epoch, furthest)
        return count < MOST
