"""What a column is, by its header: the quantity, its unit, and whether it holds means, spreads or ends of intervals."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from ...core.measure import MEASURES, Measure

Role = Literal["mean", "sd", "low", "high", "interval", "other"]


def _share(name: str, title: str) -> Measure:
    return Measure(name, title, "", "higher", ".3f", 1.0, 0.0)


QUANTITIES = {
    **MEASURES,
    "hd95": Measure("hd95", "HD95", "", "lower", ".4g", 0.0),
    "hd": Measure("hd", "HD", "", "lower", ".4g", 0.0),
    "assd": Measure("assd", "ASSD", "", "lower", ".4g", 0.0),
    "masd": Measure("masd", "MASD", "", "lower", ".4g", 0.0),
    "accuracy": _share("accuracy", "Accuracy"),
    "auc": _share("auc", "AUC"),
    "f1": _share("f1", "F1"),
    "rate": Measure("rate", "Share of the cases", "", "none", ".3f", 1.0, 0.0),
    "flops": Measure("flops", "FLOPs", "", "lower", ",.0f", 0.0),
    "fps": Measure("fps", "Images a second", "", "higher", ",.1f", worst=0.0),
    "n": Measure("n", "Cases", "", "none", ",.0f"),
    "rank": Measure("rank", "Rank", "", "lower", ".0f"),
    "p": Measure("p", "p", "", "none", ".3g", 1.0, 0.0),
}
"""Those of `core.measure`, and those that only other people's tables have. `f1` is Dice by another name."""

LOWEST = {
    **dict.fromkeys(("parameters", "macs", "flops", "latency_s", "fps", "n", "hd", "hd95", "assd", "masd"), 0.0),
    "rank": 1.0,
}
"""The least that a count, a time or a distance can be; shares have both ends in their measure."""

PHRASES = {
    "dice": "dice|dsc|dice score|dice coefficient|dice similarity|dice similarity coefficient|sorensen dice|mdice|mdsc|"
    "dice index",
    "iou": "iou|jaccard|jaccard index|jaccard similarity|jac|ji|intersection over union|miou|mjaccard",
    "f1": "f1|f1 score|f score|f measure|mf1",
    "precision": "precision|prec|ppv|positive predictive value|mprecision",
    "recall": "recall|sensitivity|sens|sen|tpr|true positive rate|mrecall",
    "specificity": "specificity|spec|spe|tnr|true negative rate",
    "accuracy": "accuracy|acc|pixel accuracy|macc",
    "mcc": "mcc",
    "auc": "auc|auroc|roc auc|aupr|auprc",
    "f_beta": "f2|f2 score|f beta",
    "hd95": "hd95|95hd|hd 95|hausdorff 95|95 hausdorff|95 hausdorff distance|hausdorff distance 95|hd95 directed|"
    "hd95 pooled",
    "hd": "hd|hausdorff|hausdorff distance",
    "assd": "assd|asd|average surface distance|average symmetric surface distance",
    "masd": "masd",
    "nsd": "nsd|surface dice|normalised surface dice|normalized surface dice|normalised surface distance|"
    "normalized surface distance",
    "boundary_iou": "boundary iou|biou",
    "cldice": "cldice|cl dice",
    "pq": "pq|panoptic quality",
    "sq": "sq",
    "rq": "rq",
    "aji": "aji",
    "object_f1": "object f1|detection f1|instance f1",
    "object_ap": "object ap",
    "dsb2018_score": "dsb 2018 score|dsb2018 score",
    "ece": "ece",
    "mce": "mce",
    "brier": "brier|brier score",
    "isbi_rand": "isbi rand",
    "isbi_info": "isbi information|isbi info",
    "volume_difference": "volume difference",
    "rate": "detection rate|success rate|failure rate|detected|cases detected",
    "parameters": "params|param|parameters|number of parameters|model parameters|parameters total",
    "macs": "macs|mac|gmacs|gmac|mmacs|multiply accumulates|madds|mult adds",
    "flops": "flops|flop|gflops|gflop|mflops|tflops",
    "latency_s": "latency|inference time|inference",
    "fps": "fps|images s|images per s|images per second|images a second|img s|frames per second",
    "n": "n|cases|images|patients|subjects|scans|volumes|test images|test cases|number of cases|number of images",
    "rank": "rank|mean rank|average rank",
    "p": "p|p value|p values",
}
"""By quantity, the words that name it, lower case, letters and digits only, between bars."""

_BY_WORDS = {tuple(phrase.split()): name for name, text in PHRASES.items() for phrase in text.split("|")}
_LONGEST = max(map(len, _BY_WORDS))

DIFFERENT = {
    "difference", "differences", "diff", "delta", "δ", "gap", "gain", "change", "drop", "lost", "loss",
    "improvement", "per", "ratio", "relative", "error", "of", "sem", "se", "stderr", "var", "variance", "cv",
    "iqr", "norm", "threshold", "gt", "to", "vs", "versus", "gradient", "correlation", "weighted", "weight",
    "frequency", "correct", "passed", "failed", "failure", "ranking", "distance", "times",
}  # fmt: skip
"""Words that make another quantity of the one beside them."""

