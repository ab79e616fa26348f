"""The backend is the one that somebody named, else one that is installed; Keras is not asked."""

import subprocess
import sys

import pytest

from unetbench.core import backend
from unetbench.core.backend import default_backend, install, installed


def _keras_file(folder, text):
    (folder / "keras.json").write_text(text)
    return folder


def test_the_environment_wins_over_keras_own_file(tmp_path):
    assert default_backend({"KERAS_BACKEND": "torch"}, _keras_file(tmp_path, '{"backend": "jax"}')) == "torch"


@pytest.mark.parametrize(
    ("there", "written", "expected"),
    [
        ({"tensorflow", "jax"}, "jax", "jax"),
        ({"tensorflow", "jax"}, "tensorflow", "tensorflow"),
        ({"jax"}, "tensorflow", "jax"),  # Keras wrote its default, and TensorFlow is not installed
        ({"torch"}, "tensorflow", "torch"),
        (set(), "jax", "tensorflow"),
    ],
)
def test_a_backend_that_keras_own_file_names_counts_where_it_is_installed(
    tmp_path, monkeypatch, there, written, expected
):
    monkeypatch.setattr(backend, "installed", there.__contains__)
    assert default_backend({}, _keras_file(tmp_path, f'{{"backend": "{written}"}}')) == expected


@pytest.mark.parametrize("text", ["{", "[1]", '{"backend": "magnet"}'])
def test_a_damaged_file_of_keras_is_passed_over(tmp_path, monkeypatch, text):
    monkeypatch.setattr(backend, "installed", {"jax"}.__contains__)
    assert default_backend({}, _keras_file(tmp_path, text)) == "jax"
    assert default_backend({"KERAS_HOME": str(tmp_path / "nowhere")}) == "jax"


def test_looking_for_a_backend_does_not_import_it():
    code = (
        "import sys; from unetbench.core.backend import BACKENDS, default_backend, installed;"
        "[installed(name) for name in BACKENDS]; default_backend();"
        "print([name for name in ('keras', *BACKENDS) if name in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
    assert installed("tensorflow")
    assert not installed("no_such_package")


def test_the_words_that_install_a_backend_name_its_extra():
    assert install("jax") == "pip install 'unetbench[jax]'"
    assert install("tensorflow") == "pip install tensorflow"
