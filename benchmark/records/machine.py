"""What a number was measured on and with."""

import hashlib
import os
import platform
import re
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from ...core.errors import SpecError
from ...core.processor import allowed, cores, limits, processor, quota_cores, threads
from ...core.trial import canonical

PACKAGES = ("unetbench", "keras", "tensorflow", "jax", "torch", "numpy", "opencv-python-headless", "scipy")

FIRST_FACTS = ("cpu", "cores", "gpu", "system")
"""What records say of the hardware, those before schema 3 too."""

DECIDING = (*FIRST_FACTS, "stepping", "instructions", "limits", "quota_cores", "threads", "driver")
"""What decides how fast a machine is: its digest is made of these."""

LONGEST, DIGITS = 60, 6


@cache
def machine() -> dict[str, Any]:
    """Return what decides the speed of this machine, and its name; UNETBENCH_MACHINE overrides the name.

    name: of its folder of records. cpu, stepping, instructions: model, its number and stepping, and the instruction
    sets that libraries use. limits: environment variables that keep them from some. cores: logical ones that this
    process may use; quota_cores: the share of them that the control group allows; threads: how many a library opens.
    memory_bytes, gpu, driver, system. digest: of what decides speed. Empty where the system does not tell.
    """
    found, gpu, count = processor(), _gpu(os.environ), cores()
    limited = limits(os.environ, platform.machine())
    facts: dict[str, Any] = {
        "cpu": found.model,
        "stepping": found.stepping,
        "instructions": list(allowed(found.instructions, limited.get("ONEDNN_MAX_CPU_ISA", ""))),
        "limits": limited,
        "cores": count,
        "quota_cores": quota_cores(),
        "threads": threads(os.environ, count),
        "memory_bytes": psutil.virtual_memory().total,
        "gpu": gpu[0],
        "driver": gpu[1],
        "system": f"{platform.system()} {platform.machine()}",
    }
    facts["digest"] = digest(facts)
    return {"name": _given_name(os.environ.get("UNETBENCH_MACHINE", "")) or name_of(facts), **facts}


def _given_name(name: str) -> str:
    """The name, if a folder can have it. Raises SpecError."""
    if name and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}", name):
        raise SpecError(
            f"UNETBENCH_MACHINE: {name!r} is to name a folder; use letters, digits, '.', '_' and '-', at most 60, "
            "a letter or digit first"
        )
    return name


def digest(facts: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits that change with anything that decides speed."""
    return hashlib.sha256(canonical([facts.get(name) for name in DECIDING]).encode()).hexdigest()[:16]


def name_of(facts: Mapping[str, Any]) -> str:
    """Return a folder name of at most 60 characters: `amd-epyc-2-cores-avx512-bf16-3f9c2a`.

    GPU or processor, cores, threads where they are not one a core, the strongest instruction set, part of the digest.
    """
    ends = [_counted(facts["cores"], "core")]
    ends += [_counted(facts["threads"], "thread")] if facts["threads"] != facts["cores"] else []
    ends += facts["instructions"][-1:] if not facts["gpu"] else []
    end = _slug(" ".join([*ends, facts["digest"][:DIGITS]]))
    return f"{_slug(_model(facts))[: LONGEST - len(end) - 1].rstrip('-')}-{end}".lstrip("-")


def first_name(facts: Mapping[str, Any]) -> str:
    """Return the folder name that the same machine had before schema 3, of model and cores alone."""
    return _slug(f"{_model(facts)} {facts.get('cores')} cores")


def names_itself(facts: Mapping[str, Any], folder: str) -> bool:
    """Whether a folder bears the name that a machine gives itself, and not one of the user's."""
    return bool(facts.get("digest")) and folder.endswith(f"-{facts['digest'][:DIGITS]}")


def same_machine(recorded: Mapping[str, Any], here: Mapping[str, Any]) -> bool:
    """Whether a record's machine is this one, as far as the record tells: before schema 3, four facts only."""
    if recorded.get("digest"):
        return recorded["digest"] == here.get("digest")
    return all(recorded[name] == here.get(name) for name in FIRST_FACTS if name in recorded)


def describe(facts: Mapping[str, Any]) -> str:
    """Write the hardware in one line, what is unknown left out."""
    gib = f"{facts['memory_bytes'] / 2**30:.0f} GiB memory" if facts.get("memory_bytes") else ""
    count, opened = facts.get("cores"), facts.get("threads")
    parts = [
        facts.get("gpu"),
        f"driver {facts['driver']}" if facts.get("driver") else "",
        " ".join(part for part in (facts.get("cpu"), _bracketed(facts.get("stepping"))) if part),
        " ".join(facts.get("instructions") or ()),
        *(f"{name}={value}" for name, value in (facts.get("limits") or {}).items()),
        _counted(count, "core") if count else "",
        f"time of {facts['quota_cores']:g} cores allowed" if facts.get("quota_cores") else "",
        _counted(opened, "thread") if opened and opened != count else "",
        gib,
        facts.get("system"),
    ]
    return ", ".join(str(part) for part in parts if part)


def provenance(backend: str = "", threads: int = 0) -> dict[str, Any]:
    """Return the fields of a record that say where and with what it was made: machine, versions, git.

    threads: how many the trial was given, where several share the machine; 0 for all.
    """
    facts = machine()
    return {
        "machine": {**facts, "threads": threads or facts["threads"]},
        "versions": versions(backend),
        "git": git(),
    }


def now() -> str:
    """Return the time, ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


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


def _model(facts: Mapping[str, Any]) -> str:
    return facts.get("gpu") or re.sub(r"\((R|TM|C)\)|CPU|Processor|@.*", "", str(facts.get("cpu", "")))


def _slug(words: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _bracketed(text: str | None) -> str:
    return f"({text})" if text else ""


def _gpu(environ: Mapping[str, str]) -> tuple[str, str]:
    """Return name and driver version of the first GPU that programs see; empty without one."""
    visible = environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None and not re.match(r"\s*(\d|GPU|MIG)", visible):
        return "", ""  # an empty list, -1 or NoDevFiles hides them all
    first = re.match(r"\s*(\d+|GPU-[\w-]+)", visible or "")
    chosen = ["-i", first[1]] if first else []
    words = ["nvidia-smi", *chosen, "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(words, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return "", ""  # no driver: no GPU
    name, _, driver = answer.stdout.strip().split("\n")[0].partition(", ")
    return name, driver
