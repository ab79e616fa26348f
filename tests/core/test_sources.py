"""The digest of a part's source follows its file and what that imports beside it, and nothing else."""

import sys
import textwrap

import pytest

from unetbench.core.errors import SpecError
from unetbench.core.registry import PLUGIN, Part, load_plugin
from unetbench.core.sources import _digest, source_digest
from unetbench.losses import LOSSES


def _part(file, module=f"{PLUGIN}own_0"):
    _digest.cache_clear()
    return source_digest(Part("own", "", {}, file, module))


@pytest.fixture
def folder(tmp_path):
    files = {
        "own.py": "import helper\nimport numpy\n\ndef own():\n    from parts import inner\n",
        "helper.py": "import further as f\n",
        "further.py": "VALUE = 1\n",
        "stranger.py": "VALUE = 1\n",
        "parts/__init__.py": "",
        "parts/inner.py": "VALUE = 1\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_our_own_parts_have_none():
    assert source_digest(LOSSES.part("dice")) == ""


@pytest.mark.parametrize(
    ("changed", "counts"),
    [
        ("own.py", True), ("helper.py", True), ("further.py", True), ("parts/inner.py", True),
        ("stranger.py", False), ("notes.txt", False),
    ],
)  # fmt: skip
def test_a_file_of_ones_own_with_what_it_imports(folder, changed, counts):
    before = _part(folder / "own.py")
    with (folder / changed).open("a") as stream:
        stream.write("# another line\n")
    assert (_part(folder / "own.py") != before) is counts


def test_the_place_does_not_count(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "moved"
    before = _part(folder / "own.py")
    folder.rename(elsewhere)
    assert _part(elsewhere / "own.py") == before


def test_an_installed_package_counts_as_a_whole(tmp_path, monkeypatch):
    package = tmp_path / "package_of_a_test"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "losses.py").write_text(textwrap.dedent("def own(): ..."))
    (package / "unrelated.py").write_text("")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    before = _part(package / "losses.py", "package_of_a_test.losses")
    (package / "unrelated.py").write_text("VALUE = 2\n")
    assert _part(package / "losses.py", "package_of_a_test.losses") != before


def test_a_helper_that_is_no_python_is_named(folder):
    (folder / "further.py").write_text("def (\n")
    with pytest.raises(SpecError, match=r"further\.py, line 1: invalid syntax"):
        _part(folder / "own.py")


def test_a_helper_that_python_took_from_another_plugins_folder_is_refused(tmp_path):
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "helper_of_two_plugins.py").write_text(f"FOLDER = {folder!r}\n")
        (tmp_path / folder / "own.py").write_text("import helper_of_two_plugins\n")
        load_plugin(tmp_path / folder / "own.py")
    assert _part(tmp_path / "first" / "own.py")
    with pytest.raises(SpecError, match=r"second/own\.py imports helper_of_two_plugins, .*first before; rename one"):
        _part(tmp_path / "second" / "own.py")


def test_a_part_wrapped_by_a_decorator_of_another_file_is_the_file_that_has_the_part(tmp_path):
    (tmp_path / "decorator_beside.py").write_text(
        "import functools\n\n"
        "def logged(f):\n    @functools.wraps(f)\n    def inner(*args):\n        return f(*args)\n    return inner\n"
    )
    file = tmp_path / "wrapping.py"
    file.write_text(
        "from decorator_beside import logged\nfrom unetbench.losses import LOSSES\n\n"
        "@LOSSES.add\n@logged\ndef wrapped_loss(truth, logits, task):\n    ...\n"
    )
    load_plugin(file)
    assert LOSSES.part("wrapped_loss").file == file
