"""`unetbench merge` as a user runs it, on records made here."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest
import yaml

from unetbench.benchmark.cli import main
from unetbench.benchmark.records import merge as merging
from unetbench.benchmark.report.frame import frames
from unetbench.benchmark.report.tables.notes import remarks
from unetbench.benchmark.report.tables.summary import comparison_tables
from unetbench.core.recipe import Recipe
from unetbench.core.record import Record
from unetbench.core.trial import Choice, Trial

MACHINE = "desk-8-cores"
HARDWARE = {"name": MACHINE, "cpu": "A CPU", "cores": 8, "gpu": "", "system": "Linux", "digest": "a1"}

COUNTS = {"tp": 80, "fp": 20, "fn": 20, "tn": 880}


def trial(model="unet", seed=0):
    return Trial(Choice("cells"), {"digest": "0a"}, Choice(model), Choice("dice"), Recipe(patch=(32, 32)), seed)


def record(of=None, dice=(0.8, 0.7, 0.6), *, status="done", hardware=HARDWARE, **fields):
    rows = [
        {
            "case": f"c{k}",
            "group": f"c{k}",
            "class": "nucleus",
            "tp": 80,
            "fp": 20,
            "fn": 20,
            "tn": 880,
            "empty": "none",
        }
        | {"dice": value}
        for k, value in enumerate(dice)
    ]
    done = {"scores": rows, "history": [{"epoch": 1, "loss": 0.5, "train_s": 3.0}]} if status == "done" else {}
    return Record(of or trial(), status, machine=hardware, versions={"backend": "tensorflow"}, **done, **fields)


def put(sweep: Path, *records: Record, machine=MACHINE, weights=b"", **keys):
    """Write a sweep's folder with these records, and weights beside each where there are some."""
    for one in records:
        file = sweep / "records" / machine / f"{one.trial.id}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(one.to_json(), "utf-8")
        if weights:
            write(sweep / "weights" / machine / f"{one.trial.id}.keras", weights)
    write(sweep / "sweep.yaml", yaml.safe_dump({"name": "nuclei", **keys}).encode())
    return sweep


def write(file: Path, content: bytes):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def contents(folder: Path):
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


@pytest.fixture
def sweeps(tmp_path):
    """Two machines' folders of one sweep, not there yet."""
    return tmp_path / "a" / "nuclei", tmp_path / "b" / "nuclei"


def run(capsys, *words):
    status = main(["merge", *map(str, words)])
    output = capsys.readouterr()
    return status, output.out, output.err


def test_new_trials_are_joined_with_all_their_files(sweeps, capsys):
    a, b = sweeps
    put(a, record(trial(seed=0)), weights=b"zero")
    put(b, record(trial(seed=1)), weights=b"one")
    name = trial(seed=1).id
    for kind, end in {"previews": ".npz", "averages": ".npz", "deployments": ".json"}.items():
        write(b / kind / MACHINE / f"{name}{end}", b"x")
    write(b / "probabilities" / MACHINE / name / "c0.npz", b"x")
    write(b / "machines" / MACHINE / "tensorflow-cpu-float32-0a.json", b"x")
    before = contents(b)
    status, text, error = run(capsys, a, b)
    assert (status, error) == (0, "")
    assert "1 new record" in text
    assert contents(b) == before
    assert contents(a) == {**contents(a), **before}


def test_what_is_the_same_is_skipped_and_a_second_merge_does_nothing(sweeps, capsys):
    a, b = sweeps
    put(a, record(), weights=b"w")
    put(b, record(), record(trial("vnet")), weights=b"w")
    assert run(capsys, a, b)[0] == 0
    before = contents(a)
    status, text, _ = run(capsys, a, b)
    assert status == 0
    assert "0 files" in text
    assert contents(a) == before