STATISTICS = re.compile(r"median|min|max|minimum|maximum|best|worst|p\d+|q\d|percentile|quartile")
ROLES: dict[str, Role] = {
    **dict.fromkeys(("sd", "std", "stdev", "stddev"), "sd"),
    **dict.fromkeys(("low", "lower", "lb"), "low"),
    **dict.fromkeys(("high", "upper", "ub"), "high"),
}
IDLE = {"mean", "average", "avg", "overall", "score", "test", "total", "value", "s", "number", "no", "seeds", "in"}
"""Words that tell no two quantities apart."""

AVERAGED = re.compile(r"m(?:iou|dice|dsc|jaccard|f1|precision|recall|acc)|mean|average|avg")
_INTERVAL = re.compile(r"95 ?%? ?(?:ci|confidence interval)|ci|confidence interval|ci 95 ?%?")
_UNIT = re.compile(
    r"[\[(]\s*(?P<unit>%|×?\s*10\s*\^?\s*[369]|[kMGBT]|[kMGT]?(?:FLOPs?|MACs?)|[mµμ]?s|mm|px|pixels?|voxels?|[MG]?i?B|min|fps)"
    r"\s*[\])]",
    re.IGNORECASE,
)
_PREFIX = {"k": 1e3, "m": 1e6, "g": 1e9, "b": 1e9, "t": 1e12}


@dataclass(frozen=True)
class Meaning:
    """What a header says.

    quantity: a name of `QUANTITIES`, or empty where it is not understood. apart: further words, which tell it from
    other columns of its quantity (a class, a data set). averaged: said to be a mean (mIoU). factor: of the unit, 1e9 of
    GFLOPs. percent: whether a % stands in it. arrow: `higher` or `lower` where ↑ or ↓ does.
    """

    quantity: str = ""
    role: Role = "mean"
    apart: frozenset[str] = frozenset()
    averaged: bool = False
    factor: float = 1.0
    percent: bool = False
    arrow: Literal["", "higher", "lower"] = ""


def understand(header: str) -> Meaning:
    """What the header says. One that names no quantity, or two, or a difference of one, is not understood."""
    plain = unicodedata.normalize("NFKC", header.replace("−", "-"))
    units = [found["unit"] for found in _UNIT.finditer(plain)]
    words = _words(_UNIT.sub(" ", plain))
    if _INTERVAL.fullmatch(" ".join(words)) or _INTERVAL.fullmatch(re.sub(r"\W+", " ", plain.casefold()).strip()):
        return Meaning(role="interval")
    hits = _quantities(words)
    names = {name for _, _, name in hits}
    if len(names) != 1:
        return Meaning()
    (quantity,) = names
    covered = {place for start, end, _ in hits for place in range(start, end)}
    rest = [word for place, word in enumerate(words) if place not in covered]
    if DIFFERENT & set(rest):
        return Meaning()
    named = " ".join(words[place] for place in sorted(covered))
    return Meaning(
        quantity,
        "mean" if "±" in header else _role(rest),
        frozenset(rest) - IDLE - set(ROLES),
        bool(AVERAGED.fullmatch(named)) or any(AVERAGED.fullmatch(word) for word in rest),
        _factor(quantity, units, named),
        "%" in header or "percent" in words,
        _arrow(header),
    )


def _arrow(header: str) -> Literal["", "higher", "lower"]:
    if "↑" in header:
        return "higher"
    return "lower" if "↓" in header else ""


def _words(text: str) -> list[str]:
    """Letters and digits of the header, lower case; accents are left out."""
    bare = "".join(mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark))
    return re.findall(r"[^\W_]+", bare.casefold().replace("%", " ").replace("#", " "))


def _quantities(words: list[str]) -> list[tuple[int, int, str]]:
    """Start, end and quantity of the phrases found, the longest first."""
    found, place = [], 0
    while place < len(words):
        for length in range(min(_LONGEST, len(words) - place), 0, -1):
            name = _BY_WORDS.get(tuple(words[place : place + length]))
            if name and not (name in ("n", "p", "rank") and len(words) > 2):
                found.append((place, place + length, name))
                place += length - 1
                break
        place += 1
    return found


def _role(rest: list[str]) -> Role:
    if any(STATISTICS.fullmatch(word) for word in rest):
        return "other"
    for word in rest:
        if word in ROLES:
            return ROLES[word]
    return "mean"


def _factor(quantity: str, units: list[str], named: str) -> float:
    if quantity not in ("parameters", "macs", "flops"):
        return 1.0
    for unit in [*units, named]:
        power = re.fullmatch(r"×?\s*10\s*\^?\s*([369])", unit)
        if power:
            return 10.0 ** int(power[1])
        prefix = re.fullmatch(r"([kmgbt])(?:flops?|macs?)?", unit.casefold())
        if prefix and unit.casefold() not in ("mac", "macs"):
            return _PREFIX[prefix[1]]
    return 1.0
