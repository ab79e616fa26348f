"""`report_scale.py` runs to its end and prints a row for each report; what the numbers are is not looked at."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("report_scale.py")


@pytest.mark.slow
def test_a_generated_report_is_made_and_measured(tmp_path):
    words = [sys.executable, str(SCRIPT), "--sizes", "20", "--json", str(tmp_path / "found.json")]
    subprocess.run(words, capture_output=True, text=True, check=True)
    (row,) = json.loads((tmp_path / "found.json").read_text())
    assert row["records"] == 20
    assert {"wall_s", "processor_s", "peak_mib", "files", "page_mb"} <= row.keys()