def test_the_same_trial_with_other_scores_is_kept_as_a_second_run_and_compared(sweeps, capsys):
    a, b = sweeps
    put(a, record(dice=(0.8, 0.7, 0.6)), weights=b"first")
    put(b, record(dice=(0.8, 0.75, 0.5)), weights=b"second")
    before, name = contents(a), trial().id
    status, _, error = run(capsys, a, b)
    assert status == 1
    assert f"conflict: {MACHINE}/{name}" in error
    assert "2 of 3 scores differ, at most dice 0.1 (c2, nucleus)" in error
    assert contents(a) == {**contents(a), **before}
    kept = a / "runs" / "2"
    assert (kept / "weights" / MACHINE / f"{name}.keras").read_bytes() == b"second"
    assert (kept / "records" / MACHINE / f"{name}.json").read_bytes() == (
        b / f"records/{MACHINE}/{name}.json"
    ).read_bytes()


def test_a_conflict_is_kept_once_however_often_it_is_merged(sweeps, capsys):
    a, b = sweeps
    put(a, record(), weights=b"first")
    put(b, record(dice=(0.1, 0.2, 0.3)), weights=b"second")
    run(capsys, a, b)
    before = contents(a)
    status, text, error = run(capsys, a, b)
    assert status == 1
    assert "conflict" in error and "0 files" in text
    assert contents(a) == before
    # what a merge that was broken off had not joined comes to the same run
    (a / "runs/2/records" / MACHINE / f"{trial().id}.json").unlink()
    run(capsys, a, b)
    assert contents(a) == before


def test_a_third_run_has_a_number_of_its_own(sweeps, tmp_path, capsys):
    a, b = sweeps
    c = tmp_path / "c" / "nuclei"
    for folder, dice in ((a, 0.8), (b, 0.7), (c, 0.6)):
        put(folder, record(dice=(dice, dice, dice)))
    assert run(capsys, a, b, c)[0] == 1
    assert sorted(file.name for file in (a / "runs").iterdir()) == ["2", "3"]
    # and is the same three runs when it is merged on
    d = tmp_path / "d" / "nuclei"
    run(capsys, a, "--out", d, c)
    assert contents(d) == contents(a)


def test_other_weights_of_the_same_record_are_another_run_with_the_record(sweeps, capsys):
    a, b = sweeps
    put(a, record(), weights=b"first")
    put(b, record(), weights=b"second")
    status, _, error = run(capsys, a, b)
    assert status == 1
    assert "the same record, other weights" in error
    assert (a / "runs/2/records" / MACHINE / f"{trial().id}.json").is_file()


def test_runs_that_differ_in_their_clock_alone_are_said_to_be_the_same(sweeps, capsys):
    a, b = sweeps
    put(a, record(timing={"train_s": 10.0}))
    put(b, record(timing={"train_s": 12.0}))
    status, _, error = run(capsys, a, b)
    assert status == 1
    assert "every epoch and all 3 scores the same to the last bit" in error


def test_a_failed_trial_that_is_done_elsewhere_says_how_to_have_that_counted(sweeps, tmp_path, capsys):
    a, b = sweeps
    put(a, record(status="failed", reason="no memory"))
    put(b, record())
    _, _, error = run(capsys, a, b)
    assert "failed, the other done" in error
    assert f"merge {b} first, with --out" in error
    run(capsys, b, a, "--out", tmp_path / "c")
    assert json.loads((tmp_path / "c/records" / MACHINE / f"{trial().id}.json").read_text())["status"] == "done"


def test_the_report_counts_a_trial_once_and_shows_the_comparison(sweeps, capsys):
    a, b = sweeps
    put(a, record(dice=(0.8, 0.7, 0.6)), record(trial("vnet")))
    put(b, record(dice=(0.1, 0.1, 0.1)))
    run(capsys, a, b)
    read = frames(a, "nan_worst")
    assert len(read.records) == 2
    (table,) = comparison_tables(read)
    assert {row.model: round(row.dice.mean, 3) for row in table.rows} == {"unet": 0.7, "vnet": 0.7}
    (line,) = [line for line in remarks(table) if line.startswith("Run again")]
    assert "unet · dice" in line
    assert "run 2: 3 of 3 scores differ, at most dice 0.7 (c0, nucleus)" in line


def test_a_further_run_can_be_reported_by_itself(sweeps, capsys):
    a, b = sweeps
    put(a, record())
    put(b, record(dice=(0.1, 0.1, 0.1)), seeds=3)
    _, _, error = run(capsys, a, b)
    assert "sweep.yaml: not the same in seeds" in error
    (table,) = comparison_tables(frames(a / "runs" / "2", "nan_worst"))
    assert table.rows[0].dice.mean == pytest.approx(0.1)


