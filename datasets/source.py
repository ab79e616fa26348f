"""Where data sets lie on this machine, and how the ones with a published checksum are fetched."""

import errno
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import DataError
from .archive import unpack


@dataclass(frozen=True)
class Archive:
    """A .zip or .tar file of a data set on the web.

    checksum: `sha256:…`, or `md5:…` where the publisher gives nothing better. Never empty: what cannot be checked is
        not fetched.
    """

    url: str
    checksum: str

    @property
    def name(self) -> str:
        """The last part of the address."""
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Source:
    """Looks for data sets under `data`, then under `cache`; fetches into `cache` when `download` allows it.

    data: the user's own folder, one data set a folder inside, or None.
    """

    data: Path | None
    cache: Path
    download: bool = True

    def find(self, name: str, *layouts: str, origin: str, archives: Sequence[Archive] = ()) -> Path:
        """Return the folder of data set `name`: itself or the one below it in which a glob of `layouts` finds a file.

        origin: where a person gets the data, for the message. archives: what to fetch when the data is nowhere.
        Raises DataError, in one line, when the data is not there and cannot be had.
        """
        homes = [home / name for home in (self.data, self.cache) if home is not None]
        for home in homes:
            if (found := _matching(home, layouts)) is not None:
                return found
        layout = " or ".join(layouts)
        wanted = f"expected {layout} in {homes[0]}"
        if homes[0].is_dir():
            raise DataError(f"{name}: {homes[0]} holds no {layout}; get the data from {origin}")
        if not archives:
            raise DataError(f"{name}: not found, {wanted}; get it from {origin} and unpack it there")
        if not self.download:
            raise DataError(f"{name}: not found, {wanted}, and downloading is off; allow it or get it from {origin}")
        for archive in archives:
            _fetch(name, archive, self.cache / name)
        if (found := _matching(self.cache / name, layouts)) is None:
            raise DataError(f"{name}: {', '.join(a.name for a in archives)} was fetched but holds no {layout}")
        return found


def _matching(folder: Path, layouts: Sequence[str]) -> Path | None:
    if not folder.is_dir():
        return None
    below = sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    places = (folder, *below)
    return next((place for place in places for glob in layouts if next(place.glob(glob), None) is not None), None)


def _fetch(name: str, archive: Archive, folder: Path) -> None:
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")
    downloader: Any = pooch.HTTPDownloader(progressbar=True, timeout=30)
    try:
        file = pooch.retrieve(archive.url, archive.checksum, fname=archive.name, path=folder, downloader=downloader)
        _unpack(Path(file), folder)
    except requests.exceptions.RequestException as error:
        raise DataError(
            f"{name}: not on this machine, and {archive.url} cannot be had ({type(error).__name__}); "
            f"get it where there is a network and unpack it to {folder}"
        ) from None
    except (
        ValueError,
        shutil.ReadError,
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
    ) as error:  # the checksum differs, or no sound archive
        raise DataError(f"{name}: {archive.url}: {' '.join(str(error).split())}") from None
    except OSError as error:
        reason = "no space is left" if error.errno == errno.ENOSPC else error
        raise DataError(f"{name}: {archive.name} cannot be stored in {folder}: {reason}") from None


def _unpack(file: Path, folder: Path) -> None:
    """Unpack beside and rename, so that a folder which is there is complete; the archive is deleted."""
    aside = folder / ".part"
    shutil.rmtree(aside, ignore_errors=True)
    unpack(file, aside)
    aside.rename(folder / file.name.split(".", 1)[0])
    file.unlink()
