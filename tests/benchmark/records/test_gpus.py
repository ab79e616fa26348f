"""GPUs are counted as CUDA counts them: those that CUDA_VISIBLE_DEVICES leaves, in its order."""

import pytest

from unetbench.benchmark.records.gpus import Gpu, chosen, none_here

LISTED = "0, GPU-aa11, NVIDIA H100\n1, GPU-bb22, NVIDIA H100\n2, GPU-cc33, NVIDIA T4\n"


@pytest.mark.parametrize(
    ("visible", "keys"),
    [
        (None, ["GPU-aa11", "GPU-bb22", "GPU-cc33"]),
        ("2,0", ["GPU-cc33", "GPU-aa11"]),
        ("GPU-bb", ["GPU-bb22"]),
        ("0,-1,1", ["GPU-aa11"]),  # CUDA stops at the first that is none
        ("", []),
        ("7", []),
        ("MIG-1-2", ["MIG-1-2"]),
    ],
)
def test_the_environment_picks_and_orders_them(visible, keys):
    environ = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    assert [gpu.key for gpu in chosen(LISTED, environ)] == keys


def test_names_are_those_of_the_driver():
    assert chosen(LISTED, {"CUDA_VISIBLE_DEVICES": "2"}) == (Gpu("GPU-cc33", "NVIDIA T4"),)
    assert chosen("", {"CUDA_VISIBLE_DEVICES": "0"}) == ()


def test_a_linux_without_a_node_of_a_driver_has_none(tmp_path):
    assert none_here("Linux", tmp_path)
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "kfd").touch()
    assert not none_here("Linux", tmp_path)
    assert not none_here("Darwin", tmp_path / "nothing")
