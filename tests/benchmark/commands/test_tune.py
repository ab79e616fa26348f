"""`unetbench tune` as a user runs it: every trial once, also after a kill, and the winner beside the default."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from unetbench.benchmark.records.store import records

FAULTY = Path(__file__).parents[1] / "faulty_parts.py"

RATE = {"from": 1e-3, "to": 1e-1, "log": True}
TUNE = {"engine": "bayesian", "trials": 3, "initial": 2, "retrain": 1, "space": {"rate": RATE}}


def _words(folder, write_sweep, *more, **changes):
    sweep = write_sweep(folder, "tuned", previews=0, **{"tune": TUNE, **changes})
    return ("tune", sweep, "--plugin", FAULTY, "--results", folder, "--json", *more)


@pytest.fixture(scope="module")
def tuned(tmp_path_factory, command, write_sweep):
    folder = tmp_path_factory.mktemp("tuned")
    return command(*_words(folder, write_sweep, losses=["bce_dice", "turns_nan"])), folder / "tuned", folder


def test_a_search_of_which_all_trials_failed_is_an_error_and_no_best_value(tuned):
    process, folder, _ = tuned
    assert process.returncode == 1
    assert "turns_nan: all 3 trials of the search failed, so none is the best; the first: " in process.stderr
    assert len(json.loads(process.stdout)) == 1
    assert "turns_nan" not in {record.trial.loss.name for record in records(folder)}
    assert "none is the best" in (folder / "report" / "tuning" / "index.html").read_text()


def test_a_tuning_ends_with_the_winner_and_the_default_scored_on_test(tuned):
    process, folder, _ = tuned
    (told,) = json.loads(process.stdout)
    assert (told["trials"], told["epochs"]) == (3, 6)
    assert told["best"] >= told["default"]
    found = list(records(folder))
    assert len(found) == (1 if told["winner"] == "default" else 2)
    assert all(record.status == "done" and record.trial.seed == 1 and record.scores for record in found)


def test_progress_and_status_tell_the_default_from_the_tuned_setting(tuned):
    process, folder, _ = tuned
    (told,) = json.loads(process.stdout)
    names = [f"{told['name']} · default · seed 1", f"{told['name']} · tuned · seed 1"]
    expected = names[:1] if told["winner"] == "default" else names
    assert all(f"{name}: done, Dice " in process.stderr for name in expected)
    assert list(json.loads((folder / "planned.json").read_text()).values()) == expected


def test_its_searches_stand_apart_from_the_records_and_no_checkpoint_is_left(tuned):
    _, folder, _ = tuned
    assert len(list(folder.glob("tune/trials/*/*-2.json"))) == 2 * 3
    assert len(list(folder.glob("tune/searches/*/*/000[12].json"))) == 2 * 2
    assert list(folder.rglob("*.npz")) == []
    assert list(folder.glob("tune/claims/*/*")) == []
    assert "report" in [entry.name for entry in folder.iterdir()]
    assert (folder / "report" / "tuning" / "index.html").is_file()


def test_another_space_in_the_old_folder_is_refused(tuned, command, write_sweep):
    process, folder, results = tuned
    before = sorted(folder.rglob("*"))
    other = {**TUNE, "space": {"rate": {**RATE, "to": 1.0}}}
    process = command(*_words(results, write_sweep, tune=other))
    assert process.returncode == 2
    assert "another space: rate 0.001 to 0.1, log, now 0.001 to 1, log; give the sweep another name" in process.stderr
    assert process.stderr.count("\n") == 1
    assert sorted(folder.rglob("*")) == before
    assert yaml.safe_load((folder / "sweep.yaml").read_text())["tune"] == TUNE


def test_a_sweep_without_a_section_and_one_on_two_devices_are_refused(tmp_path, command, write_sweep):
    process = command("tune", write_sweep(tmp_path, "plain"), "--plugin", FAULTY, "--results", tmp_path)
    assert process.returncode == 2
    assert "plain: has no section `tune`; give engine, budget and space, see docs/tuning.md" in process.stderr
    process = command(*_words(tmp_path, write_sweep, backends=["tensorflow", "jax"]))
    assert process.returncode == 2
    assert "tuned: backends: a tuning runs on one of them; leave the others out" in process.stderr


@pytest.mark.slow
def test_a_killed_tuning_goes_on_and_trains_nothing_twice(tmp_path, command, write_sweep):
    tune = {**TUNE, "engine": "hyperband", "factor": 2, "trials": 9}
    del tune["initial"]
    recipe = {"patch": [64, 64], "batch": 4, "epochs": 4}
    changes = {"tune": tune, "recipe": recipe, "models": ["tiny", {"name": "tiny", "width": 6}]}
    words = _words(tmp_path, write_sweep, **changes)
    call = [sys.executable, "-c", "import sys; from unetbench.benchmark.cli import main; sys.exit(main())"]
    kept = {}
    for count in (1, 5):  # in the first rung, and later
        running = subprocess.Popen([*call, *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 120
        while len(list(tmp_path.glob("tuned/tune/trials/*/*.json"))) < count and time.monotonic() < end:
            time.sleep(0.02)
        running.send_signal(signal.SIGKILL)
        running.wait()
        kept |= {file: file.read_bytes() for file in tmp_path.glob("tuned/tune/trials/*/*.json")}
        assert len(kept) >= count
    process = command(*words)
    assert process.returncode == 0, process.stderr
    assert all(file.read_bytes() == content for file, content in kept.items())
    whole = command(*_words(tmp_path / "whole", write_sweep, **changes))
    assert whole.returncode == 0, whole.stderr
    assert [{**told, "seconds": 0} for told in json.loads(process.stdout)] == [
        {**told, "seconds": 0} for told in json.loads(whole.stdout)
    ]
    folders = (tmp_path / "tuned", tmp_path / "whole" / "tuned")
    names = [{file.name for file in folder.glob("tune/trials/*/*.json")} for folder in folders]
    assert names[0] == names[1]
    scores = [{record.trial.id: record.scores for record in records(folder)} for folder in folders]
    assert scores[0] == scores[1]
