"""No source file reads in a way that could run what it reads; docs/security.md says why each place is safe."""

import ast
from pathlib import Path

import pytest

import unetbench

ROOT = Path(unetbench.__file__).parent
FILES = [file for name in ("core", "datasets", "models", "losses", "metrics", "runtimes", "benchmark")
         for file in sorted((ROOT / name).rglob("*.py"))]  # fmt: skip

MODULES = {"pickle", "dill", "joblib", "shelve", "marshal", "cloudpickle"}
"""Not imported: what they read is code."""

OWN_PIPES = {
    "benchmark/run/cluster/agent.py": {"pickle.load(stream)", "pickle.load(sys.stdin.buffer)", "pickle.loads(payload)",
                                       "pickle.loads(setup)"},
    "benchmark/run/cluster/agent_process.py": {"pickle.load(stdout)"},
    "benchmark/run/cluster/dask_crew.py": set(),
}  # fmt: skip
"""Where processes of one command talk to each other: what they unpickle came through pipes and a scheduler of dask.

Who reaches a scheduler can run programs through it anyway, as docs/cluster.md says.
"""

CALLS = {
    "eval", "exec", "compile", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "torch.load", "pd.read_pickle",
    "os.system", "os.popen", "np.fromregex", "extractall",
}  # fmt: skip
"""Never called, by the end of their name."""

LOADERS = {
    "core/registry.py": "a plugin that the user names, and parts of installed packages",
    "benchmark/predict/open_export.py": "unetbench's own session, chosen from a list",
    "benchmark/deploy/example/segment.py": "the session beside the script, when its user runs the script",
}
"""Where Python files are run, and whose they are."""

UNPACKERS = {"datasets/archive.py"}
"""Where archives are unpacked, after their members were checked."""


def _called(node: ast.Call) -> str:
    return ast.unparse(node.func)


def _calls(file: Path) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_file_reads_code_where_it_should_read_data(file):
    place = file.relative_to(ROOT).as_posix()
    nodes = list(ast.walk(ast.parse(file.read_text("utf-8"))))
    imported = {name.name.split(".")[0] for node in nodes if isinstance(node, ast.Import) for name in node.names}
    absolute = [node.module for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
    imported |= {module.split(".")[0] for module in absolute if module}
    assert not imported & MODULES - ({"pickle"} if place in OWN_PIPES else set())
    read = {ast.unparse(node) for node in _calls(file) if _called(node).startswith("pickle.load")}
    assert read == OWN_PIPES.get(place, set())
    for node in _calls(file):
        name, words = _called(node), {word.arg: ast.unparse(word.value) for word in node.keywords}
        assert name not in CALLS, f"{place}:{node.lineno} calls {name}"
        assert name.rsplit(".", 1)[-1] != "extractall" or place in UNPACKERS
        assert words.get("shell") != "True", f"{place}:{node.lineno} runs a shell"
        assert words.get("allow_pickle", "False") == "False", f"{place}:{node.lineno}"
        if name.endswith("load_model"):
            assert words.get("safe_mode") == "True", f"{place}:{node.lineno} does not say safe_mode=True"
        if name.endswith("exec_module"):
            assert place in LOADERS, f"{place}:{node.lineno} runs a Python file"
        if name.endswith(("unpack_archive", "retrieve")):
            assert place in {*UNPACKERS, "datasets/source.py"}, f"{place}:{node.lineno} unpacks"


def test_the_places_where_python_files_are_run_are_all_there():
    running = {
        file.relative_to(ROOT).as_posix()
        for file in FILES
        if any(_called(node).endswith("exec_module") for node in _calls(file))
    }
    assert running == set(LOADERS)


def test_yaml_has_one_loader_and_it_makes_plain_values_only():
    from unetbench.core.yaml_text import Loader

    assert all(tag is None or tag.startswith("tag:yaml.org,2002:") for tag in Loader.yaml_constructors)
    assert not Loader.yaml_multi_constructors
