"""A sweep survives its trials: errors, deaths, time-outs and unfit models become records, and the rest goes on."""

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from unetbench.benchmark.records.machine import machine
from unetbench.benchmark.records.store import records
from unetbench.benchmark.run import runner as runners
from unetbench.benchmark.run.order import Queue
from unetbench.benchmark.run.progress import Progress
from unetbench.benchmark.run.runner import Runner
from unetbench.benchmark.trial.context import Context
from unetbench.core.recipe import Recipe
from unetbench.core.trial import Choice, Trial
from unetbench.datasets.source import Source

FAULTY = Path(__file__).parents[1] / "faulty_parts.py"


def _by_part(folder):
    return {(r.trial.model.name, r.trial.loss.name, r.trial.seed): r for r in records(folder)}


@pytest.fixture(scope="module")
def survived(tmp_path_factory, command, write_sweep):
    folder = tmp_path_factory.mktemp("survived")
    models = ["raises", "solid_only", "dies", "segfaults", "tiny"]
    sweep = write_sweep(folder, "faults", models=models, losses=["bce_dice", "turns_nan"])
    words = ("run", sweep, "--plugin", FAULTY, "--results", folder, "--set", "datasets.0.count=13")
    return command(*words), _by_part(folder / "faults"), folder, words


def test_every_trial_has_a_record_and_the_exit_status_says_that_some_failed(survived):
    process, found, _, _ = survived
    assert process.returncode == 1, process.stderr
    assert len(found) == 5 * 2


def test_a_sound_trial_after_the_faulty_ones_is_done(survived):
    record = survived[1]["tiny", "bce_dice", 0]
    assert record.status == "done", record.reason
    assert {row["class"] for row in record.scores} == {"nucleus"}
    assert len(record.latency[0]["samples_s"]) == 3
    assert len(record.history) == 2
    assert record.data["train"] + record.data["validation"] + record.data["test"] == 13


def test_an_error_of_a_part_is_one_line_with_its_traceback_beside(survived):
    record = survived[1]["raises", "bce_dice", 0]
    assert (record.status, record.reason) == ("failed", "model raises: RuntimeError: this model is broken")
    assert "faulty_parts.py" in record.traceback


def test_a_model_of_the_wrong_rank_is_unfit(survived):
    record = survived[1]["solid_only", "bce_dice", 0]
    assert (record.status, record.reason) == ("unfit", "solid_only needs rank 3, came rank 2")


def test_a_killed_worker_is_named_with_its_signal(survived):
    record = survived[1]["dies", "bce_dice", 0]
    assert record.status == "failed"
    assert record.reason.startswith("model dies: the worker process was ")
    assert "killed by SIGKILL" in record.reason


def test_a_segmentation_fault_is_named_with_the_line_that_met_it(survived):
    record = survived[1]["segfaults", "bce_dice", 0]
    assert record.status == "failed"
    assert "killed by SIGSEGV; it last said: about to read" in record.reason
    assert record.log[:2] == ["about to read", "Fatal Python error: Segmentation fault"]
    assert any("faulty_parts.py" in line for line in record.log)
    assert len(record.log) <= 20


def test_a_trial_that_takes_too_long_is_timed_out_with_what_it_printed(tmp_path, command, write_sweep):
    sweep = write_sweep(tmp_path, "slow", models=["sleeps", "tiny"], losses=["hangs"])
    process = command("run", sweep, "--plugin", FAULTY, "--results", tmp_path, "--limit", "5")
    assert process.returncode == 1
    found = _by_part(tmp_path / "slow")
    assert {record.status for record in found.values()} == {"timed_out"}
    assert found["sleeps", "hangs", 0].reason == "model sleeps: took longer than 5 s"
    assert found["tiny", "hangs", 0].reason.endswith("took longer than 5 s")
    assert "about to hang" in found["tiny", "hangs", 0].log


