"""`unetbench cache`: what the cases kept on disk take, and their removal."""

import argparse
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from ...core.errors import SpecError, StoreError, unknown
from ...core.memory import told
from ..trial.context import cases_folder
from .run import cache_folder


class _Kept(NamedTuple):
    name: str
    cases: int
    size: int
    used: str


def cache(options: argparse.Namespace) -> int:
    """Print the data sets whose cases are kept on disk, or remove them, all or those named."""
    folder = cases_folder(cache_folder())
    found = {entry.name: entry for entry in sorted(folder.glob("*-*")) if entry.is_dir()}
    if options.clear is None:
        for kept in map(_kept, found.values()):
            print(f"{kept.name}  {kept.cases:,} cases  {told(kept.size)}  last used {kept.used}")
        print(f"{len(found)} data sets in {folder}; {told(shutil.disk_usage(_existing(folder)).free)} free")
        return 0
    for name in options.clear:
        if name not in found:
            raise SpecError(f"cache: {unknown('data set', name, found)}")
    for name in options.clear or found:
        kept = _kept(found[name])
        try:
            shutil.rmtree(found[name])
        except OSError as error:
            raise StoreError(f"cache: {found[name]} cannot be removed: {error.strerror}") from None
        print(f"{name} removed: {kept.cases:,} cases, {told(kept.size)}")
    return 0


def _kept(folder: Path) -> _Kept:
    sizes = [file.stat().st_size for file in folder.glob("??/*")]
    used = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
    return _Kept(folder.name, len(sizes), sum(sizes), f"{used:%Y-%m-%d}")


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next(place for place in (folder, *folder.absolute().parents) if place.is_dir())
