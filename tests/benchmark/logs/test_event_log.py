"""Every line of an event log is an event as docs/progress.md says it."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

import unetbench
from unetbench.benchmark.logs.event_log import EventLog
from unetbench.benchmark.logs.events import EVENTS
from unetbench.benchmark.run.progress import Progress
from unetbench.core.errors import StoreError
from unetbench.core.recipe import Recipe
from unetbench.core.record import Record
from unetbench.core.trial import Choice, Trial

PAGE = Path(unetbench.__file__).parent / "docs" / "progress.md"
NAN = float("nan")
SCORES = [{"case": "a", "class": "nucleus", "empty": "none", "dice": 0.5}]


def _trial(seed):
    return Trial(Choice("cells"), {}, Choice("unet"), Choice("bce"), Recipe(epochs=10), seed)


def _row(epoch):
    readings = {"loss": 0.5, "val_loss": NAN, "val_dice": NAN, "rate": 1e-3}
    return {"epoch": epoch, **readings, "train_s": 1.0, "validate_s": 0.5}


@pytest.fixture
def told(tmp_path, read_events):
    """The events of a sweep in which everything happens."""
    file = tmp_path / "made" / "events.jsonl"
    trials = [_trial(seed) for seed in range(4)]
    progress = Progress(quiet=True, logs=[EventLog(str(file), "all")])
    progress.begin(trials, trials[1:], rejected=[Record(_trial(4), "failed", "no data")])
    progress.start(trials[1], "process 7")
    progress.on_progress(trials[1], {"phase": "load"})
    progress.on_progress(trials[1], {"phase": "resume", "history": [_row(1), _row(2)]})
    progress.on_progress(trials[1], {"phase": "warning", "text": "starts at random"})
    for step in (1, 2):
        progress.on_progress(trials[1], {"phase": "train", "epoch": 2, "step": step, "of": 2, "loss": 0.5})
    progress.on_progress(trials[1], {"phase": "epoch", **_row(3), "best": -float("inf")})
    progress.start(trials[2], "process 8")
    progress.finish(Record(trials[2], "failed", "the worker process was killed by SIGKILL"))
    progress.stop(trials[1])
    progress.wait(1)
    progress.finish(Record(trials[3], "done", scores=SCORES), elsewhere=True)
    progress.end()
    return read_events(file.read_text("utf-8")), trials


def test_every_line_is_an_event_of_the_schema(told):
    first = ["begin", "finish", "start", "phase", "resume", "warning", "phase", "epoch"]
    kinds = [*first, "start", "finish", "stop", "wait", "finish", "end"]
    assert [event["event"] for event in told[0]] == kinds
    assert {event["event"] for event in told[0]} == {kind.event for kind in EVENTS}


def test_a_failure_shows_with_its_reason_and_in_the_counts(told):
    rejected, killed, _ = (event for event in told[0] if event["event"] == "finish")
    assert (rejected["status"], rejected["reason"], rejected["worker"]) == ("failed", "no data", None)
    assert (killed["status"], killed["worker"], killed["elsewhere"]) == ("failed", 2, False)
    assert killed["reason"] == "the worker process was killed by SIGKILL"
    assert killed["id"] == told[1][2].id
    assert killed["trial"] == "cells · unet · bce · seed 2"
    assert killed["counts"] == {"failed": 2}
    assert told[0][-1]["counts"] == {"failed": 2, "done": 1}


def test_a_number_that_is_not_finite_is_null(told):
    (epoch,) = (event for event in told[0] if event["event"] == "epoch")
    assert (epoch["epoch"], epoch["epochs"], epoch["loss"]) == (3, 10, 0.5)
    assert [epoch[name] for name in ("val_loss", "val_dice", "best")] == [None, None, None]


def test_a_trial_of_another_driver_is_elsewhere(told):
    last = [event for event in told[0] if event["event"] == "finish"][-1]
    assert (last["elsewhere"], last["worker"], last["seconds"], last["dice"]) == (True, None, None, 0.5)


def test_a_second_run_writes_below_the_first(tmp_path, read_events):
    file = tmp_path / "events.jsonl"
    for _ in range(2):
        progress = Progress(quiet=True, logs=[EventLog(str(file), "twice")])
        progress.begin([], [])
        progress.end()
    assert [event["event"] for event in read_events(file.read_text("utf-8"))] == ["begin", "end", "begin", "end"]


def test_standard_output_can_be_the_log(capsys, read_events):
    progress = Progress(quiet=True, logs=[EventLog("-", "out")])
    progress.begin([], [])
    progress.end()
    assert [event["event"] for event in read_events(capsys.readouterr().out)] == ["begin", "end"]


def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    with pytest.raises(StoreError, match="Is a directory; give another place with --events FILE"):
        EventLog(str(tmp_path), "none")


def test_the_page_names_every_event_and_its_fields():
    rows = re.findall(r"^\| `(\w+)` \| .+? \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    documented = {event: re.findall(r"`(\w+)`", names) for event, names in rows if event in {k.event for k in EVENTS}}
    everywhere = {"event", "time"}
    of_trial = {"id", "trial"}
    for kind in EVENTS:
        names = {field.name for field in fields(kind)} - everywhere
        if of_trial <= names:
            names -= of_trial
        assert set(documented[kind.event]) == names, kind.event
