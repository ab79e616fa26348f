"""What is installed is what the folders hold."""

import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import unetbench

ROOT = Path(unetbench.__file__).parent


def _project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_every_source_folder_is_a_declared_package():
    rooms = ("core", "datasets", "models", "losses", "metrics", "runtimes", "benchmark")
    folders = {file.parent.relative_to(ROOT) for room in rooms for file in (ROOT / room).rglob("__init__.py")}
    expected = {"unetbench"} | {"unetbench." + ".".join(folder.parts) for folder in folders}
    assert set(_project()["tool"]["setuptools"]["packages"]) == expected


def test_no_other_python_file_lies_at_the_root():
    assert [file.name for file in ROOT.glob("*.py")] == ["__init__.py"]


def test_the_console_script_names_the_command_line():
    (script,) = entry_points(group="console_scripts", name="unetbench")
    assert script.value == "unetbench.benchmark.cli:main"
