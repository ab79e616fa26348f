"""A sweep on workers of dask: the same records as without, whatever happens to workers and drivers."""

import json
import os
import re
import signal
from pathlib import Path
from threading import Event

import psutil
import pytest

from unetbench.benchmark.records.machine import machine
from unetbench.benchmark.records.store import records
from unetbench.benchmark.run.cluster.where import Where
from unetbench.benchmark.trial.context import Context
from unetbench.core.errors import Unavailable
from unetbench.datasets.source import Source

LONG = {"patch": [64, 64], "batch": 4, "epochs": 60}


@pytest.mark.slow
@pytest.mark.parametrize("trials", [1, 2])
def test_two_workers_one_of_which_is_killed_make_the_records_of_a_run_without_dask(
    trials, tmp_path, unetbench, words, claims, facts, until, command, write_sweep
):
    """The other one takes over; with two trials, or one that is begun in its place."""
    sweep = write_sweep(
        tmp_path, "pair", seeds=trials, models=[{"name": "unet", "width": 4, "depth": 2}], recipe=LONG | {"epochs": 25}
    )
    folder = tmp_path / "there/pair"
    driver = unetbench(*words(tmp_path / "there", sweep, "--cluster", "local:2"))
    begun = until(lambda: found if len(found := claims(folder)) == trials else None)
    until(lambda: list(folder.glob("checkpoints/*/*.npz")))
    workers = [psutil.Process(claim["process"]).parent() for claim in begun]
    assert len(set(workers)) == trials
    assert {worker.ppid() for worker in workers} == {driver.pid}
    workers[0].kill()
    told = driver.communicate(timeout=300)[1]
    assert driver.returncode == 0, told
    assert re.search(r"warning: worker tcp:\S+ on \S+ is gone; the trial goes on elsewhere\n", told), told
    assert len(re.findall(r"\] .*: done, Dice 0\.\d+, \d+ (?:s|min), worker tcp:\S+ on \S+\n", told)) == trials, told
    found = list(records(folder))
    assert {file.parent.name for file in folder.glob("records/*/*")} == {machine()["name"]}
    assert {record.machine["threads"] for record in found} == {max(1, machine()["cores"] // 2)}
    assert not any(record.latency for record in found)
    assert not claims(folder)
    assert not list(folder.glob(".cluster-*"))
    assert command(*words(tmp_path / "here", sweep, "--workers", "2")).returncode == 0
    assert facts(found) == facts(records(tmp_path / "here/pair"))


@pytest.mark.slow
def test_what_goes_wrong_in_a_trial_goes_as_without_dask(tmp_path, words, facts, command, write_sweep):
    """An error, a trial that does not fit into memory as a whole, and one that does not in parts either."""
    (tmp_path / "greedy.py").write_text(GREEDY, "utf-8")
    greedy = "--plugin", tmp_path / "greedy.py"
    losses = [{"name": "greedy", "cases": 4}, {"name": "greedy", "cases": 2}]
    recipe = {"patch": [32, 32], "batch": 8, "epochs": 2, "steps": 2}
    sweep = write_sweep(tmp_path, "faults", models=["tiny", "raises"], losses=losses, recipe=recipe)
    there = command(*words(tmp_path / "there", sweep, *greedy, "--cluster", "local:1"))
    assert there.returncode == 1, there.stderr
    assert there.stderr.count("; it is run again in 2 parts a step") == 2, there.stderr
    found = list(records(tmp_path / "there/faults"))
    assert sorted(record.status for record in found) == ["done", "failed", "failed", "failed"]
    (done,) = [record for record in found if record.status == "done"]
    assert (done.training["micro_batch"], done.log) == (4, [])
    assert done.training["micro_because"].startswith("training on 8 patches at once does not fit into memory")
    assert command(*words(tmp_path / "here", sweep, *greedy)).returncode == 1
    assert facts(found) == facts(records(tmp_path / "here/faults"))


GREEDY = """
import numpy as np

from unetbench.losses import LOSSES


@LOSSES.add
def greedy(truth, logits, task, *, cases: int = 4):
    "BCE, and no memory where more cases are computed at once (a test's)."
    import tensorflow as tf

    def one(count):
        if count > cases:
            raise MemoryError("no room")
        return np.float32(1)

    return LOSSES["bce"](truth, logits, task) * tf.numpy_function(one, [tf.shape(logits)[0]], tf.float32)
"""


@pytest.mark.slow
def test_a_trial_that_kills_each_worker_has_failed_after_three(tmp_path, words, claims, command, write_sweep):
    (tmp_path / "deadly.py").write_text(DEADLY.format(folder=str(tmp_path / "results/deadly")), "utf-8")
    sweep = write_sweep(tmp_path, "deadly", losses=["deadly", "bce_dice"])
    folder = tmp_path / "results/deadly"
    process = command(*words(tmp_path / "results", sweep, "--plugin", tmp_path / "deadly.py", "--cluster", "local:1"))
    assert process.returncode == 1, process.stderr
    assert process.stderr.count("is gone; the trial goes on elsewhere") == 2, process.stderr
    failed, done = sorted(records(folder), key=lambda record: record.status == "done")
    assert (failed.status, failed.trial.loss.name, done.status) == ("failed", "deadly", "done")
    assert re.fullmatch(r"worker tcp:\S+ on \S+ is gone", failed.reason)
    assert len((folder / "deaths").read_text()) == 3
    assert not claims(folder)


DEADLY = """
from pathlib import Path

import psutil

from unetbench.losses import LOSSES

folder, killed = Path({folder!r}), []


@LOSSES.add
def deadly(truth, logits, task):
    "BCE, and the end of the dask worker as soon as a trial trains (a test's)."
    import tensorflow as tf

    def step():
        if not killed and list(folder.glob("claims/*/*")):  # not when the loss is tried before
            worker = psutil.Process().parent().parent()
            if "multiprocessing" in " ".join(worker.cmdline()):  # a dask worker, and not who adopts
                killed.append(worker)
                with (folder / "deaths").open("a") as file:
                    file.write("x")
                worker.kill()
        return 0.0

    zero = tf.numpy_function(step, [], tf.float64)
    return LOSSES["bce"](truth, logits, task) + tf.cast(tf.reshape(zero, ()), tf.float32)
"""


@pytest.mark.slow
def test_a_worker_that_does_not_see_the_results_folder_is_refused(tmp_path):
    from unetbench.benchmark.run.cluster.clusters import opened
    from unetbench.benchmark.run.cluster.dask_crew import DaskCrew

    context = Context(Source(None, tmp_path / "cache"), tmp_path, tmp_path, "sweep")
    with opened(Where("local", count=1), "sweep", 1) as cluster, DaskCrew(cluster, context) as crew:
        crew.mark.unlink()
        with pytest.raises(
            Unavailable, match=r"local:1: worker tcp:\S+ on \S+ does not see the results folder .*sweep"
        ):
            crew.wait(Event())


@pytest.fixture
def scheduler(begin, until, tmp_path):
    """A scheduler with a file, and a way to begin a worker of it."""
    file = tmp_path / "scheduler.json"
    begin("-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", file)
    until(file.exists)

    threads = machine()["cores"]  # as a run without dask has them: with fewer, sums are rounded in another order

    def worker(*words, **environment):
        return begin(
            "-m", "distributed.cli.dask_worker", "--scheduler-file", file, "--nthreads", threads, *words, **environment
        )

    return file, worker


@pytest.mark.slow
def test_what_a_killed_driver_began_goes_on_and_the_next_driver_finds_it(
    tmp_path, scheduler, unetbench, words, claims, until, write_sweep
):
    sweep = write_sweep(tmp_path, "orphan", seeds=3, recipe=LONG)
    file, worker = scheduler
    folder = tmp_path / "results/orphan"
    for _ in range(2):
        worker()
    call = words(tmp_path / "results", sweep, "--cluster", json.loads(file.read_text())["address"])
    driver = unetbench(*call)
    begun = until(lambda: found if len(found := claims(folder)) == 2 else None)
    driver.kill()
    driver.wait()
    again = unetbench(*call[:-1], str(file))
    told = again.communicate(timeout=300)[1]
    assert again.returncode == 0, told
    assert [record.status for record in records(folder)] == ["done"] * 3
    assert len(begun) == 2
    assert len(re.findall(r"done, Dice .*, worker tcp:", told)) == 1, told  # the others were done already, or elsewhere
    assert not claims(folder)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGUSR1, 75), (signal.SIGTERM, 130)])
