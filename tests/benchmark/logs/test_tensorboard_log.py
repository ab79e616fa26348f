"""A TensorBoard log has each point once, whatever was killed and resumed, and needs no TensorFlow."""

import subprocess
import sys
from collections import defaultdict

import pytest
from tensorboard.compat.proto import event_pb2
from tensorboard.compat.tensorflow_stub.errors import OutOfRangeError
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New
from tensorboard.plugins.hparams import metadata, plugin_data_pb2

from unetbench.benchmark.logs.tensorboard_log import TensorBoardLog
from unetbench.benchmark.run.progress import Progress
from unetbench.core.errors import StoreError
from unetbench.core.recipe import Recipe
from unetbench.core.record import Record
from unetbench.core.trial import Choice, Trial

TRIAL = Trial(Choice("cells"), {}, Choice("unet", {"width": 8}), Choice("bce"), Recipe(epochs=3, batch=4), 1)


def row(epoch):
    return {"epoch": epoch, "loss": 1 / epoch, "loss: ce": 0.5, "val_loss": 2 / epoch, "val_dice": epoch / 10,
            "rate": 0.001, "train_s": 2.0, "validate_s": 1.0}  # fmt: skip


def score(case, dice, empty="none"):
    return {"case": case, "group": case, "class": "nucleus", "tp": 1, "empty": empty, "dice": dice, "mcc": 0.5}


SCORES = [score("a", 0.5), score("b", 1.0), score("c", None, "both"), score("d", 0.9, "prediction")]
DONE = Record(TRIAL, "done", "", history=[row(1), row(2), row(3)], scores=SCORES, selection={"epoch": 2},
              finished="2026-11-28T12:00:00+00:00")  # fmt: skip


def events(folder):
    """The events of the only run."""
    (run,) = folder.iterdir()
    (file,) = run.iterdir()
    reader, found = PyRecordReader_New(str(file)), []
    with pytest.raises(OutOfRangeError):  # at the end of the file
        while True:
            reader.GetNext()
            found.append(event_pb2.Event.FromString(reader.record()))
    return found


def points(folder):
    """Step and value of each tag; each step of a tag is there once."""
    found = defaultdict(dict)
    for event in events(folder):
        for value in event.summary.value:
            if value.WhichOneof("value") == "simple_value":
                assert event.step not in found[value.tag]
                found[value.tag][event.step] = pytest.approx(value.simple_value)
    return found


def log(folder, *, known=None, policy="nan_worst"):
    progress = Progress(quiet=True, logs=[TensorBoardLog(folder, policy)])
    progress.begin([TRIAL], [] if known else [TRIAL], known=known)
    return progress


def train(progress, epochs, resumed=()):
    progress.start(TRIAL, "process 7")
    progress.on_progress(TRIAL, {"phase": "load"})
    if resumed:
        progress.on_progress(TRIAL, {"phase": "resume", "history": [row(epoch) for epoch in resumed]})
    for epoch in epochs:
        progress.on_progress(TRIAL, {"phase": "epoch", **row(epoch), "best": 0.3})


def test_a_run_has_its_readings_by_epoch_and_its_means_on_the_test_cases_by_class(tmp_path):
    progress = log(tmp_path)
    train(progress, [1, 2, 3])
    progress.finish(DONE)
    progress.end()
    found = points(tmp_path)
    assert found["val_dice"] == {1: 0.1, 2: 0.2, 3: 0.3}
    assert found["loss"] == {1: 1.0, 2: 0.5, 3: 1 / 3}
    assert set(found) == {"loss", "loss/ce", "val_loss", "val_dice", "rate", "test/dice/nucleus"}
    # two empty masks are left out, an empty prediction is the worst: (0.5 + 1.0 + 0.0) / 3, at the selected epoch
    assert found["test/dice/nucleus"] == {2: 0.5}


def test_its_folder_is_called_as_the_trial_and_by_its_id(tmp_path):
    progress = log(tmp_path)
    progress.start(TRIAL)
    progress.end()
    assert [place.name for place in tmp_path.iterdir()] == [f"cells-unet-bce-seed-1-{TRIAL.id}"]


