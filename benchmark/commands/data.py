"""`unetbench data check` and `unetbench data fetch`: whether the data of a sweep is there and can be read."""

import argparse
import json

from tqdm import tqdm

from ...datasets.audit import audit
from ...datasets.case import ROLES
from ..trial.context import open_dataset
from .run import context_of, read


def check(options: argparse.Namespace) -> int:
    """Decode every case of the sweep's data sets and print what is wrong with them; 1 when something is."""
    wanted = read(options)
    context = context_of(wanted, options)
    findings: dict[str, list[str]] = {}
    for data in wanted.datasets:
        opened = open_dataset(data.choice, data.split, context)
        with tqdm(total=len(opened.dataset.cases), desc=data.choice.label, leave=False, disable=None) as bar:
            findings[data.choice.label] = audit(opened.dataset, preprocess=opened.preprocess, progress=bar.update)
        if not options.json:
            counts = ", ".join(f"{len(opened.split.cases(role))} {role}" for role in ROLES)
            print(f"{data.choice.label}: {len(opened.dataset.cases)} cases ({counts})")
            for line in (*opened.dataset.notes, *findings[data.choice.label]):
                print(f"  {line}")
    if options.json:
        print(json.dumps(findings, indent=2, ensure_ascii=False))
    return int(any(findings.values()))


def fetch(options: argparse.Namespace) -> int:
    """List the sweep's data sets, which fetches what is neither under --data nor in the cache."""
    wanted = read(options)
    context = context_of(wanted, options)
    for data in wanted.datasets:
        opened = open_dataset(data.choice, data.split, context)
        print(f"{data.choice.label}: {len(opened.dataset.cases)} cases; {opened.dataset.licence}")
    return 0
