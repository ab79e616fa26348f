"""A process beside ours answers, says what went wrong, and may die without taking us with it."""

import subprocess
import sys

import numpy as np
import pytest

from unetbench.benchmark.deploy.child import Child
from unetbench.core.errors import ConversionError


@pytest.fixture
def session():
    with Child("deploy.session") as child:
        yield child


def test_it_answers(session):
    assert session.ask("peak_bytes") > 2**20


def test_an_order_that_fails_is_told_and_the_process_goes_on(session):
    with pytest.raises(ConversionError, match="no model is open"):
        session.ask("forward", np.zeros((1, 4, 4, 1), np.float32))
    with pytest.raises(ConversionError, match=r"FileNotFoundError.*nowhere"):
        session.ask("open_folder", "/nowhere", 0)
    assert session.ask("peak_bytes") > 0


def test_a_process_that_dies_is_an_error_that_says_how(session):
    session._process.kill()
    with pytest.raises(ConversionError, match=r"the process of deploy\.session was killed by SIGKILL"):
        session.ask("peak_bytes")


def test_a_process_that_does_not_begin_says_its_last_words():
    with pytest.raises(ConversionError, match=r"deploy\.no_such_module ended with status 1; it last said: .*No module"):
        Child("deploy.no_such_module")


def test_a_session_loads_neither_tensorflow_nor_keras():
    code = (
        "import sys, unetbench.benchmark.deploy.session;"
        "print([m for m in ('tensorflow', 'keras', 'pandas', 'matplotlib', 'jax', 'torch') if m in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
