"""The reader of a tuning's folder."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import values
from mutations import texts
from prepared import Prepared

from unetbench.core.record import Record
from unetbench.core.trial import Trial


def search() -> Prepared:
    """All files of a search as one value, so that they are changed beside each other."""
    from unetbench.benchmark.commands.status_tuning import tuning_state, tuning_text
    from unetbench.benchmark.tune.results import read_tuning

    def read(folder: Path, content: bytes) -> object:
        try:
            told = json.loads(content)
        except (ValueError, RecursionError):
            told = None
        for name, value in told.items() if isinstance(told, dict) else ():
            if name in whole:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_text(json.dumps(value), "utf-8")
        if not (folder / SWEEP).is_file():
            (folder / SWEEP).write_bytes(content)
        found = tuning_state(folder)
        return [tuning_text(rows) for rows in found.values()], read_tuning(folder, "nan_worst")

    with tempfile.TemporaryDirectory() as folder:
        whole = dict(_written(Path(folder)))
    return Prepared(texts([whole]), read, [json.dumps(whole).encode()])


SWEEP = "sweep.yaml"


def _written(folder: Path) -> Iterator[tuple[str, Any]]:
    """The files of a random search of two settings, one of which is compared after its first epoch, by name."""
    from unetbench.benchmark.sweep.space import Dimension
    from unetbench.benchmark.sweep.tuning import Budget, Tuning
    from unetbench.benchmark.tune.results import new_search
    from unetbench.benchmark.tune.store import SearchStore

    space = (
        Dimension("rate", "recipe", "rate", low=1e-4, high=1e-2, log=True),
        Dimension("schedule", "recipe", "schedule", values=("plateau", "cosine")),
    )
    tuning = Tuning("random", space, Budget(trials=2), (1, 2), stop_after=(1,))
    default = replace(values.TRIAL, recipe=replace(values.TRIAL.recipe, epochs=2))
    store = SearchStore(folder, "desk")
    kept = store.search(default.id)
    kept.begin(default, tuning, space, lambda: {"keras-tuner": "1.4.8"})
    searching = new_search(default, tuning, kept)
    while stages := searching.advance(store.outcome):
        for stage in stages:
            store.until[stage.trial.id] = stage.until
            store.put(_record(stage.trial, stage.until))
    section = {"engine": "random", "trials": 2, "space": {"rate": {"from": 1e-4, "to": 1e-2, "log": True}}}
    yield SWEEP, {"name": "small", "datasets": ["cells"], "models": ["unet"], "losses": ["bce"], "tune": section}
    for file in sorted(folder.rglob("*.json")):
        yield file.relative_to(folder).as_posix(), json.loads(file.read_text("utf-8"))


def _record(trial: Trial, until: int) -> Record:
    rows = [{"epoch": k + 1, "train_s": 9.0, "validate_s": 1.0, "val_dice": 0.5} for k in range(until)]
    score = 0.5 + 0.1 * (trial.recipe.rate < 1e-3)
    cases = [{"case": f"c{k}", "group": f"g{k}", "dice": score} for k in range(6)]
    return Record(trial, "done", selection={"epoch": 1, "dice": score, "cases": cases}, history=rows)
