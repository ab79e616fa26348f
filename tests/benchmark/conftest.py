"""A small sweep over generated cells, and a way to run it as a user does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

FAULTY = Path(__file__).parent / "faulty_parts.py"

SMALL = {
    "datasets": [{"name": "cells", "count": 12, "size": [64, 64]}],
    "models": ["tiny"],
    "losses": ["bce_dice"],
    "recipe": {"patch": [64, 64], "batch": 4, "epochs": 2},
    "latency": {"samples": 3, "peaks": False},
    "previews": 2,
}


@pytest.fixture(scope="session")
def command():
    """Run `unetbench` in a fresh process; returns the finished process."""

    def run(*words, timeout=300):
        call = [sys.executable, "-c", "import sys; from unetbench.benchmark.cli import main; sys.exit(main())", *words]
        # JAX sets this one to 1 where it is imported, in this process by other tests: no user asked for the log.
        environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
        return subprocess.run(
            list(map(str, call)), capture_output=True, text=True, timeout=timeout, check=False, env=environment
        )

    return run


@pytest.fixture(scope="session")
def write_sweep():
    """Write a sweep file: the small one with some keys changed."""

    def write(folder, name, **changes):
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump({**SMALL, **changes}))
        return file

    return write
