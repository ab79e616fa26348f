"""`unetbench report`."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from ..report.write import write_reports
from ..tune.store import FOLDER


def report(options: argparse.Namespace) -> int:
    """Write the report of a sweep, or of each sweep of a folder, and of its tuning where it has one."""
    if _only_searched(options.results):
        _tell(*_of_tuning(options.results, options.out, options.empty))
        return 0
    for written in write_reports(options.results, options.out, empty=options.empty):
        files, notes = list(written.files), list(written.notes)
        if (written.sweep / FOLDER).is_dir():
            more = _of_tuning(written.sweep, written.page.parent, options.empty)
            files += more[0]
            notes += more[1]
        _tell(files, notes)
    return 0


def _only_searched(folder: Path) -> bool:
    """Whether a sweep was tuned and has no record yet, as where all trials of its searches failed."""
    return any(folder.glob(f"{FOLDER}/searches/*/*")) and not any(folder.glob("records/*/*.json"))


def _of_tuning(sweep: Path, out: Path | None, empty: str | None) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """The files of the report of a tuning, and what is worth a note."""
    from ..tune.write import write_tuning

    tuning = write_tuning(sweep, out, empty=empty)
    return ((), ()) if tuning is None else (tuning.files, tuning.notes)


def _tell(files: Iterable[Path], notes: Iterable[str]) -> None:
    for file in files:
        print(file)
    for note in notes:
        print(f"unetbench: {note}", file=sys.stderr)
