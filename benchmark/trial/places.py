"""Where a worker process computes: backend and device, chosen by environment variables before Keras is loaded."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass

from ...core import onednn
from ...core.backend import BACKENDS, install, installed
from ...core.trial import Trial
from ..records.gpus import none_here, visible_gpus
from ..records.machine import machine


@dataclass(frozen=True)
class Place:
    """A backend of Keras and a device: `cpu`, `gpu`, or "" for the one that the backend takes by itself.

    gpu: number of the GPU among those that programs see, None for the one that the backend takes first.
    """

    backend: str
    device: str = ""
    gpu: int | None = None

    def takes(self, trial: Trial) -> bool:
        """Whether the trial is to be run on this backend and this kind of device."""
        return (trial.backend, trial.device) == (self.backend, self.device)

    def environment(self) -> dict[str, str | None]:
        """The environment variables that make a process compute here; None: the variable must not be set."""
        found: dict[str, str | None] = {"KERAS_BACKEND": self.backend}
        if self.backend == "tensorflow":
            found |= onednn.turned_on()
        if self.device == "cpu":
            found |= {"CUDA_VISIBLE_DEVICES": "-1", "HIP_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}
            found |= {"KERAS_TORCH_DEVICE": "cpu"}  # Keras would take the GPU of a Mac
        elif self.device == "gpu":
            found |= {"JAX_PLATFORMS": None, "KERAS_TORCH_DEVICE": None}
        gpus = visible_gpus() if self.device != "cpu" and self.gpu is not None else ()
        if self.gpu is not None and self.gpu < len(gpus):
            found["CUDA_VISIBLE_DEVICES"] = gpus[self.gpu].key
        return found


def lacking(trial: Trial, gpus: Sequence[int]) -> str:
    """Why this machine cannot run the trial, in one line, as far as it shows without Keras; "" where nothing is seen.

    gpus: numbers of the GPUs that the sweep names.
    """
    if trial.backend not in BACKENDS:
        return f"backend {trial.backend}: cannot train; there are {', '.join(BACKENDS)}"
    if not installed(trial.backend):
        return f"backend {trial.backend}: not installed here; {install(trial.backend)}"
    if trial.device != "gpu":
        return ""
    found = visible_gpus()
    names = "".join(f":{number}" for number in gpus[:1])
    if not found and none_here(platform.system()):
        return f"device gpu{names}: this machine has no GPU that programs see; there is cpu"
    beyond = [number for number in gpus if number >= len(found)]
    if found and beyond:
        there = ", ".join(f"gpu:{number} ({gpu.name})" for number, gpu in enumerate(found))
        return f"device gpu:{beyond[0]}: there is none of that number; there are {there}"
    others = [number for number in gpus or range(len(found)) if found and found[number].name != machine()["gpu"]]
    if others:
        return (
            f"device gpu:{others[0]}: is {found[others[0]].name}, and this machine's records are of {machine()['gpu']};"
            f" set CUDA_VISIBLE_DEVICES to GPUs of one model: those of another are another machine"
        )
    return ""


def slots(device: str, gpus: Sequence[int], workers: int) -> list[int | None]:
    """The places where trials of a device run at the same time: each GPU, or as many as there are to be workers.

    gpus: numbers of the GPUs that the sweep names, all that programs see where it names none.
    """
    if device != "gpu":
        return [None] * workers
    return list(gpus or range(len(visible_gpus()))) or [None]
