"""The keys of a sweep file that the command line changes."""

from typing import Any

from ...core.errors import SpecError
from ...core.yaml_text import parsed_yaml


def put(raw: dict[str, Any], override: str) -> None:
    """Change what a text `key.key=value` names in the content of a sweep file. Raises SpecError."""
    path, sign, text = override.partition("=")
    if not sign:
        raise SpecError(f"--set {override}: write key=value, for instance recipe.epochs=5")
    try:
        value, keys = parsed_yaml(text), path.split(".")
    except ValueError as error:
        raise SpecError(f"--set {override}: {error}") from None
    if keys[0] == "recipe" and len(keys) > 1:  # the command line wins over a data set's own recipe
        listed = raw.get("datasets")
        for entry in listed if isinstance(listed, list) else ():
            if isinstance(entry, dict) and isinstance(entry.get("recipe"), dict):
                entry["recipe"].pop(keys[1], None)
    place: Any = raw
    for depth, key in enumerate(keys[:-1]):
        if (index := _index(place, key)) is not None:
            place = place[index]
        elif isinstance(place, dict):
            place = place.setdefault(key, {})
        else:
            raise SpecError(f"--set {override}: there is no {'.'.join(keys[: depth + 1])} in the sweep")
    if (index := _index(place, keys[-1])) is not None:
        place[index] = value
    elif isinstance(place, dict):
        place[keys[-1]] = value
    else:
        raise SpecError(f"--set {override}: there is no {path} in the sweep")


def _index(place: Any, key: str) -> int | None:
    """Which entry of a list a key names, None where the place is no list or has no such entry."""
    return next((index for index in range(len(place)) if str(index) == key), None) if isinstance(place, list) else None
