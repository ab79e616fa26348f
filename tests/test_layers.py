"""The rooms import downwards only, and the words of core load no deep-learning library."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import unetbench

ROOT = Path(unetbench.__file__).parent
SHELVES = ("datasets", "models", "losses", "metrics", "runtimes")
ALLOWED = {"core": (), **dict.fromkeys(SHELVES, ("core",)), "benchmark": ("core", *SHELVES)}
FILES = [file for room in ALLOWED for file in sorted((ROOT / room).rglob("*.py"))]


def _rooms(file: Path) -> set[str]:
    inside = file.relative_to(ROOT).parts
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = list(inside[: len(inside) - node.level])
            target = base + (node.module.split(".") if node.module else [])
            names = [target] if target else [[alias.name] for alias in node.names]
            found |= {name[0] for name in names}
    return found - {inside[0]}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_room_imports_only_from_the_rooms_below_it(file):
    room = file.relative_to(ROOT).parts[0]
    outside = {name for name in _rooms(file) if name != "__version__"}
    assert outside <= set(ALLOWED[room]), f"{file} imports {outside}"


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
