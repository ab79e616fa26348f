"""Networks whose parameters and multiply-accumulates are known, by the names that tables give them.

`known_counts.csv` is made from the recipes, whose parameter counts are the published ones (`unetbench check models`):
`write_known` makes it again from what that prints with `--json`.
"""

import csv
import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("known_counts.csv")

FAMILIES = {
    "unet": ("unet", "unet_half", "unet_quarter", "unet_milesial", "unet_wide", "unet_leejunhyun", "unet_zhixuhao"),
    "attunet": ("attention_unet", "attention_unet_monai"),
    "attentionunet": ("attention_unet", "attention_unet_monai"),
    "r2attunet": ("r2_attention_unet",),
    "attr2unet": ("r2_attention_unet",),
    "unet++": ("unet_plus_plus", "basic_unet_plus_plus"),
    "unetplusplus": ("unet_plus_plus", "basic_unet_plus_plus"),
    "unet3+": ("unet_3plus",),
    "unet3plus": ("unet_3plus",),
    "resunet++": ("resunet_plus_plus",),
    "resuneta": ("resunet_a",),
    "u2net†": ("u2_net_p",),
    "u2netp": ("u2_net_p",),
    "3dunet": ("unet_3d",),
    "unet3d": ("unet_3d",),
    "fcdensenet103": ("dense_unet",),
    "tiramisu": ("dense_unet",),
}
"""By the name in a table, letters, digits and + only, the recipes that are called so; others by their own names."""

NOT_BY_AREA = ("swin_unet", "trans_unet", "unetr")
"""Their MACs do not grow with the area of the image alone, so that they are known at one size only."""


@dataclass(frozen=True)
class Known:
    """A network: MACs of one image of `size`."""

    recipe: str
    parameters: int
    size: tuple[int, ...]
    macs: int

    def macs_at(self, size: tuple[int, ...]) -> float | None:
        """MACs of an image of that size; None where they are not known."""
        if len(size) != len(self.size):
            return None
        if self.recipe in NOT_BY_AREA and size != self.size:
            return None
        return self.macs * math.prod(size) / math.prod(self.size)


@cache
def known_networks() -> tuple[Known, ...]:
    """Every line of the table."""
    with FILE.open(encoding="utf-8", newline="") as lines:
        return tuple(
            Known(row["recipe"], int(row["parameters"]), tuple(map(int, row["size"].split("x"))), int(row["macs"]))
            for row in csv.DictReader(lines)
        )


def named(texts: Iterable[str]) -> list[Known]:
    """The networks that are called by one of the texts as a whole; a name with anything more is none."""
    words = {_plain(text) for text in texts}
    recipes = {recipe for word in words for recipe in FAMILIES.get(word, ())}
    return [known for known in known_networks() if known.recipe in recipes or _plain(known.recipe) in words]


def _plain(text: str) -> str:
    """Letters, digits and plus signs, without a citation in brackets after it."""
    bare = re.sub(r"\s*(?:\[[\d,; –-]*\]|\([^)]*(?:et al|19|20)[^)]*\))\s*$", "", text)
    return re.sub(r"[^a-z0-9+]", "", bare.casefold())


def write_known(counted: Path, file: Path = FILE) -> None:
    """Write the table from what `unetbench check models --json` printed into the file `counted`."""
    lines = {
        (row["name"].partition("(")[0], row["trainable"], "x".join(map(str, row["size"])), row["macs"])
        for row in json.loads(counted.read_text("utf-8"))
        if row["ok"] and row["macs"]
    }
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("recipe", "parameters", "size", "macs"))
        writer.writerows(sorted(lines))
