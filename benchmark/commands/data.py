"""`unetbench data check` and `unetbench data fetch`: whether the data of a sweep is there and can be read."""

import argparse
import json

from tqdm import tqdm

from ...core.errors import one_line
from ...core.trial import Trial
from ...datasets.audit import audit
from ...datasets.case import ROLES
from ..naming.trial_names import TrialNames
from ..sweep.file import Sweep
from ..trial.context import open_dataset
from .run import context_of, read


def check(options: argparse.Namespace) -> int:
    """Decode every case of the sweep's data sets and print what is wrong with them; 1 when something is."""
    wanted = read(options)
    context = context_of(wanted, options)
    findings: dict[str, list[str]] = {}
    for name, data in zip(_names(wanted), wanted.datasets, strict=True):
        try:
            opened = open_dataset(data.choice, data.split, context)
        except Exception as error:  # the other data sets are looked at all the same
            findings[name] = [one_line(error)]
            if not options.json:
                print(f"{name}: cannot be listed: {one_line(error)}")
            continue
        with tqdm(total=len(opened.dataset.cases), desc=name, leave=False, disable=None) as bar:
            findings[name] = audit(opened.dataset, preprocess=opened.preprocess, progress=bar.update)
        if not options.json:
            counts = ", ".join(f"{len(opened.split.cases(role))} {role}" for role in ROLES)
            print(f"{name}: {len(opened.dataset.cases)} cases ({counts})")
            for line in (*opened.dataset.notes, *findings[name]):
                print(f"  {line}")
    if options.json:
        print(json.dumps(findings, indent=2, ensure_ascii=False))
    return int(any(findings.values()))


def fetch(options: argparse.Namespace) -> int:
    """List the sweep's data sets, which fetches what is neither under --data nor in the cache."""
    wanted = read(options)
    context = context_of(wanted, options)
    for name, data in zip(_names(wanted), wanted.datasets, strict=True):
        opened = open_dataset(data.choice, data.split, context)
        print(f"{name}: {len(opened.dataset.cases)} cases; {opened.dataset.licence}")
    return 0


def _names(wanted: Sweep) -> list[str]:
    """What the data sets of a sweep are called, in its order."""
    model, loss, seed = wanted.models[0], wanted.losses[0], wanted.seeds[0]
    trials = [Trial(data.choice, data.split, model, loss, data.recipe, seed) for data in wanted.datasets]
    names = TrialNames(trials, wanted.labels)
    return [names[trial].dataset for trial in trials]
