"""`unetbench doctor`."""

import argparse
import inspect
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from ... import __version__
from ...core.backend import BACKENDS, FOR_GPUS, default_backend, install, installed
from ...core.counted import counted
from ...core.errors import DataError, UnetbenchError, one_line
from ...core.memory import memory_bytes, told
from ...core.trial import Choice
from ...datasets import DATASETS
from ...runtimes import RUNTIMES
from ..deploy.candidate import missing
from ..records.gpus import visible_gpus
from ..records.machine import describe, machine
from ..records.store import NEEDED_BYTES
from ..trial.context import Context, list_dataset
from .repeat import repeated
from .trials import context_of

State = Literal["ok", "absent", "wrong"]

MARKS: dict[State, str] = {"ok": "ok    ", "absent": "--    ", "wrong": "wrong "}

DEVICES = {
    "tensorflow": "import tensorflow as t; print(t.__version__, len(t.config.list_physical_devices('GPU')))",
    "jax": "import jax; print(jax.__version__, sum(device.platform == 'gpu' for device in jax.devices()))",
    "torch": "import torch; print(torch.__version__, torch.cuda.device_count())",
}
"""Programs that print the version of a backend and how many GPUs it sees."""

IMPORT_S = 180.0
"""Seconds that a backend may take for it."""


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it is, and in words what it is or what mends it. absent: what nobody need have."""

    what: str
    state: State
    text: str


def doctor(options: argparse.Namespace) -> int:
    """Look at the installation, a line each; 0 when nothing is wrong. With a recipe, run it twice and compare."""
    context = context_of(options.results / "doctor", options)
    found: list[Finding] = []
    for finding in _findings(context, options):
        found.append(finding)
        if not options.json:
            print(f"{MARKS[finding.state]}{finding.what}: {finding.text}", flush=True)
    if options.json:
        print(json.dumps([asdict(finding) for finding in found], indent=2))
    return 0 if all(finding.state != "wrong" for finding in found) else 1


def _findings(context: Context, options: argparse.Namespace) -> Iterator[Finding]:
    version = platform.python_version()
    yield Finding("Python", "ok" if sys.version_info >= (3, 11) else "wrong", f"{version}; 3.11 or newer is needed")
    yield Finding("unetbench", "ok", f"{__version__} in {Path(__file__).parents[2]}")
    yield Finding("machine", "ok", f"{machine()['name']}: {describe(machine())}")
    yield from _backends()
    yield from _runtimes()
    yield from _folders(context)
    yield from _data(context)
    if options.recipe:
        yield from _repeats(options)


def _backends() -> Iterator[Finding]:
    default, gpus = default_backend(), len(visible_gpus())
    for name in BACKENDS:
        used = ", which trains where nobody says otherwise" if name == default else ""
        if not installed(name):
            yield Finding(f"backend {name}", "wrong" if used else "absent", f"not installed: {install(name)}")
            continue
        words = [sys.executable, "-c", DEVICES[name]]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        try:
            asked = subprocess.run(
                words, capture_output=True, text=True, check=False, env=environment, timeout=IMPORT_S
            )
        except subprocess.TimeoutExpired:
            yield Finding(f"backend {name}", "wrong", f"does not start in {IMPORT_S:g} s; look at its driver")
            continue
        if asked.returncode:
            last = (asked.stderr.strip().splitlines() or [f"status {asked.returncode}"])[-1]
            yield Finding(f"backend {name}", "wrong", f"cannot be imported ({last[:200]}); install it anew")
            continue
        version, count = asked.stdout.split()[-2:]
        seen = int(count)
        text = f"{version}{used}; sees {counted(seen, 'GPU')}"
        lacks = bool(gpus) and not seen
        told_of = f"{text} of {gpus}: {FOR_GPUS[name]}" if lacks else text
        yield Finding(f"backend {name}", "wrong" if lacks else "ok", told_of)


def _runtimes() -> Iterator[Finding]:
    for name in RUNTIMES:
        reason = missing(Choice(name), default_backend())
        yield Finding(f"runtime {name}", "absent" if reason else "ok", reason or "here")


def _folders(context: Context) -> Iterator[Finding]:
    for what, folder, mend in (
        ("results", context.results, "give another place with --results DIR"),
        ("cache", context.source.cache, "UNETBENCH_CACHE names another folder"),
    ):
        place = next(entry for entry in (folder, *folder.parents) if entry.is_dir())
        free = shutil.disk_usage(place).free
        if not os.access(place, os.W_OK):
            yield Finding(f"folder of {what}", "wrong", f"{folder} cannot be written; {mend}")
        else:
            short = free < NEEDED_BYTES
            text = f"{folder}: {told(free)} free{f'; {mend}' if short else ''}"
            yield Finding(f"folder of {what}", "wrong" if short else "ok", text)
    yield Finding("memory", "ok", told(memory_bytes()))


def _data(context: Context) -> Iterator[Finding]:
    data = context.source.data
    if data is None:
        yield Finding("data", "absent", "no folder is named: --data DIR or UNETBENCH_DATA")
    elif not data.is_dir():
        yield Finding("data", "wrong", f"{data} is no folder; check --data or UNETBENCH_DATA")
    for name in DATASETS if data is not None and data.is_dir() else ():
        words = inspect.signature(DATASETS[name]).parameters.values()
        if any(word.kind == word.KEYWORD_ONLY and word.default is word.empty for word in words):
            continue  # one of the user's own: the sweep says where it is
        try:
            yield Finding(f"data set {name}", "ok", f"{len(list_dataset(Choice(name), context).cases)} cases")
        except DataError as error:
            yield Finding(f"data set {name}", "absent", one_line(error))
        except Exception as error:  # one of the user's own
            yield Finding(f"data set {name}", "wrong", one_line(error))


def _repeats(options: argparse.Namespace) -> Iterator[Finding]:
    for name in options.recipe:
        try:
            yield Finding(f"recipe {name}", "ok", repeated(name, options))
        except UnetbenchError as error:
            yield Finding(f"recipe {name}", "wrong", one_line(error))
