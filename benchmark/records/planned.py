"""What a sweep consists of, in a file of its results folder, for who asks how far it is."""

import json
from collections.abc import Mapping
from pathlib import Path

from ...core.errors import StoreError
from ...core.files import write
from ...core.json_text import read_json
from ...core.structure import TEXT, check

PLANNED = "planned.json"
"""The file of a sweep's trials: names by id."""


def write_planned(folder: Path, names: Mapping[str, str]) -> None:
    """Write the names of a sweep's trials by id. Raises OSError."""
    write(folder / PLANNED, json.dumps(names, ensure_ascii=False, indent=0).encode())


def read_planned(folder: Path) -> dict[str, str]:
    """Read the names of a sweep's trials by id, {} where no run has written them. Raises StoreError naming the file."""
    file = folder / PLANNED
    try:
        content = read_json(file)
        check(content, "it", dict.fromkeys(content, TEXT) if isinstance(content, dict) else {})
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise StoreError(f"{file}: cannot be read: {' '.join(str(error).split())}; delete it") from None
    return content
