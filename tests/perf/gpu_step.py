"""Our networks in JAX beside the same ones under torch.compile, both in bfloat16 on one GPU, in under eight minutes.

    python tests/perf/gpu_step.py [--networks 2d,3d] [--sides ours,torch] [--runs 2] [--limit-s 450] [--json FILE]
    python tests/perf/gpu_step.py --small      # the same path on a processor, small sizes, about two minutes

Networks: the half-width U-Net on 16 patches of 256² with 3 channels, and the 3D U-Net at half width on 4 patches of
64×128×128. Ours are the recipes `unet` (32 to 512 filters) and `unet_3d` as a sweep trains them (`CompiledModel`,
mixed_bfloat16); theirs are written in PyTorch (`torch_networks.py`), under torch.compile and autocast, fused Adam,
channels last or first, whichever a few eager steps show to be faster. Same loss (BCE + Dice), same number of
parameters, or the script ends.

Each side runs in a process of its own, one after the other, and each of them twice:

- a training step from arrays on the device to updated weights, and a loss that was read: seconds of single steps;
- the most memory that arrays took on the device while it trained (without a GPU: that of the process);
- inference of 1 and 16 images from host memory to logits in host memory: seconds of single calls;
- a digest of the weights after the steps and of the logits. Two runs with the same bits have the same digests. The
  second run takes compiled programs from the caches of the first, so that it says nothing of how programs are chosen.

What does not fit into the time is left out and named. A ratio above 1 says that ours is faster.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

OURS, THEIRS = "ours", "torch"


@dataclass(frozen=True)
class Work:
    """A network at a size: our recipe, its options, its twin in `torch_networks`, and how often it is run."""

    recipe: str
    options: dict[str, int]
    twin: str
    patch: tuple[int, ...]
    channels: int
    batch: int
    inference: tuple[int, ...] = (1, 16)
    warmup: int = 4
    steps: int = 20


WORKS = {
    "2d": Work("unet", {"width": 32, "depth": 4}, "plain", (256, 256), 3, 16),
    "3d": Work("unet_3d", {"width": 32, "depth": 3}, "volume", (64, 128, 128), 1, 4),
}

SMALL: dict[str, dict[str, Any]] = {"2d": {"patch": (32, 32)}, "3d": {"patch": (8, 16, 16)}}
FEW: dict[str, Any] = {"options": {"width": 4, "depth": 2}, "batch": 2, "inference": (1, 2), "warmup": 1, "steps": 2}


def main() -> None:
    """Run what the command line asks for, print a table, write the raw seconds."""
    if sys.argv[1:2] == ["--child"]:
        return serve(sys.argv[2], sys.argv[3], small=sys.argv[4] == "small")
    options = _options()
    end = time.monotonic() + options.limit_s
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as caches:
        for run in range(options.runs):
            for network in options.networks:
                for side in options.sides:
                    about = {"network": network, "side": side, "run": run}
                    found.append({**about, **_child(network, side, options, Path(caches), end - time.monotonic())})
                    print(f"{network} {side} run {run + 1}: {_brief(found[-1])}", file=sys.stderr)
                    if options.json:
                        options.json.write_text(json.dumps({"small": options.small, "runs": found}, indent=1))
    _check(found)
    print(table(found))
    return None


def table(found: Sequence[dict[str, Any]]) -> str:
    """Medians of the first run of each side, their ratio, and whether two runs gave the same bits."""
    lines = []
    for network in dict.fromkeys(run["network"] for run in found):
        sides = {run["side"]: run for run in found if run["network"] == network and run["run"] == 0 and "step_s" in run}
        lines.append(f"{network}: " + "; ".join(f"{side}: {run['about']}" for side, run in sides.items()))
        rows = {"training step [ms]": lambda run: 1e3 * median(run["step_s"])}
        rows |= {"peak memory in training [GB]": lambda run: run["peak_bytes"] / 1e9}
        batches = dict.fromkeys(batch for run in sides.values() for batch in run["inference_s"])
        rows |= {f"inference of {n} [ms]": lambda run, n=n: 1e3 * median(run["inference_s"][n]) for n in batches}
        for title, read in rows.items():
            values = {side: read(run) for side, run in sides.items()}
            text = "".join(f"{side} {value:10.2f}   " for side, value in values.items())
            ratio = f"ratio {values[THEIRS] / values[OURS]:.2f}" if len(values) == 2 else ""
            lines.append(f"  {title:30} {text}{ratio}".rstrip())
        for side in sides:
            lines.append(f"  same bits in two runs, {side}: {_same_bits(network, side, found)}")
    problems = [
        f"  {run['network']} {run['side']} run {run['run'] + 1}: {run['problem']}" for run in found if "problem" in run
    ]
    return "\n".join([*lines, *(["left out:", *problems] if problems else [])])


def serve(network: str, side: str, *, small: bool) -> None:
    """Train, then predict, and print what was measured as JSON."""
    answers, sys.stdout = sys.stdout, sys.stderr
    work = replace(WORKS[network], **SMALL[network], **FEW) if small else WORKS[network]
    found = (_ours if side == OURS else _theirs)(work)
    print(json.dumps(found), file=answers, flush=True)


def _child(network: str, side: str, options: argparse.Namespace, caches: Path, left_s: float) -> dict[str, Any]:
    if left_s < 5:
        return {"problem": f"no time left of {options.limit_s:g} s"}
    words = [sys.executable, __file__, "--child", network, side, "small" if options.small else "full"]
    environment = {
        **os.environ,
        "KERAS_BACKEND": "jax",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",  # else the peak is what it reserves
        "JAX_COMPILATION_CACHE_DIR": str(caches / "jax"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "TORCHINDUCTOR_CACHE_DIR": str(caches / "torch"),
    }
    if options.small:
        environment |= {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}
    try:
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=left_s, check=False)
    except subprocess.TimeoutExpired:
        return {"problem": f"not ready within the {left_s:.0f} s that were left"}
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        return {"problem": f"ended with {done.returncode}: {said[-1] if said else ''}"}
    return json.loads(done.stdout.splitlines()[-1])


def _ours(work: Work) -> dict[str, Any]:
    import jax
    import numpy as np

    from unetbench.benchmark.records.machine import versions
    from unetbench.benchmark.trial import device
    from unetbench.benchmark.trial.compiled_model import CompiledModel
    from unetbench.core import memory
    from unetbench.core.recipe import Recipe
    from unetbench.core.task import Task
    from unetbench.core.trial import Choice, Trial

    recipe = Recipe(patch=work.patch, batch=work.batch, precision="mixed_bfloat16")
    choice = Choice(work.recipe, dict(work.options))
    trial = Trial(Choice("cells"), {}, choice, Choice("bce_dice"), recipe, 0, backend="jax")
    graph = CompiledModel(trial, Task(len(work.patch), work.channels, ("foreground",)))
    images, truths = map(jax.device_put, _batch(work, work.batch))

    def step() -> float:
        return float(graph.model.train_on_batch(images, truths, return_dict=True)["loss"])

    first, seconds = _train(step, work)
    peak = device.peak_bytes() or memory.lifetime_peak_bytes()
    graph.model.jax_state_sync()
    found = {"first_step_s": first, "step_s": seconds, "peak_bytes": peak}
    found |= {"weights": _digest(graph.get_weights()), **_infer(work, graph.forward)}
    parameters = sum(int(np.prod(weight.shape)) for weight in graph.model.trainable_weights)
    about = f"JAX {versions('jax')['jax']} on {device.name()}"
    return {**found, "parameters": parameters, "about": about}


def _theirs(work: Work) -> dict[str, Any]:
    import torch
    import torch_networks

    from unetbench.core import memory

    where = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cudnn.benchmark = True
    make = getattr(torch_networks, work.twin)

    def network() -> Any:
        torch.manual_seed(0)
        return make(work.options["width"], work.options["depth"]).to(where)

    layout = _faster_layout(torch_networks, network, work, where)
    compiled = torch.compile(network().to(memory_format=layout), dynamic=False)
    step = torch_networks.DeviceStep(compiled, *_batch(work, work.batch), device=where, layout=layout)
    if where == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    first, seconds = _train(step, work)
    peak = torch.cuda.max_memory_allocated() if where == "cuda" else memory.lifetime_peak_bytes()
    found = {"first_step_s": first, "step_s": seconds, "peak_bytes": peak}
    found |= {"weights": _digest(weight.detach().float().cpu().numpy() for weight in step.network.parameters())}
    compiled.eval()
    found |= _infer(work, step.predict)
    name = torch.cuda.get_device_name(0) if where == "cuda" else "the processor"
    about = f"PyTorch {torch.__version__}, compiled, {str(layout).removeprefix('torch.')}, on {name}"
    return {**found, "parameters": step.count(), "about": about}


def _faster_layout(torch_networks: Any, network: Callable[[], Any], work: Work, where: str) -> Any:
    """Channels last or first, by the median of three eager steps after one."""
    import torch

    times = {}
    for layout in ({2: torch.channels_last, 3: torch.channels_last_3d}[len(work.patch)], torch.contiguous_format):
        built = network().to(memory_format=layout)
        step = torch_networks.DeviceStep(built, *_batch(work, work.batch), device=where, layout=layout)
        times[layout] = median([_timed(step) for _ in range(4)][1:])
    return min(times, key=lambda layout: times[layout])


def _train(step: Callable[[], float], work: Work) -> tuple[float, list[float]]:
    first = _timed(step)
    for _ in range(work.warmup):
        step()
    return first, [_timed(step) for _ in range(work.steps)]


def _infer(work: Work, predict: Callable[[Any], Any]) -> dict[str, Any]:
    seconds, logits = {}, []
    for count in work.inference:
        images, _ = _batch(work, count)
        logits.append(predict(images))
        for _ in range(work.warmup):
            predict(images)
        seconds[str(count)] = [_timed(lambda images=images: predict(images)) for _ in range(work.steps)]
    return {"inference_s": seconds, "logits": _digest(logits)}


def _timed(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _batch(work: Work, count: int) -> tuple[Any, Any]:
    import numpy as np

    images = np.random.default_rng(0).standard_normal((count, *work.patch, work.channels), np.float32)
    return images, (images[..., :1] > 0.5).astype("uint8")


def _digest(arrays: Any) -> str:
    import numpy as np

    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()[:16]


def _same_bits(network: str, side: str, found: Sequence[dict[str, Any]]) -> str:
    runs = [run for run in found if (run["network"], run["side"]) == (network, side) and "weights" in run]
    if len(runs) < 2:
        return "not known, for it ran once"
    words = {True: "yes", False: "no"}
    return ", ".join(f"{what} {words[len({run[what] for run in runs}) == 1]}" for what in ("weights", "logits"))


def _brief(run: dict[str, Any]) -> str:
    return run.get("problem") or f"{1e3 * median(run['step_s']):.2f} ms a step, first {run['first_step_s']:.1f} s"


def _check(found: Sequence[dict[str, Any]]) -> None:
    for network in WORKS:
        counts = {run["parameters"] for run in found if run["network"] == network and "parameters" in run}
        if len(counts) > 1:
            raise SystemExit(f"{network}: the sides have {sorted(counts)} parameters, so they are not one network")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words = {"type": lambda text: text.split(",")}
    parser.add_argument("--networks", default=list(WORKS), help=f"of {', '.join(WORKS)}", **words)
    parser.add_argument("--sides", default=[OURS, THEIRS], help=f"of {OURS}, {THEIRS}", **words)
    parser.add_argument("--runs", type=int, default=2, help="processes of each side")
    parser.add_argument("--limit-s", type=float, default=450.0, help="seconds for all")
    parser.add_argument("--small", action="store_true", help="small sizes on the processor")
    parser.add_argument("--json", type=Path, help="where to write every measured second")
    options = parser.parse_args()
    for name, known in (("networks", WORKS), ("sides", (OURS, THEIRS))):
        wrong = sorted(set(getattr(options, name)) - set(known))
        if wrong:
            parser.error(f"--{name}: {', '.join(wrong)} is unknown; there are {', '.join(known)}")
    if THEIRS in options.sides and importlib.util.find_spec("torch") is None:
        parser.error("--sides: torch is not installed; pip install torch, or --sides ours")
    return options


if __name__ == "__main__":
    main()
