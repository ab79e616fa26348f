"""`unetbench import`: results of a published table, to stand beside those of a sweep."""

import argparse
import sys

from ...core.errors import SpecError
from ..published.mapping import read_mapping
from ..published.results import published_results
from ..records.published import write_published
from ..report.published_report import PublishedReport


def import_table(options: argparse.Namespace) -> int:
    """Read the table, print it as a report shows it, and with --out keep it in a sweep's folder."""
    mapping = read_mapping(options.map)
    published = published_results(options.table, mapping)
    if options.out is None:
        print(PublishedReport("import", (published,)).files("published")["published.md"], end="")
        print("unetbench: nothing was kept; --out RESULTS keeps it in a sweep's folder", file=sys.stderr)
        return 0
    if not (options.out / "records").is_dir():
        raise SpecError(f"import: {options.out} is no sweep's folder of results, which has `records` inside")
    print(write_published(options.out, options.map.stem, published))
    for doubt in published.doubts:
        print(f"unetbench: {doubt}", file=sys.stderr)
    print(f"unetbench: {len(published.results)} results; `unetbench report {options.out}` shows them", file=sys.stderr)
    return 0
