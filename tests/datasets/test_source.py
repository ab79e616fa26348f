import functools
import hashlib
import io
import tarfile
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from unetbench.core.errors import DataError
from unetbench.datasets.source import Archive, Source

LAYOUT = "images/*.txt"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format, *args):
        pass


@pytest.fixture
def server(tmp_path):
    """A folder, and the address it is served at."""
    folder = tmp_path / "web"
    folder.mkdir()
    web = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=web.serve_forever, args=(0.01,))
    thread.start()
    yield folder, f"http://127.0.0.1:{web.server_port}"
    web.shutdown()
    thread.join()
    web.server_close()


def _tar(file, name="images/a.txt"):
    with tarfile.open(file, "w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = 5
        tar.addfile(entry, io.BytesIO(b"hello"))
    return "sha256:" + hashlib.sha256(file.read_bytes()).hexdigest()


def _fill(folder):
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "a.txt").write_text("hello")
    return folder


def test_the_users_own_folder_comes_before_the_cache(tmp_path):
    _fill(tmp_path / "cache" / "cells")
    own = _fill(tmp_path / "data" / "cells")
    assert Source(tmp_path / "data", tmp_path / "cache").find("cells", LAYOUT, origin="nowhere") == own


def test_a_folder_unpacked_one_level_too_deep_is_found(tmp_path):
    deep = _fill(tmp_path / "data" / "cells" / "Task04")
    assert Source(tmp_path / "data", tmp_path / "cache").find("cells", LAYOUT, origin="nowhere") == deep


def test_a_data_set_that_is_nowhere_says_where_to_get_it_and_where_to_put_it(tmp_path):
    source = Source(tmp_path / "data", tmp_path / "cache")
    with pytest.raises(
        DataError, match=r"^cells: not found, expected images/\*\.txt in .*data/cells; get it from the moon"
    ):
        source.find("cells", LAYOUT, origin="the moon")


def test_a_folder_without_the_expected_files_is_named(tmp_path):
    (tmp_path / "data" / "cells").mkdir(parents=True)
    with pytest.raises(DataError, match=r"data/cells holds no images/\*\.txt"):
        Source(tmp_path / "data", tmp_path / "cache").find("cells", LAYOUT, origin="the moon")


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_an_archive_is_fetched_once_checked_unpacked_and_deleted(tmp_path, server, kind):
    folder, address = server
    file = folder / f"cells.{kind}"
    if kind == "tar":
        checksum = _tar(file)
    else:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("images/a.txt", "hello")
        checksum = "md5:" + hashlib.md5(file.read_bytes()).hexdigest()
    source, archives = Source(None, tmp_path / "cache"), [Archive(f"{address}/{file.name}", checksum)]
    found = source.find("cells", LAYOUT, origin="the moon", archives=archives)
    assert (found / "images" / "a.txt").read_text() == "hello"
    assert [entry.name for entry in (tmp_path / "cache" / "cells").iterdir()] == ["cells"]
    file.unlink()
    assert source.find("cells", LAYOUT, origin="the moon", archives=archives) == found


def test_a_wrong_checksum_is_refused_in_one_line_and_leaves_nothing(tmp_path, server):
    folder, address = server
    _tar(folder / "cells.tar")
    source, archives = Source(None, tmp_path / "cache"), [Archive(f"{address}/cells.tar", "sha256:" + "0" * 64)]
    with pytest.raises(DataError, match="does not match the known hash") as caught:
        source.find("cells", LAYOUT, origin="the moon", archives=archives)
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "cache" / "cells").iterdir())


def test_no_network_is_one_clear_line(tmp_path):
    archives = [Archive("http://127.0.0.1:9/cells.tar", "sha256:" + "0" * 64)]
    with pytest.raises(
        DataError, match=r"^cells: not on this machine, and http://127.* cannot be had \(ConnectionError\)"
    ):
        Source(None, tmp_path / "cache").find("cells", LAYOUT, origin="the moon", archives=archives)


def test_a_missing_file_on_the_server_is_one_clear_line(tmp_path, server):
    archives = [Archive(f"{server[1]}/gone.tar", "sha256:" + "0" * 64)]
    with pytest.raises(DataError, match=r"gone\.tar cannot be had \(HTTPError\)"):
        Source(None, tmp_path / "cache").find("cells", LAYOUT, origin="the moon", archives=archives)


def test_downloading_can_be_forbidden(tmp_path):
    archives = [Archive("http://127.0.0.1:9/cells.tar", "sha256:" + "0" * 64)]
    with pytest.raises(DataError, match="downloading is off"):
        Source(None, tmp_path / "cache", download=False).find("cells", LAYOUT, origin="the moon", archives=archives)


def test_an_archive_that_holds_something_else_is_said_so(tmp_path, server):
    folder, address = server
    archives = [Archive(f"{address}/cells.tar", _tar(folder / "cells.tar", "readme.md"))]
    with pytest.raises(DataError, match=r"cells\.tar was fetched but holds no images/\*\.txt"):
        Source(None, tmp_path / "cache").find("cells", LAYOUT, origin="the moon", archives=archives)


def test_an_archive_that_would_write_outside_its_folder_is_refused(tmp_path, server):
    folder, address = server
    archives = [Archive(f"{address}/cells.tar", _tar(folder / "cells.tar", "../../escaped.txt"))]
    with pytest.raises(DataError, match="would lie outside of the folder; it is not unpacked"):
        Source(None, tmp_path / "cache").find("cells", LAYOUT, origin="the moon", archives=archives)
    assert not list(tmp_path.rglob("escaped.txt"))
