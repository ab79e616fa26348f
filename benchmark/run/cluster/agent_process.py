"""An agent as the dask worker sees it that began it: begun, asked, told to stop, ended."""

import contextlib
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

import dask.config
import distributed  # noqa: F401  # brings the defaults of its configuration

from .orders import Answer, Site

AGENT = f"{__package__}.agent"

HASH_SEED = ("PYTHONHASHSEED", "6640")
"""What a nanny of dask sets for its worker where nobody else does."""

LAST_S = 15.0
"""Seconds that an agent has to give its claim back when it is to end."""


class AgentEnded(Exception):
    """An agent ended that was not asked to."""


class AgentProcess:
    """One agent. setup: as `Agent` takes it, pickled. threads: of the dask worker."""

    def __init__(self, setup: bytes, threads: int) -> None:
        words = [sys.executable, "-P", "-m", AGENT]  # -P: not the modules of whatever folder the worker is in
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(os.environ), start_new_session=True
        )
        self.key, self._lock = "", threading.Lock()
        self._write((setup, threads))
        self.site: Site = self._read()[1]

    def ask(self, key: str, order: bytes, tell: Callable[[str], None], said: Mapping[str, str]) -> Answer:
        """Have a pickled order carried out. Raises AgentEnded.

        tell: is given the events meanwhile, as JSON. said: words about orders, by key, which may have come too early.
        """
        with self._lock:
            self.key = key
            self._write(("order", key, order))
        try:
            if key in said:
                self.say(said[key], key)
            while True:
                message = self._read()
                if message[0] == "tell":
                    tell(message[1])
                elif message[1] == key:
                    return message[2]
        finally:
            self.key = ""

    def say(self, word: str, key: str) -> None:
        """Say STOP or END about an order; nothing happens where it is not at work on it."""
        with self._lock, contextlib.suppress(AgentEnded):  # who asks is told
            if self.key == key:
                self._write((word, key, b""))

    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self.process.poll() is None

    def close(self) -> None:
        """End it, at once if it works, with its claim given back."""
        with contextlib.suppress(OSError):
            self._stdin.close()
        try:
            self.process.wait(LAST_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()  # pyright: ignore[reportOptionalMemberAccess]  # it was begun with one

    @property
    def _stdin(self) -> Any:
        return self.process.stdin

    def _write(self, message: Any) -> None:
        try:
            pickle.dump(message, self._stdin)
            self._stdin.flush()
        except (OSError, ValueError):  # closed there, closed here
            raise AgentEnded(self._reason()) from None

    def _read(self) -> Any:
        stdout: Any = self.process.stdout
        try:
            return pickle.load(stdout)
        except (EOFError, OSError, pickle.UnpicklingError):
            raise AgentEnded(self._reason()) from None

    def _reason(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        return f"the process that runs its trials ended with status {self.process.returncode}"


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a dask worker without what its nanny set, which limits libraries to one thread.

    A variable that has the very value that dask's configuration gives it is taken for dask's.
    """
    told = dask.config.get("distributed.nanny.pre-spawn-environ", {}) or {}
    dasks = {HASH_SEED, *((name, str(value)) for name, value in told.items())}
    return {name: value for name, value in environ.items() if (name, value) not in dasks}
