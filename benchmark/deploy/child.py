"""A process beside ours that answers orders: a runtime that crashes there costs one row and not the sweep.

It is a fresh interpreter, begun by its command line, for the workers of a sweep may have no children of
`multiprocessing`. Orders and answers are pickled values over a local connection.
"""

import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Client, Listener
from pathlib import Path
from typing import Any

from ...core.errors import ConversionError, UnetbenchError, one_line
from ..records.signals import deaf_children

START_S = 120.0
"""Seconds in which a process must have begun; loading TensorFlow takes a tenth of it."""

KEY = "UNETBENCH_CHILD_KEY"


class Child:
    """A process that runs `serve` of a module. Usable in a `with` statement.

    module: of this package, dotted, as `deploy.session`. environment: beside our own. Raises ConversionError where the
    process ends before it answers, with what it said last.
    """

    def __init__(
        self, module: str, arguments: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = module
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        key = secrets.token_hex(16)
        package = __name__.rpartition(".")[0].rpartition(".")[0]
        with Listener(authkey=key.encode()) as listener:
            words = [sys.executable, "-m", f"{package}.{module}", _address(listener), *arguments]
            told = {**os.environ, **(environment or {}), KEY: key}
            told["PYTHONPATH"] = os.pathsep.join(filter(None, [*map(str, _roots()), os.environ.get("PYTHONPATH")]))
            with deaf_children():
                self._process = subprocess.Popen(
                    words, env=told, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log
                )
            try:
                self._pipe = self._accepted(listener)
            except ConversionError:
                self._log.close()
                raise

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, order: str, *values: Any) -> Any:
        """The answer to an order. Raises what the process raised of ours, ConversionError for anything else."""
        try:
            self._pipe.send((order, values))
            fine, answer = self._pipe.recv()
        except (EOFError, OSError):
            raise ConversionError(self._end()) from None
        if fine:
            return answer
        raise answer

    def is_alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _accepted(self, listener: Listener) -> Any:
        socket = listener._listener._socket  # pyright: ignore  # the only way to wait no longer than so
        socket.settimeout(1.0)
        waited = 0.0
        while True:
            try:
                return listener.accept()
            except TimeoutError:
                waited += 1.0
                if self._process.poll() is not None:
                    raise ConversionError(self._end()) from None
                if waited > START_S:
                    self._process.kill()
                    raise ConversionError(f"the process of {self.name} did not begin in {START_S:g} s") from None

    def _end(self) -> str:
        """Why the process is gone, and what it said last."""
        code = self._process.wait()
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        self._log.seek(0)
        said = [line for line in self._log.read().decode("utf-8", "replace").splitlines() if line.strip()]
        return f"the process of {self.name} {how}" + (f"; it last said: {said[-1][:200]}" if said else "")


def serve(orders: Mapping[str, Callable[..., Any]]) -> None:
    """Answer orders until the other side is gone; what one raises is sent, as one of our errors."""
    pipe = Client(_parsed(sys.argv[1]), authkey=os.environ[KEY].encode())
    while True:
        try:
            order, values = pipe.recv()
        except EOFError:
            return
        try:
            answer = True, orders[order](*values)
        except UnetbenchError as error:
            answer = False, error
        except Exception as error:  # the runtimes' own types are many, and may not survive the journey
            answer = False, ConversionError(one_line(error))
        pipe.send(answer)


def _address(listener: Listener) -> str:
    address = listener.address
    return address if isinstance(address, str) else ":".join(map(str, address))


def _parsed(text: str) -> Any:
    host, colon, port = text.rpartition(":")
    return (host, int(port)) if colon and port.isdigit() and host[1:2] != ":" else text


def _roots() -> list[Path]:
    """The folder that our package is imported from, for a process begun elsewhere."""
    root = sys.modules[__name__.partition(".")[0]]
    return [Path(entry).parent for entry in root.__path__]
