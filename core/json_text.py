"""JSON that came from outside: whatever is wrong with it is a ValueError."""

import json
import re
from pathlib import Path
from typing import Any

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def parsed(text: str) -> Any:
    """The value of a JSON text. Raises ValueError, also for what Python would read and nothing can write again.

    That is: lists and mappings inside each other so deep that Python gives up, and halves of characters (surrogates).
    """
    try:
        value = json.loads(text)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("lists and mappings lie too deep inside each other") from None
    return value


def read_json(file: Path) -> Any:
    """The value of a JSON file in UTF-8. Raises OSError where it cannot be read and ValueError where it is no JSON."""
    return parsed(file.read_text("utf-8"))
