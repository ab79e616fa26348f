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
        def small(task, *, width: int = 8, ratio: float = 0.5, names=("a", "b")):
            """A small one.

            More of it.
            """
        ''')
    )
    return Registry("models", "somewhere", str(tmp_path / "__init__.py"))


def test_a_part_is_listed_without_importing_its_file(registry):
    part = registry.part("small")
    assert part.summary == "A small one."
    assert part.options == {"width": 8, "ratio": 0.5, "names": ("a", "b")}
    assert list(registry) == ["small"]
    assert "small" in registry
    assert len(registry) == 1


def test_an_unknown_name_is_an_error_with_the_nearest_one(registry):
    with pytest.raises(SpecError, match="model 'smal' is unknown; did you mean 'small'"):
        registry.part("smal")


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
