"""Registries list parts without importing them, refuse duplicates, and take parts from other files."""

import textwrap

import pytest

from unetbench.core.errors import SpecError
from unetbench.core.registry import Registry, load_plugin


@pytest.fixture
def registry(tmp_path):
    (tmp_path / "parts.py").write_text(
        textwrap.dedent('''
        """Parts."""
        raise RuntimeError("imported while listing")

        @MODELS.add
        def small(task, *, width: int = 8, ratio: float = 0.5, names=("a", "b"), deep: bool = False):
            """A small one.

            More of it.
            """
        ''')
    )
    return Registry("models", "somewhere", str(tmp_path / "__init__.py"))


def test_a_part_is_listed_without_importing_its_file(registry):
    part = registry.part("small")
    assert part.summary == "A small one."
    assert part.options == {"width": 8, "ratio": 0.5, "names": ("a", "b"), "deep": False}
    assert list(registry) == ["small"]
    assert "small" in registry
    assert len(registry) == 1


def test_an_unknown_name_is_an_error_with_the_nearest_one(registry):
    with pytest.raises(SpecError, match="model 'smal' is unknown; did you mean 'small'"):
        registry.part("smal")


def test_a_switch_is_true_or_false(registry):
    registry.check("small", {"deep": True, "width": 4})
    with pytest.raises(SpecError, match="small: option 'deep' is 'perhaps'; true and false are possible"):
        registry.check("small", {"deep": "perhaps"})


def test_an_unknown_option_is_an_error_with_the_nearest_one(registry):
    with pytest.raises(SpecError, match="small: option 'widht' is unknown; did you mean 'width'"):
        registry.check("small", {"widht": 3})


def test_two_files_with_the_same_part_are_refused(registry, tmp_path):
    (tmp_path / "more.py").write_text("@MODELS.add\ndef small(task):\n    'Again.'\n")
    with pytest.raises(SpecError, match="registered twice"):
        registry.parts()


def test_a_plugin_file_puts_its_parts_on_the_shelves(tmp_path):
    file = tmp_path / "my_losses_for_a_test.py"
    file.write_text(
        "from unetbench.losses import LOSSES\n\n"
        "@LOSSES.add\ndef constant_of_a_test(truth, logits, task, *, value: float = 1.0):\n    'Always value.'\n"
        "    return value\n"
    )
    load_plugin(file)
    from unetbench.losses import LOSSES

    assert LOSSES.part("constant_of_a_test").options == {"value": 1.0}
    assert LOSSES["constant_of_a_test"](None, None, None, value=2.0) == 2.0


def test_a_missing_plugin_is_named(tmp_path):
    with pytest.raises(SpecError, match="nowhere.py is not a Python file"):
        load_plugin(tmp_path / "nowhere.py")


PART = "from unetbench.losses import LOSSES\n\n@LOSSES.add\ndef {name}(truth, logits, task):\n    'Mine.'\n"


def test_two_plugins_of_one_file_name_are_two(tmp_path):
    from unetbench.losses import LOSSES

    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "own.py").write_text(PART.format(name=f"{folder}_of_two_plugins"))
        load_plugin(tmp_path / folder / "own.py")
    assert "first_of_two_plugins" in LOSSES
    assert "second_of_two_plugins" in LOSSES


def test_a_plugin_imports_what_lies_beside_it(tmp_path):
    from unetbench.losses import LOSSES

    (tmp_path / "helper_beside_a_plugin.py").write_text("VALUE = 7\n")
    file = tmp_path / "importing.py"
    file.write_text("from helper_beside_a_plugin import VALUE\n" + PART.format(name="importing_loss"))
    file.write_text(file.read_text() + "    return VALUE\n")
    load_plugin(file)
    assert LOSSES["importing_loss"](None, None, None) == 7


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\nimport no_such_module_anywhere\n", r"plugin .*bad\.py, line 2: ModuleNotFoundError: No module named"),
        ("x = (\n", r"plugin .*bad\.py, line 1: SyntaxError: '\(' was never closed"),
        ("def f():\n    return 1 / 0\n\nf()\n", r"plugin .*bad\.py, line 2: ZeroDivisionError"),
    ],
)
def test_a_plugin_that_cannot_be_imported_is_one_line_with_the_place(tmp_path, text, words):
    (tmp_path / "bad.py").write_text(text)
    for _ in range(2):  # the second try says the same
        with pytest.raises(SpecError, match=words) as caught:
            load_plugin(tmp_path / "bad.py")
        assert "\n" not in str(caught.value)
