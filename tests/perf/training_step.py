"""The training step beside that of the same network in PyTorch, and of MONAI's BasicUNet, in one run.

    python tests/perf/training_step.py [--networks plain,separable,3d] [--precisions float32,bfloat16]
                                       [--limit AVX2] [--rounds 7] [--steps 3] [--json FILE]

Each competitor trains in a process of its own on all cores that this one may use (`taskset` limits them). They take
turns, a few steps each, so that whatever else the machine does meets all alike. Our step is that of a sweep
(`CompiledModel`), from NumPy arrays to updated weights and a loss that was read. PyTorch's is channels-last, eager,
with the fused Adam; its bfloat16 is autocast. Same sizes, batch, loss and optimizer; the number of parameters
is compared. A ratio is the competitor's time over ours, both medians of a round; above 1 ours is faster.

`--against eigen` is our step without oneDNN, as TensorFlow by itself computes on CPUs with AVX2 alone
(`core/onednn.py`); alone it needs no PyTorch.

`--limit AVX2` keeps the libraries of all competitors from AVX-512 and AMX. What a step computes in convolutions, three
times as much as forward, is set against the peak: the best that TensorFlow or PyTorch reached in single convolutions
(`convolution_peak.py`) of the same precision under the same limit in the same rounds.

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
from itertools import chain
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from unetbench.core import onednn

OURS, EIGEN, SETTLE_S = "unetbench", "eigen", 0.3
"""Seconds between two turns, for the threads of one to stop spinning before another starts."""

PEAKS = {"peak of tensorflow": "tensorflow", "peak of pytorch": "pytorch"}

AGAINST = ("pytorch", "monai", EIGEN)

LIMITS = {"": {}, "AVX2": {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}}
"""Environment variables that keep oneDNN, which both use, and PyTorch's own loops from wider vectors."""


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

    def __init__(self, network: str, precision: str, name: str, limit: str) -> None:
        self.network, self.precision, self.name = network, precision, name
        words = [sys.executable, __file__, "--child", network, precision, name]
        switch = {onednn.SWITCH: "0"} if name == EIGEN else onednn.turned_on()
        environment = {"TF_CPP_MIN_LOG_LEVEL": "3", **os.environ, **LIMITS[limit], **switch}
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


class Peak(Competitor):
    """A child process that convolves as fast as a library can when it is told to."""

    def __init__(self, network: str, precision: str, library: str, limit: str) -> None:
        super().__init__(network, precision, library, limit)
        self.gflops: list[float] = []

    def turn(self, steps: int) -> None:
        """Convolve each shape a few times, as often in every turn."""
        time.sleep(SETTLE_S)
        self.gflops.append(self._ask(1)["gflops"])


def main() -> None:
    """Measure what the command line asks for, print a table, write the raw seconds."""
    if sys.argv[1:2] == ["--child"]:
        return serve(*sys.argv[2:])
    options = _options()
    results = [result for network in options.networks for result in measure(network, options)]
    print(table(results))
    if options.limit:
        print(f"limited to {options.limit}")
    if options.json:
        from unetbench.benchmark.records.machine import machine, versions

        about = {"machine": machine(), "versions": versions("tensorflow")}
        options.json.write_text(json.dumps({**about, "results": results}, indent=1))
    return None


