"""A sweep whose drivers and workers are killed at random moments ends with the records of an undisturbed one."""

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from unetbench.benchmark.records.store import read, records
from unetbench.core.errors import StoreError

FAULTY = Path(__file__).parents[1] / "faulty_parts.py"

pytestmark = pytest.mark.slow

COMPARED = ("status", "reason", "history", "selection", "scores", "prediction", "task")

IN_PARTS = ("micro_batch", "batch_statistics", "micro_because", "out_of_memory")

LOSSES = ["bce_dice", "turns_nan", {"name": "takes_room", "cases": 2}]
"""The second fails always, the third is done once its batches of four are computed in parts of two."""

IGNORED = re.compile(r"Exception ignored in: .*?KeyboardInterrupt: ?\n", re.DOTALL)
"""What Python prints of a signal that meets it in a callback of a library, as one of jax that tidies up."""

OFTEN = """
import os
import resource

from unetbench.benchmark.trial import train

train.SAVE_EVERY_S = 0.2
if os.environ.get("UNETBENCH_TEST_FULL"):
    resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, resource.RLIM_INFINITY))
"""
"""Five checkpoints a second, so that many are met; and where a disk is to be full, no room for any, nor for records."""


def _call(folder, sweep):
    plugins = ["--plugin", str(FAULTY), "--plugin", str(sweep.with_name("often.py"))]
    words = ["run", str(sweep), *plugins, "--results", str(folder), "--no-report"]
    return [sys.executable, "-c", "import sys; from unetbench.benchmark.cli import main; sys.exit(main())", *words]


def _begin(folder, sweep, *, full, events):
    with events.with_suffix(".stderr").open("w", encoding="utf-8") as stderr:
        return subprocess.Popen(
            [*_call(folder, sweep), "--events", str(events)],
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            env={**os.environ, "UNETBENCH_TEST_FULL": "1" if full else ""},
        )


