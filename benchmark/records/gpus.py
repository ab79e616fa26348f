"""The GPUs that programs see, as NVIDIA's driver names them."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

NODES = ("/dev/nvidia0", "/dev/kfd", "/dev/dxg")
"""What Linux has where there is a GPU that a framework can compute on: NVIDIA's, AMD's, that of Windows below."""


@dataclass(frozen=True)
class Gpu:
    """One GPU. key: what CUDA_VISIBLE_DEVICES takes for it alone. name: of the model."""

    key: str
    name: str


@cache
def visible_gpus() -> tuple[Gpu, ...]:
    """Return the GPUs of this machine that CUDA_VISIBLE_DEVICES leaves, in its order; empty without NVIDIA's driver."""
    words = ["nvidia-smi", "--query-gpu=index,uuid,name", "--format=csv,noheader"]
    try:
        text = subprocess.run(words, capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ()  # no driver: no GPU that could be told from another
    return chosen(text, os.environ)


def chosen(listed: str, environ: Mapping[str, str]) -> tuple[Gpu, ...]:
    """Pick from nvidia-smi's lines of index, UUID and name what CUDA_VISIBLE_DEVICES says, all where it is not set.

    GPUs are named by UUID, for CUDA counts the fastest first and nvidia-smi by place on the bus. As in CUDA, what
    comes after an entry that names no GPU does not count, and a UUID may be shortened. Parts of a GPU (MIG) are taken
    as they are written.
    """
    cards = [line.split(", ", 2) for line in listed.strip().splitlines()]
    visible = environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return tuple(Gpu(uuid, name) for _, uuid, name in cards)
    found: list[Gpu] = []
    for entry in map(str.strip, visible.split(",")):
        named = [
            Gpu(uuid, name)
            for index, uuid, name in cards
            if entry == index or (entry.startswith("GPU-") and uuid.startswith(entry))
        ]
        if entry.startswith("MIG") and cards:
            named = [Gpu(entry, f"{cards[0][2]} (part)")]
        if not named:
            break
        found.append(named[0])
    return tuple(found)


def none_here(system: str, root: Path = Path("/")) -> bool:
    """Whether it is certain that there is no GPU: on Linux, where no driver has made a node for one."""
    return system == "Linux" and not any((root / node.lstrip("/")).exists() for node in NODES)
