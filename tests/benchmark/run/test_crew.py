"""What a driver leaves among the temporary files."""

import os
import signal
import subprocess
import sys

import pytest

DRIVER = """
import os, signal, sys
from pathlib import Path
from unetbench.benchmark.run.crew import Processes
from unetbench.benchmark.trial.context import Context
from unetbench.datasets.source import Source

signal.signal(signal.SIGTERM, signal.default_int_handler)
crew = Processes(Context(Source(None, Path("cache")), Path("."), Path("results"), "small"))
print(*os.listdir(os.environ["TMPDIR"]), flush=True)
exec(sys.argv[1])
"""


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        ("pass", 0),
        ("raise ValueError", 1),
        ("os.kill(os.getpid(), signal.SIGINT)", -signal.SIGINT),
        ("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGINT),
    ],
)
def test_a_driver_that_ends_before_its_run_leaves_no_folder(tmp_path, ending, status):
    (tmp_path / "tmp").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, ending],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("unetbench-"), done.stderr
    assert done.returncode == status
    assert not list((tmp_path / "tmp").iterdir())
