"""Which rows of a table lack cases."""

from .summary import ComparisonTable

NAMED = 8
"""Rows that are named at most."""


def coverage_remarks(table: ComparisonTable) -> list[str]:
    """Which rows lack cases, so that they are not ranked with those that have all."""
    lacking = [row for row in table.compared if not row.covered]
    if not lacking:
        return []
    count = len(table.case_groups)
    told = ", ".join(f"{row.label} ({row.cases})" for row in lacking[:NAMED]) + (", …" if len(lacking) > NAMED else "")
    return [f"Not ranked, since they were not scored on all {count} cases: {told}."]
