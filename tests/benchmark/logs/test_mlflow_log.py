"""MLflow has one run for each trial, whatever was killed and run again, and its absence costs no trial."""

import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlparse
from urllib.request import url2pathname

import pytest

from unetbench.benchmark.logs.mlflow_log import MACHINE, TRIAL, MlflowLog
from unetbench.benchmark.run.progress import Progress
from unetbench.core.errors import SpecError, Unavailable
from unetbench.core.recipe import Recipe
from unetbench.core.record import Record
from unetbench.core.trial import Choice, Trial

needs_mlflow = pytest.mark.skipif(
    find_spec("mlflow") is None, reason="mlflow is not installed: pip install -e '.[mlflow]'"
)
pytestmark = pytest.mark.filterwarnings(  # of MLflow 3.17 beside SQLAlchemy 2.1
    "ignore:The ``noload`` loader strategy is deprecated:DeprecationWarning"
)
ONE = Trial(Choice("cells"), {}, Choice("unet", {"width": 8}), Choice("bce"), Recipe(epochs=3, batch=4), 1)
SCORES = [{"case": "a", "group": "a", "class": "nucleus", "empty": "none", "dice": 0.5}]


def row(epoch):
    readings = {"loss": 1 / epoch, "val_loss": 2 / epoch, "val_dice": epoch / 10, "rate": 0.001}
    return {"epoch": epoch, **readings, "train_s": 2.0, "validate_s": 1.0}


def record(status="done", reason="", epochs=3):
    history = [row(epoch) for epoch in range(1, epochs + 1)]
    scores, selection = (SCORES, {"epoch": 2}) if status == "done" else ([], {})
    return Record(ONE, status, reason, history=history, scores=scores, selection=selection)


def log(address, sweep="study", elsewhere=()):
    return MlflowLog(address, sweep, machine="lab", policy="nan_worst", is_elsewhere=lambda key: key in elsewhere)


def progress_of(log, known=None):
    progress = Progress(quiet=True, logs=[log])
    progress.begin([ONE], [] if known else [ONE], known=known)
    return progress


def train(progress, epochs, resumed=()):
    progress.start(ONE, "process 7")
    if resumed:
        progress.on_progress(ONE, {"phase": "resume", "history": [row(epoch) for epoch in resumed]})
    for epoch in epochs:
        progress.on_progress(ONE, {"phase": "epoch", **row(epoch), "best": 0.3})


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """One database for all, for making one takes seconds; the first log makes it."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'made' / 'runs.db'}"


@pytest.fixture
def begin(address, request):
    """A function that gives the progress of a sweep, called as the test."""
    return lambda known=None, elsewhere=(): progress_of(log(address, request.node.name, elsewhere), known)


@pytest.fixture
def runs(address, request):
    """A function that gives the runs of that sweep that are not deleted."""

    def found():
        from mlflow import MlflowClient

        client = MlflowClient(address)
        return client, list(client.search_runs([client.get_experiment_by_name(request.node.name).experiment_id]))

    return found


def steps(client, run, key):
    return [(metric.step, metric.value) for metric in client.get_metric_history(run.info.run_id, key)]


def test_its_absence_is_one_line_that_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(
        Unavailable, match=r"^--mlflow needs the package mlflow; install it with pip install 'unetbench\[mlflow\]'$"
    ):
        log("http://localhost:5000")


@pytest.mark.parametrize("address", ["mlruns", "./mlruns", "/data/mlruns", "file:///data/mlruns"])
def test_a_folder_is_refused_with_what_to_give(address):
    with pytest.raises(
        SpecError, match=r"folders no longer; give a server, http://…, or a database, sqlite:///mlruns.db"
    ):
        log(address)


@needs_mlflow
def test_a_run_has_settings_epochs_means_record_and_tags(begin, runs):
    progress = begin()
    train(progress, [1, 2, 3])
    progress.finish(record())
    progress.end()
    client, (run,) = runs()
    assert (run.info.run_name, run.info.status) == ("cells · unet · bce · seed 1", "FINISHED")
    assert run.data.params["model"] == "unet(width=8)"
    assert run.data.params["recipe.batch"] == "4"
    assert run.data.params["recipe.augment.flips"] == "True"
    assert steps(client, run, "val_dice") == [(1, 0.1), (2, 0.2), (3, 0.3)]
    assert steps(client, run, "test/dice/nucleus") == [(2, 0.5)]
    assert (run.data.tags[TRIAL], run.data.tags[MACHINE]) == (ONE.id, "lab")
    kept = Path(url2pathname(urlparse(run.info.artifact_uri).path)) / "record.json"
    assert Record.from_json(kept.read_text("utf-8")) == record()


@needs_mlflow
def test_a_trial_that_is_run_again_has_one_run_with_each_epoch_once(begin, runs):
    killed = begin()
    train(killed, [1, 2])
    killed.logs[0]._send(ONE.id)  # as after a while; then the driver is killed
    progress = begin()
    train(progress, [2, 3], resumed=[1])
    progress.finish(record())
    client, (run,) = runs()
    assert steps(client, run, "loss") == [(1, 1.0), (2, 0.5), (3, 1 / 3)]


@needs_mlflow
def test_what_a_killed_driver_left_running_is_ended_but_not_what_another_one_has(begin, runs):
    train(begin(), [1])
    begin(elsewhere={ONE.id})
    assert [run.info.status for run in runs()[1]] == ["RUNNING"]
    begin()
    assert [run.info.status for run in runs()[1]] == ["KILLED"]


@needs_mlflow
def test_a_failed_trial_says_why(begin, runs):
    progress = begin()
    train(progress, [1])
    progress.finish(record("failed", "loss is nan at step 9", 1))
    _, (run,) = runs()
    assert (run.info.status, run.data.tags["unetbench.reason"]) == ("FAILED", "loss is nan at step 9")


@needs_mlflow
def test_a_stopped_trial_is_killed_and_a_settled_one_is_logged_once(begin, runs):
    progress = begin()
    train(progress, [1])
    progress.stop(ONE)
    assert [run.info.status for run in runs()[1]] == ["KILLED"]
    for _ in range(2):
        begin(known={ONE.id: record()})
    client, (run,) = runs()
    assert run.info.status == "FINISHED"
    assert steps(client, run, "loss") == [(1, 1.0), (2, 0.5), (3, 1 / 3)]


@needs_mlflow
def test_a_server_that_is_down_is_one_line_and_the_sweep_goes_on(capsys):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    progress = progress_of(log(f"http://user:secret@127.0.0.1:{port}"))
    train(progress, [1])
    progress.finish(record())
    progress.end()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"unetbench: MLflow at http://127.0.0.1:{port}: ")
    assert line.endswith("; nothing more is written there, and the sweep goes on")
    assert "secret" not in line


@needs_mlflow
@pytest.mark.slow
def test_several_drivers_can_begin_one_database_at_once(tmp_path):
    code = (
        "from unetbench.benchmark.logs.mlflow_log import MlflowLog; from unetbench.benchmark.run.listener import *;"
        f"log = MlflowLog('sqlite:///{tmp_path}/runs.db', 'study', machine='lab', policy='nan_worst',"
        " is_elsewhere=lambda key: False); log.begin(SweepState(0, 0, TimeLeft([]))); print(log.experiment)"
    )
    called = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert len({process.communicate()[0] for process in called}) == 1
    assert [process.returncode for process in called] == [0] * 4
