"""`unetbench recommend` as a user runs it, on deployments made here."""

import json
import shutil

import pytest

from unetbench.benchmark.cli import main
from unetbench.benchmark.records.deployments import Deployments
from unetbench.benchmark.records.machine import machine
from unetbench.core.recipe import Recipe
from unetbench.core.record import Record
from unetbench.core.trial import Choice, Trial

CASES = [f"c{k}" for k in range(8)]
TRIAL = Trial(Choice("cells"), {"digest": "0a"}, Choice("unet"), Choice("dice"), Recipe(patch=(32, 32)), 0)


def counts(dice):
    hit = round(1000 * dice)
    about = {"class": "nucleus", "tp": hit, "fp": 1000 - hit, "fn": 1000 - hit, "tn": 8000 + hit}
    return [{"case": case, "group": case, **about} for case in CASES]


def row(runtime, ms, dice, instructions, **fields):
    return {
        "runtime": runtime,
        "status": "done",
        "device": "AnyGPU 9000",
        "instructions": instructions,
        "batch": 1,
        "size": [32, 32],
        "channels": 1,
        "threads": 2,
        "precision": "float32",
        "file_bytes": 2_000_000,
        "difference": 1e-6,
        "gate": 1e-4,
        "scores": counts(dice),
        "validation_scores": counts(dice),
        "samples_s": [ms / 1e3] * 5,
        "first_call_s": 0.1,
        **fields,
    }


@pytest.fixture
def results(tmp_path):
    """A sweep with one trained trial, without deployments."""
    scores = [{**entry, "empty": "none", "dice": 0.8} for entry in counts(0.8)]
    about = {"cpu": "A CPU", "cores": 2, "gpu": "", "system": "Linux"}
    record = Record(TRIAL, "done", machine=about, scores=scores)
    file = tmp_path / "results" / "nuclei" / "records" / "desk" / f"{TRIAL.id}.json"
    file.parent.mkdir(parents=True)
    file.write_text(record.to_json(), "utf-8")
    return tmp_path / "results"


@pytest.fixture
def deployed(results):
    """Put the trial onto a machine of a name, other hardware than this unless `here`; returns the sweep's folder."""

    def put(name, ms=10.0, *, here=False):
        facts = machine() if here else {"name": name, "cpu": f"{name} CPU", "instructions": ["neon"], "digest": name}
        known = list(facts["instructions"])
        rows = [row("keras", ms, 0.8, known, backend="tensorflow"), row("onnx", ms / 2, 0.8, known)]
        file = results / "nuclei" / "deployments" / name / f"{TRIAL.id}.json"
        file.parent.mkdir(parents=True)
        file.write_text(Deployments(TRIAL.id, TRIAL.label, "2026-01-02T03:04:05", facts, {}, rows).to_json(), "utf-8")
        return results / "nuclei"

    return put


def run(capsys, *words):
    status = main([str(word) for word in ("recommend", *words)])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_the_file_its_reason_and_its_command_are_printed(capsys, deployed):
    status, out, _ = run(capsys, deployed("desk"))
    assert status == 0
    assert "Recommended: unet · dice · seed 0 · onnx\n  validation Dice 0.800, test Dice 0.800, 5 ms, 2 MB" in out
    assert f"{TRIAL.id}.json --format onnx" in out


def test_the_printed_record_is_one_that_is_there(capsys, deployed):
    folder = deployed("desk")
    out = json.loads(run(capsys, folder, "--json")[1])
    (entry,) = out
    assert entry["recommended"]["runtime"] == "onnx"
    assert (folder / "records" / f"{entry['recommended']['record']}.json").is_file()
    assert entry["recommended"]["export"].split()[2] == str(
        folder / "records" / f"{entry['recommended']['record']}.json"
    )
    assert entry["recommended"]["latency_s"] == pytest.approx(0.005)


def test_a_folder_of_sweeps_is_taken_too(capsys, deployed):
    folder = deployed("desk")
    shutil.copytree(folder, folder.parent / "other")
    assert run(capsys, folder.parent)[1].count("Recommended:") == 2


def test_what_nothing_meets_is_said_with_the_nearest_and_status_1(capsys, deployed):
    status, out, _ = run(capsys, deployed("desk"), "--min-dice", "0.9", "--max-latency-ms", "2", "--max-mb", "1")
    assert status == 1
    assert "Nothing qualifies (Dice of at least 0.9, at most 2 ms, at most 1 MB)." in out
    assert "at most 2 ms: missed by 3 ms (5 ms), nearest is unet · dice · seed 0 · onnx" in out


@pytest.mark.parametrize("device", ["laptop", "LAPTOP CPU", "lap"])
def test_a_device_is_chosen_by_part_of_its_name_or_hardware(capsys, deployed, device):
    deployed("desk", 10)
    status, out, _ = run(capsys, deployed("laptop", 100), "--device", device)
    assert status == 0
    assert "on laptop:" in out
    assert "desk:" not in out
    assert "50 ms" in out


def test_this_machine_is_the_default_among_several(capsys, deployed):
    deployed("elsewhere", 1)
    assert f"on {machine()['name']}:" in run(capsys, deployed(machine()["name"], here=True))[1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "--device: this machine was not timed; choose one of desk, laptop"),
        (("--device", "laptob"), "--device: machine 'laptob' is unknown; did you mean 'laptop'?"),
        (("--device", "AnyGPU"), "--device AnyGPU: fits desk, laptop; give more of one name"),
    ],
)
def test_a_device_that_is_not_one_is_one_line(capsys, deployed, words, message):
    deployed("desk")
    status, _, err = run(capsys, deployed("laptop"), *words)
    assert status == 2
    assert message in err
    assert len(err.strip().split("\n")) == 1


def test_without_deployments_the_command_that_makes_them_is_named(capsys, results):
    status, _, err = run(capsys, results / "nuclei")
    assert status == 2
    assert f"no deployments yet; `unetbench time {results / 'nuclei'}` measures" in err
    assert f"`unetbench time {results / 'nuclei'}` measures" in run(capsys, results)[2]  # it takes one sweep
    assert run(capsys, results / "nowhere")[0] == 2


def test_a_sweep_without_records_has_nothing_to_time(capsys, tmp_path):
    (tmp_path / "records").mkdir()
    status, _, err = run(capsys, tmp_path)
    assert (status, err) == (2, f"unetbench: {tmp_path}: holds no records; `unetbench run` makes them\n")


@pytest.mark.parametrize("words", [("--min-dice", "none"), ("--max-mb", "-1"), ("--max-latency-ms", "nan")])
def test_a_limit_that_is_no_number_above_0_is_refused(capsys, results, words):
    with pytest.raises(SystemExit) as stopped:
        run(capsys, results, *words)
    assert stopped.value.code == 2
    assert f"{words[1]!r} is not a number above 0" in capsys.readouterr().err


def test_a_damaged_file_of_deployments_is_named(capsys, deployed):
    folder = deployed("desk")
    (file,) = folder.glob("deployments/*/*.json")
    file.write_text("{", "utf-8")
    status, _, err = run(capsys, folder)
    assert status == 2
    assert str(file) in err
    assert "delete it to have the trial timed again" in err