def test_a_driver_that_is_asked_to_end_leaves_checkpoints_and_no_claims(
    number, status, tmp_path, scheduler, unetbench, words, claims, facts, until, command, write_sweep
):
    sweep = write_sweep(tmp_path, "ahead", recipe=LONG)
    file, worker = scheduler
    folder = tmp_path / "there/ahead"
    begun = worker()
    call = words(tmp_path / "there", sweep, "--cluster", str(file))
    driver = unetbench(*call)
    until(lambda: list(folder.glob("checkpoints/*/*.npz")))
    driver.send_signal(number)
    told = driver.communicate(timeout=120)[1]
    assert driver.returncode == status, told
    assert not list(records(folder))
    assert not claims(folder)
    until(lambda: len(psutil.Process(begun.pid).children(recursive=True)) <= 2)  # dask's own
    assert command(*call).returncode == 0
    assert command(*words(tmp_path / "here", sweep)).returncode == 0
    assert facts(records(folder)) == facts(records(tmp_path / "here/ahead"))


@pytest.mark.slow
def test_a_worker_that_closes_leaves_its_trial_with_a_checkpoint(
    tmp_path, scheduler, unetbench, words, claims, until, write_sweep
):
    sweep = write_sweep(tmp_path, "lifetime", recipe=LONG | {"epochs": 400, "stop_patience": 0})
    file, worker = scheduler
    folder = tmp_path / "results/lifetime"
    first = worker("--lifetime", "25 seconds")
    driver = unetbench(*words(tmp_path / "results", sweep, "--cluster", str(file)))
    until(lambda: claims(folder))
    first.wait(120)
    assert not claims(folder)
    assert len(list(folder.glob("checkpoints/*/*.npz"))) == 1
    assert not list(records(folder))
    worker()
    told = driver.communicate(timeout=300)[1]
    assert driver.returncode == 0, told
    (record,) = records(folder)
    assert (record.status, len(record.history)) == ("done", 400)


