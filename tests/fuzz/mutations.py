"""Strategies of hypothesis for files that are nearly right: bytes that were changed, and values that were changed."""

import json
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

NUMBERS = (0, 1, 2, 3, 8, 127, 128, 255, 256, 1000, 2**15, 2**16 - 1, 2**16, 10**6, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
"""Sizes, counts and offsets at which readers go wrong."""

FORMS = ("<H", ">H", "<I", ">I", "<Q", ">Q")

KINDS = ("near", "near", "near", "near", "value", "value", "remove", "rename", "double", "exchange")
"""What happens to a part of a value; `near`: a text becomes another text and a number another number."""

EDITS = ("flip", "set", "number", "insert", "delete", "repeat", "zero", "cut", "swap")

TEXTS = (
    "", " ", ".", "..", "../../elsewhere", "/absolute", "C:\\elsewhere", "a/b", "a" * 300, "\0", "\n", "\r\n",
    "\x1b[31m", "<script>alert(1)</script>", "](javascript:1)", "=1+1", "-1", "\\input{x}", "%", "null", "1e999", "é",
    "\U0001f600", "\ud800", "unet", "done", "cells", "bce", "tensorflow", "float32",
)  # fmt: skip

EXTREMES = (-1, 0, 1, 2, 3, 10**6, 2**31, 2**63, 10**30, 0.0, -0.5, 0.5, 1e-300, 1e300, float("inf"), float("nan"))


@st.composite
def mutated(draw: Callable[..., Any], seeds: Sequence[bytes], *, most: int = 4) -> bytes:
    """One of the files with up to `most` changes: bits, bytes, numbers of 2 to 8 bytes, pieces removed or doubled."""
    content = bytearray(draw(st.sampled_from(seeds)))
    place, size = st.integers(0, 2**16), st.integers(1, 48)
    edits = st.tuples(st.sampled_from(EDITS), place, size, st.integers(0, 255), place)
    for kind, at, length, value, other in draw(st.lists(edits, min_size=1, max_size=most)):
        content = _edited(content, kind, at % (len(content) + 1), length, value, other)
    return bytes(content)


def _edited(content: bytearray, kind: str, at: int, length: int, value: int, other: int) -> bytearray:
    piece = content[at : at + length]
    if kind == "flip" and at < len(content):
        content[at] ^= 1 << value % 8
    elif kind == "set" and at < len(content):
        content[at] = value
    elif kind == "number":
        form = FORMS[other % len(FORMS)]
        number = NUMBERS[value % len(NUMBERS)] % 256 ** struct.calcsize(form)
        content[at : at + struct.calcsize(form)] = struct.pack(form, number)
    elif kind == "insert":
        content[at:at] = bytes([value]) * length
    elif kind == "delete":
        del content[at : at + length]
    elif kind == "repeat":
        content[at:at] = piece * (1 + value % 8)
    elif kind == "zero":
        content[at : at + length] = bytes(len(piece))
    elif kind == "cut":
        del content[at:]
    elif kind == "swap":
        there = other % (len(content) + 1)
        content[there : there + len(piece)] = piece
    return content


def values() -> st.SearchStrategy[Any]:
    """Any value that JSON has, the extreme ones among them."""
    plain = st.none() | st.booleans() | st.sampled_from(EXTREMES) | st.sampled_from(TEXTS)
    plain |= st.integers(-(2**40), 2**40) | st.floats() | st.text(max_size=12)
    keys = st.sampled_from(TEXTS) | st.text(max_size=6)
    deeper = st.recursive(
        plain, lambda inside: st.lists(inside, max_size=3) | st.dictionaries(keys, inside, max_size=3)
    )
    return deeper | st.integers(1, 3000).map(_nested)


def _nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth % 60):
        value = [value]
    return value


@st.composite
def altered(draw: Callable[..., Any], seeds: Sequence[Any]) -> Any:
    """One of the JSON values with one to three parts replaced, removed, renamed, doubled or exchanged."""
    holder = [json.loads(json.dumps(draw(st.sampled_from(seeds))))]
    for _ in range(draw(st.sampled_from((1, 1, 1, 2, 3)))):
        places = list(_places(holder))
        places = places[1:] or places  # not the whole of it, of which there are enough
        inside, key = places[draw(st.integers(0, len(places) - 1))]
        kind = draw(st.sampled_from(KINDS))
        if kind == "remove" and inside is not holder:
            del inside[key]
        elif kind == "rename" and isinstance(inside, dict):
            inside[draw(st.sampled_from(TEXTS))] = inside.pop(key)
        elif kind == "double" and isinstance(inside, list) and inside is not holder:
            inside.append(inside[key])
        elif kind == "exchange":
            other, at = places[draw(st.integers(0, len(places) - 1))]
            inside[key] = json.loads(json.dumps(other[at]))
        elif kind == "near" and isinstance(inside[key], str):
            inside[key] = draw(st.sampled_from(TEXTS) | st.text(max_size=8))
        elif kind == "near" and isinstance(inside[key], int | float):
            inside[key] = draw(st.sampled_from(EXTREMES) | st.integers(0, 300) | st.floats())
        else:
            inside[key] = draw(values())
    return holder[0]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every list and mapping with each of its keys."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def texts(seeds: Sequence[Any], *, written: Callable[[Any], str] = json.dumps) -> st.SearchStrategy[bytes]:
    """Files of text: altered values as `written` writes them, changed bytes of these, and any values."""
    plain = [written(seed).encode("utf-8", "surrogatepass") for seed in seeds]
    whole = altered(seeds).map(lambda value: written(value).encode("utf-8", "surrogatepass"))
    anything = values().map(lambda value: written(value).encode("utf-8", "surrogatepass"))
    return st.one_of(whole, whole, whole, mutated(plain), anything)
