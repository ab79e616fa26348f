"""A printed cell: its number, how finely it was rounded, and the spread, interval or count beside it."""

import re
from dataclasses import dataclass
from typing import Any

NAN = float("nan")

_N = r"[-+−]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?|[.,]\d+)(?:[eE][-+−]?\d{1,2})?"
_PERCENT = r"\s*(?P<{}>%)?\s*"
_UNIT = r"\s*(?P<unit>[kKMGBT](?:FLOPs?|MACs?|params?)?|[mµμ]?s|mm|cm|px|vox|h|min|[kKMG]i?B|fps|FPS)?\s*"
_SPREAD = rf"(?:(?:±|\+/[-−]|\+[-−])\s*(?P<spread>{_N}){_PERCENT.format('spread_percent')})?"
_ENDS = rf"(?P<low>{_N})\s*%?\s*(?:,|;|–|—|-|to|\.\.+)\s*(?P<high>{_N}){_PERCENT.format('ends_percent')}"
_INTERVAL = rf"(?:[\[(]\s*(?:95\s*%\s*)?(?:CI)?:?\s*{_ENDS}[\])])?"
_INSIDE = rf"(?:\(\s*(?:(?:std|STD|sd|SD|σ)\s*[=:]?\s*)?(?P<inside>{_N}){_PERCENT.format('inside_percent')}\))?"

_READING = re.compile(rf"(?P<value>{_N}){_PERCENT.format('percent')}{_UNIT}{_SPREAD}{_INTERVAL}")
_BRACKETED = re.compile(rf"(?P<value>{_N}){_PERCENT.format('percent')}{_UNIT}{_INSIDE}")
_ALONE = re.compile(rf"[\[(]\s*{_ENDS}[\])]")
_PART = re.compile(rf"(?P<count>\d{{1,12}})\s*(?:/|of)\s*(?P<of>\d{{1,12}})\s*{_INSIDE}")
_COMPACT = re.compile(r"(?P<value>[-+−]?\d*\.(?P<decimals>\d{1,15}))\((?P<last>\d{1,15})\)")
_MARKS = re.compile(r"[†‡§¶*↑↓]+|(?<=\d)[ᵃ-ᵿ¹²³⁰-⁹]+$")
_DECIMAL_COMMA = re.compile(r"(?<![\d.,])(?:0|\d*),(?:\d{1,2}|\d{4,})(?![\d,])|(?<![\d.,])0,\d+(?![\d,])")
_POINT = re.compile(r"\d\.\d")
_FACTOR = re.compile(r"([kKMGBT])(?:FLOPs?|MACs?|params?)?")

LARGEST, FINEST = 1e30, 1e-18
"""Numbers from the one on are none of a table, and none is taken to be finer than the other."""

FACTORS = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9, "T": 1e12}


@dataclass(frozen=True)
class Number:
    """A printed number. half: half a unit of its last printed digit, so that the number lies within value ± half."""

    value: float = NAN
    half: float = 0.0

    def __bool__(self) -> bool:
        """Whether there is one."""
        return self.value == self.value

    def scaled(self, factor: float) -> "Number":
        """The number in another unit."""
        return Number(self.value * factor, self.half * factor)


NONE = Number()


@dataclass(frozen=True)
class Cell:
    """What one cell of a table prints; numbers are `NONE` where it has none.

    number: before any ±. spread: after the ±, or alone in brackets. low, high: an interval's ends. percent: whether a %
    stands in the cell. factor: of a K, M or G after the number. count, of: `45/60`, or the 45 of `45 (75 %)`, of which
    number is the percentage. bold, underlined: whether so set. line: of the file.
    """

    text: str = ""
    line: int = 0
    bold: bool = False
    underlined: bool = False
    number: Number = NONE
    spread: Number = NONE
    low: Number = NONE
    high: Number = NONE
    percent: bool = False
    factor: float = 1.0
    count: int | None = None
    of: int | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing is printed, or a dash."""
        return not self.text.strip(" –—-−")


def has_decimal_commas(texts: list[str]) -> bool:
    """Whether a table writes 0,912 for 0.912: some cell can be read in no other way, and none has a decimal point."""
    return any(_DECIMAL_COMMA.search(text) for text in texts) and not any(_POINT.search(text) for text in texts)


def read_cell(text: str, *, decimal_comma: bool = False) -> dict[str, Any]:
    """The fields of a `Cell` that its text gives; none where it is no number.

    Read are `0.912`, `.912`, `91.2 %`, `0.912 ± 0.013`, `0.912 [0.88, 0.93]`, `0.912 (0.013)`, `0.912(13)`,
    `[0.88, 0.93]`, `45/60`, `45/60 (75.0 %)`, `45 (75.0 %)`, `31.0M` and `1,941,105`. All else, `<0.001` or `1–3`,
    is text.
    """
    clean = _MARKS.sub("", text.replace("\u00a0", " ").replace("\u202f", " ")).strip()
    if compact := _COMPACT.fullmatch(clean):
        unit = 10.0 ** -len(compact["decimals"])
        spread = Number(int(compact["last"]) * unit, unit / 2)
        return {"number": _number(compact["value"], False), "spread": spread}
    if part := _PART.fullmatch(clean):
        share = _number(part["inside"], decimal_comma) if part["inside_percent"] else NONE
        found: dict[str, Any] = {"count": int(part["count"]), "of": int(part["of"])}
        return found | ({"number": share, "percent": True} if share else {})
    if alone := _ALONE.fullmatch(clean):
        return _ends(alone, decimal_comma)
    if whole := _READING.fullmatch(clean):
        found = {"number": _number(whole["value"], decimal_comma), "factor": _factor(whole["unit"])}
        found["percent"] = any(whole[name] for name in ("percent", "spread_percent", "ends_percent"))
        if whole["spread"]:
            found["spread"] = _number(whole["spread"], decimal_comma)
        return found | (_ends(whole, decimal_comma) if whole["low"] else {})
    if bracketed := _BRACKETED.fullmatch(clean):
        return _with_brackets(bracketed, decimal_comma)
    return {}


def _with_brackets(found: re.Match[str], decimal_comma: bool) -> dict[str, Any]:
    """`45 (75 %)` is a count and its share, `0.912 (0.013)` a mean and a spread, `0.912 (+0.01)` a mean alone."""
    number, inside = _number(found["value"], decimal_comma), _number(found["inside"], decimal_comma)
    percent = bool(found["percent"])
    if found["inside_percent"] and not percent and re.fullmatch(r"\d{1,12}", found["value"]):
        return {"number": inside, "percent": True, "count": int(found["value"])}
    fields: dict[str, Any] = {"number": number, "percent": percent, "factor": _factor(found["unit"])}
    if found["inside"][0] not in "+-−":
        fields["spread"] = inside
    return fields


def _ends(found: re.Match[str], decimal_comma: bool) -> dict[str, Any]:
    return {"low": _number(found["low"], decimal_comma), "high": _number(found["high"], decimal_comma)}


def _factor(unit: str | None) -> float:
    found = _FACTOR.fullmatch(unit or "")
    return FACTORS[found[1]] if found else 1.0


def _number(text: str, decimal_comma: bool) -> Number:
    text = text.replace("−", "-")
    decimal = decimal_comma or not re.fullmatch(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?(?:[eE].*)?", text)
    text = text.replace(",", "." if decimal else "")
    mantissa, _, exponent = text.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    value = float(text)
    return Number(value, max(FINEST, 0.5 * 10.0 ** (int(exponent or 0) - decimals))) if abs(value) < LARGEST else NONE
