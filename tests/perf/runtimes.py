"""How much faster than `model.predict` a trained network runs: fastest exact file, and fastest within the margin.

    python tests/perf/runtimes.py results/SWEEP/records/MACHINE/ID.json --data DIR [--size 256x256] [--cases 16]

Prints the table of `unetbench time` at batch 1, both ratios, and how long measuring took. --cases: of validation and of
test that each segments at most, spread over all; without it every one, which takes far longer than the timing.
ONEDNN_MAX_CPU_ISA=AVX2 shows oneDNN, with which TensorFlow and OpenVINO compute, on a processor without AVX-512; the
others do not heed it.
"""

import argparse
import sys
import time
from pathlib import Path

from unetbench.benchmark.commands.check import edges
from unetbench.benchmark.commands.trials import open_trial
from unetbench.benchmark.deploy.measure import Setting, measure
from unetbench.benchmark.report.deployments import judged
from unetbench.benchmark.report.tables.deployments import deployments_grid, deployments_notes
from unetbench.benchmark.timing.options import LatencyOptions
from unetbench.core.trial import Choice

SIX = ["keras_predict", "onnx", "litert", "openvino", "litert_int8", "openvino_int8"]
"""Beside Keras itself."""


def main() -> int:
    """Measure and print; returns the exit status."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("record", type=Path)
    words.add_argument("--data", type=Path)
    words.add_argument("--size", type=edges, default=(256, 256))
    words.add_argument("--cases", type=int)
    words.add_argument("--runtimes", nargs="+", default=SIX)
    words.add_argument("--plugin", action="append", default=[])
    options = words.parse_args()
    trained = open_trial(options.record, options)
    setting = Setting(1, options.size)
    start = time.perf_counter()
    rows = measure(
        trained,
        [Choice(name) for name in options.runtimes],
        setting,
        LatencyOptions(samples=50, budget_s=3.0),
        cases=options.cases,
        on_progress=lambda text: print(f"{time.perf_counter() - start:6.1f} s  {text}", file=sys.stderr),
    )
    spent = time.perf_counter() - start
    found = judged(trained.record.trial.id, "", rows)
    print(deployments_grid("", found).markdown())
    for note in deployments_notes(found):
        print(f"- {note}")
    predict = next(one.latency_s(50) for one in found if one.runtime == "keras_predict")
    for verdicts in (("exact",), ("exact", "within margin")):
        agreeing = [one for one in found if one.verdict in verdicts and one.runtime != "keras_predict"]
        fastest = min(agreeing, key=lambda one: one.latency_s(50), default=None)
        if fastest is not None:
            ratio = fastest.latency_s(50) / predict
            print(f"fastest {' or '.join(verdicts)}: {fastest.runtime}, {ratio:.3f} of model.predict's time")
    print(
        f"measuring Keras and {len(options.runtimes)} runtimes took {spent:.0f} s, with {options.cases or 'all'} cases"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
