"""A piece of LaTeX as plain text, with whether it is bold or underlined and how many cells it covers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

SYMBOLS = {
    **{mark: mark for mark in "%&_#${}"},
    **dict.fromkeys([",", ";", ":", " ", "\n", "/", "\\", "quad", "qquad", "enspace", "thinspace", "newline"], " "),
    "pm": "±", "textpm": "±", "times": "×", "uparrow": "↑", "downarrow": "↓", "dagger": "†", "ddagger": "‡", "dag": "†",
    "ddag": "‡", "mu": "µ", "Delta": "Δ", "sim": "~", "approx": "≈", "leq": "≤", "geq": "≥", "textless": "<",
    "textgreater": ">", "textbar": "|", "textbackslash": "\\", "textasciitilde": "~", "cdot": "·", "dots": "…",
    "textendash": "–", "textemdash": "—", "textpercent": "%", "percent": "%", "alpha": "α", "beta": "β",
    "lambda": "λ", "tau": "τ", "ldots": "…", "star": "*", "ast": "*", "S": "§",
}  # fmt: skip
BOLD = {"textbf", "mathbf", "bm", "boldsymbol", "pmb", "bfseries", "bf", "boldmath", "B"}
UNDERLINED = {"underline", "ul", "uline", "underbar"}
DROPPED = {
    **dict.fromkeys(("cite", "citep", "citet", "citealp", "autocite", "parencite", "textcite", "ref", "label"), 1),
    **dict.fromkeys(("footnote", "tnote", "textsuperscript", "vspace", "hspace", "color", "cellcolor", "rowcolor"), 1),
    **dict.fromkeys(("phantom", "hphantom", "begin", "end"), 1),
    "footnotemark": 0,
    "fontsize": 2,
}
"""Commands whose arguments, so many, are not printed or are no part of a number."""

LAST_KEPT = {
    **dict.fromkeys(("multicolumn", "multirow", "resizebox", "fcolorbox"), 3),
    **dict.fromkeys(("textcolor", "colorbox", "scalebox", "rotatebox", "href", "parbox", "raisebox", "SI", "qty"), 2),
}
"""Commands with so many arguments of which the last is the text (of SI and qty both are)."""

_SCRIPT = re.compile(r"\s*([±(+-])")
WIDEST = 1000
"""Columns or rows that one cell covers at most."""

DEEPEST = 20
"""How deep groups and commands are followed; a definition may name itself."""

LONGEST, MOST = 20_000, 200
"""Letters that commands of the file's own may grow a cell to, and how many are expanded in one."""


@dataclass
class LatexText:
    """The text, and what its commands say of it. expanded: how many commands of the file's own were."""

    text: str = ""
    bold: bool = False
    underlined: bool = False
    span: int = 1
    rows: int = 1
    expanded: int = 0


@dataclass(frozen=True)
class Macro:
    """A command that the file defines: number of its arguments, and its body with `#1` for the first."""

    arguments: int
    body: str


@dataclass
class _Cursor:
    source: str
    macros: Mapping[str, Macro]
    found: LatexText
    depth: int = 0
    place: int = 0
    parts: list[str] = field(default_factory=list)

    @property
    def letter(self) -> str:
        return self.source[self.place : self.place + 1]

    def optional(self) -> None:
        """Pass over `[…]` and a star."""
        while self.letter in ("[", "*") and self.letter:
            end = self.source.find("]", self.place) if self.letter == "[" else self.place
            self.place = end + 1 if end >= 0 else len(self.source)

    def argument(self) -> str:
        """The next group without its braces, or the next letter or command."""
        while self.letter.isspace():
            self.place += 1
        start = self.place
        if self.letter == "{":
            self.place = group_end(self.source, start)
            return self.source[start + 1 : self.place - 1]
        named = re.compile(r"\\(?:[A-Za-z]+|.)|.", re.DOTALL).match(self.source, start)
        self.place = named.end() if named else len(self.source)
        return named[0] if named else ""


