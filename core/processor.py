"""The processor as libraries meet it: model and stepping, instruction sets, threads, and what limits them."""

import os
import platform
import re
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path

import psutil

INSTRUCTIONS = {
    "sse4.1": (("sse4_1", "sse4.1"), "SSE41"),
    "avx": (("avx", "avx1.0"), "AVX"),
    "fma": (("fma",), "AVX2"),
    "avx2": (("avx2",), "AVX2"),
    "avx_vnni": (("avx_vnni",), "AVX2_VNNI"),
    "avx512": (("avx512bw",), "AVX512_CORE"),  # the kernels ask for F, CD, BW, DQ and VL, which came together
    "avx512_vnni": (("avx512_vnni", "avx512vnni"), "AVX512_CORE_VNNI"),
    "avx512_bf16": (("avx512_bf16",), "AVX512_CORE_BF16"),
    "avx512_fp16": (("avx512_fp16",), "AVX512_CORE_FP16"),
    "amx_int8": (("amx_int8",), "AVX512_CORE_AMX"),
    "amx_bf16": (("amx_bf16",), "AVX512_CORE_AMX"),
    "amx_fp16": (("amx_fp16",), "AVX512_CORE_AMX_FP16"),
    "neon": (("asimd", "neon", "advsimd"), ""),
    "fp16": (("asimdhp", "feat_fp16"), ""),
    "dotprod": (("asimddp", "feat_dotprod"), ""),
    "i8mm": (("i8mm", "feat_i8mm"), ""),
    "bf16": (("bf16", "feat_bf16"), ""),
    "sve": (("sve",), "SVE_128"),
    "sve2": (("sve2",), "SVE_128"),
    "sme": (("sme", "feat_sme"), "SVE_128"),
}
"""Instruction sets that choose a kernel, weakest first: how systems spell them, and the level of oneDNN they need."""

LEVELS = {
    name: order
    for order, names in enumerate(
        (
            ("SSE41", "ADVSIMD", "ASIMD"),
            ("AVX",),
            ("AVX2",),
            ("AVX2_VNNI", "AVX2_VNNI_2"),
            ("AVX512_CORE",),
            ("AVX512_CORE_VNNI",),
            ("AVX512_CORE_BF16",),
            ("AVX512_CORE_FP16", "AVX10_1_512"),
            ("AVX512_CORE_AMX", "AVX10_1_512_AMX"),
            ("AVX512_CORE_AMX_FP16", "AVX10_1_512_AMX_FP16", "SVE_128", "SVE_256", "SVE_512"),
        )
    )
    for name in names
}
"""Values of ONEDNN_MAX_CPU_ISA, each with its place; another value is no limit, as in oneDNN."""

STEPPING = {
    "cpu family": "family",
    "model": "model",
    "stepping": "stepping",
    "CPU implementer": "implementer",
    "CPU part": "part",
    "CPU variant": "variant",
    "CPU revision": "revision",
}
"""Keys of /proc/cpuinfo that tell apart the processors of one name, and how records write them."""

CPUINFO, CGROUP = Path("/proc/cpuinfo"), Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Processor:
    """What a system tells: name of the model, its number and stepping, and instruction sets; empty where unknown."""

    model: str = ""
    stepping: str = ""
    instructions: tuple[str, ...] = ()


def processor() -> Processor:
    """Read the processor of this machine: /proc/cpuinfo on Linux, sysctl on macOS, the identifier on Windows."""
    if CPUINFO.exists():
        found = from_cpuinfo(CPUINFO.read_text("utf-8", "replace"))
    elif platform.system() == "Darwin":
        found = from_sysctl(_sysctl())
    else:
        found = Processor("", re.sub(r"^\S+ (?=Family)", "", platform.processor()).split(",")[0].lower())
    model = found.model or platform.processor() or platform.machine()
    return Processor(model, found.stepping, found.instructions)


def from_cpuinfo(text: str) -> Processor:
    """Read Linux's list of processors; unlike cores (Arm's big and little ones) are all named."""
    cores = [dict(re.findall(r"^(.+?)[ \t]*:[ \t]*(.*)$", core, re.MULTILINE)) for core in text.split("\n\n")]
    kinds = {" ".join(f"{word} {core[key]}" for key, word in STEPPING.items() if core.get(key)) for core in cores}
    flags = [flag for core in cores[:1] for key in ("flags", "Features") for flag in core.get(key, "").split()]
    return Processor(cores[0].get("model name", ""), "; ".join(sorted(kinds - {""})), _named(flags))