def test_a_trial_on_two_machines_is_compared_and_no_conflict(sweeps, capsys):
    a, b = sweeps
    put(a, record(), record(trial("vnet")))
    put(b, record(dice=(0.8, 0.72, 0.6)), record(trial("vnet")), machine="gpu-box")
    status, text, error = run(capsys, a, b)
    assert (status, error) == (0, "")
    assert f"2 trials on both {MACHINE} and gpu-box: 1 the same to the last bit" in text
    assert "Dice of a case differs by up to 0.0200 (c1 of cells · unet · dice · seed 0), a mean by 0.0067" in text


def test_other_hardware_under_one_name_is_left(sweeps, capsys):
    a, b = sweeps
    put(a, record())
    put(b, record(trial("vnet"), hardware={**HARDWARE, "cpu": "Another", "digest": "b2"}))
    before = contents(a)
    status, _, error = run(capsys, a, b)
    assert status == 1
    assert "records of other hardware (Another, 8 cores, Linux)" in error
    assert contents(a) == before


def test_half_written_foreign_and_damaged_files_and_links_are_named_and_left(sweeps, tmp_path, capsys):
    a, b = sweeps
    put(a, record())
    put(b, record())
    name = trial("vnet").id
    secret = write(tmp_path / "secret", b"s")
    write(b / "weights" / MACHINE / f".1234abcd.part.{name}.keras", b"half")
    write(b / "records" / MACHINE / f".{name}.json.1234abcd.part", b"half")
    write(b / "records" / MACHINE / "notes.txt", b"mine")
    write(b / "records" / MACHINE / f"{name}.json", b"{")
    (b / "records" / MACHINE / f"{trial('unet', 5).id}.json").symlink_to(secret)
    before = contents(a)
    status, _, error = run(capsys, a, b)
    assert status == 1
    assert error.count("half written") == 2
    assert "notes.txt: no file of unetbench's" in error
    assert f"{name}.json: its record cannot be read" in error
    assert "a symbolic link, which is not followed" in error
    assert contents(a) == before


def test_nothing_is_written_through_a_link_in_the_target(sweeps, tmp_path, capsys):
    a, b = sweeps
    put(a, record())
    put(b, record(trial("vnet")), weights=b"w")
    outside = tmp_path / "outside"
    outside.mkdir()
    (a / "weights").symlink_to(outside)
    status, _, error = run(capsys, a, b)
    assert status == 1
    assert "is a symbolic link or behind one" in error
    assert list(outside.iterdir()) == []


def test_a_sweep_that_is_a_link_is_neither_read_nor_written(tmp_path, capsys):
    outside = put(tmp_path / "outside", record(trial("vnet")))
    for name in "ab":
        put(tmp_path / name / "own", record())
    (tmp_path / "b" / "linked").symlink_to(outside)
    status, _, error = run(capsys, tmp_path / "a", tmp_path / "b")
    assert status == 1
    assert f"left {tmp_path / 'b' / 'linked'}: a symbolic link" in error
    assert not (tmp_path / "a" / "linked").exists()
    before = contents(outside)
    (tmp_path / "a" / "own").rename(tmp_path / "own")
    (tmp_path / "a" / "own").symlink_to(outside)
    put(tmp_path / "a" / "other", record())
    assert run(capsys, tmp_path / "a", tmp_path / "b")[0] == 1
    assert contents(outside) == before


def test_deployments_without_their_record_are_not_mixed_with_another_run(sweeps, capsys):
    a, b = sweeps
    put(a, record())
    put(b)
    write(b / "deployments" / MACHINE / f"{trial().id}.json", b"d")
    status, _, error = run(capsys, a, b)
    assert status == 1
    assert "its record is not beside it" in error
    assert not (a / "deployments").exists()


def test_names_that_steer_a_terminal_are_escaped(sweeps, capsys):
    a, b = sweeps
    put(a, record())
    put(b, record())
    write(b / "records" / MACHINE / "\x1b[2Jx\n.txt", b"x")
    _, _, error = run(capsys, a, b)
    assert "\x1b" not in error
    assert error.count("\n") == 1


