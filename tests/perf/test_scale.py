"""`scale.py` runs to its end and prints a row for all that it measures; what the numbers are is not looked at."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("scale.py")


@pytest.mark.slow
def test_every_part_of_scale_runs(tmp_path):
    small = ["--planned", "1000", "--recorded", "5", "--trials", "10", "--pair", "2", "--rounds", "1"]
    words = [sys.executable, str(SCRIPT), *small, "--folder", str(tmp_path), "--json", str(tmp_path / "found.json")]
    process = subprocess.run(words, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    assert list(found) == ["planning", "command", "records", "starting", "sweep", "workers"]
    assert len(found["sweep"]["trials"]) == 10
    assert found["sweep"]["done"]
    assert {row["after"] for row in found["starting"]["trials"]} == {
        "nothing",
        "another seed",
        "another loss",
        "another network",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["found.json"]
