"""The training step beside that of the same network in PyTorch, and of MONAI's BasicUNet, in one run.

    python tests/perf/training_step.py [--networks plain,separable,3d] [--precisions float32,bfloat16]
                                       [--rounds 7] [--steps 3] [--json FILE]

Each competitor trains in a process of its own on all cores that this one may use (`taskset` limits them). They take
turns, a few steps each, so that whatever else the machine does meets all alike. Our step is that of a sweep:
`benchmark.trial.compiled_model.CompiledModel`, from NumPy arrays to updated weights and a loss that was read. PyTorch's is channels-last,
eager, with the fused Adam; its bfloat16 is autocast. Same sizes, batch, loss and optimizer; the number of parameters
is compared. A ratio is the competitor's time over ours, both medians of a round; above 1 ours is faster.

Processor time is that of all threads together, PyTorch's waiting in a loop included (`OMP_WAIT_POLICY=PASSIVE` makes it
sleep). It hardly changes when other programs compete for the cores, so that on a busy machine its ratio is the one to
read.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

OURS, SETTLE_S = "unetbench", 0.3
"""Seconds between two turns, for the threads of one to stop spinning before another starts."""


@dataclass(frozen=True)
class Network:
    """What is trained: our recipe with its options, the function in `torch_networks`, patch, channels and batch."""

    recipe: str
    options: dict[str, Any]
    twin: str
    patch: tuple[int, ...]
    channels: int
    batch: int
    against: tuple[str, ...] = ("pytorch",)


NETWORKS = {
    "plain": Network("unet", {"width": 32, "depth": 4}, "plain", (256, 256), 3, 4, ("pytorch", "monai")),
    "batch": Network("unet", {"width": 32, "depth": 4, "normalisation": "batch"}, "batch", (256, 256), 3, 4),
    "separable": Network("unet_light", {"width": 16, "depth": 4}, "separable", (128, 128), 3, 16),
    "3d": Network("unet_3d", {"width": 16, "depth": 3}, "volume", (32, 64, 64), 1, 2),
}

PRECISIONS = ("float32", "bfloat16")


class Competitor:
    """A child process that trains when it is told to."""

    def __init__(self, network: str, precision: str, name: str) -> None:
        self.network, self.precision, self.name = network, precision, name
        words = [sys.executable, __file__, "--child", network, precision, name]
        environment = {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ}
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
        )
        self.facts: dict[str, Any] = self._answer()
        self.rounds: dict[str, list[list[float]]] = {"seconds": [], "processor": []}

    def turn(self, steps: int) -> None:
        """Train one step unread, then `steps` that count."""
        time.sleep(SETTLE_S)
        for clock, seconds in self._ask(1 + steps).items():
            self.rounds[clock].append(seconds[1:])

    def stop(self) -> None:
        """End the process."""
        self.process.communicate()

    def _ask(self, steps: int) -> dict[str, Any]:
        assert self.process.stdin
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} on {self.network}, {self.precision}, ended with {self.process.wait()}")
        return json.loads(line)


def main() -> None:
    """Measure what the command line asks for, print a table, write the raw seconds."""
    if sys.argv[1:2] == ["--child"]:
        return serve(*sys.argv[2:])
    options = _options()
    results = [result for network in options.networks for result in measure(network, options)]
    print(table(results))
    if options.json:
        from unetbench.benchmark.records.machine import machine, versions

        about = {"machine": machine(), "versions": versions("tensorflow")}
        options.json.write_text(json.dumps({**about, "results": results}, indent=1))
    return None


def measure(network: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Let all competitors on a network take turns. Raises SystemExit when one is not the same network."""
    names = [OURS, *(name for name in NETWORKS[network].against if name in options.against)]
    field = [Competitor(network, precision, name) for precision in options.precisions for name in names]
    try:
        _check(field)
        for number in range(options.rounds):
            for competitor in field:
                competitor.turn(options.steps)
            print(f"{network}: round {number + 1} of {options.rounds}", file=sys.stderr)
    finally:
        for competitor in field:
            competitor.stop()
    return [
        {"network": c.network, "precision": c.precision, "competitor": c.name, **c.facts, **c.rounds} for c in field
    ]


def table(results: list[dict[str, Any]]) -> str:
    """Median and quartiles of all steps in milliseconds, and how many times ours: median and range over the rounds."""
    clocks = f"{'ms':>8} {'quartiles':>14} {'ratio to ours':>20}   "
    lines = [
        f"{'network':10} {'precision':9} {'competitor':11} {'parameters':>10}   {clocks}processor {clocks}".rstrip()
    ]
    ours = {(r["network"], r["precision"]): r for r in results if r["competitor"] == OURS}
    for result in results:
        own = ours[result["network"], result["precision"]]
        words = (
            f"{result['network']:10} {result['precision']:9} {result['competitor']:11} {result['parameters']:10,}   "
        )
        readings = (_reading(result[clock], own[clock], result is own) for clock in ("seconds", "processor"))
        lines.append((words + "             ".join(readings)).rstrip())
    return "\n".join(lines)


