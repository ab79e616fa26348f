"""Packages import downwards only, inside `benchmark/` and `models/` too, and core loads no deep-learning library."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import unetbench

ROOT = Path(unetbench.__file__).parent
REGISTRIES = ("datasets", "models", "losses", "metrics", "runtimes")
ALLOWED = {"core": (), **dict.fromkeys(REGISTRIES, ("core",)), "benchmark": ("core", *REGISTRIES)}
FILES = [file for package in ALLOWED for file in sorted((ROOT / package).rglob("*.py"))]

_LOWEST = ("records", "timing", "naming")
_MIDDLE = ("trial", "report")
_HIGH = ("logs", "predict", "tune", "audit", "update", "lint", "published")
_UPPER = ("sweep", "run")
INSIDE = {
    "benchmark": {
        **dict.fromkeys(_LOWEST, ()),
        **dict.fromkeys(_MIDDLE, _LOWEST),
        "deploy": (*_LOWEST, "trial"),
        **dict.fromkeys(_UPPER, (*_LOWEST, "trial")),
        "logs": (*_LOWEST, "trial", "run"),
        "predict": (*_LOWEST, "trial", "deploy"),
        "tune": (*_LOWEST, *_MIDDLE, *_UPPER),
        "audit": (*_LOWEST, *_MIDDLE, "sweep"),
        "update": (*_LOWEST, *_MIDDLE, "sweep"),
        "lint": (),
        "published": (*_LOWEST, "lint", "sweep"),
        "commands": (*_LOWEST, *_MIDDLE, "deploy", *_UPPER, *_HIGH),
        "cli": (*_LOWEST, *_MIDDLE, "deploy", *_UPPER, *_HIGH, "commands"),
    },
    "models": {"parts": (), "anatomy": ("parts",), "lighter": ("parts", "anatomy"), "recipe": ("parts",)},
    "report": {
        **dict.fromkeys(("machines", "replaced", "statistics", "written"), ()),
        "frame": ("machines", "replaced"),
        "deployments": ("statistics",),
        "kernels": (),
        "layers": (),
        "tables": ("frame", "statistics", "deployments", "kernels", "layers"),
        "recommend": ("statistics", "deployments", "tables"),
        "recommended": ("statistics", "deployments", "tables", "recommend"),
        "plots": ("frame", "statistics", "tables", "written", "recommend"),
        "architecture": ("plots",),
        "model_card": ("statistics",),
        "page": ("frame", "statistics", "tables", "plots"),
        "further": ("tables", "page"),
        **dict.fromkeys(
            ("annotation_report", "continual_report", "ensemble_report", "modality_report", "published_report"),
            ("frame", "statistics", "tables", "plots", "page", "further"),
        ),
        "annotation_methods": ("frame", "statistics", "tables", "plots", "further", "annotation_report"),
        "power_report": ("statistics", "tables", "plots", "written"),
        **dict.fromkeys(
            ("several_report", "statistics_report"), ("frame", "statistics", "tables", "plots", "page", "further")
        ),
        "runtime_report": ("frame", "tables", "plots", "page", "recommend", "recommended"),
        "write": (
            *("frame", "statistics", "tables", "plots", "page", "written"),
            *("annotation_report", "annotation_methods", "continual_report", "ensemble_report", "modality_report"),
            *("published_report", "runtime_report", "several_report", "statistics_report"),
        ),
    },
}
"""What each package or module inside a package may import of its neighbours; a recipe is any module of `models/`."""


def _imported(file: Path) -> set[tuple[str, ...]]:
    """The modules of this package that the file imports, as paths from the root."""
    inside = file.relative_to(ROOT).parts
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = inside[: len(inside) - node.level]
            target = (*base, *(node.module.split(".") if node.module else ()))
            names = [(*target, alias.name) for alias in node.names]
            found |= {name if (ROOT.joinpath(*name).with_suffix(".py")).exists() else target or name for name in names}
    return found


def _neighbour(parent: str, name: str) -> str:
    return name if name in INSIDE[parent] else "recipe"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_package_imports_only_from_the_packages_below_it(file):
    package = file.relative_to(ROOT).parts[0]
    outside = {path[0] for path in _imported(file)} - {package, "__version__"}
    assert outside <= set(ALLOWED[package]), f"{file} imports {outside}"


@pytest.mark.parametrize("parent", INSIDE)
def test_inside_a_package_imports_go_downwards_too(parent):
    depth = 2 if parent == "report" else 1
    where = ROOT / "benchmark" / "report" if parent == "report" else ROOT / parent
    for file in sorted(where.rglob("*.py")):
        inside = file.relative_to(ROOT).with_suffix("").parts
        if file == where / "__init__.py":
            continue
        own = _neighbour(parent, inside[depth])
        siblings = {path for path in _imported(file) if path[:depth] == inside[:depth] and len(path) > depth}
        others = {_neighbour(parent, path[depth]) for path in siblings}
        unknown = set() if parent == "models" else {path[depth] for path in siblings} - set(INSIDE[parent])
        assert not unknown, f"{file} imports {unknown}, which INSIDE does not name"
        assert others <= {own, *INSIDE[parent][own]}, f"{file} imports {others}"


def test_every_inner_package_has_its_place_in_the_order():
    for parent in ("benchmark", "report"):
        where = ROOT / "benchmark" / "report" if parent == "report" else ROOT / parent
        present = {
            path.stem
            for path in where.iterdir()
            if (path.is_dir() and (path / "__init__.py").exists()) or path.suffix == ".py"
        }
        assert present - {"__init__"} == set(INSIDE[parent])


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_source_files_import_each_other_relatively_and_stay_short(file):
    text = file.read_text("utf-8")
    absolute = [
        name
        for node in ast.walk(ast.parse(text))
        for name in ([node.module] if isinstance(node, ast.ImportFrom) and not node.level else [])
        if name and name.split(".")[0] == "unetbench"
    ]
    assert not absolute
    assert len(text.splitlines()) <= 300


def test_core_and_the_command_line_load_neither_tensorflow_nor_keras():
    code = (
        "import sys, unetbench.core.record, unetbench.benchmark.cli;"
        "from unetbench.models import MODELS; MODELS.parts();"
        "print([m for m in ('tensorflow', 'keras', 'pandas', 'matplotlib', 'jax', 'torch') if m in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
