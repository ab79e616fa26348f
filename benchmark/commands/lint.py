"""`unetbench lint`: tables of results, anybody's, checked for what cannot be true."""

import argparse
import json
import textwrap

from ...core.counted import counted
from ...core.errors import SpecError
from ..lint.check import Outcome, described, lint
from ..lint.rules import RULES
from ..lint.table import Options


def lint_tables(options: argparse.Namespace) -> int:
    """Print the findings; 1 where something is impossible (with --strict also where it is doubtful)."""
    if options.rules:
        return _list_rules(options.json)
    if not options.tables:
        raise SpecError("lint: which table? Give files (CSV, Markdown or LaTeX), or - for stdin")
    said = Options(
        n=options.n,
        aggregate=options.aggregate,
        unit=options.unit,
        size=options.size or (),
        columns=dict(map(_column, options.column)),
    )
    outcome = lint(options.tables, said, ignored=options.ignore)
    if options.json:
        print(json.dumps(_as_json(outcome), indent=2, ensure_ascii=False))
    else:
        _print(outcome)
    return int(outcome.fails(options.strict))


def _column(text: str) -> tuple[str, str]:
    """`HEADER=QUANTITY`; the header may have signs of equality itself."""
    header, equals, quantity = text.rpartition("=")
    if not equals:
        raise SpecError(
            f"lint: --column {text!r}: write HEADER=QUANTITY, such as 'DSC=dice', or 'Time=-' to pass it over"
        )
    return header.strip(), quantity.strip()


def _list_rules(as_json: bool) -> int:
    parts = sorted(RULES.parts().values(), key=lambda part: part.name)
    if as_json:
        print(json.dumps([{"name": part.name, "text": part.doc} for part in parts], indent=2, ensure_ascii=False))
        return 0
    print("\n\n".join(f"{part.name}\n{textwrap.indent(part.doc, '  ')}" for part in parts))
    return 0


def _as_json(outcome: Outcome) -> dict[str, object]:
    keys = ("header", "quantity", "unit")
    tables = [
        {
            "file": table.file,
            "line": table.line,
            "title": table.title,
            "rows": len(table.rows),
            "columns": [dict(zip(keys, column, strict=True)) for column in described(table)],
        }
        for table in outcome.tables
    ]
    return {"tables": tables, "findings": [found.as_json() for found in outcome.findings]}


def _print(outcome: Outcome) -> None:
    for found in outcome.findings:
        print(found.text())
    for table in outcome.tables:
        columns = described(table)
        understood = [f"{header} = {name}{unit and f' in {unit}'}" for header, name, unit in columns if name]
        missed = [header for header, name, _ in columns if not name]
        rows = counted(len(table.rows), "row")
        print(f"{table.file}:{table.line}: {rows}; {', '.join(understood) or 'no column understood'}")
        if missed:
            print(f"  not understood: {', '.join(missed)} (--column 'HEADER=QUANTITY' says it)")
    counts = [sum(f.severity == kind for f in outcome.findings) for kind in ("impossible", "doubtful")]
    print(f"{counted(len(outcome.tables), 'table')}: {counts[0]} impossible, {counts[1]} doubtful")
