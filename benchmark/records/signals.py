"""A scheduler's warning that time is nearly up: the driver hears it, its processes do not."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def deaf_children() -> Iterator[None]:
    """Processes that are begun in the block do not get SIGUSR1, which would end them where a whole group gets it."""
    if not hasattr(signal, "SIGUSR1"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
