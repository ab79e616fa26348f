"""What a number was measured on and with."""

import os
import platform
import re
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

PACKAGES = ("unetbench", "keras", "tensorflow", "jax", "torch", "numpy", "opencv-python-headless", "scipy")


@cache
def machine() -> dict[str, Any]:
    """Return name, cpu, cores, memory_bytes, gpu and system; UNETBENCH_MACHINE overrides the name."""
    cpu, gpu = _cpu(), _gpu()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    words = " ".join([gpu] if gpu else [re.sub(r"\((R|TM|C)\)|CPU|Processor|@.*", "", cpu), f"{cores} cores"])
    name = os.environ.get("UNETBENCH_MACHINE") or re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")
    memory = psutil.virtual_memory().total
    return {
        "name": name,
        "cpu": cpu,
        "cores": cores,
        "memory_bytes": memory,
        "gpu": gpu,
        "system": f"{platform.system()} {platform.machine()}",
    }


def provenance(backend: str = "") -> dict[str, Any]:
    """Return the fields of a record that say where and with what it was made: machine, versions, git."""
    return {"machine": machine(), "versions": versions(backend), "git": git()}


def versions(backend: str) -> dict[str, str]:
    """Return the versions that can change a number, and the Keras backend."""
    found = {"python": platform.python_version(), "backend": backend}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


@cache
def git() -> dict[str, Any]:
    """Return commit and dirty of the checkout that the code runs from; empty when it runs from elsewhere."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return {}
    commit, changes = _git(root, "rev-parse", "HEAD"), _git(root, "status", "--porcelain", "--untracked-files=no")
    return {} if commit is None else {"commit": commit, "dirty": bool(changes)}


def _git(root: Path, *words: str) -> str | None:
    try:
        answer = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None  # no git on this machine, or a broken checkout: then there is no commit to name
    return answer.stdout.strip()


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    names = re.findall(r"^model name\s*:\s*(.+)$", info.read_text(), re.MULTILINE) if info.exists() else []
    return names[0] if names else platform.processor() or platform.machine()


def _gpu() -> str:
    words = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        answer = subprocess.run(words, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""  # no driver: no GPU
    return answer.stdout.strip().split("\n")[0]
