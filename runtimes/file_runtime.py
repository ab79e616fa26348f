"""Runtimes that run a file: what they need, how a trained network becomes that file, and which session runs it."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..core.errors import Unavailable, Unfit
from . import RUNTIMES
from .conversion import Conversion
from .layer_errors import LayerOutputs

SESSIONS = Path(__file__).parent / "sessions"


KEYWORD_ONLY = inspect.Parameter.KEYWORD_ONLY


def _anywhere() -> str:
    return ""


@dataclass(frozen=True)
class FileRuntime:
    """A way to run a trained network from a file.

    suffix: of the file. session: the module of `sessions/` that runs it, with these options. convert(conversion,
    file): writes the file and returns what is to be known of it, JSON values; raises ConversionError. extra: of
    unetbench, which brings the packages. packages: what must be importable, module by what to install.
    session_packages: those of the modules that the session alone needs. precision: of images and weights between the
    layers. device: says why this machine cannot run it, or "". ranks: of images. calibrated: whether images of the
    validation cases are needed. portable: whether the file runs without unetbench. layers: of quantised files, how the
    outputs of their layers are compared with those of a float32 file.
    """

    suffix: str
    session: str
    convert: Callable[[Conversion, Path], dict[str, Any]]
    extra: str
    packages: dict[str, str]
    session_packages: tuple[str, ...]
    precision: str = "float32"
    options: dict[str, Any] = field(default_factory=dict)
    device: Callable[[], str] = _anywhere
    ranks: tuple[int, ...] = (2, 3)
    calibrated: bool = False
    portable: bool = True
    layers: LayerOutputs | None = None

    @property
    def script(self) -> Path:
        """The source of the session."""
        return SESSIONS / f"{self.session}.py"

    def missing(self) -> str:
        """Why it cannot run here, in words that name the extra to install or the device; "" when it can."""
        lacking = [name for module, name in self.packages.items() if find_spec(module) is None]
        if lacking:
            return f"{', '.join(lacking)} not installed: pip install 'unetbench[{self.extra}]'"
        return self.device()

    def require(self, label: str, rank: int) -> None:
        """Raise Unavailable where it cannot run here, Unfit where it has no kernels for images of that rank."""
        if rank not in self.ranks:
            raise Unfit(f"runtime {label}: has no kernels for {rank}D; litert and litert_float16 do")
        reason = self.missing()
        if reason:
            raise Unavailable(f"runtime {label}: {reason}")


def file_runtime(name: str, options: Mapping[str, Any]) -> FileRuntime | None:
    """How a runtime's file is made and run; None for a runtime that is a function of the Keras model."""
    function = RUNTIMES[name]
    taken = [keyword for keyword in inspect.signature(function).parameters.values() if keyword.kind != KEYWORD_ONLY]
    return None if taken else function(**options)


def file_formats() -> list[str]:
    """Names of the runtimes whose files run without unetbench."""
    kinds = {name: file_runtime(name, {}) for name in RUNTIMES}
    return [name for name, kind in kinds.items() if kind is not None and kind.portable]
