"""What does not fit into memory is run once more in parts of the batch; what is killed by hand is not."""

import multiprocessing
import signal
import time
from pathlib import Path

import pytest

from unetbench.benchmark.records.store import records
from unetbench.benchmark.run import worker_process
from unetbench.benchmark.run.worker_process import WorkerProcess
from unetbench.core.recipe import Recipe
from unetbench.core.trial import Choice, Trial

FAULTY = Path(__file__).parents[1] / "faulty_parts.py"

COUNTED = """
import os
from pathlib import Path

from unetbench.benchmark.run import worker_process

worker_process.kernel_kills = lambda: int(Path(os.environ["UNETBENCH_TEST_KILLS"]).read_text())
"""

LOSSES = [{"name": "takes_room", "cases": 4}, {"name": "takes_room", "cases": 2}, "killed_by_kernel"]


@pytest.fixture(scope="module")
def ran(tmp_path_factory, command, write_sweep):
    folder, patch = tmp_path_factory.mktemp("memory"), pytest.MonkeyPatch()
    (folder / "counted.py").write_text(COUNTED)
    (folder / "kills").write_text("0")
    patch.setenv("UNETBENCH_TEST_KILLS", str(folder / "kills"))
    recipe = {"patch": [32, 32], "batch": 8, "epochs": 2, "steps": 2}
    sweep = write_sweep(folder, "large", losses=LOSSES, recipe=recipe)
    plugins = ("--plugin", FAULTY, "--plugin", folder / "counted.py")
    process = command("run", sweep, *plugins, "--results", folder, "--workers", "2")
    patch.undo()
    return process, {r.trial.loss.label: r for r in records(folder / "large")}, folder / "large"


@pytest.mark.slow
def test_what_fits_in_parts_is_done_and_its_record_says_so(ran):
    record = ran[1]["takes_room"]
    assert record.status == "done", record.reason
    told = record.training
    assert (told["batch"], told["micro_batch"], told["batch_statistics"]) == (8, 4, True)
    assert told["micro_because"].startswith(
        "training on 8 patches at once does not fit into memory: ResourceExhaustedError: "
    )
    assert record.trial.recipe.accumulate == "auto"
    assert record.log == []


@pytest.mark.slow
def test_what_does_not_fit_in_parts_either_is_a_failure_with_its_mend_and_last_lines(ran):
    record = ran[1]["takes_room(cases=2)"]
    assert record.status == "failed"
    assert record.reason.startswith("training on 4 patches at once does not fit into memory: ResourceExhaustedError: ")
    assert "; set recipe.accumulate: 4, or a smaller recipe.batch or recipe.patch, or take a " in record.reason
    assert record.training["out_of_memory"] == 4
    assert record.training["micro_because"].startswith("training on 8 patches at once")
    assert "room for 2" in record.log
    assert "room for 4" not in record.log
    assert "takes_room" in record.traceback


@pytest.mark.slow
def test_what_the_kernel_kills_for_want_of_memory_is_run_again_in_parts(ran):
    record = ran[1]["killed_by_kernel"]
    assert record.status == "done", record.reason
    assert record.training["micro_batch"] == 4
    assert "killed by SIGKILL by the kernel" in record.training["micro_because"]


@pytest.mark.slow
def test_the_driver_and_the_report_tell_which_trials_ran_in_parts(ran):
    process, _, folder = ran
    assert process.returncode == 1
    assert process.stderr.count("; it is run again in 2 parts a step") == 3
    (table,) = (folder / "report").glob("cells.md")
    text = table.read_text("utf-8")
    assert "steps of 8 patches in parts of 4, gradients averaged, because training on 8 patches at once" in text
    assert "batch normalisation saw 4 patches" in text
    assert not list(folder.glob("checkpoints/*/*.in-parts.npz"))


class _Ended:
    """A process that ended."""

    exitcode = -signal.SIGKILL


@pytest.mark.parametrize(
    ("phase", "counted", "starved"), [("train", 1, True), ("epoch", 1, True), ("train", 0, False), ("load", 1, False)]
)
def test_a_kill_counts_as_want_of_memory_only_in_training_and_where_the_kernel_counts_it(
    tmp_path, monkeypatch, phase, counted, starved
):
    monkeypatch.setattr(worker_process, "kernel_kills", lambda: 3 + counted)
    trial = Trial(Choice("cells"), {}, Choice("plain"), Choice("bce"), Recipe(patch=(32, 32)), 0)
    worker = WorkerProcess(_Ended(), None, None, None, tmp_path / "log", trial, phase=phase, kills=3)
    assert worker.starved_training() is starved


def test_a_process_that_closed_its_pipe_and_hangs_is_ended_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(worker_process, "ENDS_S", 0.1)
    process = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(600,))
    process.start()
    worker = WorkerProcess(process, None, None, None, tmp_path / "log")
    assert worker.exit_reason() == "the worker process was not heard of any more, though it had not ended"
    assert not worker.is_alive()
