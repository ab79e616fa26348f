"""`unetbench data check` and `unetbench data fetch`: whether the data of a sweep is there, and what was understood."""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ...core.errors import DataError, SpecError, one_line
from ...core.task import Task
from ...core.trial import Trial
from ...datasets.audit import Audit, audit
from ...datasets.case import ROLES, Dataset, Role
from ...datasets.prepare import Preprocess
from ...datasets.thumbnail import Thumbnail
from ..naming.trial_names import TrialNames
from ..sweep.file import DataChoice, Sweep
from ..trial.context import Context, list_dataset, open_dataset, split_dataset
from ..trial.image_options import preprocess_of
from .data_text import lines
from .run import context_of, read

Row = tuple[str, Task, Sequence[Thumbnail]]
FORMATS = (".png", ".pdf", ".svg")


def check(options: argparse.Namespace) -> int:
    """Decode every case of the sweep's data sets, print what was understood and what is wrong; 1 when something is."""
    if options.show is not None and (options.show.suffix not in FORMATS or not options.show.parent.is_dir()):
        raise SpecError(f"--show {options.show}: give a file in a folder that is there, ending in {', '.join(FORMATS)}")
    wanted = read(options)
    context = context_of(wanted, options)
    understood: dict[str, dict[str, Any]] = {}
    rows: list[Row] = []
    for name, data in zip(dataset_names(wanted), wanted.datasets, strict=True):
        try:
            dataset = list_dataset(data.choice, context)
        except Exception as error:  # the other data sets are looked at all the same
            understood[name] = {"findings": [one_line(error)]}
            told = [f"{name}: cannot be listed: {one_line(error)}"]
        else:
            dataset, roles, problems = _split(dataset, data, context)
            found = _audited(name, dataset, preprocess_of(data.choice), roles, pictures=options.show is not None)
            counts = {role: list(roles.values()).count(role) for role in ROLES} if roles else {}
            counted = {"cases": len(dataset.cases), "roles": counts, **found.summary.described(dataset)}
            looks = [{**asdict(remark), "cases": list(remark.cases)} for remark in found.remarks]
            understood[name] = {**counted, "worth_a_look": looks, "findings": problems + found.findings}
            rows.append((name, dataset.task, found.thumbnails))
            split = ", ".join(f"{count} {role}" for role, count in counts.items()) or "not split"
            told = [f"{name}: {len(dataset.cases)} cases ({split})", *lines(understood[name])]
        if not options.json:
            print("\n".join(told))
    if options.json:
        print(json.dumps(understood, indent=2, ensure_ascii=False))
    if options.show is not None:
        _show(rows, options.show)
    return int(any(described["findings"] for described in understood.values()))


def _split(dataset: Dataset, data: DataChoice, context: Context) -> tuple[Dataset, Mapping[str, Role], list[str]]:
    """The data set with what its split is noted for, the role of each case, and why it cannot be split."""
    try:
        opened = split_dataset(dataset, data.choice, data.split, context)
    except DataError as error:  # too few groups, say; the cases are looked at all the same
        return dataset, {}, [f"cannot be split: {error}"]
    return opened.dataset, opened.split.roles, []


def _audited(
    name: str, dataset: Dataset, preprocess: Preprocess, roles: Mapping[str, Role], *, pictures: bool
) -> Audit:
    with tqdm(total=len(dataset.cases), desc=name, leave=False, disable=None) as bar:
        return audit(dataset, preprocess=preprocess, progress=bar.update, pictures=pictures, roles=roles)


def _show(rows: Sequence[Row], file: Path) -> None:
    from ..report.plots.outlines import DPI, outlines
    from ..report.plots.style import look

    if not any(thumbnails for _, _, thumbnails in rows):
        raise DataError(f"--show {file}: no case could be read, so there is nothing to show")
    with look():
        outlines(rows).savefig(file, dpi=DPI)


def fetch(options: argparse.Namespace) -> int:
    """List the sweep's data sets, which fetches what is neither under --data nor in the cache."""
    if options.show is not None:
        raise SpecError("--show is for `data check`; `data fetch` reads no images")
    wanted = read(options)
    context = context_of(wanted, options)
    for name, data in zip(dataset_names(wanted), wanted.datasets, strict=True):
        opened = open_dataset(data.choice, data.split, context)
        print(f"{name}: {len(opened.dataset.cases)} cases; {opened.dataset.licence}")
    return 0


def dataset_names(wanted: Sweep) -> list[str]:
    """What the data sets of a sweep are called, in its order."""
    model, loss, seed = wanted.models[0], wanted.losses[0], wanted.seeds[0]
    trials = [Trial(data.choice, data.split, model, loss, data.recipe, seed) for data in wanted.datasets]
    names = TrialNames(trials, wanted.labels)
    return [names[trial].dataset for trial in trials]
