"""YAML that came from outside: plain values only, and whatever is wrong with it is a ValueError."""

import math
import re
from typing import Any, ClassVar

import yaml

LONGEST = 2**20
"""Characters of a text; a sweep of a thousand parts has a tenth of it."""

MOST_NODES = 500_000
"""Values that a text may stand for when its aliases are written out."""

_FLOAT, _TIMESTAMP = "tag:yaml.org,2002:float", "tag:yaml.org,2002:timestamp"
_PLAIN = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str", "seq", "map")}
_LARGEST = 2**63


class Loader(yaml.SafeLoader):
    """Safe YAML of values that JSON has: no dates (their text instead), no binary, no sets.

    It reads 1e-3 as a number, which YAML 1.1 takes for text. Infinities, NaN, whole numbers beyond 64 bits and halves
    of characters, which records cannot hold, are refused.
    """

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {  # pyright: ignore[reportIncompatibleVariableOverride]
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    yaml_constructors: ClassVar[dict[str | None, Any]] = {  # pyright: ignore[reportIncompatibleVariableOverride]
        tag: construct for tag, construct in yaml.SafeLoader.yaml_constructors.items() if tag is None or tag in _PLAIN
    }


def _whole(loader: Loader, node: Any) -> int:
    value = loader.construct_yaml_int(node)
    if abs(value) >= _LARGEST:
        raise yaml.constructor.ConstructorError(None, None, "a whole number has 64 bits at most", node.start_mark)
    return value


def _real(loader: Loader, node: Any) -> float:
    value = loader.construct_yaml_float(node)
    if not math.isfinite(value):
        raise yaml.constructor.ConstructorError(None, None, f"{node.value} is no finite number", node.start_mark)
    return value


def _text(loader: Loader, node: Any) -> str:
    value = loader.construct_yaml_str(node)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise yaml.constructor.ConstructorError(None, None, "text holds half a character", node.start_mark) from None
    return value


Loader.add_implicit_resolver(_FLOAT, re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789"))
for _kind, _construct in (("int", _whole), ("float", _real), ("str", _text)):
    Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _construct)


def parsed_yaml(text: str) -> Any:
    """The value of a YAML text of one document, None for an empty one.

    Raises ValueError in one line: for what is no YAML or no plain value, for a text of more than a MiB, and for one
    whose aliases stand for themselves or for very many values, which would fill the memory.
    """
    if len(text) > LONGEST:
        raise ValueError(f"{len(text):,} characters; {LONGEST:,} at most")
    try:
        loader = Loader(text)
        try:
            node: Any = loader.get_single_node()
            if node is None:
                return None
            if (count := _count(node, {})) > MOST_NODES:
                raise ValueError(f"its aliases stand for {count:.3g} values; {MOST_NODES:,} at most")
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise ValueError(f"not YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise ValueError("not YAML: lists and mappings lie too deep inside each other") from None


def _count(node: Any, known: dict[int, int]) -> int:
    """Values that a node stands for, each alias written out. known: of nodes by their id, 0 while they are counted."""
    key = id(node)
    if key in known:
        if not known[key]:
            raise ValueError("an alias stands for a value that it is a part of")
        return known[key]
    known[key] = 0
    parts: list[Any] = []
    if isinstance(node, yaml.SequenceNode):
        parts = node.value
    elif isinstance(node, yaml.MappingNode):
        parts = [part for pair in node.value for part in pair]
    known[key] = 1 + sum(_count(part, known) for part in parts)
    return known[key]
