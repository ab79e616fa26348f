"""Tables against all rules."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...core.errors import DataError, SpecError, unknown
from .finding import Finding
from .readers.read import STDIN, read_tables
from .rules import RULES
from .rules.ranges import unit_of
from .table import Options, Table, read_table


@dataclass(frozen=True)
class Outcome:
    """What was read and what was found in it, by file and line."""

    tables: tuple[Table, ...]
    findings: tuple[Finding, ...]

    def fails(self, strict: bool) -> bool:
        """Whether something is impossible, or, where `strict`, doubtful."""
        return any(strict or found.severity == "impossible" for found in self.findings)


def lint(files: Sequence[str], options: Options, *, ignored: Sequence[str] = ()) -> Outcome:
    """Read every table of the files (`-` is stdin) and apply every rule but the ignored ones.

    Raises DataError for a file that cannot be read and where no file has a table, SpecError for an unknown rule or
    quantity, or a column that no table has.
    """
    for name in ignored:
        if name not in RULES:
            raise SpecError(f"lint: {unknown('rule', name, RULES)}")
    tables = tuple(
        read_table(printed, "stdin" if name == STDIN else name, options)
        for name in files
        for printed in read_tables(name)
    )
    if not tables:
        raise DataError(
            f"lint: no table in {', '.join(files)}; CSV, Markdown tables with pipes and LaTeX tabulars are read"
        )
    headers = {header for table in tables for header in table.headers}
    for header in options.columns:
        if header not in headers:
            raise SpecError(f"lint: {unknown('column', header, headers)}")
    findings = [found for table in tables for found in lint_table(table, options, ignored=ignored)]
    order = {name: place for place, name in enumerate("stdin" if name == STDIN else name for name in files)}
    return Outcome(tables, tuple(sorted(findings, key=lambda found: (order[found.file], found.line))))


def lint_table(table: Table, options: Options, *, ignored: Sequence[str] = ()) -> list[Finding]:
    """What all rules but the ignored ones find in one table."""
    names = [name for name in RULES if name not in ignored]
    return [replace(found, rule=name) for name in names for found in RULES[name](table, options)]


def described(table: Table) -> list[tuple[str, str, str]]:
    """Each column with numbers: header, what it was taken for, and the unit of shares; those not understood last."""
    found = [
        (column.header, column.meaning.quantity, unit_of(column) if column.share else "") for column in table.columns
    ]
    return found + [(header, "", "") for header in table.ignored]
