"""A sweep whose drivers and workers are killed at random moments ends with the records of an undisturbed one."""

import contextlib
import os
import random
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

from unetbench.benchmark.records.claims import Claims
from unetbench.benchmark.records.store import records

FAULTY = Path(__file__).parents[1] / "faulty_parts.py"

pytestmark = pytest.mark.slow

COMPARED = ("status", "reason", "history", "selection", "scores", "prediction", "task")

IN_PARTS = ("micro_batch", "batch_statistics", "micro_because", "out_of_memory")

LOSSES = ["bce_dice", "turns_nan", {"name": "takes_room", "cases": 2}]
"""The second fails always, the third is done once its batches of four are computed in parts of two."""

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


def _begin(folder, sweep, *, full):
    return subprocess.Popen(
        _call(folder, sweep),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
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
    return {key for key, facts in _facts(folder).items() if facts["status"] == "done"}


def _moment(folder, target, number):
    """A line about a kill: whom it meets, and how far the trials under way are."""
    claims = [claim for place in folder.glob("claims/*") for claim in Claims(place).all() if claim.alive]
    return f"{signal.Signals(number).name} to {target}; {[claim.progress or 'begun' for claim in claims]}"


def _cut_checkpoints(folder, draw):
    """Cut the checkpoints that are there short; how many there were."""
    files = [file for file in folder.glob("checkpoints/*/*.npz") if ".damaged" not in file.name and file.name[0] != "."]
    for file in files:
        file.write_bytes(file.read_bytes()[: draw.randrange(1000)])
    return len(files)


@pytest.mark.parametrize("seed", range(3))
def test_random_kills_of_two_drivers_and_their_workers_change_nothing(tmp_path, write_sweep, seed):
    """With full disks, checkpoints cut short, a damaged image, a loss that turns NaN and one that takes too much room.

    Each driver has a disk without room one time in four; the drivers or their workers are killed every 7 seconds.
    """
    draw, moments, cut = random.Random(seed), [], 0
    (tmp_path / "often.py").write_text(OFTEN, "utf-8")
    _damaged_folder(tmp_path / "damaged")
    folder = {"folder": "damaged", "images": "img/*", "masks": "lab/*", "classes": ["square"]}
    recipe = {"patch": [64, 64], "batch": 4, "epochs": 300}
    datasets = [{"name": "cells", "count": 12, "size": [64, 64]}, {**folder, "recipe": {"patch": [32, 32]}}]
    sweep = write_sweep(tmp_path, "storm", datasets=datasets, losses=LOSSES, recipe=recipe, seeds=2)
    quiet = subprocess.run(_call(tmp_path / "quiet", sweep), capture_output=True, text=True, check=False)
    assert quiet.returncode == 1, quiet.stderr
    expected = _facts(tmp_path / "quiet/storm")
    assert Counter(facts["status"] for facts in expected.values()) == {"done": 4, "failed": 8}
    drivers, end, place = [], time.monotonic() + 900, tmp_path / "storm/storm"
    while time.monotonic() < end and len(_done(place)) < 4:
        drivers = [driver for driver in drivers if driver.poll() is None]
        while len(drivers) < 2:
            drivers.append(_begin(tmp_path / "storm", sweep, full=draw.random() < 0.25))
        time.sleep(draw.uniform(2, 12))
        victim = draw.choice(drivers)
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):  # it ended by itself
            workers = psutil.Process(victim.pid).children()
            target = draw.choice([victim.pid, *[worker.pid for worker in workers]])
            number = draw.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGUSR1])
            moments.append(_moment(place, "driver" if target == victim.pid else "worker", number))
            os.kill(target, number)
        if draw.random() < 0.2:
            cut += _cut_checkpoints(place, draw)
    for driver in drivers:
        driver.wait(600)
    last = subprocess.run(_call(tmp_path / "storm", sweep), capture_output=True, text=True, check=False)
    assert last.returncode == 1, last.stderr
    print(f"seed {seed}: {len(moments)} kills, {cut} checkpoints cut", *moments, sep="\n")
    assert len(moments) > 3
    assert _facts(place) == expected
    assert not [file for file in place.glob("records/*/*") if file.suffix != ".json"]
    assert not [file for file in place.glob("checkpoints/*/*") if ".damaged" not in file.name]
