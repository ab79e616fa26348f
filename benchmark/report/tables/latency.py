"""The latency of a configuration under one setting."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Latency:
    """Raw samples of all seeds of a row, in seconds, under one setting."""

    setting: str
    samples_s: np.ndarray

    @property
    def median_s(self) -> float:
        """Middle sample."""
        return float(np.median(self.samples_s))

    @property
    def p95_s(self) -> float:
        """95th percentile, linear between samples."""
        return float(np.percentile(self.samples_s, 95))
