"""`unetbench time`: how long a network takes on this machine, and whether its conversions agree with it."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...core.errors import SpecError, UnetbenchError, one_line, unknown
from ...core.record import finite
from ...core.task import Task
from ...core.trial import Choice
from ...models import MODELS
from ...runtimes import RUNTIMES
from ..deploy.deploy import deploy
from ..deploy.measure import KERAS, Setting, measure
from ..deploy.untrained import UntrainedRecipe
from ..records.machine import machine
from ..report.deployments import Deployment, judged
from ..report.tables.deployments import deployments_grid, deployments_notes
from ..timing.options import LatencyOptions
from .trials import check_threads, keyed, open_trial, trials_of


def time(options: argparse.Namespace) -> int:
    """Time a trained trial, every trial of a sweep's folder, or an untrained recipe; 1 when some row is not done."""
    latency = LatencyOptions(samples=options.samples, budget_s=options.budget)
    runtimes = chosen(options.runtimes)
    check_threads(options.threads)
    if options.target in MODELS:
        return _untrained(options, runtimes, latency)
    if not os.path.lexists(options.target):
        raise SpecError(f"there is no file or folder {options.target}, and {unknown('model', options.target, MODELS)}")
    if options.channels or options.classes or options.set:
        raise SpecError("--channels, --classes and --set are of an untrained recipe; a trained trial has its own")
    fine = True
    outcome: dict[str, Any] = {}
    for place in trials_of(Path(options.target)):
        try:
            trained = open_trial(place, options)
        except UnetbenchError as error:
            print(f"unetbench: {one_line(error)}", file=sys.stderr)
            fine = False
            continue
        trial = trained.record.trial
        asked = settings(options, trial.recipe.patch)
        rows = deploy(
            trained, runtimes, asked, latency, lambda text, t=trial: _tell(f"{t.label}: {text}"), options.cases
        )
        outcome[trial.id] = rows
        fine &= all(row["status"] != "failed" for row in rows)
        if not options.json:
            _print(trial.label, judged(trial.id, "", rows))
            if options.cases is not None:
                print(f"- of at most {options.cases} validation and {options.cases} test cases: not kept")
    if options.json:
        print(json.dumps(finite(outcome), indent=1))
    return 0 if fine else 1


def chosen(names: Sequence[str] | None) -> list[Choice]:
    """The runtimes of those names, all by default. Raises SpecError."""
    for name in names or ():
        RUNTIMES.check(name, {})
    return [Choice(name) for name in names or RUNTIMES if name != KERAS.name]


def _untrained(options: argparse.Namespace, runtimes: Sequence[Choice], latency: LatencyOptions) -> int:
    size = (options.size or [(256, 256)])[0]
    if options.cases is not None:
        raise SpecError("--cases is of trained trials; an untrained recipe segments none")
    classes, channels = options.classes or 1, options.channels or 3
    kind = "binary" if classes == 1 else "exclusive"
    names = ("object",) if classes == 1 else tuple(f"class {k}" for k in range(classes))
    task = Task(len(size), channels, names, kind)
    model = Choice(options.target, keyed(options.set))
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="unetbench-") as folder:
        built = UntrainedRecipe.build(model, task, Path(folder), options.plugin)
        for setting in settings(options, size):
            rows += measure(built, runtimes, setting, latency, cases=0, on_progress=_tell)
    if options.json:
        print(json.dumps(finite(rows), indent=1))
    else:
        _print(f"{model.label}, untrained", judged("", "", rows))
    return 0 if all(row["status"] != "failed" for row in rows) else 1


def settings(options: argparse.Namespace, patch: Sequence[int]) -> list[Setting]:
    """Each combination of sizes, batches and threads once, in their order. Raises SpecError for a size of other rank.

    patch: the size where none is asked for.
    """
    sizes = options.size or [tuple(patch)]
    wrong = [size for size in sizes if len(size) != len(patch)]
    if wrong:
        raise SpecError(f"--size: {'x'.join(map(str, wrong[0]))} has {len(wrong[0])} edges, images have {len(patch)}")
    asked = [(batch, tuple(size), n) for size in sizes for batch in options.batch for n in options.threads]
    usual = machine()["threads"]
    once: dict[tuple[object, ...], Setting] = {}
    for batch, size, n in asked:
        once.setdefault((batch, size, n or usual), Setting(batch, size, n))
    return list(once.values())


def _print(label: str, found: Sequence[Deployment]) -> None:
    for setting in dict.fromkeys(one.setting for one in found):
        own = [one for one in found if one.setting == setting]
        print(f"\n{label}: {setting}\n")
        print(deployments_grid(label, own).markdown())
        for note in deployments_notes(own):
            print(f"- {note}")


def _tell(text: str) -> None:
    print(f"unetbench: {text}", file=sys.stderr)
