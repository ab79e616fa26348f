"""Archives are unpacked inside their folder: plain files and folders, looked at before anything is written."""

import io
import stat
import tarfile
import zipfile

import pytest

from unetbench.core.errors import DataError
from unetbench.datasets import archive
from unetbench.datasets.archive import unpack


def _zip(file, name, content=b"hello", mode=0):
    with zipfile.ZipFile(file, "w") as made:
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        made.writestr(info, content)
    return file


def _tar(file, name, **fields):
    with tarfile.open(file, "w") as made:
        info = tarfile.TarInfo(name)
        for field, value in fields.items():
            setattr(info, field, value)
        made.addfile(info, io.BytesIO(bytes(info.size)))
    return file


@pytest.mark.parametrize("kind", ["a.zip", "a.tar"])
def test_files_are_unpacked_into_the_folder(tmp_path, kind):
    file = tmp_path / kind
    made = _zip(file, "images/a.txt") if kind == "a.zip" else _tar(file, "images/a.txt", size=5)
    unpack(made, tmp_path / "out")
    assert (tmp_path / "out" / "images" / "a.txt").stat().st_size == 5


@pytest.mark.parametrize("name", ["../a.txt", "images/../../a.txt", "/tmp/a.txt", "..\\a.txt", "C:\\a.txt", "C:a.txt"])
@pytest.mark.parametrize("make", [_zip, _tar])
def test_a_member_that_would_lie_outside_is_refused_and_nothing_is_written(tmp_path, name, make):
    file = make(tmp_path / ("a.zip" if make is _zip else "a.tar"), name)
    with pytest.raises(DataError, match="would lie outside of the folder; it is not unpacked"):
        unpack(file, tmp_path / "out")
    assert [entry.name for entry in tmp_path.iterdir()] == [file.name]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(tmp_path, kind):
    file = _tar(tmp_path / "a.tar", "images/a", type=kind, linkname="b")
    with pytest.raises(DataError, match="'images/a' is no file and no folder; it is not unpacked"):
        unpack(file, tmp_path / "out")


def test_a_link_in_a_zip_is_refused(tmp_path):
    file = _zip(tmp_path / "a.zip", "images/a", b"b", stat.S_IFLNK | 0o777)
    with pytest.raises(DataError, match="is no file and no folder"):
        unpack(file, tmp_path / "out")


def test_an_archive_larger_than_the_free_disk_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive.shutil, "disk_usage", lambda _: archive.shutil._ntuple_diskusage(9, 9, 4))
    with pytest.raises(DataError, match="free some space"):
        unpack(_zip(tmp_path / "a.zip", "a.txt"), tmp_path / "out")
