"""What a rule finds."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from .table import Column, Row, Table

Severity = Literal["impossible", "doubtful"]


@dataclass(frozen=True)
class Finding:
    """Where, what is printed there, why it cannot be or shows less than it seems, and what would be consistent."""

    severity: Severity
    file: str
    line: int
    table: str
    row: str
    column: str
    values: str
    reason: str
    consistent: str
    rule: str = ""

    def text(self) -> str:
        """One line."""
        mend = f"; consistent: {self.consistent}" if self.consistent else ""
        where = " · ".join(filter(None, (self.row, self.column)))
        return f"{self.file}:{self.line}: {self.severity}: {self.rule}: {where}: {self.values}: {self.reason}{mend}"

    def as_json(self) -> dict[str, Any]:
        """Its fields."""
        return asdict(self)


def finding(
    table: Table,
    row: Row,
    columns: Column | tuple[Column, ...],
    reason: str,
    *,
    consistent: str = "",
    severity: Severity = "impossible",
) -> Finding:
    """A finding at the cells of one row, the first of which is the one that is named."""
    columns = columns if isinstance(columns, tuple) else (columns,)
    cell = table.cell(row, columns[0])
    values = ", ".join(f"{column.header} {table.cell(row, column).text}" for column in columns)
    return Finding(
        severity,
        table.file,
        cell.line or row.line,
        table.title,
        row.label,
        columns[0].header,
        values,
        reason,
        consistent,
    )
