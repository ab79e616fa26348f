"""One self-contained HTML page of the most suspect annotations: what, why, and the regions drawn."""

import base64
import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..report.page.document import CSS

OWN = """
.case { display: grid; grid-template-columns: minmax(16em, 24em) 1fr; gap: 8px 22px; margin: 14px 0; padding: 12px 0;
  border-top: 1px solid var(--line); }
.case h3 { margin: 0 0 4px; overflow-wrap: anywhere; }
.case ul { margin: 4px 0; padding-left: 18px; font-size: 13px; }
.case figure { display: inline-block; margin: 0 14px 8px 0; vertical-align: top; }
.key span { display: inline-block; width: 1.6em; height: 3px; margin: 0 5px 4px 14px; }
@media (max-width: 800px) { .case { grid-template-columns: 1fr; } }
"""

KEY = (
    '<p class="key">Each pair: the image alone, and with outlines.<span style="background:#56b4e9"></span>the mask'
    '<span style="background:#e69f00"></span>what models that never saw the case predict'
    '<span style="background:#cc79a7"></span>the suspect region</p>'
)


@dataclass(frozen=True)
class Shown:
    """A case on the page. pictures: (h, w, 3) uint8 with a caption each; reasons: in words; facts: a line."""

    place: int
    name: str
    score: float
    reasons: Sequence[str]
    facts: str
    pictures: Sequence[tuple[np.ndarray, str]]


@dataclass(frozen=True)
class Part:
    """A data set on the page. lines: what is said of it before its cases, which are drawn as they are asked for."""

    title: str
    lines: Sequence[str]
    cases: Iterable[Shown]


def gallery(title: str, parts: Sequence[Part]) -> Iterable[str]:
    """The page, piece by piece; images are embedded, nothing is loaded from elsewhere."""
    name = html.escape(title)
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{name}</title>'
    yield f'<!doctype html><html lang="en"><head>{head}<style>{CSS}{OWN}</style></head><body>'
    yield f'<h1>{name}</h1><p class="soft">unetbench data audit · suspect annotations, the most suspect first</p>{KEY}'
    for part in parts:
        yield f"<h2>{html.escape(part.title)}</h2>"
        yield "".join(f"<p>{html.escape(line)}</p>" for line in part.lines)
        for case in part.cases:
            yield _case(case)
    yield "</body></html>\n"


def _case(case: Shown) -> str:
    reasons = "".join(f"<li>{html.escape(reason)}</li>" for reason in case.reasons) or "<li>nothing in particular</li>"
    words = (
        f"<h3>{case.place}. {html.escape(case.name)}</h3><b>score {case.score:.2f}</b><ul>{reasons}</ul>"
        f'<p class="soft">{html.escape(case.facts)}</p>'
    )
    figures = "".join(_figure(picture, caption) for picture, caption in case.pictures)
    return f'<section class="case"><div>{words}</div><div>{figures}</div></section>'


def _figure(picture: np.ndarray, caption: str) -> str:
    _, content = cv2.imencode(".png", picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
    data, text = base64.b64encode(content.tobytes()).decode(), html.escape(caption)
    return (
        f'<figure><img alt="{text}" width="{picture.shape[1]}" height="{picture.shape[0]}" '
        f'src="data:image/png;base64,{data}"><figcaption>{text}</figcaption></figure>'
    )
