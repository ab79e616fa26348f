"""Two processors of one name are told apart wherever the system tells."""

import pytest

from unetbench.core.processor import (
    INSTRUCTIONS,
    Processor,
    allowed,
    cores,
    from_cpuinfo,
    from_sysctl,
    limits,
    processor,
    quota_cores,
    threads,
)

EPYC = """processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: 25
model\t\t: 17
model name\t: AMD EPYC
stepping\t: 1
cache size\t: 1024 KB
flags\t\t: fpu sse4_1 avx f16c avx2 fma avx512f avx512dq avx512cd avx512bw avx512vl avx512_bf16 avx512_vnni
bugs\t\t:
address sizes\t: 48 bits physical, 48 bits virtual

processor\t: 1
vendor_id\t: AuthenticAMD
cpu family\t: 25
model\t\t: 17
model name\t: AMD EPYC
stepping\t: 1
flags\t\t: fpu sse4_1 avx f16c avx2 fma avx512f avx512dq avx512cd avx512bw avx512vl avx512_bf16 avx512_vnni
"""

BIG_AND_LITTLE = """processor\t: 0
BogoMIPS\t: 48.00
Features\t: fp asimd evtstrm aes crc32 atomics fphp asimdhp asimddp i8mm bf16
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x1
CPU part\t: 0xd05
CPU revision\t: 0

processor\t: 1
Features\t: fp asimd evtstrm aes crc32 atomics fphp asimdhp asimddp i8mm bf16
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x3
CPU part\t: 0xd41
CPU revision\t: 2

Hardware\t: a board
"""

ZEN4 = ("sse4.1", "avx", "fma", "avx2", "avx512", "avx512_vnni", "avx512_bf16")


def test_linux_on_x86_tells_stepping_and_instruction_sets():
    assert from_cpuinfo(EPYC) == Processor("AMD EPYC", "family 25 model 17 stepping 1", ZEN4)
    assert from_cpuinfo(EPYC.replace("stepping\t: 1", "stepping\t: 2")).stepping == "family 25 model 17 stepping 2"


def test_linux_on_arm_names_the_parts_of_unlike_cores():
    found = from_cpuinfo(BIG_AND_LITTLE)
    assert found.model == ""
    assert found.stepping == (
        "implementer 0x41 part 0xd05 variant 0x1 revision 0; implementer 0x41 part 0xd41 variant 0x3 revision 2"
    )
    assert found.instructions == ("neon", "fp16", "dotprod", "i8mm", "bf16")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "machdep.cpu.brand_string: Apple M2\nhw.optional.arm.FEAT_BF16: 1\nhw.optional.arm.FEAT_SME: 0\n"
            "hw.optional.arm.FEAT_I8MM: 1\nhw.optional.neon: 1\n",
            Processor("Apple M2", "", ("neon", "i8mm", "bf16")),
        ),
        (
            "machdep.cpu.brand_string: Intel(R) Core(TM) i9\nmachdep.cpu.family: 6\nmachdep.cpu.model: 158\n"
            "machdep.cpu.stepping: 13\nmachdep.cpu.features: FPU SSE4.1 AVX1.0 FMA\n"
            "machdep.cpu.leaf7_features: BMI1 AVX2\n",
            Processor("Intel(R) Core(TM) i9", "family 6 model 158 stepping 13", ("sse4.1", "avx", "fma", "avx2")),
        ),
        ("", Processor()),
    ],
    ids=["apple", "intel", "no sysctl"],
)
def test_macos_tells_it_by_sysctl(text, expected):
    assert from_sysctl(text) == expected


@pytest.mark.parametrize(
    ("identifier", "stepping"),
    [("Intel64 Family 6 Model 85 Stepping 7, GenuineIntel", "family 6 model 85 stepping 7"), ("", "")],
)
def test_windows_tells_the_stepping_and_nothing_told_is_left_empty(monkeypatch, tmp_path, identifier, stepping):
    monkeypatch.setattr("unetbench.core.processor.CPUINFO", tmp_path / "none")
    monkeypatch.setattr("platform.system", lambda: "Windows")
    monkeypatch.setattr("platform.processor", lambda: identifier)
    monkeypatch.setattr("platform.machine", lambda: "AMD64")
    assert processor() == Processor(identifier or "AMD64", stepping, ())