def latex_text(source: str, macros: Mapping[str, Macro] | None = None) -> LatexText:
    """The piece as plain text. A command that nobody here knows is left out, and what stands in its braces is kept."""
    found = LatexText()
    text = _text(source, macros or {}, found, 0)
    found.text = " ".join(text.replace("---", "—").replace("--", "–").split())
    return found


def group_end(source: str, start: int) -> int:
    """The place after the brace that closes the one at `start`; the end of the source where none does."""
    depth, place = 0, start
    while place < len(source):
        letter = source[place]
        if letter == "\\":
            place += 1
        elif letter in "{}":
            depth += 1 if letter == "{" else -1
            if not depth:
                return place + 1
        place += 1
    return len(source)


def _text(source: str, macros: Mapping[str, Macro], found: LatexText, depth: int) -> str:
    if depth > DEEPEST or len(source) > LONGEST:
        return ""
    at = _Cursor(source, macros, found, depth)
    while at.place < len(source):
        letter = at.letter
        if letter == "\\":
            at.parts.append(_command(at))
        elif letter == "{":
            at.parts.append(_text(at.argument(), macros, found, depth + 1))
        elif letter in "^_":
            at.place += 1
            at.parts.append(_script(at, letter))
        else:
            at.place += 1
            at.parts.append({"$": "", "}": "", "~": " "}.get(letter, letter))
    return "".join(at.parts)


def _script(at: _Cursor, kind: str) -> str:
    """A subscript is text (HD_95, 0.9_{± 0.1}); a superscript only after a letter or where it is a spread."""
    inside = _text(at.argument(), at.macros, at.found, at.depth + 1)
    before = "".join(at.parts).rstrip()[-1:]
    return inside if kind == "_" or _SCRIPT.match(inside) or (before.isalpha() and inside.isdecimal()) else ""


def _command(at: _Cursor) -> str:
    named = re.compile(r"\\([A-Za-z]+)\s?|\\(.)", re.DOTALL).match(at.source, at.place)
    if named is None:
        at.place = len(at.source)
        return ""
    name = named[1] or named[2]
    at.place = named.end()
    if name in at.macros:
        return _expanded(at, at.macros[name])
    if name in SYMBOLS:
        return SYMBOLS[name]
    if name in BOLD:
        at.found.bold = True
    elif name in UNDERLINED:
        at.found.underlined = True
    elif name in DROPPED:
        at.optional()
        environment = "".join(at.argument() for _ in range(DROPPED[name]))
        if name == "begin" and environment.startswith(("tabular", "array")):
            at.optional()
            at.argument()
    elif name in LAST_KEPT:
        return _last_kept(at, name)
    elif name in ("num", "makecell", "thead", "shortstack"):
        at.optional()
        inside = at.argument()
        return _text(inside.replace("+-", "±") if name == "num" else inside, at.macros, at.found, at.depth + 1)
    return ""


def _last_kept(at: _Cursor, name: str) -> str:
    at.optional()
    given = []
    for _ in range(LAST_KEPT[name]):
        given.append(at.argument())
        at.optional()
    count = re.fullmatch(r"\s*-?(\d+)\s*", given[0])
    if name == "multicolumn" and count:
        at.found.span = _covered(count[1])
    if name == "multirow" and count:
        at.found.rows = _covered(count[1])
    kept = " ".join(given).replace("+-", "±") if name in ("SI", "qty") else given[-1]
    return _text(kept, at.macros, at.found, at.depth + 1)


def _covered(digits: str) -> int:
    """A number of cells; what a file claims beyond any table would fill the memory."""
    return min(max(1, int(digits[:9])), WIDEST)


def _expanded(at: _Cursor, macro: Macro) -> str:
    at.found.expanded += 1
    body = macro.body if at.found.expanded <= MOST else ""
    for number in range(macro.arguments):
        body = body.replace(f"#{number + 1}", at.argument())
    return _text(body, at.macros, at.found, at.depth + 1)