def from_sysctl(text: str) -> Processor:
    """Read what `sysctl machdep.cpu hw.optional` prints on macOS."""
    values = dict(re.findall(r"^([\w.]+):[ \t]*(.*)$", text, re.MULTILINE))
    prefix = "machdep.cpu."
    flags = f"{values.get(prefix + 'features', '')} {values.get(prefix + 'leaf7_features', '')}".split()
    flags += [key.rpartition(".")[2] for key, value in values.items() if key.startswith("hw.optional") and value == "1"]
    parts = [(name, values.get(prefix + name)) for name in ("family", "model", "stepping")]
    stepping = " ".join(f"{name} {value}" for name, value in parts if value)
    return Processor(values.get(prefix + "brand_string", ""), stepping, _named(flags))


def limits(environ: Mapping[str, str], machine: str) -> dict[str, str]:
    """Return the environment variables that keep oneDNN from instruction sets or kernels, and their values.

    machine: architecture, since TensorFlow uses oneDNN by default except on Arm.
    """
    found = {}
    level = environ.get("ONEDNN_MAX_CPU_ISA", environ.get("DNNL_MAX_CPU_ISA", "")).upper()
    if level in LEVELS:
        found["ONEDNN_MAX_CPU_ISA"] = level
    switch = environ.get("TF_ENABLE_ONEDNN_OPTS", "").lower()
    usual = ("0", "false") if re.match(r"arm|aarch", machine.lower()) else ("1", "true")
    if switch in ("0", "false", "1", "true") and switch not in usual:
        found["TF_ENABLE_ONEDNN_OPTS"] = "1" if switch in ("1", "true") else "0"
    return found


def allowed(instructions: tuple[str, ...], level: str) -> tuple[str, ...]:
    """Return the instruction sets that oneDNN uses under a value of ONEDNN_MAX_CPU_ISA; all for another value."""
    top = LEVELS.get(level, inf)
    return tuple(name for name in instructions if LEVELS.get(INSTRUCTIONS[name][1], 0) <= top)


def usable() -> tuple[str, ...]:
    """Return the instruction sets that oneDNN may use in this process: those of the processor, less what is limited."""
    level = limits(os.environ, platform.machine()).get("ONEDNN_MAX_CPU_ISA", "")
    return allowed(processor().instructions, level)


def stops_at_avx2(instructions: Collection[str]) -> bool:
    """Whether AVX2 is the widest of these: several of oneDNN's kernels are much slower there than with AVX-512."""
    return "avx2" in instructions and "avx512" not in instructions


def cores() -> int:
    """Return the number of logical cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    affinity = getattr(psutil.Process(), "cpu_affinity", None)  # Windows has it, macOS has not
    return len(affinity()) if affinity else os.cpu_count() or 1


def threads(environ: Mapping[str, str], cores: int) -> int:
    """Return how many threads a library opens: as the environment says, or one for each core."""
    for name in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"):
        asked = re.match(r"\s*0*([1-9]\d*)", environ.get(name, ""))
        if asked:
            return int(asked[1])
    return cores


def quota_cores(root: Path = CGROUP, groups: Path = Path("/proc/self/cgroup")) -> float | None:
    """Return how many cores' time the control groups of Linux allow, the strictest of them; None without a limit."""
    shares = [_share(folder) for folder in control_groups("cpu", root, groups)]
    known = [share for share in shares if share is not None]
    return min(known) if known else None


def control_groups(kind: str, root: Path = CGROUP, groups: Path = Path("/proc/self/cgroup")) -> list[Path]:
    """Return the folders of Linux's control groups of this process that may limit a kind of resource, inner ones first.

    kind: `cpu` or `memory`. Empty on other systems.
    """
    try:
        lines = [line.split(":", 2) for line in groups.read_text("utf-8").split()]
    except OSError:
        return []
    found: list[Path] = []
    for _, kinds, path in (line for line in lines if len(line) == 3):
        if kinds and kind not in kinds.split(","):
            continue
        base = root if not kinds else root / kind
        inside = Path(path.lstrip("/"))
        found += [base / folder for folder in (inside, *inside.parents)]
    return found


def _share(folder: Path) -> float | None:
    try:
        if (folder / "cpu.max").exists():
            quota, period = (folder / "cpu.max").read_text("utf-8").split()
        else:
            quota, period = ((folder / f"cpu.cfs_{name}_us").read_text("utf-8") for name in ("quota", "period"))
        return round(int(quota) / int(period), 2) if int(quota) > 0 else None
    except (OSError, ValueError):  # no limit is written as `max` or -1, and a folder may belong to the host
        return None


def _named(flags: list[str]) -> tuple[str, ...]:
    present = {flag.lower() for flag in flags}
    return tuple(name for name, (spellings, _) in INSTRUCTIONS.items() if present & set(spellings))


def _sysctl() -> str:
    try:
        words = ["sysctl", "machdep.cpu", "hw.optional"]
        return subprocess.run(words, capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
