"""A sweep whose drivers and workers are killed at random moments ends with the records of an undisturbed one."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from unetbench.benchmark.records.store import records

FAULTY = Path(__file__).parents[1] / "faulty_parts.py"

pytestmark = pytest.mark.slow

COMPARED = ("status", "reason", "history", "selection", "scores", "prediction", "task")


OFTEN = """
from unetbench.benchmark.trial import train

train.SAVE_EVERY_S = 0.2
"""


def _call(folder, sweep):
    plugins = ["--plugin", str(FAULTY), "--plugin", str(sweep.with_name("often.py"))]
    words = ["run", str(sweep), *plugins, "--results", str(folder), "--no-report"]
    return [sys.executable, "-c", "import sys; from unetbench.benchmark.cli import main; sys.exit(main())", *words]


def _facts(folder):
    """What must be equal, by trial, without the clock."""
    found = {}
    for record in records(folder):
        facts = {name: getattr(record, name) for name in COMPARED}
        facts["history"] = [
            {name: value for name, value in row.items() if not name.endswith("_s")} for row in record.history
        ]
        found[record.trial.id] = facts
    return found


@pytest.mark.parametrize("seed", range(3))
def test_random_kills_of_two_drivers_and_their_workers_change_nothing(tmp_path, write_sweep, seed):
    """Also their checkpoints are cut short at times; they save five a second, so that many are met."""
    draw = random.Random(seed)
    (tmp_path / "often.py").write_text(OFTEN, "utf-8")
    sweep = write_sweep(tmp_path, "storm", recipe={"patch": [64, 64], "batch": 4, "epochs": 150}, seeds=4)
    quiet = subprocess.run(_call(tmp_path / "quiet", sweep), capture_output=True, text=True, check=False)
    assert quiet.returncode == 0, quiet.stderr
    drivers, kills = [], 0
    end = time.monotonic() + 900
    while time.monotonic() < end:
        drivers = [driver for driver in drivers if driver.poll() is None]
        if [facts["status"] for facts in _facts(tmp_path / "storm/storm").values()] == ["done"] * 4:
            break
        while len(drivers) < 2:
            drivers.append(
                subprocess.Popen(_call(tmp_path / "storm", sweep), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            )
        time.sleep(draw.uniform(1, 12))
        victim = draw.choice(drivers)
        if victim.poll() is None:
            workers = psutil.Process(victim.pid).children()
            target = draw.choice([victim.pid, *[worker.pid for worker in workers]])
            os.kill(target, draw.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGUSR1]))
            kills += 1
        if draw.random() < 0.2:
            for file in tmp_path.glob("storm/storm/checkpoints/*/*.npz"):
                if not file.name.startswith(".") and "damaged" not in file.name:
                    file.write_bytes(file.read_bytes()[: draw.randrange(1000)])
    for driver in drivers:
        driver.wait(120)
    last = subprocess.run(_call(tmp_path / "storm", sweep), capture_output=True, text=True, check=False)
    assert last.returncode == 0, last.stderr
    assert kills > 3
    assert _facts(tmp_path / "storm/storm") == _facts(tmp_path / "quiet/storm")
    assert not [file for file in tmp_path.glob("storm/storm/records/*/*") if file.suffix != ".json"]