def test_the_table_of_hyper_parameters_has_settings_and_how_it_ended(tmp_path):
    progress = log(tmp_path)
    train(progress, [1])
    progress.finish(Record(TRIAL, "failed", "loss is nan at step 9", history=[row(1)]))
    values = {value.tag: value for event in events(tmp_path) for value in event.summary.value}
    told = [
        plugin_data_pb2.HParamsPluginData.FromString(values[tag].metadata.plugin_data.content)
        for tag in (metadata.SESSION_START_INFO_TAG, metadata.SESSION_END_INFO_TAG)
    ]
    settings = told[0].session_start_info.hparams
    assert settings["model"].string_value == "unet(width=8)"
    assert (settings["batch"].number_value, settings["seed"].number_value) == (4, 1)
    assert told[1].session_end_info.status == 2  # STATUS_FAILURE
    assert values["record"].tensor.string_val[0].decode().startswith("failed: loss is nan at step 9")


def test_a_trial_that_goes_on_from_a_checkpoint_has_each_epoch_once(tmp_path):
    killed = log(tmp_path)
    train(killed, [1, 2])  # the checkpoint was written after the first
    killed.end()
    progress = log(tmp_path)
    train(progress, [2, 3], resumed=[1])
    progress.finish(DONE)
    progress.end()
    assert points(tmp_path)["val_dice"] == {1: 0.1, 2: 0.2, 3: 0.3}


def test_a_trial_that_begins_anew_has_each_epoch_once(tmp_path):
    killed = log(tmp_path)
    train(killed, [1, 2])
    killed.end()
    progress = log(tmp_path)
    train(progress, [1])
    progress.stop(TRIAL)
    progress.end()
    assert points(tmp_path)["val_dice"] == {1: 0.1}


def test_a_settled_trial_is_written_from_its_record_once(tmp_path):
    for _ in range(2):
        log(tmp_path, known={TRIAL.id: DONE}).end()
    assert points(tmp_path)["val_dice"] == {1: 0.1, 2: 0.2, 3: 0.3}
    third = next(e for e in events(tmp_path) if e.step == 3 and e.summary.value[0].tag == "loss")
    second = next(e for e in events(tmp_path) if e.step == 2 and e.summary.value[0].tag == "loss")
    assert third.wall_time - second.wall_time == pytest.approx(3)  # 2 s of training, 1 s of validation


def test_a_settled_trial_whose_log_broke_off_is_written_from_its_record(tmp_path):
    broken = log(tmp_path)
    train(broken, [1, 2])
    broken.end()
    log(tmp_path, known={TRIAL.id: DONE}).end()
    assert points(tmp_path)["val_dice"] == {1: 0.1, 2: 0.2, 3: 0.3}


def test_a_trial_that_another_driver_ran_is_written_from_its_record(tmp_path):
    progress = log(tmp_path)
    progress.finish(DONE, elsewhere=True)
    assert points(tmp_path)["test/dice/nucleus"] == {2: 0.5}


def test_the_log_of_another_driver_is_left_alone(tmp_path):
    other, ours = log(tmp_path), log(tmp_path)
    train(other, [1, 2, 3])
    other.finish(DONE)
    before = [file.read_bytes() for file in tmp_path.glob("*/*")]
    ours.finish(DONE, elsewhere=True)
    ours.end()
    assert [file.read_bytes() for file in tmp_path.glob("*/*")] == before


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="File exists; give another place with --tensorboard DIR"):
        TensorBoardLog(tmp_path / "file", "nan_worst")


def test_writing_loads_neither_tensorflow_nor_keras(tmp_path):
    code = (
        "import sys; from pathlib import Path; from unetbench.benchmark.logs.event_file import EventFile;"
        f"file = EventFile(Path({str(tmp_path / 'run')!r})); file.begin({{'seed': 1}}, 0.0); file.end(1.0, done=True);"
        "print([m for m in ('tensorflow', 'keras', 'jax', 'torch') if m in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
