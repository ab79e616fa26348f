"""How well `data audit` finds masks that were made wrong on purpose, beside Dice with the models and soft-min.

    python tests/perf/audit_corrupted.py FOLDER [--of shapes] [--kinds missing,swapped] [--share 0.05]

Trains the folds of an audit on `corrupted` masks of a data set (`corrupted_masks.py`), in FOLDER, where a second call
with the same options trains nothing. Prints for each ranking of cases precision, recall and F1 at the top, with as many
cases as there are wrong ones (all three are equal there), the best F1 at any depth, and the average precision; for the
score of the audit also at 0.5, where the audit itself calls a case suspect; and how many of each kind are at the top.
"""

import argparse
import csv
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import yaml

sys.path.insert(0, str(Path(__file__).parent))

import corrupted_masks

from unetbench.benchmark.cli import main as unetbench
from unetbench.datasets.source import Source

MODELS = [
    {"name": "unet", "width": 16, "depth": 3, "normalisation": "group"},
    {"name": "unet_plus_plus", "width": 8, "depth": 3, "normalisation": "group"},
]
"""Light ones that learn within few epochs: without a normalisation some folds have not told classes apart by then."""

RECIPE = {"batch": 8, "schedule": "cosine", "stop_patience": 0, "rate": 0.002}
AUGMENT = {"rotation_deg": 180, "zoom": 0.1, "shift": 0, "shear": 0}
ALL = ",".join(corrupted_masks.KINDS)
RANKINGS = {"audit": ("score", -1), "Dice": ("dice", 1), "soft-min": ("soft_min", 1)}
"""A column of cases.csv, and the direction in which it goes from the most suspect case on."""


def main() -> None:
    """Train what is missing and print."""
    options = _options()
    kinds = "all" if options.kinds == ALL else options.kinds.replace(",", "-")
    name = f"{options.of}-{kinds}-{options.share:g}-seed{options.seed}"
    keys = ("of", "options", "stratum", "most", "kinds", "share", "pixels", "seed")
    data = {key: getattr(options, key) for key in keys}
    preprocess = {"resize": list(options.resize)} if options.resize else {}
    recipe = {**RECIPE, "augment": AUGMENT, "patch": list(options.patch), "epochs": options.epochs}
    sweep = {
        "name": name,
        "datasets": [
            {"name": "corrupted", **data, "preprocess": preprocess | ({"colour": "grey"} if options.grey else {})}
        ],
        "models": MODELS,
        "losses": ["bce_dice"],
        "recipe": recipe | ({"steps": options.steps} if options.steps else {}),
    }
    options.folder.mkdir(parents=True, exist_ok=True)
    file = options.folder / f"{name}.yaml"
    file.write_text(yaml.safe_dump(sweep))
    words = ["data", "audit", str(file), "--plugin", corrupted_masks.__file__, "--seeds", str(options.seeds)]
    words += ["--folds", str(options.folds), "--quiet"]
    words += [
        "--results",
        str(options.folder),
        "--no-download",
        *(["--data", str(options.data)] if options.data else []),
    ]
    if unetbench(words):
        raise SystemExit("the audit did not end well")
    whole = corrupted_masks.right(
        Source(options.data, options.folder), options.of, options.options, options.stratum, options.most
    )
    wrong = corrupted_masks.wrong_cases(whole, options.kinds.split(","), options.share, options.pixels, options.seed)
    (table,) = (options.folder / f"{name}-audit" / "audit").glob("*/cases.csv")
    with table.open(encoding="utf-8") as stream:
        tell(list(csv.DictReader(stream)), wrong)


def tell(rows: list[dict[str, str]], wrong: dict[str, str]) -> None:
    """Print the table. rows: of cases.csv; wrong: the kind of error of each case that has one."""
    kinds = Counter(wrong.values())
    print(f"\n{len(wrong)} of {len(rows)} masks are wrong: {', '.join(f'{n} {kind}' for kind, n in kinds.items())}\n")
    print("| ranking | F1 at the top | best F1 | average precision | " + " | ".join(kinds) + " |")
    print("|---|---|---|---|" + "---|" * len(kinds))
    for title, (column, sign) in RANKINGS.items():
        order = sorted(rows, key=lambda row: sign * float(row[column] or "nan"))
        hits = np.array([row["case"] in wrong for row in order])
        depth = np.arange(1, len(hits) + 1)
        found = np.cumsum(hits)
        top = found[len(wrong) - 1] / len(wrong)
        best = (2 * found / (depth + len(wrong))).max()
        average = (found / depth)[hits].mean()
        at = Counter(wrong[row["case"]] for row in order[: len(wrong)] if row["case"] in wrong)
        each = " | ".join(f"{at[kind]} of {n}" for kind, n in kinds.items())
        print(f"| {title} | {top:.2f} | {best:.2f} | {average:.2f} | {each} |")
    called = [row["case"] for row in rows if float(row["score"]) >= 0.5]
    right = sum(case in wrong for case in called)
    precision, recall = right / max(len(called), 1), right / len(wrong)
    f1 = 2 * right / (len(called) + len(wrong))
    print(f"\nsuspect at 0.5: {len(called)} cases, precision {precision:.2f}, recall {recall:.2f}, F1 {f1:.2f}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--of", default="shapes", help="data set (default: generated shapes)")
    parser.add_argument("--options", default="{}", help="its options, as JSON")
    parser.add_argument("--stratum", default="")
    parser.add_argument("--most", type=int, default=240)
    parser.add_argument("--kinds", default="missing,swapped")
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--pixels", type=int, default=3)
    parser.add_argument("--patch", type=int, nargs=2, default=(64, 64))
    parser.add_argument("--resize", type=int, nargs=2)
    parser.add_argument("--grey", action="store_true")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=1, help="of training, each with every model and fold (default: 1)")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0, help="of the choice of what is spoiled (default: 0)")
    parser.add_argument("--data", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
