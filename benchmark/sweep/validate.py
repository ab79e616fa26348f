"""Values of a sweep file checked by pydantic, with errors of one line that say the place, what came and what could."""

import re
from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ...core.errors import SpecError, unknown

LONGEST = 200
"""Letters of what came in a message."""

_TYPE = re.compile(r"int|float|str|bool|literal\[.*")
"""What pydantic appends to the place of a value that may be of several types."""


def validate(adapter: TypeAdapter[Any], value: Any, where: str) -> Any:
    """The value as the type that the adapter stands for. Raises SpecError that begins with `where`."""
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise SpecError(f"{where}: {_first(error, adapter)}") from None
    except SpecError as error:
        raise SpecError(f"{where}: {error}") from None


def _first(error: ValidationError, adapter: TypeAdapter[Any]) -> str:
    detail = error.errors(include_url=False)[0]
    places = [part for part in detail["loc"] if not _TYPE.fullmatch(str(part)) or isinstance(part, int)]
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in places).lstrip(".")
    if detail["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return unknown("key", path.rsplit(".", 1)[-1], _keys(adapter, detail["loc"]))
    if detail["type"] == "missing":
        return f"{path} is missing"
    came, said = repr(detail["input"]), detail["msg"].lower()
    if detail["type"] == "model_type":  # pydantic names the class, which no reader of a sweep file knows
        said = f"input should be a dictionary of {', '.join(_keys(adapter, (*detail['loc'], '')))}"
    return f"{path}: {said}, came {came if len(came) <= LONGEST else f'{came[:LONGEST]}…'}"


def _keys(adapter: TypeAdapter[Any], location: Sequence[int | str]) -> list[str]:
    schema = adapter.json_schema()
    place = schema
    for part in location[:-1]:
        place = place.get("properties", {}).get(str(part), {})
        listed = place.get("allOf") or place.get("anyOf") or [{}]  # the latter of what may be left out
        reference = place.get("$ref") or listed[0].get("$ref", "")
        place = schema.get("$defs", {}).get(reference.rsplit("/", 1)[-1], place)
    return list(place.get("properties", {}))
