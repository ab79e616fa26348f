"""Several drivers on one results folder share its trials; one that is stopped or killed loses nothing."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from unetbench.benchmark.cli import main as unetbench
from unetbench.benchmark.commands.rerun import differences, settings
from unetbench.benchmark.commands.slurm import slurm_script
from unetbench.benchmark.records.store import read, records

FAULTY = Path(__file__).parents[1] / "faulty_parts.py"


@pytest.fixture
def begin():
    """Begin `unetbench` without waiting for it; what still runs at the end is killed."""
    begun = []

    def start(*words):
        call = [sys.executable, "-c", "import sys; from unetbench.benchmark.cli import main; sys.exit(main())", *words]
        environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
        begun.append(
            subprocess.Popen(
                list(map(str, call)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
            )
        )
        return begun[-1]

    yield start
    for process in begun:
        process.kill()
        process.communicate()


def _claims(folder):
    return [file for file in folder.glob("claims/*/*") if not file.name.startswith(".")]


def _until(happened, limit_s=120):
    end = time.monotonic() + limit_s
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def _words(folder, sweep, *more):
    return ("run", sweep, "--plugin", FAULTY, "--results", folder, "--no-report", *more)


def test_two_drivers_train_every_trial_once_and_both_end_with_all(tmp_path, begin, write_sweep):
    sweep = write_sweep(tmp_path, "both", seeds=4)
    drivers = [begin(*_words(tmp_path, sweep)) for _ in range(2)]
    told = [driver.communicate(timeout=300)[1] for driver in drivers]
    assert [driver.returncode for driver in drivers] == [0, 0], told
    assert [record.status for record in records(tmp_path / "both")] == ["done"] * 4
    trained = [sum("done, Dice" in line and "elsewhere" not in line for line in text.splitlines()) for text in told]
    assert sum(trained) == 4
    assert min(trained) > 0
    assert not _claims(tmp_path / "both")


@pytest.mark.slow
def test_what_a_killed_driver_had_is_run_by_the_one_that_waits(tmp_path, begin, write_sweep):
    sweep = write_sweep(tmp_path, "killed")
    first = begin(*_words(tmp_path, sweep))
    _until(lambda: _claims(tmp_path / "killed"))
    first.send_signal(signal.SIGSTOP)  # whatever its worker does, it writes no record
    second = begin(*_words(tmp_path, sweep))
    assert "1 trial is under way elsewhere; waiting for it" in second.stderr.readline()
    first.send_signal(signal.SIGKILL)
    told = second.communicate(timeout=300)[1]
    assert second.returncode == 0, told
    assert "[1/1]" in told
    assert "elsewhere" not in told
    (record,) = records(tmp_path / "killed")
    assert record.status == "done"


@pytest.mark.slow
def test_one_that_is_not_to_wait_leaves_the_others_their_trials(tmp_path, begin, command, write_sweep):
    sweep = write_sweep(tmp_path, "left", recipe={"patch": [64, 64], "batch": 4, "epochs": 100_000, "stop_patience": 0})
    begin(*_words(tmp_path, sweep))
    _until(lambda: _claims(tmp_path / "left"))
    process = command(*_words(tmp_path, sweep, "--no-wait"))
    assert process.returncode == 0
    assert "1 trial is under way elsewhere; `unetbench status " in process.stderr
    status = command("status", tmp_path / "left")
    assert status.returncode == 1
    assert "1 trial: 1 under way" in status.stdout
    told = (
        rf"tiny · bce_dice · seed 0: (begun|epoch \d+ of 100000, validation Dice .*); {os.uname().nodename}, process "
    )
    assert re.search(told, status.stdout)


@pytest.mark.slow
def test_a_signal_ahead_of_the_end_is_a_checkpoint_from_which_the_same_numbers_come(
    tmp_path, begin, command, write_sweep
):
    sweep = write_sweep(tmp_path, "ahead", recipe={"patch": [64, 64], "batch": 4, "epochs": 4})
    driver = begin(*_words(tmp_path, sweep))
    _until(lambda: _claims(tmp_path / "ahead"))
    driver.send_signal(signal.SIGUSR1)
    told = driver.communicate(timeout=300)[1]
    assert driver.returncode == 75, told
    assert told.endswith("unetbench: stopped as asked, with checkpoints; the same command goes on\n")
    assert not list(records(tmp_path / "ahead"))
    assert len(list(tmp_path.glob("ahead/checkpoints/*/*.npz"))) == 1
    assert not _claims(tmp_path / "ahead")
    assert command(*_words(tmp_path, sweep)).returncode == 0
    assert command(*_words(tmp_path / "whole", sweep)).returncode == 0
    for resumed, whole in zip(records(tmp_path / "ahead"), records(tmp_path / "whole/ahead"), strict=True):
        assert [row["val_loss"] for row in resumed.history] == [row["val_loss"] for row in whole.history]
        assert resumed.selection == whole.selection
        assert resumed.scores == whole.scores
    assert not list(tmp_path.glob("ahead/checkpoints/*/*.npz"))


def test_a_record_is_run_again_and_compared_to_the_last_bit(tmp_path, command, write_sweep):
    sweep = write_sweep(tmp_path, "twice")
    assert command(*_words(tmp_path, sweep)).returncode == 0
    (file,) = tmp_path.glob("twice/records/*/*.json")
    again = ("rerun", file, "--plugin", FAULTY, "--quiet")
    process = command(*again)
    assert process.returncode == 0, process.stderr
    assert process.stdout.endswith(": the same to the last bit: 2 epochs, selection, 4 scores\n")
    before = read(file)
    history = [*before.history[:1], {**before.history[1], "loss": before.history[1]["loss"] + 1e-9}]
    scores = [{**before.scores[0], "dice": 0.5}, *before.scores[1:]]
    now = replace(before, history=history, scores=scores, versions={**before.versions, "keras": "4.0.0"})
    first, second = differences(before, now)
    assert first.startswith("epoch 2 is the first that differs: loss 0.")
    assert second.startswith("scores of 1 of 4 cases and classes; mean Dice 0.")
    assert settings(before, now) == [f"keras {before.versions['keras']}, now 4.0.0"]
    assert not differences(before, before)


def test_status_tells_what_failed_and_its_last_lines(tmp_path, command, write_sweep):
    sweep = write_sweep(tmp_path, "faults", models=["raises", "tiny"])
    command(*_words(tmp_path, sweep))
    process = command("status", tmp_path / "faults", "--json")
    assert process.returncode == 1
    (found,) = json.loads(process.stdout)
    assert (found["trials"], found["settled"], found["to_come"]) == (2, 1, 0)
    assert found["counts"] == {"failed": 1, "done": 1}
    (failed,) = found["failed"]
    assert failed["reason"] == "model raises: RuntimeError: this model is broken"
    assert failed["last_lines"][-1].endswith("PartError: model raises: RuntimeError: this model is broken")
    assert failed["log"] == ["this model is about to break"]
    text = command("status", tmp_path / "faults").stdout
    assert "2 trials: 1 done, 1 failed\nfailed\n  " in text
    assert text.endswith("      printed: this model is about to break\n")


def test_status_of_what_is_no_sweep_is_one_line(tmp_path, command):
    process = command("status", tmp_path)
    assert process.returncode == 2
    assert process.stderr.endswith("no sweep.yaml inside; give the folder of one sweep, as in results/SWEEP\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--cluster", "local:2"], "its copies share the trials by claims; leave --cluster out"),
        (["--events", "FILE"], "all copies would write the events of one file; leave --events out"),
    ],
)
def test_what_copies_cannot_all_have_is_no_part_of_the_script(write_sweep, tmp_path, capsys, words, told):
    file = write_sweep(tmp_path, "shared", models=["unet_quarter"])
    assert unetbench(["run", str(file), "--print-slurm", "4", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line


@pytest.mark.parametrize("asked", [["--print-slurm", "7"], ["--print-slurm=7"]])
def test_the_slurm_script_repeats_the_command_and_asks_to_be_queued_again(asked):
    script = slurm_script(["run", "my sweep.yaml", *asked, "--data", "/data"], "nuclei", 7)
    assert "#SBATCH --array=1-7\n" in script
    assert (
        "srun --cpus-per-task=\"$SLURM_CPUS_PER_TASK\" unetbench run 'my sweep.yaml' --data /data --no-wait" in script
    )
    assert "#SBATCH --signal=USR1@600 " in script
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_the_slurm_script_goes_to_stdout(tmp_path, command, write_sweep):
    sweep = write_sweep(tmp_path, "array")
    process = command("run", sweep, "--plugin", FAULTY, "--print-slurm", "4")
    assert process.returncode == 0
    assert process.stdout.startswith("#!/bin/bash\n#SBATCH --job-name=unetbench-array\n#SBATCH --array=1-4\n")
    assert not list(tmp_path.glob("results"))