def test_a_loss_that_turns_nan_names_the_step_and_the_cases(survived):
    record = survived[1]["tiny", "turns_nan", 0]
    assert record.status == "failed"
    assert record.reason.startswith("loss is nan at step 1 (epoch 1); the batch holds ")


def test_a_second_run_trains_nothing_that_is_done(tmp_path, command, write_sweep):
    sweep = write_sweep(tmp_path, "again", seeds=2)
    words = ("run", sweep, "--plugin", FAULTY, "--results", tmp_path)
    first = command(*words)
    assert first.returncode == 0, first.stderr
    files = sorted((tmp_path / "again" / "records").glob("*/*.json"))
    stamps = [file.stat().st_mtime_ns for file in files]
    second = command(*words)
    assert second.returncode == 0
    assert "2 of 2 trials are settled already" in second.stderr
    assert [file.stat().st_mtime_ns for file in files] == stamps
    # and a reused step gives the bits of a fresh process
    alone = command(*words[:-1], tmp_path / "alone", "--set", "seeds=[1]")
    assert alone.returncode == 0, alone.stderr
    (fresh,) = records(tmp_path / "alone" / "again")
    (reused,) = (record for record in records(tmp_path / "again") if record.trial.id == fresh.trial.id)
    assert [row["loss"] for row in reused.history] == [row["loss"] for row in fresh.history]
    assert [row["val_loss"] for row in reused.history] == [row["val_loss"] for row in fresh.history]
    assert reused.scores == fresh.scores


def test_a_killed_sweep_goes_on_where_it_was(tmp_path, command, write_sweep):
    sweep = write_sweep(tmp_path, "killed", seeds=3)
    words = ["run", str(sweep), "--plugin", str(FAULTY), "--results", str(tmp_path)]
    call = [sys.executable, "-c", "import sys; from unetbench.benchmark.cli import main; sys.exit(main())", *words]
    running = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while not list(tmp_path.glob("killed/records/*/*.json")) and time.monotonic() < end:
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.wait()
    kept = {file: file.read_bytes() for file in tmp_path.glob("killed/records/*/*.json")}
    assert kept
    process = command(*words)
    assert process.returncode == 0, process.stderr
    assert len(list(tmp_path.glob("killed/records/*/*.json"))) == 3
    assert all(file.read_bytes() == content for file, content in kept.items())


@pytest.mark.slow
def test_a_data_set_that_is_not_there_is_one_line_and_the_others_run(tmp_path, command, write_sweep):
    both = [{"name": "cells", "count": 12, "size": [64, 64]}, "wbc"]
    sweep = write_sweep(tmp_path, "half", datasets=both)
    process = command("run", sweep, "--plugin", FAULTY, "--results", tmp_path, "--data", tmp_path, "--no-download")
    assert process.returncode == 1
    assert [line for line in process.stderr.split("\n") if "wbc: " in line and "(1 trials failed)" in line]
    assert sorted(record.status for record in records(tmp_path / "half")) == ["done", "failed"]
    # the failure is not kept once the sweep no longer meets it
    process = command("run", sweep, "--plugin", FAULTY, "--results", tmp_path, "--set", "datasets=[]", "--no-report")
    assert process.returncode == 2
    rest = ("--set", f"datasets={[both[0]]}", "--no-report")
    assert command("run", sweep, "--plugin", FAULTY, "--results", tmp_path, *rest).returncode == 0
    assert [record.status for record in records(tmp_path / "half")] == ["done"]


