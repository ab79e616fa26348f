"""Every notebook of the documentation runs from its first cell to its last, as a reader would run it."""

import os
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[1] / "docs" / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_outputs_are_not_in_the_repository(file):
    for cell in nbformat.read(file, as_version=4).cells:
        assert not cell.get("outputs") and not cell.get("execution_count")


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_runs(file, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    client = NotebookClient(
        nbformat.read(file, as_version=4),
        timeout=900,
        kernel_name="python3",
        resources={"metadata": {"path": tmp_path}},
    )
    done = client.execute()
    told = [output.text for cell in done.cells for output in cell.get("outputs", []) if "text" in output]
    assert not [text for text in told if "Traceback" in text or "unetbench: error" in text]
