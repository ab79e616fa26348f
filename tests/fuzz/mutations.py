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

EDIT, CHANGE = struct.Struct("<BIBBH"), struct.Struct("<BHBH")
"""As what the numbers of a change of bytes and of one of values are drawn."""

EDITS = ("flip", "set", "number", "insert", "delete", "repeat", "zero", "cut", "swap")

TEXTS = (
    "", " ", ".", "..", "../../elsewhere", "/absolute", "C:\\elsewhere", "a/b", "a" * 300, "\0", "\n", "\r\n",
    "\x1b[31m", "<script>alert(1)</script>", "](javascript:1)", "=1+1", "-1", "\\input{x}", "%", "null", "1e999", "é",
    "\U0001f600", "\ud800", "unet", "done", "cells", "bce", "tensorflow", "float32",
)  # fmt: skip

EXTREMES = (-1, 0, 1, 2, 3, 10**6, 2**31, 2**63, 10**30, 0.0, -0.5, 0.5, 1e-300, 1e300, float("inf"), float("nan"))


@st.composite
def mutated(draw: Callable[..., Any], seeds: Sequence[bytes], *, most: int = 4) -> bytes:
    """One of the files with up to `most` changes: bits, bytes, numbers of 2 to 8 bytes, pieces removed or doubled.

    All changes are drawn as one piece of bytes, which takes hypothesis a tenth of the time of their parts one by one.
    """
    content = bytearray(draw(st.sampled_from(seeds)))
    for kind, at, length, value, other in _drawn(draw, EDIT, most):
        content = _edited(content, EDITS[kind % len(EDITS)], at % (len(content) + 1), 1 + length % 48, value, other)
    return bytes(content)


def _drawn(draw: Callable[..., Any], form: struct.Struct, most: int) -> Iterator[tuple[int, ...]]:
    """One to `most` tuples of numbers."""
    content = draw(st.binary(min_size=form.size, max_size=form.size * most))
    return form.iter_unpack(content[: len(content) // form.size * form.size])


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
    return st.binary(max_size=40).map(lambda content: _value(iter(content), 3))


def _value(numbers: Iterator[int], depth: int) -> Any:
    """The value that numbers below 256 stand for. depth: of lists and mappings inside each other."""
    kind = next(numbers, 200)
    if kind < 40 and depth:
        return [_value(numbers, depth - 1) for _ in range(next(numbers, 0) % 4)]
    if kind < 80 and depth:
        return {_text(numbers): _value(numbers, depth - 1) for _ in range(next(numbers, 0) % 4)}
    if kind < 130:
        return _text(numbers)
    if kind < 180:
        return EXTREMES[next(numbers, 0) % len(EXTREMES)]
    if kind < 210:
        return (None, True, False)[kind % 3]
    if kind < 230:
        return struct.unpack("<d", bytes(next(numbers, 0) for _ in range(8)))[0]
    if kind < 250:
        return int.from_bytes(bytes(next(numbers, 0) for _ in range(6)), "little", signed=True)
    return _nested(next(numbers, 0) * 12)


def _text(numbers: Iterator[int]) -> str:
    """One of TEXTS or three letters."""
    which = next(numbers, 0)
    return TEXTS[which % len(TEXTS)] if which < 200 else "".join(chr(next(numbers, 0) * 5) for _ in range(3))


def _nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth % 60):
        value = [value]
    return value


@st.composite
def altered(draw: Callable[..., Any], seeds: Sequence[Any]) -> Any:
    """One of the JSON values with one to three parts replaced, removed, renamed, doubled or exchanged."""
    holder = [json.loads(json.dumps(draw(st.sampled_from(seeds))))]
    for kind, at, choice, other in _drawn(draw, CHANGE, 3):
        places = list(_places(holder))
        places = places[1:] or places  # not the whole of it, of which there are enough
        inside, key = places[at % len(places)]
        _changed(draw, inside, key, KINDS[kind % len(KINDS)], choice, places[other % len(places)])
    return holder[0]


def _changed(draw: Callable[..., Any], inside: Any, key: Any, kind: str, choice: int, other: tuple[Any, Any]) -> None:
    """Change the entry of a list or mapping. choice: a number below 256. other: another place, for its value."""
    last = isinstance(inside, list) and len(inside) == 1
    if kind == "remove" and not last:
        del inside[key]
    elif kind == "rename" and isinstance(inside, dict):
        inside[TEXTS[choice % len(TEXTS)]] = inside.pop(key)
    elif kind == "double" and isinstance(inside, list) and not last:
        inside.append(inside[key])
    elif kind == "exchange":
        inside[key] = json.loads(json.dumps(other[0][other[1]]))
    elif kind == "near" and isinstance(inside[key], str):
        inside[key] = TEXTS[choice % len(TEXTS)] if choice < 192 else draw(st.text(max_size=8))
    elif kind == "near" and isinstance(inside[key], int | float):
        inside[key] = draw(st.floats()) if choice > 223 else EXTREMES[choice % len(EXTREMES)] if choice % 2 else choice
    else:
        inside[key] = draw(values())


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