def test_a_record_under_another_trials_name_is_left(sweeps, capsys):
    a, b = sweeps
    put(a, record())
    put(b, record())
    shutil.copy(b / f"records/{MACHINE}/{trial().id}.json", b / f"records/{MACHINE}/{trial('vnet').id}.json")
    status, _, error = run(capsys, a, b)
    assert status == 1
    assert f"its record is of the trial {trial().id}" in error


def test_a_checkpoint_goes_where_its_trial_has_nothing_yet(sweeps, capsys):
    a, b = sweeps
    put(a, record())
    put(b)
    for model in ("unet", "vnet"):
        write(b / "checkpoints" / MACHINE / f"{trial(model).id}.in-parts.npz", b"c")
    _, _, error = run(capsys, a, b)
    assert not (a / "checkpoints" / MACHINE / f"{trial().id}.in-parts.npz").exists()
    assert (a / "checkpoints" / MACHINE / f"{trial('vnet').id}.in-parts.npz").read_bytes() == b"c"
    assert "its record is not beside it" in error


def test_a_record_joins_another_checkpoint_of_its_trial(sweeps, capsys):
    a, b = sweeps
    put(a)
    write(a / "checkpoints" / MACHINE / f"{trial().id}.npz", b"one")
    put(b, record())
    write(b / "checkpoints" / MACHINE / f"{trial().id}.npz", b"two")
    status, _, error = run(capsys, a, b)
    assert status == 0
    assert (a / "records" / MACHINE / f"{trial().id}.json").is_file()
    assert (a / "checkpoints" / MACHINE / f"{trial().id}.npz").read_bytes() == b"one"
    assert "another checkpoint of it is there" in error


def test_a_search_is_joined_whole_or_kept_apart(sweeps, capsys):
    a, b = sweeps
    for folder, values in ((a, b"1"), (b, b"2")):
        put(folder, record())
        for search in ("0" * 16, "1" * 16):
            write(folder / "tune/searches" / MACHINE / search / "search.json", b"s")
            write(folder / "tune/searches" / MACHINE / search / "0001.json", values if search[0] == "0" else b"p")
    write(b / "tune/searches" / MACHINE / ("1" * 16) / "0002.json", b"p")
    write(b / "tune/trials" / MACHINE / f"{'2' * 16}-3.json", b"t")
    status, _, error = run(capsys, a, b)
    assert status == 1
    assert f"{MACHINE}/{'0' * 16}: not the same: 1 of its files" in error
    assert (a / "runs/2/tune/searches" / MACHINE / ("0" * 16) / "0001.json").read_bytes() == b"2"
    assert (a / "tune/searches" / MACHINE / ("1" * 16) / "0002.json").is_file()
    assert (a / "tune/trials" / MACHINE / f"{'2' * 16}-3.json").is_file()


def test_folders_of_several_sweeps_are_joined_sweep_by_sweep(tmp_path, capsys):
    put(tmp_path / "a" / "nuclei", record())
    put(tmp_path / "b" / "nuclei", record(trial("vnet")))
    put(tmp_path / "b" / "cells", record())
    write(tmp_path / "b" / "cells" / "report" / "index.html", b"x")
    status, text, _ = run(capsys, tmp_path / "a", tmp_path / "b")
    assert status == 0
    assert len(list((tmp_path / "a").glob("*/records/*/*.json"))) == 3
    assert not (tmp_path / "a" / "cells" / "report").exists()
    assert "not joined: report" in text


def test_a_dry_run_says_the_same_and_writes_nothing(sweeps, tmp_path, capsys):
    a, b = sweeps
    put(a, record())
    put(b, record(dice=(0.1, 0.2, 0.3)), record(trial("vnet")))
    before = contents(tmp_path)
    planned = [run(capsys, *words, "--dry-run", "--json") for words in ((a, b), (a, b, "--out", tmp_path / "c"))]
    assert contents(tmp_path) == before
    assert not (tmp_path / "c").exists()
    done = [run(capsys, *words, "--json") for words in ((a, b, "--out", tmp_path / "c"), (a, b))]
    for (status, text, _), (after, told, _) in zip(planned, reversed(done), strict=True):
        assert status == after == 1
        assert json.loads(text) == {**json.loads(told), "dry_run": True}


