"""Whether TensorFlow computes with oneDNN on this CPU, and where it should though it does not by itself.

TensorFlow for Linux takes oneDNN by itself only where the CPU multiplies 8 or 16 bits for neural networks, and Eigen
elsewhere: on those with AVX2 and no more (AMD up to Zen 3, Intel up to Broadwell) and on the first with AVX-512.
"""

import os
import platform
from collections.abc import Collection, Mapping

from .processor import processor

SWITCH = "TF_ENABLE_ONEDNN_OPTS"
"""The environment variable that decides, read when TensorFlow is loaded."""

WANTED = ("avx512_vnni", "avx512_bf16", "avx_vnni", "amx_int8", "amx_bf16")
"""Instruction sets of which TensorFlow 2.21 wants one on Linux, as `core.processor` names them."""


def by_itself(instructions: Collection[str], system: str) -> bool:
    """Whether TensorFlow computes with oneDNN on x86 where nobody says. system: as `platform.system` tells."""
    return system == "Windows" or (system == "Linux" and any(name in instructions for name in WANTED))


def in_use(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether TensorFlow computes, or would once it is loaded, with oneDNN in this process."""
    said = _said(environ)
    return by_itself(processor().instructions, platform.system()) if said is None else said


def turned_on(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment variable that has TensorFlow train with oneDNN; none where it does so, or somebody has said.

    On two cores of a Zen 3 a training step of a 3D U-Net took 8.7 times as long with Eigen, of a separable one 2.1
    times, of a plain one 1.5 times. In 2D single images are predicted faster by the one or the other (docs/speed.md).
    """
    instructions, system = processor().instructions, platform.system()
    wanted = "avx2" in instructions and system == "Linux" and not by_itself(instructions, system)
    return {SWITCH: "1"} if wanted and _said(environ) is None else {}


def _said(environ: Mapping[str, str]) -> bool | None:
    """What the environment says in words that TensorFlow knows, None for others."""
    return {"1": True, "true": True, "0": False, "false": False}.get(environ.get(SWITCH, "").lower())
