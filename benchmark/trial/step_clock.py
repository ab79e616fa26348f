"""How long training steps take, and how much memory training needs."""

import time
from typing import Any

import keras

from ...core import memory
from . import device

KEPT = 1000
"""Steps after the first whose seconds are kept."""


class StepClock(keras.callbacks.Callback):
    """Reads the clock before a batch is made and after the loss of its step is in host memory.

    A step therefore has all that a user waits for: augmenting the batch, bringing it to the device, forward, backward
    and update. Validation stands between two epochs and in none of them.
    """

    def __init__(self, batch: int, parts: int = 1) -> None:
        """batch: patches a step. parts: batches of Keras that are one step."""
        super().__init__()
        self.batch, self.parts = batch, parts
        self.first_s: float | None = None
        self.steps_s: list[float] = []
        self.before_bytes = memory.peak_bytes()
        self._begun = 0.0
        memory.reset_peak()
        device.reset_peak()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Keras makes the batch after this."""
        if batch % self.parts == 0:
            self._begun = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Note the seconds of the step."""
        if (batch + 1) % self.parts:
            return
        float((logs or {})["loss"])  # waits for the device
        seconds = round(time.perf_counter() - self._begun, 6)
        if self.first_s is None:
            self.first_s = seconds
        elif len(self.steps_s) < KEPT:
            self.steps_s.append(seconds)

    def reading(self) -> dict[str, Any]:
        """What a record says of the training: see `core.record`."""
        found: dict[str, Any] = {"device": device.kind(), "device_name": device.name(), "batch": self.batch}
        if self.parts > 1:
            found["micro_batch"] = self.batch // self.parts
        if self.first_s is not None:  # else a checkpoint had it all
            found |= {"first_step_s": self.first_s, "steps_s": self.steps_s}
        found["host_peak_bytes"] = memory.peak_bytes()
        taken = device.peak_bytes()
        return found if taken is None else {**found, "device_peak_bytes": taken}
