"""The text of a sweep file as YAML, and the keys of it that the command line changes."""

import re
from typing import Any

import yaml

from ...core.errors import SpecError


class Loader(yaml.SafeLoader):
    """Safe YAML that reads 1e-3 as a number, which YAML 1.1 takes for text."""


Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)


def put(raw: dict[str, Any], override: str) -> None:
    """Change what a text `key.key=value` names in the content of a sweep file. Raises SpecError."""
    path, sign, text = override.partition("=")
    if not sign:
        raise SpecError(f"--set {override}: write key=value, for instance recipe.epochs=5")
    value, keys = yaml.load(text, Loader), path.split(".")
    if keys[0] == "recipe" and len(keys) > 1:  # the command line wins over a data set's own recipe
        for entry in raw.get("datasets", ()):
            if isinstance(entry, dict) and isinstance(entry.get("recipe"), dict):
                entry["recipe"].pop(keys[1], None)
    place: Any = raw
    for depth, key in enumerate(keys[:-1]):
        if isinstance(place, list) and key.isdigit() and int(key) < len(place):
            place = place[int(key)]
        elif isinstance(place, dict):
            place = place.setdefault(key, {})
        else:
            raise SpecError(f"--set {override}: there is no {'.'.join(keys[: depth + 1])} in the sweep")
    if isinstance(place, list) and keys[-1].isdigit() and int(keys[-1]) < len(place):
        place[int(keys[-1])] = value
    elif isinstance(place, dict):
        place[keys[-1]] = value
    else:
        raise SpecError(f"--set {override}: there is no {path} in the sweep")