@pytest.mark.slow
def test_a_worker_with_other_files_fails_the_trial_with_one_line(
    tmp_path, begin, unetbench, words, until, write_sweep, scheduler
):
    sweep = write_sweep(tmp_path, "files", datasets=["drifting"])
    (tmp_path / "drifting.py").write_text(DRIFTING, "utf-8")
    file, worker = scheduler
    worker(SHIFT="1")
    driver = unetbench(
        *words(tmp_path / "results", sweep, "--plugin", tmp_path / "drifting.py", "--cluster", str(file))
    )
    told = driver.communicate(timeout=300)[1]
    assert driver.returncode == 1, told
    (record,) = records(tmp_path / "results/files")
    assert record.status == "failed"
    assert record.reason.startswith("drifting: its files are not those that the sweep was planned with; ")
    assert f"{os.uname().nodename} has others in that place" in record.reason
    assert not record.traceback


DRIFTING = """
import os
from dataclasses import replace

from unetbench.datasets import DATASETS


@DATASETS.add
def drifting(source):
    "Cells, in other cases where SHIFT says so (a test's)."
    found = DATASETS["cells"](source, count=12, size=[64, 64])
    shift = os.environ.get("SHIFT", "")
    return replace(found, cases=tuple(replace(case, name=case.name + shift) for case in found.cases))
"""


@pytest.mark.slow
def test_the_jobs_of_a_queue_run_a_sweep_and_a_job_that_is_killed_is_sent_again(
    tmp_path, monkeypatch, unetbench, words, claims, until, write_sweep
):
    """With a queue of two shell scripts, which begin and end processes here."""
    jobs = tmp_path / "jobs"
    jobs.mkdir()
    for name, text in QUEUE.items():
        (tmp_path / name).write_text(text.format(jobs=jobs), "utf-8")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "configuration").mkdir()
    (tmp_path / "configuration/jobqueue.yaml").write_text(CONFIGURATION, "utf-8")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("DASK_CONFIG", str(tmp_path / "configuration"))
    sweep = write_sweep(tmp_path, "jobs", seeds=2, recipe=LONG)
    folder = tmp_path / "results/jobs"
    driver = unetbench(*words(tmp_path / "results", sweep, "--cluster", "slurm:2"))
    until(lambda: list(folder.glob("checkpoints/*/*.npz")))
    first = sorted(jobs.glob("*.pid"))[0]
    os.killpg(int(first.read_text()), signal.SIGKILL)
    told = driver.communicate(timeout=400)[1]
    assert driver.returncode == 0, told
    assert [record.status for record in records(folder)] == ["done"] * 2
    assert len(list(jobs.glob("*.pid"))) >= 2
    assert not claims(folder)
    until(lambda: not [pid for pid in jobs.glob("*.pid") if _runs(pid)])


QUEUE = {
    "sbatch": """#!/bin/bash
job=$(date +%s%N)
cp "$1" {jobs}/$job.sh
setsid bash {jobs}/$job.sh > {jobs}/$job.out 2>&1 < /dev/null &
echo $! > {jobs}/$job.pid
echo "Submitted batch job $job"
""",
    "scancel": """#!/bin/bash
kill -TERM -- -$(cat {jobs}/$1.pid)
""",
}

CONFIGURATION = """
jobqueue:
  slurm:
    cores: 1
    memory: 4GB
    interface: lo
distributed:
  deploy:
    lost-worker-timeout: 5s
"""


def _runs(pid: Path) -> bool:
    return psutil.pid_exists(int(pid.read_text())) and psutil.Process(int(pid.read_text())).status() != "zombie"
