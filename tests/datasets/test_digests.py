"""Digests follow the contents of files, and a file that did not change is read once."""

import os
import time

import pytest

from unetbench.core.errors import DataError
from unetbench.datasets import digests as module
from unetbench.datasets.digests import FileDigests

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
"""SHA-256 of `abc`, from FIPS 180-2."""


@pytest.fixture
def reads(monkeypatch):
    """Names of the files that were read."""
    seen, digest = [], module._digest
    monkeypatch.setattr(module, "_digest", lambda file: seen.append(file.name) or digest(file))
    return seen


def _file(folder, name, content, age_s=60):
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_bytes(content)
    then = time.time() - age_s
    os.utime(file, (then, then))
    return file


def test_the_published_example(tmp_path):
    file = _file(tmp_path, "a.tif", b"abc")
    assert FileDigests().of([file, file]) == {file: ABC}
    assert FileDigests().of([]) == {}


def test_a_second_run_reads_only_what_changed(tmp_path, reads, monkeypatch):
    monkeypatch.setattr(module, "SETTLED_NS", 0)
    files = [_file(tmp_path / "data", f"{k}.tif", bytes([k])) for k in range(3)]
    first = FileDigests(tmp_path / "memory").of(files)
    assert sorted(reads) == ["0.tif", "1.tif", "2.tif"]
    reads.clear()
    assert FileDigests(tmp_path / "memory").of(files) == first
    assert reads == []
    files[1].write_bytes(b"9")  # as long as before
    second = FileDigests(tmp_path / "memory").of(files)
    assert reads == ["1.tif"]
    assert [first[file] == second[file] for file in files] == [True, False, True]


def test_a_time_of_change_that_was_put_back_hides_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SETTLED_NS", 0)
    file = _file(tmp_path / "data", "a.tif", b"1")
    before, stat = FileDigests(tmp_path / "memory").of([file]), file.stat()
    file.write_bytes(b"2")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert FileDigests(tmp_path / "memory").of([file]) != before


def test_a_file_that_just_changed_is_not_remembered(tmp_path, reads):
    file = _file(tmp_path / "data", "a.tif", b"1", age_s=0)
    for _ in range(2):
        FileDigests(tmp_path / "memory").of([file])
    assert reads == ["a.tif", "a.tif"]


@pytest.mark.parametrize("content", ["{", "[]", '{"/a": 3}', '{"/a": [1, 2]}'])
def test_a_damaged_memory_is_written_anew(tmp_path, monkeypatch, content):
    monkeypatch.setattr(module, "SETTLED_NS", 0)
    file = _file(tmp_path / "data", "a.tif", b"abc")
    FileDigests(tmp_path / "memory").of([file])
    (memory,) = (tmp_path / "memory").iterdir()
    sound = memory.read_text()
    memory.write_text(content)
    assert FileDigests(tmp_path / "memory").of([file]) == {file: ABC}
    assert memory.read_text() == sound


def test_a_memory_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "memory").write_text("a file, not a folder")
    file = _file(tmp_path / "data", "a.tif", b"abc")
    assert FileDigests(tmp_path / "memory").of([file]) == {file: ABC}


def test_a_file_that_is_gone_is_named(tmp_path):
    with pytest.raises(DataError, match=r"gone\.tif is not there any more; put it back"):
        FileDigests().of([tmp_path / "gone.tif"])
