"""The memory of a process is that of the machine, or what its control groups leave of it."""

import psutil
import pytest

from unetbench.core.memory import memory_bytes, told


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


@pytest.mark.parametrize(("count", "text"), [(1, "1 MiB"), (700 << 20, "700 MiB"), (3 << 29, "1.5 GiB")])
def test_sizes_are_told_in_mib_and_gib(count, text):
    assert told(count) == text