def measure(network: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Let all competitors on a network take turns. Raises SystemExit when one is not the same network."""
    names = [OURS, *(name for name in (*NETWORKS[network].against, EIGEN) if name in options.against)]
    pairs = [(precision, name) for precision in options.precisions for name in names]
    field = [Competitor(network, precision, name, options.limit) for precision, name in pairs]
    libraries = [name for name, library in PEAKS.items() if library == "tensorflow" or options.against != [EIGEN]]
    peaks = [Peak(network, precision, name, options.limit) for precision in options.precisions for name in libraries]
    try:
        _check(field)
        for number in range(options.rounds):
            for competitor in (*field, *peaks):
                competitor.turn(options.steps)
            print(f"{network}: round {number + 1} of {options.rounds}", file=sys.stderr)
    finally:
        for competitor in (*field, *peaks):
            competitor.stop()
    best = {p: max(max(peak.gflops) for peak in peaks if peak.precision == p) for p in options.precisions}
    shared = {"network": network, "limit": options.limit, "convolution_gflop": field[0].facts["convolution_gflop"]}
    return [
        {
            "competitor": c.name,
            "precision": c.precision,
            "peak_gflops": best[c.precision],
            **shared,
            **c.facts,
            **c.rounds,
        }
        for c in field
    ]


def table(results: list[dict[str, Any]]) -> str:
    """Median and quartiles of all steps in milliseconds, and how many times ours: median and range over the rounds.

    Last come the convolutions of a step over its median wall time, and their share of the peak, for the same networks.
    """
    clocks = f"{'ms':>8} {'quartiles':>14} {'ratio to ours':>20}   "
    heads = f"{'network':10} {'precision':9} {'competitor':11} {'parameters':>10}   {clocks}processor {clocks}"
    lines = [f"{heads}{'GFLOP/s':>8}     of peak"]
    ours = {(r["network"], r["precision"]): r for r in results if r["competitor"] == OURS}
    for result in results:
        own = ours[result["network"], result["precision"]]
        words = (
            f"{result['network']:10} {result['precision']:9} {result['competitor']:11} {result['parameters']:10,}   "
        )
        readings = (_reading(result[clock], own[clock], result is own) for clock in ("seconds", "processor"))
        lines.append((words + "             ".join(readings) + _share_of_peak(result)).rstrip())
    return "\n".join(lines)


def serve(network: str, precision: str, name: str) -> None:
    """Build, warm up and say so; then train as many steps as each line of input asks for, answering their seconds."""
    answers, sys.stdout = sys.stdout, sys.stderr
    if name in PEAKS:
        return _serve_peak(precision, name, answers)
    step, facts = (_ours if name in (OURS, EIGEN) else _theirs)(NETWORKS[network], precision, name)
    for _ in range(2):
        step()
    print(json.dumps(facts), file=answers, flush=True)
    for line in sys.stdin:
        samples = [_timed(step) for _ in range(int(line))]
        wall, processor = zip(*samples, strict=True)
        print(json.dumps({"seconds": wall, "processor": processor}), file=answers, flush=True)
    return None


def _serve_peak(precision: str, library: str, answers: Any) -> None:
    import convolution_peak

    best = convolution_peak.peak(precision, PEAKS[library])
    for _ in chain(["start"], sys.stdin):
        print(json.dumps({"gflops": best()}), file=answers, flush=True)


def _ours(network: Network, precision: str, name: str):
    from unetbench.benchmark.trial.compiled_model import CompiledModel
    from unetbench.core.recipe import Recipe
    from unetbench.core.task import Task
    from unetbench.core.trial import Choice, Trial
    from unetbench.models.anatomy.cost import cost

    precision = {"float32": "float32", "bfloat16": "mixed_bfloat16"}[precision]
    recipe = Recipe(patch=network.patch, batch=network.batch, precision=precision)
    trial = Trial(Choice("cells"), {}, Choice(network.recipe, network.options), Choice("bce_dice"), recipe, 0)
    graph = CompiledModel(trial, Task(len(network.patch), network.channels, ("foreground",)))
    images, truths = _batch(network)

    def step() -> float:
        return float(graph.model.train_on_batch(images, truths, return_dict=True)["loss"])

    count = cost(graph.model, network.patch)
    gflop = 3 * count.flops * network.batch / 1e9
    return step, {"parameters": count.trainable, "threads": _cores(), "convolution_gflop": gflop}


def _theirs(network: Network, precision: str, name: str):
    import torch
    import torch_networks

    torch.set_num_threads(_cores())
    make = torch_networks.monai if name == "monai" else getattr(torch_networks, network.twin)
    built = make(network.options["width"], network.options["depth"])
    options = {"bfloat16": precision == "bfloat16", "channels_last": name == "pytorch"}
    step = torch_networks.Step(built, *_batch(network), **options)
    return step, {"parameters": step.count(), "threads": torch.get_num_threads()}


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


def _share_of_peak(result: dict[str, Any]) -> str:
    if result["competitor"] == "monai":  # another network
        return ""
    rate = result["convolution_gflop"] / median(seconds for turn in result["seconds"] for seconds in turn)
    return f"   {rate:8.0f} {rate / result['peak_gflops']:8.0%} of {result['peak_gflops']:.0f}"


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
    parser.add_argument("--against", default=["pytorch", "monai"], help=f"of {', '.join(AGAINST)}", **words)
    parser.add_argument("--limit", choices=list(LIMITS), default="", help="instruction sets that all may use at most")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=3, help="timed steps of one turn")
    parser.add_argument("--json", type=Path, help="where to write every measured step")
    options = parser.parse_args()
    for name, known in (("networks", NETWORKS), ("precisions", PRECISIONS), ("against", AGAINST)):
        wrong = sorted(set(getattr(options, name)) - set(known))
        if wrong:
            parser.error(f"--{name}: {', '.join(wrong)} is unknown; there are {', '.join(known)}")
    return options


if __name__ == "__main__":
    main()
