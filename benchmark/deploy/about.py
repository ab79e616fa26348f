"""What the model.json of an export folder must say so that its network can be run."""

import math
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from ...core.errors import UnetbenchError
from ...core.structure import Kind
from ...core.task import Task
from ...datasets.prepare import Preprocess
from ...datasets.readers import Reading
from ...runtimes.file_runtime import SESSIONS

PLAIN_NAME = Kind("a plain name of a file", lambda value: isinstance(value, str) and bool(_NAME.fullmatch(value)))
"""Without a folder, so that it is in the folder at hand."""

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}")
_MOST_PIXELS = 2**31
_Edge = Annotated[int, Field(ge=1)]


class About(BaseModel):
    """The fields of model.json that prediction takes; what else there is, is passed over.

    window, overlap, threshold, mirror, mirrored_axes, objects: as `trial.segmenter.Segmenter` has them.
    """

    runtime: str
    session: Literal[*sorted(file.stem for file in SESSIONS.glob("[!_]*.py"))]  # pyright: ignore
    file: str
    options: dict[str, Any]
    network: str
    source: Task
    task: Task
    preprocess: Preprocess
    reading: Reading
    window: Annotated[tuple[_Edge, ...], Field(min_length=2, max_length=3)]
    overlap: Annotated[float, Field(ge=0, lt=1)]
    threshold: Annotated[float, Field(ge=0, le=1)]
    mirror: bool
    mirrored_axes: bool
    objects: Literal["components", "watershed"]

    @classmethod
    def of(cls, told: dict[str, Any]) -> "About":
        """Read the fields. Raises ValueError in one line naming the first that is missing or wrong."""
        try:
            found = cls.model_validate(told)
        except ValidationError as error:
            detail = error.errors(include_url=False)[0]
            raise ValueError(f"{'.'.join(map(str, detail['loc']))}: {detail['msg'].lower()}") from None
        except UnetbenchError as error:
            raise ValueError(str(error)) from None
        found._check()
        return found

    def _check(self) -> None:
        if not PLAIN_NAME.holds(self.file):
            raise ValueError(f"file: {self.file[:200]!r} is not {PLAIN_NAME.name}")
        if not self.source.rank == self.task.rank == len(self.window):
            raise ValueError("window: its edges, the source and the task differ in rank")
        for name, edges in (("window", self.window), ("preprocess.resize", self.preprocess.resize or ())):
            if math.prod(edges) * max(self.source.channels, self.task.channels) > _MOST_PIXELS:
                raise ValueError(f"{name}: {edges} are too many pixels")
        if self.preprocess.resize is not None and len(self.preprocess.resize) != self.task.rank:
            raise ValueError(f"preprocess.resize: {self.preprocess.resize} has not {self.task.rank} edges")
