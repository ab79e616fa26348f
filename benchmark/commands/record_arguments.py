"""What the commands take that read records and train nothing: `power` and `merge`."""

import argparse
from pathlib import Path

from .numbers import count, positive


def power(command: argparse.ArgumentParser) -> None:
    """Options of `unetbench power`."""
    command.add_argument("results", type=Path, nargs="?", help="a sweep's folder of results, or the folder of several")
    command.add_argument("--difference", type=positive, default=0.01, metavar="D", help="to be found (default 0.01)")
    command.add_argument("--power", type=positive, default=0.8, metavar="P", help="probability of it (default 0.8)")
    command.add_argument("--alpha", type=positive, default=0.05, metavar="A", help="level of the test (default 0.05)")
    command.add_argument("--one-sided", action="store_true", help="(default: two-sided, as the report's test)")
    command.add_argument("--comparisons", type=count, default=1, help="tests that share the level (default 1)")
    command.add_argument("--seeds", type=count, nargs="+", default=[1, 3, 5, 10], help="default: 1 3 5 10")
    command.add_argument("--models", default="", metavar="A,B", help="two models, losses or rows (default: all pairs)")
    command.add_argument("--measure", default="dice", metavar="NAME", help="what is compared (default dice)")
    command.add_argument("--empty", help="empty-mask policy (default: the sweep's)")
    command.add_argument("--out", type=Path, metavar="DIR", help="default: report/power in the sweep's folder")
    planned = command.add_argument_group("in the place of results, before there are any")
    planned.add_argument("--deviation", type=positive, metavar="S", help="standard deviation of a case's score")
    planned.add_argument("--correlation", type=float, metavar="R", help="of two models' scores over cases")
    command.add_argument("--json", action="store_true", help="as JSON")


def merge(command: argparse.ArgumentParser) -> None:
    """Options of `unetbench merge`."""
    command.add_argument("into", type=Path, metavar="A", help="a sweep's folder of results, or the folder of several")
    command.add_argument("others", type=Path, metavar="B", nargs="+", help="such folders of other machines")
    command.add_argument("--out", type=Path, metavar="C", help="join all there and leave A as it is (default: into A)")
    command.add_argument("--dry-run", action="store_true", help="say what would happen, and write nothing")
    command.add_argument("--json", action="store_true", help="print the outcome as JSON")
