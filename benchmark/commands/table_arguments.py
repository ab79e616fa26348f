"""What the commands about tables of others take."""

import argparse
from pathlib import Path

from .check import edges
from .numbers import count


def lint(command: argparse.ArgumentParser) -> None:
    """Options of `unetbench lint`."""
    command.add_argument("tables", nargs="*", metavar="TABLE", help="CSV, Markdown or LaTeX files; - is stdin")
    command.add_argument("--n", type=count, metavar="N", help="cases, where a table does not say how many")
    text = "how scores were averaged: counts added up first, or means of cases (default: either is allowed)"
    command.add_argument("--aggregate", choices=("pooled", "means", "unknown"), default="unknown", help=text)
    text = "of scores (default: told from the numbers of each column)"
    command.add_argument("--unit", choices=("auto", "percent", "fraction"), default="auto", help=text)
    command.add_argument("--size", type=edges, help="image that FLOPs are of, such as 256x256, where nothing says it")
    text = "what a column is, such as 'DSC=dice', 'Sens.=rate' (a share of the cases) or 'Time=-' (passed over)"
    command.add_argument("--column", action="append", default=[], metavar="HEADER=QUANTITY", help=text)
    command.add_argument("--ignore", action="append", default=[], metavar="RULE", help="leave a rule out")
    command.add_argument("--strict", action="store_true", help="what is doubtful is an error too")
    command.add_argument("--rules", action="store_true", help="list the rules with formulas and sources, and end")
    command.add_argument("--json", action="store_true", help="as JSON")


def import_table(command: argparse.ArgumentParser) -> None:
    """Options of `unetbench import`."""
    command.add_argument("table", type=Path, help="a CSV, Markdown or LaTeX file with a published table")
    command.add_argument("--map", type=Path, required=True, metavar="YAML", help="its source, and what its columns are")
    command.add_argument(
        "--out", type=Path, metavar="RESULTS", help="the sweep's folder that keeps it (default: show it)"
    )
