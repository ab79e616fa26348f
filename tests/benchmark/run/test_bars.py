"""On a terminal the sweep has a bar, and each worker a line of its own."""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
from dataclasses import replace

import pytest

from unetbench.benchmark.naming.labels import Labels
from unetbench.benchmark.run import bars
from unetbench.benchmark.run.bars import shortened, worker_line
from unetbench.benchmark.run.progress import Progress
from unetbench.benchmark.run.running import Running
from unetbench.core.recipe import Recipe
from unetbench.core.record import Record
from unetbench.core.trial import Choice, Trial

COLUMNS = 100


def _trial(seed=0):
    return Trial(Choice("cells"), {}, Choice("unet"), Choice("bce"), Recipe(epochs=10), seed)


def _epoch(number):
    row = {"loss": 0.25, "val_loss": 0.5, "val_dice": 0.75, "rate": 0.001, "train_s": 1.0, "validate_s": 0.5}
    return {"phase": "epoch", "epoch": number, **row, "best": 0.8}


def _running(**fields):
    running = Running(_trial(), "cells · unet · bce · seed 0", 1, "", begun=0.0)
    for name, value in fields.items():
        setattr(running, name, value)
    return running


@pytest.fixture
def terminal(monkeypatch):
    """A pseudo-terminal: a stream to it, and a function that gives what was drawn since it was asked before."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, COLUMNS, 0, 0))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(bars, "REDRAW_S", 0.0)
    with os.fdopen(theirs, "w") as stream:

        def drawn():
            stream.flush()
            read = bytearray()
            while select.select([ours], [], [], 0.1)[0]:  # a terminal gives what is drawn in parts
                read += os.read(ours, 1_000_000)
            return read.decode()

        yield stream, drawn
    os.close(ours)


def test_each_worker_has_a_line_with_trial_epoch_loss_and_dice_below_the_sweeps(terminal, monkeypatch):
    stream, drawn = terminal
    monkeypatch.setattr(sys, "stderr", stream)
    trials = [_trial(seed) for seed in range(3)]
    progress = Progress(expected={trial.id: 15.0 for trial in trials})
    progress.begin(trials, trials)
    for trial in trials[:2]:
        progress.start(trial)
    progress.on_progress(trials[0], _epoch(4))
    progress.on_progress(trials[1], {"phase": "train", "epoch": 0, "step": 1, "of": 4, "loss": 0.5})
    rows = drawn().replace("\x1b[A", "").replace("\r", "\n").splitlines()
    lines = [row.strip() for row in rows if row.strip()]
    latest = {line[0]: " ".join(line.split()) for line in lines}
    assert latest["1"] == "1 cells · unet · bce · seed 0 40% epoch 4/10 loss 0.2500 Dice 0.750 best 0.800"
    assert latest["2"] == "2 cells · unet · bce · seed 1 2% epoch 1/10 loss 0.5000"
    assert latest["s"].startswith("sweep 0%|")
    assert "| 0/3, about " in latest["s"]
    assert all(len(line) < COLUMNS for line in lines)
    progress.finish(Record(trials[0], "failed", "loss is nan"))
    progress.end()
    after = drawn()
    assert "[1/3] cells · unet · bce · seed 0: failed, loss is nan, 0 s" in after
    assert "| 1/3, 1 failed, about " in after
    assert after.rstrip().endswith("3 trials: 1 failed, 1 under way, 1 to come; 0 s")


def test_a_long_name_loses_its_middle_and_keeps_its_seed():
    assert shortened("cells · attention_unet · seed 12", 20) == "cells · atten…eed 12"
    assert shortened("cells", 8) == "cells   "


def test_a_worker_line_fits_the_terminal():
    training = _running(phase="train", step=1, of=2, latest={"epoch": 3, "val_dice": 0.5, "best": 0.6}, loss=0.25)
    line = worker_line(training, Labels({}), 79)
    assert line == "1 cells · unet ·… seed 0   35%  epoch 4/10  loss 0.2500  Dice 0.500  best 0.600"
    training.host = "node7"
    assert worker_line(training, Labels({}), 200).startswith("1 on node7 cells · unet · ")
    for columns in (40, 60, 79, 200):
        assert len(worker_line(training, Labels({}), columns)) <= columns


def test_a_name_does_not_steer_the_terminal(capsys):
    trial = replace(_trial(), model=Choice("\x1b[2Junet"))
    assert "\x1b" not in worker_line(_running(name="\x1b[2J\nunet"), Labels({}), 100)
    progress = Progress()
    progress.begin([trial], [trial])
    progress.start(trial)
    progress.finish(Record(trial, "failed", "\x1b]0;title\x07 no memory"))
    progress.end()
    told = capsys.readouterr().err
    assert "\\x1b[2Junet" in told
    assert "no memory" in told
    assert "\x1b" not in told


def test_what_a_worker_does_besides_training_is_named():
    labels = Labels({"runtimes": [{"name": "keras", "label": "Keras itself"}]})
    assert "time Keras itself" in worker_line(_running(phase="time keras"), labels, 100)
    assert "test 3/12" in worker_line(_running(phase="test", step=3, of=12), labels, 100)
    assert "begins" in worker_line(_running(), labels, 100)
