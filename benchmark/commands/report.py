"""`unetbench report`."""

import argparse
import sys

from ..report.write import write_reports
from ..tune.store import FOLDER


def report(options: argparse.Namespace) -> int:
    """Write the report of a sweep, or of each sweep of a folder, and of its tuning where it has one."""
    for written in write_reports(options.results, options.out, empty=options.empty):
        files, notes = list(written.files), list(written.notes)
        if (written.sweep / FOLDER).is_dir():
            from ..tune.write import write_tuning

            tuning = write_tuning(written.sweep, written.page.parent, empty=options.empty)
            if tuning is not None:
                files += tuning.files
                notes += tuning.notes
        for file in files:
            print(file)
        for note in notes:
            print(f"unetbench: {note}", file=sys.stderr)
    return 0