def test_a_merge_that_is_broken_off_is_run_again(sweeps, capsys, monkeypatch):
    a, b = sweeps
    put(a, record(), weights=b"first")
    put(b, record(dice=(0.1, 0.2, 0.3)), record(trial("vnet")), weights=b"second")
    whole, copied, left = merging.copied, [], 2

    def break_off(source, target):
        if len(copied) == left:
            raise KeyboardInterrupt
        copied.append(target)
        whole(source, target)

    monkeypatch.setattr(merging, "copied", break_off)
    status, _, error = run(capsys, a, b)
    assert status == 130
    assert "what was joined is whole: the same command goes on" in error
    monkeypatch.setattr(merging, "copied", whole)
    assert run(capsys, a, b)[0] == 1
    names = [trial("vnet").id, trial().id]
    folders = [a, a / "runs" / "2"]
    for folder, name in zip(folders, names, strict=True):
        for kind, end in (("records", ".json"), ("weights", ".keras")):
            file = f"{kind}/{MACHINE}/{name}{end}"
            assert (folder / file).read_bytes() == (b / file).read_bytes()
    assert sorted(file.name for file in (a / "runs").iterdir()) == ["2"]


def test_a_full_disk_is_one_line_and_nothing_is_written(sweeps, capsys, monkeypatch):
    a, b = sweeps
    put(a, record())
    put(b, record(trial("vnet")))
    before = contents(a)
    monkeypatch.setattr(merging, "NEEDED_BYTES", 2**70)
    status, _, error = run(capsys, a, b)
    assert status == 2
    assert "MiB free" in error and "--out DIR" in error
    assert contents(a) == before


def test_a_file_that_came_meanwhile_is_not_replaced(tmp_path):
    source, target = write(tmp_path / "source", b"new"), write(tmp_path / "target", b"old")
    with pytest.raises(merging.StoreError, match="has come to be there meanwhile"):
        merging.copied(source, target)
    assert contents(tmp_path) == {"source": b"new", "target": b"old"}


def test_without_hard_links_nothing_is_replaced_either(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    source = write(tmp_path / "source", b"new")
    merging.copied(source, tmp_path / "there")
    with pytest.raises(merging.StoreError, match="has come to be there meanwhile"):
        merging.copied(source, write(tmp_path / "target", b"old"))
    assert contents(tmp_path) == {"source": b"new", "there": b"new", "target": b"old"}


def test_a_run_under_way_is_refused(sweeps, capsys):
    a, b = sweeps
    put(a, record())
    put(b, record(trial("vnet")))
    claim = {
        "token": "t",
        "host": "elsewhere",
        "boot": "1",
        "process": 7,
        "started": 1.0,
        "job": "",
        "since": "",
        "progress": "",
    }
    write(b / "claims" / MACHINE / f"{trial('vnet', 1).id}.0", json.dumps(claim).encode())
    status, _, error = run(capsys, a, b)
    assert status == 2
    assert "a run is under way" in error
    past = time.time() - 3600
    os.utime(b / "claims" / MACHINE / f"{trial('vnet', 1).id}.0", (past, past))
    assert run(capsys, a, b)[0] == 0


@pytest.mark.parametrize("other", ["nuclei", "nuclei/inner", "."])
def test_folders_that_are_one_are_refused(tmp_path, capsys, other):
    put(tmp_path / "nuclei", record())
    put(tmp_path / "nuclei" / "inner", record())
    status, _, error = run(capsys, tmp_path / "nuclei", tmp_path / other)
    assert status == 2
    assert "one folder, or one is inside the other" in error


def test_a_folder_without_results_is_one_line(tmp_path, capsys):
    put(tmp_path / "nuclei", record())
    (tmp_path / "empty").mkdir()
    for words in ((tmp_path / "nuclei", tmp_path / "empty"), (tmp_path / "nuclei", tmp_path / "nowhere")):
        status, _, error = run(capsys, *words)
        assert status == 2
        assert "no results here" in error