def serve(network: str, precision: str, name: str) -> None:
    """Build, warm up and say so; then train as many steps as each line of input asks for, answering their seconds."""
    answers, sys.stdout = sys.stdout, sys.stderr
    step, parameters, threads = (_ours if name == OURS else _theirs)(NETWORKS[network], precision, name)
    for _ in range(2):
        step()
    print(json.dumps({"parameters": parameters, "threads": threads}), file=answers, flush=True)
    for line in sys.stdin:
        samples = [_timed(step) for _ in range(int(line))]
        wall, processor = zip(*samples, strict=True)
        print(json.dumps({"seconds": wall, "processor": processor}), file=answers, flush=True)


def _ours(network: Network, precision: str, name: str):
    from unetbench.benchmark.trial.compiled_model import CompiledModel
    from unetbench.core.recipe import Recipe
    from unetbench.core.task import Task
    from unetbench.core.trial import Choice, Trial

    precision = {"float32": "float32", "bfloat16": "mixed_bfloat16"}[precision]
    recipe = Recipe(patch=network.patch, batch=network.batch, precision=precision)
    trial = Trial(Choice("cells"), {}, Choice(network.recipe, network.options), Choice("bce_dice"), recipe, 0)
    graph = CompiledModel(trial, Task(len(network.patch), network.channels, ("foreground",)))
    images, truths = _batch(network)

    def step() -> float:
        return float(graph.model.train_on_batch(images, truths, return_dict=True)["loss"])

    return step, sum(w.value.numpy().size for w in graph.model.trainable_variables), _cores()


def _theirs(network: Network, precision: str, name: str):
    import torch
    import torch_networks

    torch.set_num_threads(_cores())
    make = torch_networks.monai if name == "monai" else getattr(torch_networks, network.twin)
    built = make(network.options["width"], network.options["depth"])
    options = {"bfloat16": precision == "bfloat16", "channels_last": name == "pytorch"}
    step = torch_networks.Step(built, *_batch(network), **options)
    return step, step.count(), torch.get_num_threads()


def _timed(step) -> tuple[float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    loss = step()
    seconds = time.perf_counter() - wall, time.process_time() - processor
    if not math.isfinite(loss):
        raise SystemExit(f"loss is {loss}")
    return seconds


def _reading(rounds: list[list[float]], ours: list[list[float]], own: bool) -> str:
    low, middle, high = quantiles([1000 * seconds for turn in rounds for seconds in turn], n=4)
    ratios = [median(theirs) / median(mine) for theirs, mine in zip(rounds, ours, strict=True)]
    spread = "" if own else f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    return f"{middle:8.1f} {f'{low:.0f} to {high:.0f}':>14} {spread:>20}"


def _batch(network: Network):
    import numpy as np

    draw = np.random.default_rng(0)
    images = draw.normal(size=(network.batch, *network.patch, network.channels)).astype("float32")
    return images, (images[..., :1] > 0.5).astype("uint8")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _check(field: list[Competitor]) -> None:
    same = {c.facts["parameters"] for c in field if c.name != "monai"}
    threads = {c.facts["threads"] for c in field}
    if len(same) > 1 or len(threads) > 1:
        raise SystemExit(f"{field[0].network} differs: parameters {sorted(same)}, threads {sorted(threads)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words = {"type": lambda text: text.split(",")}
    parser.add_argument("--networks", default=["plain", "separable", "3d"], help=f"of {', '.join(NETWORKS)}", **words)
    parser.add_argument("--precisions", default=list(PRECISIONS), help=f"of {', '.join(PRECISIONS)}", **words)
    parser.add_argument("--against", default=["pytorch", "monai"], help="of pytorch, monai", **words)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=3, help="timed steps of one turn")
    parser.add_argument("--json", type=Path, help="where to write every measured step")
    options = parser.parse_args()
    for name, known in (("networks", NETWORKS), ("precisions", PRECISIONS), ("against", ("pytorch", "monai"))):
        wrong = sorted(set(getattr(options, name)) - set(known))
        if wrong:
            parser.error(f"--{name}: {', '.join(wrong)} is unknown; there are {', '.join(known)}")
    return options


if __name__ == "__main__":
    main()