def test_two_workers_share_the_trials_and_time_nothing(tmp_path, command, write_sweep):
    sweep = write_sweep(tmp_path, "pair", seeds=2)
    process = command("run", sweep, "--plugin", FAULTY, "--results", tmp_path, "--workers", "2", "--no-report")
    assert process.returncode == 0, process.stderr
    found = list(records(tmp_path / "pair"))
    assert [record.status for record in found] == ["done", "done"]
    assert [record.latency for record in found] == [[], []]
    here = machine()  # a worker's share of the threads is noted and makes no other machine
    assert [record.machine for record in found] == [{**here, "threads": max(1, here["cores"] // 2)}] * 2
    assert {file.parent.name for file in (tmp_path / "pair").glob("*/*/*")} == {here["name"]}


@pytest.mark.slow
def test_what_a_settled_trial_lacks_is_told_and_made_when_asked_for(tmp_path, command, write_sweep):
    sweep = write_sweep(tmp_path, "later", models=["tiny"], recipe={"patch": [64, 64], "batch": 4, "epochs": 1})
    words = ("run", sweep, "--plugin", FAULTY, "--results", tmp_path, "--no-report")
    assert command(*words, "--set", "previews=0", "--workers", "2").returncode == 0
    (first,) = records(tmp_path / "later")
    assert first.latency == []
    wanted = (*words, "--set", "weights=true")
    process = command(*wanted)
    assert process.returncode == 0
    assert (
        "unetbench: settled trials: 1 without latency (keras), 1 without weights, 1 without previews; "
        "--retrain-incomplete trains them anew"
    ) in process.stderr
    assert list(records(tmp_path / "later")) == [first]
    assert command(*wanted, "--retrain-incomplete").returncode == 0
    (second,) = records(tmp_path / "later")
    assert second.trial == first.trial
    assert second.scores == first.scores
    assert len(second.latency) == 1
    process = command(*wanted)
    assert "without" not in process.stderr


FULL = """
import resource

from unetbench.benchmark.trial import train

train.SAVE_EVERY_S = 0.0
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_a_disk_without_room_for_checkpoint_and_weights_costs_neither_trial_nor_scores(tmp_path, command, write_sweep):
    """Files end at 40,000 bytes: records are smaller, checkpoint and weights are not."""
    (tmp_path / "full.py").write_text(FULL)
    large = [{"name": "tiny", "width": 512}]
    sweep = write_sweep(tmp_path, "full", models=large, weights=True, previews=0, runtimes=[])
    words = ("run", sweep, "--plugin", FAULTY, "--results", tmp_path, "--no-report")
    process = command(*words, "--plugin", tmp_path / "full.py")
    assert process.returncode == 0, process.stderr
    assert process.stderr.count(f"{Path('full') / 'checkpoints'}") == 1
    assert "not written: File too large" in process.stderr
    (record,) = records(tmp_path / "full")
    assert record.status == "done"
    assert any(note.startswith("weights not written: ") for note in record.data["notes"])
    left = [file for kind in ("checkpoints", "weights") for file in tmp_path.glob(f"full/{kind}/*/*")]
    assert left == []


def test_a_worker_that_has_grown_is_replaced_where_the_next_trial_needs_another_model(tmp_path):
    trial = Trial(Choice("cells"), {"digest": "d"}, Choice("tiny"), Choice("bce"), Recipe((64, 64)), 0)
    same, other = replace(trial, seed=1), replace(trial, loss=Choice("dice"))
    context = Context(Source(None, tmp_path / "cache"), tmp_path, tmp_path / "results", "grown", plugins=(str(FAULTY),))
    runner = Runner(context, progress=Progress(quiet=True))
    runner.progress.begin([same, other], [])
    allowed, kept = runners.GROWTH * machine()["memory_bytes"], []
    with runner.claims:
        for resident, following in ((allowed - 1, other), (allowed + 1, same), (allowed + 1, other)):
            worker = runner.crew.spawn(trial, None)
            worker.before, worker.resident = trial, int(resident)
            workers = [worker]
            runner._assign(Queue([following]), workers, [None])
            kept.append(workers[0] is worker)
            assert workers[0].trial == following
            for begun in {id(one): one for one in (worker, *workers)}.values():
                begun.kill()
            runner.claims.drop(following.id)
    assert kept == [True, True, False]
