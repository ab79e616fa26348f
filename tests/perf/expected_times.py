"""How good expected times are: each trial of a folder of results, predicted from the others of its machine.

    python tests/perf/expected_times.py results [--build]

Prints, for each machine and for what trials have in common with the one that is predicted, how many times as long as
expected they took: the median, the factor within which nine of ten lie, and the largest. --build: build the networks
whose records are of a time before they told of moved activations, so that sizes have both numbers.
"""

import argparse
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from unetbench.benchmark.records.store import records
from unetbench.benchmark.sweep.throughput import Throughput
from unetbench.core.record import Record
from unetbench.core.task import Task


def main() -> None:
    """Predict and print."""
    options = _options()
    machines: dict[str, list[Record]] = defaultdict(list)
    for folder in sorted(options.results.glob("*")):
        for record in records(folder):
            machines[record.machine["name"]].append(record)
    for machine, found in machines.items():
        made = _with_moved(found) if options.build else found
        throughput = Throughput(made)
        print(f"{machine}: {len(found)} records, {len(throughput)} of them tell")
        for basis, quality in throughput.quality().items():
            print(
                f"  {basis:16} {len(quality.ratios):4} trials, took {quality.median:.2f} times as long as expected "
                f"(median), nine of ten within a factor of {quality.within:.2f}, {quality.ratios[0]:.2f} to "
                f"{quality.ratios[-1]:.2f}"
            )


def _with_moved(found: list[Record]) -> list[Record]:
    from unetbench.benchmark.trial.compiled_model import build
    from unetbench.models.anatomy.cost import cost

    known: dict[tuple[object, ...], int] = {}
    made: list[Record] = []
    for record in found:
        trial = record.trial
        key = (trial.model.canonical, trial.recipe.patch, record.task.get("channels"))
        if record.status == "done" and "moved_activations" not in record.model and trial.derivation is None:
            if key not in known:
                task = Task(**{k: tuple(v) if isinstance(v, list) else v for k, v in record.task.items()})
                known[key] = cost(build(trial, task), trial.recipe.patch).moved_activations
            record = replace(record, model={**record.model, "moved_activations": known[key]})
        made.append(record)
    return made


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--build", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
