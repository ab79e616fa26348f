"""`unetbench list` and `unetbench show`: the registries, read from their sources without importing a part.

Beside these the sweeps and the trained models that come with the package.
"""

import json
import shutil
import textwrap
from importlib import import_module
from typing import Any

from ...core.registry import Registry
from ..records import pretrained
from ..sweep.file import SHIPPED, shipped


def list_registry(kind: str, as_json: bool) -> int:
    """Print each part's name and first line."""
    if kind == "sweeps":
        rows = [{"name": name, "summary": _heading(name), "options": {}} for name in shipped()]
    elif kind == "pretrained":
        rows = [_facts(pretrained.named(name)) for name in pretrained.shipped()]
    else:
        parts = sorted(registry(kind).parts().values(), key=lambda part: part.name)
        rows = [
            {"name": part.name, "summary": part.summary, "options": {k: _json(v) for k, v in part.options.items()}}
            for part in parts
        ]
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    width = max(len(row["name"]) for row in rows)
    columns = max(60, shutil.get_terminal_size((120, 24)).columns)
    for row in rows:
        indent = " " * (width + 2)
        print(textwrap.fill(f"{row['name']:<{width}}  {row['summary']}", columns, subsequent_indent=indent))
    return 0


def show_part(kind: str, name: str) -> int:
    """Print a part's docstring and its options with their defaults, or a pretrained model's card."""
    if kind == "pretrained":
        print(pretrained.named(name).card, end="")
        return 0
    part = registry(kind).part(name)
    print(f"{part.name}\n\n{textwrap.indent(part.doc, '  ')}\n\nOptions")
    for option, default in part.options.items():
        print(f"  {option} = {'(must be given)' if default is ... else repr(default)}")
    if not part.options:
        print("  none")
    print(f"\nFrom {part.module}")
    return 0


def registry(kind: str) -> Registry:
    """The registry of that name."""
    return getattr(import_module(f"...{kind}", __package__), kind.upper())


def _facts(model: pretrained.Pretrained) -> dict[str, Any]:
    task, trial = model.record.task, model.record.trial
    return {
        "name": model.name,
        "summary": model.about["summary"],
        "options": {},
        "rank": task["rank"],
        "classes": list(task["classes"]),
        "model": trial.model.label,
        "parameters": model.record.model["trainable"],
        "bytes": model.weights_file.stat().st_size,
        "licence": model.about["licence"],
        "record": str(model.record_file),
    }


def _heading(name: str) -> str:
    first = (SHIPPED / f"{name}.yaml").read_text("utf-8").split("\n", 1)[0]
    return first.removeprefix("#").strip()


def _json(value: object) -> object:
    return None if value is ... else value
