"""Every command that is given a file of another kind, or none, answers with one line and status 2."""

import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from unetbench.benchmark.cli import main, parser
from unetbench.benchmark.commands.time import settings
from unetbench.benchmark.records.machine import machine
from unetbench.core.processor import cores

COMMANDS = ("rerun", "status", "report", "predict", "export", "recommend", "prune", "time", "plan", "run")


def _made(folder, kind):
    """A place of that kind, with suffixes that commands look for."""
    place = folder / "place.json"
    if kind == "folder":
        place.mkdir()
    elif kind == "empty":
        place.touch()
    elif kind == "junk":
        place.write_bytes(bytes(range(256)) * 4)
    elif kind == "other json":
        place.write_text(json.dumps({"schema": 5, "id": "x"}))
    elif kind == "list":
        place.write_text("[]")
    elif kind == "deep":
        place.write_text("[" * 100_000)
    elif kind == "image":
        np.save(folder / "a.npy", np.zeros((4, 4)))
        (folder / "a.npy").rename(place)
    elif kind == "long name":
        return folder / ("a" * 300)
    return place


def _words(command, place, out):
    more = {
        "predict": [str(out / "image.npy"), "--out", str(out / "out")],
        "export": ["--format", "onnx", "--out", str(out / "out")],
        "prune": ["--channels", "0.5"],
    }
    return [command, str(place), *more.get(command, [])]


KINDS = ("missing", "folder", "empty", "junk", "other json", "list", "deep", "image", "long name")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_wrong_file_is_one_line(capsys, tmp_path, command, kind):
    np.save(tmp_path / "image.npy", np.zeros((8, 8), np.uint8))
    place = _made(tmp_path, kind)
    status = main(_words(command, place, tmp_path))
    said = capsys.readouterr()
    assert status in (1, 2)
    lines = [line for line in said.err.strip().split("\n") if line]
    assert len(lines) == 1
    assert lines[0].startswith("unetbench: ")
    assert "Traceback" not in said.err + said.out


def test_a_misspelt_recipe_is_told_the_nearest(capsys):
    assert main(["time", "unet_hlf"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    wanted = "unetbench: there is no file or folder unet_hlf, and model 'unet_hlf' is unknown; did you mean 'unet_half'"
    assert line.startswith(wanted)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--threads", "-1"], "argument --threads: '-1' is not a number from 0 on"),
        (["--budget", "0"], "argument --budget: '0' is not a number above 0"),
        (["--budget", "nan"], "argument --budget: 'nan' is not a number above 0"),
    ],
)
def test_a_number_that_cannot_be_timed_is_refused(capsys, words, said):
    with pytest.raises(SystemExit):
        main(["time", "unet", *words])
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("words", [["time", "unet"], ["export", "record.json", "--format", "onnx"]])
def test_more_threads_than_processors_are_refused_with_how_many_there_are(capsys, words):
    assert main([*words, "--threads", "99999"]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"unetbench: --threads 99999: this process may use {cores()} logical processor")
    assert err.endswith(f"; give 0 to {cores()}\n")


def test_a_setting_that_is_named_twice_is_timed_once(tmp_path):
    words = ["time", str(tmp_path), "--batch", "1", "1", "--size", "32x32", "64x64", "32x32", "--threads", "0", "1"]
    usual = machine()["threads"]
    found = [(one.batch, one.window, one.threads or usual) for one in settings(parser().parse_args(words), (32, 32))]
    assert found == list(dict.fromkeys((1, size, n) for size in ((32, 32), (64, 64)) for n in (usual, 1)))


@pytest.mark.parametrize("words", [["--channels", "4"], ["--classes", "3"], ["--set", "width=3"]])
def test_what_makes_an_untrained_recipe_is_refused_beside_a_trained_trial(capsys, tmp_path, words):
    assert main(["time", str(_sweep_folder(tmp_path)), *words]) == 2
    assert "are of an untrained recipe" in capsys.readouterr().err


def test_cases_are_refused_beside_an_untrained_recipe(capsys):
    assert main(["time", "unet", "--cases", "1"]) == 2
    assert "--cases is of trained trials" in capsys.readouterr().err