@pytest.mark.parametrize("text", ["", "\n\n\n", "processor : 0\n", "no colon at all"])
def test_a_list_of_processors_that_tells_nothing_is_no_error(text):
    assert from_cpuinfo(text) == Processor()


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("SSE41", ("sse4.1",)),
        ("AVX2", ("sse4.1", "avx", "fma", "avx2")),
        ("AVX512_CORE_VNNI", ("sse4.1", "avx", "fma", "avx2", "avx512", "avx512_vnni")),
        ("AVX512_CORE_AMX", ZEN4),
        ("ALL", ZEN4),
        ("", ZEN4),
        ("AVX3", ZEN4),
    ],
)
def test_a_limit_of_onednn_takes_instruction_sets_away(level, expected):
    assert allowed(ZEN4, level) == expected


def test_neon_cannot_be_taken_away_and_sve_can():
    arm = ("neon", "bf16", "sve", "sve2")
    assert allowed(arm, "ADVSIMD") == ("neon", "bf16")
    assert allowed(arm, "SVE_512") == arm


@pytest.mark.parametrize(
    ("environ", "architecture", "expected"),
    [
        ({}, "x86_64", {}),
        ({"ONEDNN_MAX_CPU_ISA": "avx2"}, "x86_64", {"ONEDNN_MAX_CPU_ISA": "AVX2"}),
        ({"DNNL_MAX_CPU_ISA": "AVX2"}, "x86_64", {"ONEDNN_MAX_CPU_ISA": "AVX2"}),
        ({"ONEDNN_MAX_CPU_ISA": "ALL"}, "x86_64", {}),
        ({"TF_ENABLE_ONEDNN_OPTS": "0"}, "x86_64", {"TF_ENABLE_ONEDNN_OPTS": "0"}),
        ({"TF_ENABLE_ONEDNN_OPTS": "1"}, "x86_64", {}),
        ({"TF_ENABLE_ONEDNN_OPTS": "0"}, "aarch64", {}),
        ({"TF_ENABLE_ONEDNN_OPTS": "true"}, "arm64", {"TF_ENABLE_ONEDNN_OPTS": "1"}),
    ],
)
def test_a_limit_counts_when_it_limits(environ, architecture, expected):
    assert limits(environ, architecture) == expected


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, 8),
        ({"OMP_NUM_THREADS": "4"}, 4),
        ({"OMP_NUM_THREADS": "4,2"}, 4),
        ({"OMP_NUM_THREADS": "4", "TF_NUM_INTRAOP_THREADS": "2"}, 2),
        ({"OMP_NUM_THREADS": "4", "TF_NUM_INTRAOP_THREADS": "0"}, 4),
        ({"OMP_NUM_THREADS": "many"}, 8),
    ],
)
def test_threads_are_those_the_environment_asks_for(environ, expected):
    assert threads(environ, 8) == expected


def test_the_cores_are_those_the_process_may_use():
    assert cores() >= 1


def test_the_strictest_control_group_decides(tmp_path):
    groups = tmp_path / "cgroup"
    groups.write_text("0::/outer/inner\n")
    (tmp_path / "outer" / "inner").mkdir(parents=True)
    assert quota_cores(tmp_path, groups) is None
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert quota_cores(tmp_path, groups) is None
    (tmp_path / "outer" / "cpu.max").write_text("150000 100000\n")
    (tmp_path / "outer" / "inner" / "cpu.max").write_text("400000 100000\n")
    assert quota_cores(tmp_path, groups) == 1.5


def test_control_groups_of_the_first_version_are_read_too(tmp_path):
    groups = tmp_path / "cgroup"
    groups.write_text("4:memory:/job\n1:cpu,cpuacct:/job\n0::/\n")
    (tmp_path / "cpu" / "job").mkdir(parents=True)
    for name, value in (("quota", "-1"), ("period", "100000")):
        (tmp_path / "cpu" / "job" / f"cpu.cfs_{name}_us").write_text(value)
    assert quota_cores(tmp_path, groups) is None
    (tmp_path / "cpu" / "job" / "cpu.cfs_quota_us").write_text("250000")
    assert quota_cores(tmp_path, groups) == 2.5


def test_without_control_groups_there_is_no_limit(tmp_path):
    assert quota_cores(tmp_path, tmp_path / "none") is None


def test_this_machine_tells_only_known_instruction_sets():
    assert set(processor().instructions) <= set(INSTRUCTIONS)
    assert processor().model
