"""The process in which a runtime runs: an export folder's own code, or a Keras model in one of Keras' ways.

Nothing is loaded but what the runtime needs, so that its peak memory and its first call are its own.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import ConversionError
from ...core.memory import peak_bytes
from ...core.registry import load_plugin
from ..timing.latency import time_calls
from .child import serve
from .example.segment import Model


class Session:
    """What the process keeps between orders. firsts: seconds of the first call with images of a shape."""

    def __init__(self) -> None:
        self.model: Any = None
        self.firsts: dict[tuple[int, ...], float] = {}
        self.run: Callable[[np.ndarray], np.ndarray] | None = None

    def open_folder(self, folder: str, threads: int) -> dict[str, Any]:
        """Load an export folder's model; its code is that of this package, byte for byte."""
        start = time.perf_counter()
        self.model = Model(Path(folder), threads)
        self.run = self.model.run
        return {"load_s": time.perf_counter() - start, "session": self.model.session}

    def open_network(
        self, folder: str, file: str, runtime: str, options: dict[str, Any], plugins: tuple[str, ...]
    ) -> dict[str, Any]:
        """Load a .keras file and run it by a runtime that is a function of the model; folder: says what is done."""
        from ...runtimes import RUNTIMES
        from .trained import load_network

        for plugin in plugins:
            load_plugin(plugin)
        start = time.perf_counter()
        self.run = RUNTIMES[runtime](load_network(Path(file), "float32"), **options)
        self.model = Model(Path(folder), run=self.run)
        return {"load_s": time.perf_counter() - start, "session": {}}

    def folder(self) -> str:
        """The folder whose code and settings are used."""
        return str(self.model.folder)

    def forward(self, images: np.ndarray) -> np.ndarray:
        """Logits (n, *space, k) of images (n, *space, c)."""
        start = time.perf_counter()
        logits = self._call(images)
        self.firsts.setdefault(images.shape, time.perf_counter() - start)
        return logits

    def first(self, images: np.ndarray) -> float:
        """Seconds of the first call with images of that shape, which may compile; it is made now if it was not yet."""
        if images.shape not in self.firsts:
            self.forward(images)
        return self.firsts[images.shape]

    def time(self, images: np.ndarray, count: int) -> list[float]:
        """Seconds of so many single calls."""
        return time_calls(self._call, images, warmup=0, samples=count, budget_s=float("inf"))

    def probabilities(self, image: np.ndarray) -> np.ndarray:
        """Probabilities (*space, k) of an image as its file has it, by the folder's own code."""
        return self.model.probabilities(image)

    def peak_bytes(self) -> int:
        """The most memory that this process has held so far."""
        return peak_bytes()

    def _call(self, images: np.ndarray) -> np.ndarray:
        if self.run is None:
            raise ConversionError("no model is open")
        return self.run(images)


if __name__ == "__main__":
    session = Session()
    orders = ("open_folder", "open_network", "folder", "forward", "first", "time", "probabilities", "peak_bytes")
    serve({name: getattr(session, name) for name in orders})
