"""What is installed is what the folders hold."""

import re
import subprocess
import sys
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


def test_the_pretrained_models_are_installed_whole_and_are_small():
    home = ROOT / "benchmark" / "pretrained"
    patterns = _project()["tool"]["setuptools"]["package-data"]["unetbench.benchmark"]
    installed = {file for pattern in patterns for file in (ROOT / "benchmark").glob(pattern)}
    there = {file for file in home.rglob("*") if file.is_file()}
    assert there
    assert there <= installed
    for model in sorted(home.iterdir()):
        kinds = sorted(file.suffix for file in model.rglob("*") if file.is_file())
        assert kinds == [".json", ".json", ".keras", ".md", ".yaml"], model.name
        sizes = {file.suffix: file.stat().st_size for file in model.rglob("*") if file.is_file()}
        assert sizes[".keras"] < 800_000
        assert sum(file.stat().st_size for file in model.rglob("*") if file.is_file()) < 1_500_000
    ignored = subprocess.run(["git", "check-ignore", *map(str, there)], cwd=ROOT, capture_output=True, text=True)
    assert ignored.returncode != 0, ignored.stdout  # 1: none is ignored, 128: no checkout


def test_findings_and_results_are_no_packages():
    packages = _project()["tool"]["setuptools"]["packages"]
    assert not [name for name in packages if {"findings", "results", "tests", "docs"} & set(name.split("."))]


def test_the_pythons_are_those_of_the_readme():
    wanted = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", _project()["project"]["requires-python"])
    assert wanted is not None
    low, high = int(wanted[1]), int(wanted[2]) - 1
    assert f"Python 3.{low} to 3.{high}" in (ROOT / "README.md").read_text("utf-8")
    assert low <= sys.version_info.minor <= high


def test_a_search_has_what_keras_tuner_imports_and_does_not_declare():
    named = [re.match(r"[\w-]+(\[\w+\])?", line)[0] for line in _project()["project"]["dependencies"]]
    assert {"keras-tuner[bayesian]", "tensorboard"} <= set(named)


def test_no_extra_takes_the_torch_of_slow_3d_convolutions():
    extras = _project()["project"]["optional-dependencies"]
    torch = [line for lines in extras.values() for line in lines if re.match(r"torch\b", line)]
    assert torch
    assert all("!=2.9.*" in line for line in torch)


def test_no_other_python_file_lies_at_the_root():
    assert [file.name for file in ROOT.glob("*.py")] == ["__init__.py"]


def test_the_console_script_names_the_command_line():
    (script,) = entry_points(group="console_scripts", name="unetbench")
    assert script.value == "unetbench.benchmark.cli:main"
