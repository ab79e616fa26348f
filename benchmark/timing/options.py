"""How latency is to be taken, as a sweep file says it."""

from pydantic import BaseModel, ConfigDict, Field


class LatencyOptions(BaseModel):
    """How latency is taken: batch size, warm-up calls, and how many samples within how many seconds at most.

    peaks: whether the machine's peaks are measured beside it, once a machine, backend and precision.
    """

    model_config = ConfigDict(extra="forbid")
    batch: int = Field(default=1, ge=1)
    warmup: int = Field(default=3, ge=1)
    samples: int = Field(default=30, ge=2)
    budget_s: float = Field(default=10.0, gt=0)
    peaks: bool = True
