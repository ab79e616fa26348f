"""Two thousand wrong files are read, or refused in one line; the script has very many more."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("readers.py")
QUICK = ("record", "report", "sweep", "table", "png", "tiff", "npz")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the script limits memory as Linux does")


def _run(*words: str, timeout: int = 300) -> "subprocess.CompletedProcess[str]":
    call = [sys.executable, str(SCRIPT), *words]
    return subprocess.run(call, capture_output=True, text=True, timeout=timeout, check=False)


def test_wrong_files_are_read_or_refused_in_one_line():
    done = _run("--inputs", "2000", "--only", *QUICK)
    assert done.returncode == 0, done.stdout + done.stderr
    total, failures = re.search(r"(\d+) inputs, (\d+) failures", done.stdout).groups()
    assert int(total) >= 1990
    assert int(failures) == 0


def test_the_same_seed_draws_the_same_files():
    first, again = (_run("--inputs", "200", "--only", "planned", "--seed", "3").stdout for _ in range(2))
    counts = [re.search(r"planned +(\d+) +(\d+) +(\d+) +(\d+)", text).groups() for text in (first, again)]
    assert counts[0] == counts[1]


@pytest.mark.slow
def test_every_reader_is_given_wrong_files():
    done = _run("--inputs", "50000", timeout=3000)
    assert done.returncode == 0, done.stdout + done.stderr