def _sweep_folder(tmp_path):
    folder = tmp_path / "results" / "small"
    (folder / "records" / "desk").mkdir(parents=True)
    (folder / "sweep.yaml").write_text("name: small\n")
    return folder


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"[]", b"[" * 100_000, b'{"schema": 99, "id": ""}'])
@pytest.mark.parametrize("command", ["status", "report", "recommend"])
def test_a_damaged_record_in_a_sweep_is_named(capsys, tmp_path, command, content):
    folder = _sweep_folder(tmp_path)
    (folder / "records" / "desk" / "0123456789abcdef.json").write_bytes(content)
    (folder / "deployments" / "desk").mkdir(parents=True)
    (folder / "deployments" / "desk" / "0123456789abcdef.json").write_bytes(content)
    assert main([command, str(folder)]) == 2
    said = capsys.readouterr().err
    assert len(said.strip().split("\n")) == 1
    assert "0123456789abcdef.json" in said


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("sweep.yaml", b"\xff\xfe\x00"),
        ("sweep.yaml", b"a: &a [*a]"),
        ("sweep.yaml", b"a: !!python/name:os.system"),
        ("planned.json", b"[1]"),
        ("planned.json", b'{"a": 5}'),
    ],
)
def test_a_damaged_file_beside_the_records_is_named(capsys, tmp_path, name, content):
    folder = _sweep_folder(tmp_path)
    (folder / name).write_bytes(content)
    command = "status" if name == "planned.json" else "recommend"
    if command == "recommend":
        (folder / "deployments" / "desk").mkdir(parents=True)
        (folder / "deployments" / "desk" / "0123456789abcdef.json").write_bytes(b"{}")
    assert main([command, str(folder)]) == 2
    said = capsys.readouterr().err
    assert len(said.strip().split("\n")) == 1
    assert name in said


@pytest.mark.parametrize("command", ["rerun", "export"])
def test_nobody_is_told_to_delete_a_file_that_is_no_record_of_a_sweep(capsys, tmp_path, command):
    """Who names a settings file by mistake would lose it."""
    place = _made(tmp_path, "other json")
    assert main(_words(command, place, tmp_path)) == 2
    told = capsys.readouterr().err
    assert "place.json: is no trained trial; give results/SWEEP/records/MACHINE/ID.json" in told
    assert "delete the file" not in told


def test_a_damaged_record_may_be_deleted(capsys, tmp_path):
    record = _sweep_folder(tmp_path) / "records" / "desk" / "0123456789abcdef.json"
    record.write_text("{}")
    assert main(["rerun", str(record)]) == 2
    assert "delete the file to have the trial run again" in capsys.readouterr().err


def test_damaged_claims_are_nobodys_and_status_goes_on(capsys, tmp_path):
    folder = _sweep_folder(tmp_path)
    (folder / "claims" / "desk").mkdir(parents=True)
    for name, content in (("a.0", b"\xff"), ("b.0", b'{"process": "x"}'), ("c.²", b"{}"), ("d.1", b"[]")):
        (folder / "claims" / "desk" / name).write_bytes(content)
    assert main(["status", str(folder)]) in (0, 1)
    said = capsys.readouterr()
    assert "3 stale" not in said.err
    damaged = r"^  {}: begun; its claim is damaged and does not say where, last sign of life \d+ s ago$"
    for key in "abd":
        assert re.search(damaged.format(key), said.out, re.MULTILINE), said.out


def test_an_escape_sequence_in_a_record_does_not_reach_the_terminal(capsys, tmp_path):
    folder = _sweep_folder(tmp_path)
    (folder / "planned.json").write_text(json.dumps({"0" * 16: "\x1b]0;title\x07 cells"}))
    os.utime(folder)
    main(["status", str(folder)])
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize("command", ["time", "export", "prune"])
def test_a_record_is_found_from_within_the_folder_of_results(capsys, tmp_path, monkeypatch, command):
    published = next((Path(__file__).parents[3] / "results" / "runtimes_2d" / "records").glob("*/*.json"))
    machine = tmp_path / "results" / "small" / "records" / "desk"
    machine.mkdir(parents=True)
    shutil.copyfile(published, machine / "0123456789abcdef.json")
    monkeypatch.chdir(machine)
    assert main(_words(command, Path("0123456789abcdef.json"), tmp_path)) in (1, 2)
    (line,) = capsys.readouterr().err.splitlines()
    assert "its weights were not kept" in line
