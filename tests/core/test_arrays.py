"""Arrays of others: no pickle, and no memory for what a head only claims."""

import io
import struct
import zipfile

import numpy as np
import pytest

from unetbench.core import arrays
from unetbench.core.arrays import read_npy, read_npz


def _npy(array):
    made = io.BytesIO()
    np.save(made, array)
    return made.getvalue()


def _claiming(shape, dtype="<f8"):
    """The head of an array of this shape, and ten bytes."""
    made = io.BytesIO()
    np.lib.format.write_array_header_1_0(made, {"descr": dtype, "fortran_order": False, "shape": shape})
    return made.getvalue() + bytes(10)


def _read(content):
    return read_npy(io.BytesIO(content), len(content))


def test_an_array_is_read_as_it_was_written():
    for array in (np.arange(6).reshape(2, 3), np.asfortranarray(np.ones((2, 3), ">f4")), np.zeros((0, 3))):
        found = _read(_npy(array))
        np.testing.assert_array_equal(found, array)
        assert found.dtype == array.dtype


@pytest.mark.parametrize("shape", [(10**6, 10**6), (2**62, 2**62), (-1, 5), (11,)])
def test_a_head_that_claims_more_than_there_is_is_refused_before_memory_is_taken(shape, monkeypatch):
    monkeypatch.setattr(np.lib.format, "read_array", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(ValueError, match=r"its head claims .* of float64, .* bytes; 10 follow"):
        _read(_claiming(shape))


def test_an_array_larger_than_the_memory_is_refused(monkeypatch):
    monkeypatch.setattr(arrays, "memory_bytes", lambda: 100)
    with pytest.raises(ValueError, match="it claims 1 MiB, and this machine has 1 MiB of memory"):
        _read(_npy(np.zeros(20)))


def test_python_objects_are_refused_without_being_looked_at():
    with pytest.raises(ValueError, match="holds Python objects, which are code and never read"):
        _read(_npy(np.array([print], object)))


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"\x93NUMPY\x01\x00\xff\xff", b"\x93NUMPY\x09\x00", b"GIF89a"])
def test_damage_is_a_value_error(content):
    with pytest.raises(ValueError):
        _read(content)


@pytest.mark.parametrize("order", ["<", ">"])
def test_text_of_numbers_that_are_no_characters_is_refused_before_numpy_shows_it(order):
    text = np.array(["ab", "c"], f"{order}U2")
    assert _read(_npy(text)).tolist() == ["ab", "c"]
    wrong = _npy(text).replace("b".encode(f"utf-32-{order.replace('<', 'le').replace('>', 'be')}"), b"\xff" * 4)
    with pytest.raises(ValueError, match="text with numbers that are no characters"):
        _read(wrong)


def test_rows_of_named_fields_are_refused():
    with pytest.raises(ValueError, match="it holds rows of a, b; save plain arrays"):
        _read(_npy(np.zeros(3, [("a", "f4"), ("b", "U2")])))


def test_every_array_of_an_archive_is_read(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", a=np.arange(3), b=np.zeros((2, 2)))
    found = read_npz(tmp_path / "a.npz")
    assert sorted(found) == ["a", "b"]
    np.testing.assert_array_equal(found["a"], [0, 1, 2])


def test_a_member_that_claims_more_than_deflate_can_hold_is_refused(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", a=np.zeros(1000))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    directory = content.find(b"PK\x01\x02")
    struct.pack_into("<I", content, directory + 24, 2**31)  # the size that the directory states
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.npy claims 2,147,483,648 bytes in "):
        read_npz(tmp_path / "a.npz")


def test_other_ways_to_compress_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.npy", _npy(np.zeros(3)))
    with pytest.raises(ValueError, match=r"a\.npy is locked, or compressed in another way than deflated"):
        read_npz(tmp_path / "a.npz")


def test_what_is_no_archive_is_a_value_error_and_what_is_not_there_an_os_error(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"no archive")
    with pytest.raises(ValueError, match="BadZipFile"):
        read_npz(tmp_path / "a.npz")
    with pytest.raises(FileNotFoundError):
        read_npz(tmp_path / "b.npz")
