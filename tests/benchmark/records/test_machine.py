"""A machine is what decides its speed; a name alone makes no two the same."""

import json
import re
import subprocess
import sys

import pytest

from unetbench.benchmark.records.machine import (
    describe,
    digest,
    first_name,
    machine,
    name_of,
    names_itself,
    provenance,
    same_machine,
)

EPYC = {
    "cpu": "AMD EPYC",
    "stepping": "family 25 model 17 stepping 1",
    "instructions": ["sse4.1", "avx", "fma", "avx2", "avx512", "avx512_vnni", "avx512_bf16"],
    "limits": {},
    "cores": 2,
    "quota_cores": None,
    "threads": 2,
    "memory_bytes": 24 * 2**30,
    "gpu": "",
    "driver": "",
    "system": "Linux x86_64",
}
FIRST = {
    "name": "amd-epyc-2-cores",
    "cpu": "AMD EPYC",
    "cores": 2,
    "memory_bytes": 1,
    "gpu": "",
    "system": "Linux x86_64",
}


def known(**changes):
    facts = {**EPYC, **changes}
    return {**facts, "digest": digest(facts)}


@pytest.mark.parametrize(
    "changes",
    [
        {"stepping": "family 25 model 17 stepping 2"},
        {"stepping": "family 26 model 2 stepping 1"},
        {"instructions": ["sse4.1", "avx", "fma", "avx2"]},
        {"limits": {"ONEDNN_MAX_CPU_ISA": "AVX2"}},
        {"limits": {"TF_ENABLE_ONEDNN_OPTS": "0"}},
        {"cores": 4, "threads": 4},
        {"threads": 1},
        {"quota_cores": 1.5},
        {"system": "Windows AMD64"},
        {"gpu": "NVIDIA H100", "driver": "550.1"},
        {"gpu": "NVIDIA H100", "driver": "560.2"},
    ],
    ids=str,
)
def test_whatever_decides_speed_makes_another_machine(changes):
    assert name_of(known(**changes)) != name_of(known())
    assert not same_machine(known(**changes), known())


def test_memory_makes_no_other_machine():
    assert known(memory_bytes=1)["digest"] == known()["digest"]  # a virtual machine's changes from boot to boot


def test_drivers_of_one_gpu_are_told_apart():
    first, second = (known(gpu="NVIDIA H100", driver=version) for version in ("550.1", "560.2"))
    assert not same_machine(first, second)
    assert re.fullmatch("nvidia-h100-2-cores-[0-9a-f]{6}", name_of(first))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "amd-epyc-2-cores-avx512-bf16-"),
        ({"threads": 1, "instructions": ["avx2"]}, "amd-epyc-2-cores-1-thread-avx2-"),
        ({"cpu": "Intel(R) Xeon(R) Gold 6148 CPU @ 2.40GHz", "instructions": []}, "intel-xeon-gold-6148-2-cores-"),
        ({"cpu": "", "instructions": []}, "2-cores-"),
        ({"cpu": "x" * 90}, "x" * 30),
        ({"cpu": "龙芯"}, "2-cores-avx512-bf16-"),
    ],
)
def test_a_name_can_be_read_and_is_short(changes, expected):
    name = name_of(known(**changes))
    assert name.startswith(expected)
    assert re.fullmatch("[a-z0-9-]{1,60}", name)
    assert names_itself(known(**changes), name)
    assert not names_itself(known(**changes), "lab")


def test_the_digest_is_the_same_in_every_process_and_version():
    # Of canonical JSON of the facts in the order of DECIDING. Changing it would have every machine train again.
    assert digest(EPYC) == "ec7aa258fae316eb"
    assert digest(json.loads(json.dumps(EPYC))) == digest(EPYC)


def test_a_record_before_schema_3_may_be_of_any_machine_that_it_does_not_speak_against():
    assert first_name(EPYC) == FIRST["name"]
    assert same_machine(FIRST, known())
    assert same_machine(FIRST, known(threads=1, stepping="family 26 model 2 stepping 1"))
    for name, other in (("cpu", "AMD EPYC 9R14"), ("cores", 4), ("gpu", "NVIDIA H100"), ("system", "Linux aarch64")):
        assert not same_machine({**FIRST, name: other}, known())


def test_the_hardware_is_described_in_one_line():
    assert describe(known(limits={"ONEDNN_MAX_CPU_ISA": "AVX2"}, instructions=["avx", "avx2"], threads=1)) == (
        "AMD EPYC (family 25 model 17 stepping 1), avx avx2, ONEDNN_MAX_CPU_ISA=AVX2, 2 cores, 1 thread, "
        "24 GiB memory, Linux x86_64"
    )
    assert describe(FIRST | {"memory_bytes": 2**34}) == "AMD EPYC, 2 cores, 16 GiB memory, Linux x86_64"
    assert describe({}) == ""


def _names(**environ):
    code = "from unetbench.benchmark.records.machine import machine; print(machine()['name'], machine()['digest'])"
    answer = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    return tuple(answer.stdout.split())


def test_a_limit_of_the_environment_makes_another_machine_and_an_override_hides_nothing(monkeypatch):
    import os

    usual = _names(**os.environ)
    assert usual == _names(**os.environ)
    limited = _names(**os.environ, ONEDNN_MAX_CPU_ISA="SSE41")
    assert limited != usual
    assert _names(**os.environ, UNETBENCH_MACHINE="lab") == ("lab", usual[1])
    assert _names(**os.environ, UNETBENCH_MACHINE="lab", ONEDNN_MAX_CPU_ISA="SSE41") == ("lab", limited[1])


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        (None, "nvidia-smi --query-gpu=name,driver_version --format=csv,noheader"),
        ("1,0", "nvidia-smi -i 1 --query-gpu=name,driver_version --format=csv,noheader"),
        ("GPU-5f-a", "nvidia-smi -i GPU-5f-a --query-gpu=name,driver_version --format=csv,noheader"),
        ("", None),
        ("-1", None),
    ],
)
def test_the_gpu_is_the_first_that_programs_see(monkeypatch, visible, expected):
    asked = []

    def answer(words, **options):
        asked.append(" ".join(words))
        return subprocess.CompletedProcess(words, 0, "NVIDIA H100 80GB HBM3, 550.90.07\nNVIDIA L4, 550.90.07\n")

    from unetbench.benchmark.records.machine import _gpu

    monkeypatch.setattr(subprocess, "run", answer)
    found = _gpu({} if visible is None else {"CUDA_VISIBLE_DEVICES": visible})
    assert found == (("NVIDIA H100 80GB HBM3", "550.90.07") if expected else ("", ""))
    assert asked == ([expected] if expected else [])


def test_a_share_of_the_machine_is_noted_and_makes_no_other_machine():
    whole, share = provenance()["machine"], provenance(threads=1)["machine"]
    assert share == {**whole, "threads": 1}
    assert whole["digest"] == machine()["digest"]
