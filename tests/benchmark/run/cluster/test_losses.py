"""Why an order was lost, as a person reads it."""

import pytest
from distributed.client import FutureCancelledError

from unetbench.benchmark.run.cluster.losses import reason_of


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            FutureCancelledError("a-1", "scheduler-connection-lost", "Please check your connection."),
            "the connection to the scheduler is lost",
        ),
        (
            FutureCancelledError("a-1", "worker lost"),
            "FutureCancelledError: a-1 cancelled for reason: worker lost",
        ),
        (OSError("broken"), "OSError: broken"),
    ],
)
def test_the_reason_is_one_clause_without_a_full_stop(error, reason):
    assert reason_of(error) == reason