def _damaged_folder(root):
    """Nine images with their masks; one is cut short."""
    (root / "img").mkdir(parents=True)
    (root / "lab").mkdir()
    for index in range(9):
        truth = np.zeros((40, 44), np.uint8)
        truth[5:12, 3 + index : 20 + index] = 255
        noise = np.random.default_rng(index).integers(0, 60, truth.shape)
        cv2.imwrite(str(root / "img" / f"{index}.png"), (truth // 2 + noise).astype(np.uint8))
        cv2.imwrite(str(root / "lab" / f"{index}.png"), truth)
    image = root / "img" / "3.png"
    image.write_bytes(image.read_bytes()[:200])


def _facts(folder):
    """What must be equal, by trial, without the clock."""
    found = {}
    for record in records(folder):
        facts = {name: getattr(record, name) for name in COMPARED}
        facts["history"] = [
            {name: value for name, value in row.items() if not name.endswith("_s")} for row in record.history
        ]
        facts["training"] = {name: value for name, value in record.training.items() if name in IN_PARTS}
        found[record.trial.id] = facts
    return found


def _done(folder):
    """How many trials are done, by the records that can be read."""
    count = 0
    for file in folder.glob("records/*/*.json"):
        with contextlib.suppress(StoreError, FileNotFoundError):
            count += read(file).status == "done"
    return count


def _moment(events, target, number):
    """A line about a kill: whom it meets, and what that driver told last."""
    lines = events.read_text("utf-8").splitlines() if events.exists() else []
    last = json.loads(lines[-1]) if lines and lines[-1].endswith("}") else {"event": "nothing"}
    told = " ".join(str(last[name]) for name in ("event", "phase", "epoch") if name in last)
    return f"{signal.Signals(number).name} to {target} after: {told}"


def _cut(folder, kind, draw):
    """Cut a file of a kind short, which may be gone meanwhile; how many were cut."""
    files = [file for file in folder.glob(f"{kind}/*/*") if file.name[0] != "." and ".damaged" not in file.name]
    for file in draw.sample(sorted(files), min(1, len(files))):
        with contextlib.suppress(FileNotFoundError):
            os.truncate(file, draw.randrange(min(1000, file.stat().st_size or 1)))
            return 1
    return 0


@pytest.fixture(scope="module")
def quiet(tmp_path_factory, write_sweep):
    """The sweep's file, what its records say when nothing disturbs it, and the seconds that it takes."""
    root = tmp_path_factory.mktemp("storm")
    (root / "often.py").write_text(OFTEN, "utf-8")
    _damaged_folder(root / "damaged")
    folder = {"folder": "damaged", "images": "img/*", "masks": "lab/*", "classes": ["square"]}
    recipe = {"patch": [64, 64], "batch": 4, "epochs": 300}
    datasets = [{"name": "cells", "count": 12, "size": [64, 64]}, {**folder, "recipe": {"patch": [32, 32]}}]
    sweep = write_sweep(root, "storm", datasets=datasets, losses=LOSSES, recipe=recipe, seeds=2)
    begun = time.monotonic()
    process = subprocess.run(_call(root / "quiet", sweep), capture_output=True, text=True, check=False)
    assert process.returncode == 1, process.stderr
    expected = _facts(root / "quiet/storm")
    assert Counter(facts["status"] for facts in expected.values()) == {"done": 4, "failed": 8}
    seconds = time.monotonic() - begun
    print(f"undisturbed: {seconds:.0f} s")
    return sweep, expected, seconds


@pytest.mark.parametrize("seed", range(3))
def test_random_kills_of_two_drivers_and_their_workers_change_nothing(tmp_path, quiet, seed):
    """With full disks, files cut short, a damaged image, a loss that turns NaN and one that takes too much room.

    Each driver has a disk without room one time in four; a driver or its worker is killed about eight times in what
    the sweep takes undisturbed, and sometimes a checkpoint, a record or a claim is cut.
    """
    draw, moments, cut, begun = random.Random(seed), [], Counter(), time.monotonic()
    (sweep, expected, seconds), place = quiet, tmp_path / "storm"
    drivers, count, end = {}, 0, begun + 900
    while time.monotonic() < end and _done(place) < 4:
        drivers = {driver: events for driver, events in drivers.items() if driver.poll() is None}
        while len(drivers) < 2:
            events, count = tmp_path / f"events-{count}.jsonl", count + 1
            drivers[_begin(tmp_path, sweep, full=draw.random() < 0.25, events=events)] = events
        time.sleep(draw.uniform(0.06, 0.18) * seconds)
        victim = draw.choice(list(drivers))
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):  # it ended by itself
            workers = psutil.Process(victim.pid).children()
            target = draw.choice([victim.pid, *[worker.pid for worker in workers]])
            number = draw.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGUSR1])
            moments.append(_moment(drivers[victim], "driver" if target == victim.pid else "worker", number))
            os.kill(target, number)
        for kind, share in {"checkpoints": 0.1, "records": 0.15, "claims": 0.05}.items():
            cut[kind] += _cut(place, kind, draw) if draw.random() < share else 0
    for driver in drivers:
        driver.wait(600)
    last = subprocess.run(_call(tmp_path, sweep), capture_output=True, text=True, check=False)
    assert last.returncode == 1, last.stderr
    resumed = sum(file.read_text("utf-8").count('"event": "resume"') for file in tmp_path.glob("events-*.jsonl"))
    text = f"seed {seed}: {time.monotonic() - begun:.0f} s, {len(moments)} kills, {resumed} resumed, cut: {dict(cut)}"
    print(text, *moments, sep="\n")
    told = [file.read_text("utf-8").rstrip() for file in tmp_path.glob("*.stderr")]
    told = [IGNORED.sub("", text) for text in told]
    assert not [text for text in told if "Traceback" in text and not text.endswith("KeyboardInterrupt")]
    assert len(moments) > 3
    assert resumed > 0
    assert _facts(place) == expected
    assert len(list(records(place))) == len(expected)
    assert not [file for file in place.glob("records/*/*") if file.suffix not in (".json", ".damaged")]
    assert not [file for file in place.glob("checkpoints/*/*") if ".damaged" not in file.name]
