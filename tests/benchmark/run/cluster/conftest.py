"""Processes of a small cluster on this machine, and what is waited for."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

FAULTY = Path(__file__).parents[2] / "faulty_parts.py"

OFTEN = """
from unetbench.benchmark.trial import train

train.SAVE_EVERY_S = 0.1
"""
"""A plugin: checkpoints often enough for tests to meet them."""

COMPARED = ("status", "reason", "selection", "scores", "prediction", "task")


@pytest.fixture
def begin():
    """Begin a process without waiting for it; what still runs at the end is killed."""
    begun = []

    def start(*words, cwd=None, **environment):
        environ = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
        begun.append(
            subprocess.Popen(
                [sys.executable, *map(str, words)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=environ | environment,
                cwd=cwd,
            )
        )
        return begun[-1]

    yield start
    for process in begun:
        process.kill()
        process.communicate()


@pytest.fixture
def unetbench(begin):
    """Begin `unetbench` without waiting for it."""

    def start(*words):
        return begin("-c", "import sys; from unetbench.benchmark.cli import main; sys.exit(main())", *words)

    return start


@pytest.fixture
def words(tmp_path):
    """The words that run a sweep, with parts of tests and frequent checkpoints."""
    often = tmp_path / "often.py"
    often.write_text(OFTEN, "utf-8")

    def of(folder, sweep, *more):
        return ("run", sweep, "--plugin", FAULTY, "--plugin", often, "--results", folder, "--no-report", *more)

    return of


@pytest.fixture(scope="session")
def claims():
    """What the claims below a sweep's folder say."""

    def of(folder):
        files = [file for file in folder.glob("claims/*/*") if not file.name.startswith(".")]
        found = []
        for file in files:
            try:
                found.append(json.loads(file.read_text("utf-8")))
            except (OSError, ValueError):  # just dropped, or being written
                continue
        return found

    return of


@pytest.fixture(scope="session")
def until():
    """Wait for something to happen; a test fails where it does not."""

    def wait(happened, limit_s=180):
        end = time.monotonic() + limit_s
        while not (found := happened()):
            assert time.monotonic() < end, "it did not happen"
            time.sleep(0.05)
        return found

    return wait


@pytest.fixture(scope="session")
def facts():
    """What must be equal of records, by trial: everything without a clock."""

    def of(records):
        found = {}
        for record in records:
            rows = [{k: v for k, v in row.items() if not k.endswith("_s")} for row in record.history]
            found[record.trial.id] = [rows, *(getattr(record, name) for name in COMPARED)]
        return found

    return of
