"""A sweep on two workers of which one trial fails, as its logs tell it."""

from pathlib import Path

from unetbench.benchmark.cli import main
from unetbench.benchmark.records.store import records

FAULTY = Path(__file__).parents[1] / "faulty_parts.py"


def test_the_logs_of_a_run_tell_both_workers_and_the_failure(tmp_path, command, write_sweep, read_events):
    sweep = write_sweep(tmp_path, "told", losses=["bce_dice", "turns_nan"], previews=0)
    words = ("--plugin", FAULTY, "--results", tmp_path, "--workers", "2", "--no-report")
    process = command("run", sweep, *words, "--events", "-", "--tensorboard", tmp_path / "logs")
    assert process.returncode == 1, process.stderr
    events = read_events(process.stdout)
    assert {event["worker"] for event in events if event["event"] == "start"} == {1, 2}
    done, failed = sorted((e for e in events if e["event"] == "finish"), key=lambda event: event["status"])
    assert (done["status"], failed["status"]) == ("done", "failed")
    assert failed["reason"].startswith("loss is nan at step 1 (epoch 1)")
    epochs = [event for event in events if event["event"] == "epoch"]
    assert [(event["id"], event["epoch"]) for event in epochs] == [(done["id"], 1), (done["id"], 2)]
    (record,) = (record for record in records(tmp_path / "told") if record.trial.id == done["id"])
    assert [event["val_dice"] for event in epochs] == [row["val_dice"] for row in record.history]
    assert events[-1]["counts"] == {"done": 1, "failed": 1}
    assert process.stderr.splitlines()[-1].startswith("2 trials: ")
    runs = {run.name.rpartition("-")[2] for run in (tmp_path / "logs").iterdir() if list(run.glob("events.out.*"))}
    assert runs == {done["id"], failed["id"]}


def test_two_things_on_stdout_are_refused(tmp_path, capsys):
    assert main(["run", "quick", "--results", str(tmp_path), "--events", "-", "--json"]) == 2
    assert capsys.readouterr().err == "unetbench: --json and --events - both write to stdout; give --events a file\n"
    assert not list(tmp_path.iterdir())
