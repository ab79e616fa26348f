"""`unetbench data check` and `unetbench data fetch`: whether the data of a sweep is there and can be read."""

import argparse
import json

from tqdm import tqdm

from ..datasets.audit import audit
from ..datasets.case import ROLES
from .command_run import context_of, read
from .context import open_dataset


def check(options: argparse.Namespace) -> int:
    """Decode every case of the sweep's data sets and print what is wrong with them; 1 when something is."""
    wanted = read(options)
    context = context_of(wanted, options)
    findings: dict[str, list[str]] = {}
    for data in wanted.datasets:
        listed = open_dataset(data.choice, data.split, context)
        with tqdm(total=len(listed.dataset.cases), desc=data.choice.label, leave=False, disable=None) as bar:
            findings[data.choice.label] = audit(listed.dataset, preprocess=listed.preprocess, progress=bar.update)
        if not options.json:
            counts = ", ".join(f"{len(listed.split.cases(role))} {role}" for role in ROLES)
            print(f"{data.choice.label}: {len(listed.dataset.cases)} cases ({counts})")
            for line in (*listed.dataset.notes, *findings[data.choice.label]):
                print(f"  {line}")
    if options.json:
        print(json.dumps(findings, indent=2, ensure_ascii=False))
    return int(any(findings.values()))


def fetch(options: argparse.Namespace) -> int:
    """List the sweep's data sets, which fetches what is neither under --data nor in the cache."""
    wanted = read(options)
    context = context_of(wanted, options)
    for data in wanted.datasets:
        listed = open_dataset(data.choice, data.split, context)
        print(f"{data.choice.label}: {len(listed.dataset.cases)} cases; {listed.dataset.licence}")
    return 0
