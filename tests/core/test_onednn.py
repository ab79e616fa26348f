"""TensorFlow leaves oneDNN off on CPUs with AVX2 alone, which then train several times as slowly."""

import importlib.util
import os

import pytest

from unetbench.core import onednn
from unetbench.core.processor import Processor

ZEN_3 = ("sse4.1", "avx", "fma", "avx2")
ZEN_4 = (*ZEN_3, "avx512", "avx512_vnni", "avx512_bf16")
SKYLAKE = (*ZEN_3, "avx512")
ALDER_LAKE = (*ZEN_3, "avx_vnni")


@pytest.fixture
def machine(monkeypatch):
    """A function that puts another processor and system in place of this one."""

    def put(instructions, system="Linux"):
        monkeypatch.setattr(onednn, "processor", lambda: Processor("made up", "", instructions))
        monkeypatch.setattr(onednn.platform, "system", lambda: system)

    return put


@pytest.mark.parametrize(
    ("instructions", "system", "itself", "turned_on"),
    [
        (ZEN_3, "Linux", False, True),
        (SKYLAKE, "Linux", False, True),
        (ZEN_4, "Linux", True, False),
        (ALDER_LAKE, "Linux", True, False),
        (("sse4.1", "avx"), "Linux", False, False),
        (("neon", "dotprod"), "Linux", False, False),
        (ZEN_3, "Windows", True, False),
        (("neon",), "Darwin", False, False),
    ],
)
def test_it_is_turned_on_where_there_is_avx2_and_tensorflow_leaves_it_off(
    machine, instructions, system, itself, turned_on
):
    machine(instructions, system)
    assert onednn.in_use({}) is itself
    assert onednn.turned_on({}) == ({onednn.SWITCH: "1"} if turned_on else {})


@pytest.mark.parametrize(("said", "used"), [("0", False), ("FALSE", False), ("1", True), ("True", True)])
def test_what_the_user_says_counts(machine, said, used):
    machine(ZEN_3)
    assert onednn.turned_on({onednn.SWITCH: said}) == {}
    assert onednn.in_use({onednn.SWITCH: said}) is used


@pytest.mark.parametrize("said", ["", "yes", "2"])
def test_words_that_tensorflow_does_not_know_say_nothing(machine, said):
    machine(ZEN_3)
    assert onednn.turned_on({onednn.SWITCH: said}) == {onednn.SWITCH: "1"}
    assert onednn.in_use({onednn.SWITCH: said}) is False


@pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="TensorFlow is not installed")
def test_tensorflow_itself_says_the_same_of_this_machine():
    from tensorflow.python.util import _pywrap_util_port

    assert onednn.in_use(os.environ) is _pywrap_util_port.IsMklEnabled()
