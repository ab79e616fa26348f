"""The memory of a process is that of the machine, or what its control groups leave of it."""

import mmap
import sys

import psutil
import pytest

from unetbench.core.memory import kernel_kills, lifetime_peak_bytes, memory_bytes, peak_bytes, reset_peak, told


def test_the_strictest_control_group_decides(tmp_path):
    groups, total = tmp_path / "cgroup", psutil.virtual_memory().total
    groups.write_text("0::/outer/inner\n")
    (tmp_path / "outer" / "inner").mkdir(parents=True)
    (tmp_path / "outer" / "inner" / "memory.max").write_text("max\n")
    assert memory_bytes(tmp_path, groups) == total
    (tmp_path / "outer" / "memory.max").write_text(f"{3 << 20}\n")
    assert memory_bytes(tmp_path, groups) == 3 << 20


def test_control_groups_of_the_first_version_are_read_too(tmp_path):
    groups, limit = tmp_path / "cgroup", tmp_path / "memory" / "job" / "memory.limit_in_bytes"
    groups.write_text("4:memory:/job\n1:cpu,cpuacct:/other\n0::/\n")
    limit.parent.mkdir(parents=True)
    limit.write_text("9223372036854771712\n")  # how the first version writes no limit
    assert memory_bytes(tmp_path, groups) == psutil.virtual_memory().total
    limit.write_text(f"{5 << 20}\n")
    assert memory_bytes(tmp_path, groups) == 5 << 20


def test_kills_are_those_of_the_control_group_before_those_of_the_machine(tmp_path):
    groups, everywhere = tmp_path / "cgroup", tmp_path / "vmstat"
    assert kernel_kills(tmp_path, groups, everywhere) is None
    everywhere.write_text("nr_free_pages 8\noom_kill 5\n")
    groups.write_text("0::/job\n")
    assert kernel_kills(tmp_path, groups, everywhere) == 5
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "memory.events").write_text("low 0\noom 2\noom_kill 1\n")
    assert kernel_kills(tmp_path, groups, everywhere) == 1
    groups.write_text("4:memory:/old\n")
    (tmp_path / "memory" / "old").mkdir(parents=True)
    (tmp_path / "memory" / "old" / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n")
    assert kernel_kills(tmp_path, groups, everywhere) == 3


@pytest.mark.parametrize(("count", "text"), [(1, "1 MiB"), (700 << 20, "700 MiB"), (3 << 29, "1.5 GiB")])
def test_sizes_are_told_in_mib_and_gib(count, text):
    assert told(count) == text


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can begin anew")
def test_the_peak_of_the_process_is_that_since_it_was_reset():
    base = peak_bytes()
    with mmap.mmap(-1, 300 << 20) as pages:  # an array may lie in memory that the allocator keeps once it is freed
        for start in range(0, len(pages), mmap.PAGESIZE):
            pages[start] = 1
        high = peak_bytes()
    assert high >= base
    assert high >= 300 << 20
    assert reset_peak()
    assert peak_bytes() < high - (250 << 20)


def test_where_the_system_cannot_reset_the_peak_it_is_that_of_the_whole_life(tmp_path):
    assert not reset_peak(tmp_path / "nothing")
    assert peak_bytes(tmp_path / "nothing") == lifetime_peak_bytes() > 2**20
