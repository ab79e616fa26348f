"""`unetbench update` trains a model further on new data and puts it in place only if it is not worse.

Most candidates here are trained at a rate at which no weight moves, so that they equal their parents: not worse by
0.01 for certain, and not better either.
"""

import contextlib
import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from unetbench.benchmark.cli import main
from unetbench.benchmark.records.claims import Claims
from unetbench.benchmark.records.store import Store, read
from unetbench.benchmark.records.updates import Line
from unetbench.benchmark.sweep.continual import method
from unetbench.benchmark.trial.context import Context, open_dataset
from unetbench.benchmark.trial.run_trial import WorkerCache, run_trial
from unetbench.benchmark.update.derive import update_trial
from unetbench.benchmark.update.new_data import new_data
from unetbench.core.recipe import Recipe
from unetbench.core.trial import Choice, Trial
from unetbench.datasets import DATASETS
from unetbench.datasets.source import Source

STILL = ["--method", "finetune", "--rate", "1e-12", "--epochs", "1", "--quiet"]
FOLDER = {"images": "img/*.png", "masks": "lab/*.png", "classes": ["nucleus"], "group": r"_p(\d+)_"}


def _write(folder, count, letter, **options):
    """Generated cells as files, two cases a group."""
    for kind in ("img", "lab"):
        (folder / kind).mkdir(parents=True)
    for k, case in enumerate(DATASETS["cells"](Source(None, folder), count=count, size=(32, 32), **options).cases):
        sample, name = case.read(), f"{letter}_p{ord(letter) * 100 + k // 2}_{k}.png"
        cv2.imwrite(str(folder / "img" / name), sample.image[..., 0])
        cv2.imwrite(str(folder / "lab" / name), np.uint8(255) * sample.truth[..., 0])
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A small U-Net that was trained on a folder, an update of it and an update of that one, each in the store."""
    folder = tmp_path_factory.mktemp("update")
    first, second, third = (
        _write(folder / name, count, letter, seed=seed, domains=[domain])
        for name, count, letter, seed, domain in (
            ("first", 40, "a", 0, "plain"),
            ("second", 16, "b", 1, "inverted"),
            ("third", 16, "c", 2, "blurred"),
        )
    )
    context = Context(Source(None, folder / "cache"), folder, folder / "results", "cells", weights=True, previews=0)
    dataset = Choice("folder", {**FOLDER, "path": str(first)})
    split = {"train": 0.4, "validation": 0.1, "test": 0.5}
    split |= {"digest": open_dataset(dataset, split, context).split.digest}
    recipe = Recipe(patch=(32, 32), batch=4, epochs=6, steps=8, rate=0.01, validation="full")
    model = Choice("unet", {"width": 4, "depth": 1, "normalisation": "instance"})
    parent = Trial(dataset, split, model, Choice("dice"), recipe, 0)
    store, cache = Store.here(context.results, context.sweep), WorkerCache()

    def trained(trial):
        return store.put(run_trial(trial, context, cache, lambda event: None))

    still = method({"name": "finetune", "epochs": 1, "rate": 1e-12}, "test")
    once, *_ = update_trial(parent, new_data(str(second), parent), still, context)
    files = [trained(parent), trained(once)]
    twice, *_ = update_trial(once, new_data(str(third), once), still, context)
    files.append(trained(twice))
    assert all(read(file).status == "done" for file in files)
    return SimpleNamespace(
        folder=folder,
        context=context,
        sweep=store.folder,
        parent=files[0],
        once=files[1],
        twice=files[2],
        first=first,
        second=str(second),
        third=str(third),
    )


def _said(capsys, *words):
    """The exit status and what the command says, as JSON or in lines."""
    status = main([*map(str, words)])
    told = capsys.readouterr()
    assert status < 2, told.err
    return status, json.loads(told.out) if "--json" in words else told.out.splitlines()


def test_a_model_that_is_not_worse_is_put_in_place_and_both_stay(made, capsys):
    status, told = _said(capsys, "update", made.parent, made.second, "--name", "a", "--json", *STILL)
    assert (status, told["replaced"], told["current"]) == (0, True, f"records/{made.once.parent.name}/{made.once.name}")
    frozen, new = told["gate"]["parts"]["first"], told["gate"]["parts"]["update 1"]
    assert (frozen["cases"], frozen["groups"], frozen["gain"], frozen["low"]) == (20, 10, 0.0, 0.0)
    empty_is_best = [1.0 if row["dice"] is None else row["dice"] for row in read(made.parent).scores]
    assert frozen["old"] == pytest.approx(np.mean(empty_is_best))
    # The same weights: what is predicted here for the old model is what the trial's own test gave the new one.
    assert new["cases"] >= 2
    assert new["gain"] == pytest.approx(0.0, abs=1e-4)
    assert made.parent.is_file()
    assert (made.sweep / "weights" / made.parent.parent.name / f"{made.parent.stem}.keras").is_file()
    pointer = json.loads((made.sweep / "updates" / "a" / "current.json").read_text())
    assert pointer == {"schema": 1, "record": told["current"], "decisions": 1}


def test_a_model_that_is_not_better_by_a_margin_of_0_is_not_put_in_place(made, capsys):
    status, lines = _said(capsys, "update", made.parent, made.second, "--name", "b", "--margin", "0", *STILL)
    assert status == 1
    text = "not replaced: may be worse than the old model by 0 or more: +0.0000 [+0.0000, +0.0000]"
    assert lines[-3] == text
    assert lines[-2] == f"in place: records/{made.parent.parent.name}/{made.parent.name}"
    status, told = _said(capsys, "update", made.parent, "--list", "--name", "b", "--json")
    assert (status, [one["reason"] for one in told["decisions"]]) == (0, [text.removeprefix("not replaced: ")])
    assert told["current"] == told["decisions"][0]["before"]


def test_a_decision_is_taken_back_and_an_update_of_an_update_is_judged_on_the_first_test_set(made, capsys):
    assert main(["update", str(made.parent), made.second, "--name", "c", *STILL]) == 0
    pointer = made.sweep / "updates" / "c" / "current.json"
    capsys.readouterr()
    status, told = _said(capsys, "update", pointer, made.third, "--json", *STILL)
    assert (status, told["number"], told["model"]) == (0, 2, f"records/{made.twice.parent.name}/{made.twice.name}")
    assert set(told["gate"]["parts"]) == {"first", "update 1", "update 2"}
    assert told["gate"]["first_model"]["cases"] == told["gate"]["parts"]["first"]["cases"] == 20
    for expected in (made.once, made.parent):
        status, told = _said(capsys, "update", pointer, "--undo", "--reason", "complaints", "--json")
        assert (status, told["act"], told["reason"]) == (0, "undo", "complaints")
        assert json.loads(pointer.read_text())["record"].endswith(expected.name)
    assert main(["update", str(pointer), "--undo"]) == 2
    assert "nothing to take back; the first model of line c is in place" in capsys.readouterr().err
    _, lines = _said(capsys, "update", pointer, "--list")
    assert [line.split(" · ")[2] for line in lines[1:5]] == ["replaced", "replaced", "taken back", "taken back"]
    assert len(Line(pointer.parent).decisions()) == 4


def test_a_chain_that_has_become_worse_than_the_first_model_ends(made, capsys, tmp_path):
    """Each step may be as good as the one before within its margin, and all together may not."""
    sweep = tmp_path / "results" / "cells"
    shutil.copytree(made.sweep, sweep, ignore=shutil.ignore_patterns("updates"))
    place = sweep / "records" / made.parent.parent.name
    assert main(["update", str(place / made.parent.name), made.second, *STILL]) == 0
    first = read(place / made.parent.name)
    better = [{**row, "dice": min(1.0, (row["dice"] or 0.0) + 0.05)} for row in first.scores]
    (place / made.parent.name).write_text(replace(first, scores=better).to_json())
    capsys.readouterr()
    pointer = sweep / "updates" / made.parent.stem / "current.json"
    status, told = _said(capsys, "update", pointer, made.third, "--json", *STILL)
    assert (status, told["replaced"]) == (1, False)
    assert told["reason"].startswith("worse than the first model by more than 0.01: -0.0")
    assert told["gate"]["parts"]["first"]["gain"] == 0.0


def test_other_commands_take_the_pointer_for_the_model(made, capsys):
    assert main(["update", str(made.parent), made.second, "--name", "d", *STILL]) == 0
    pointer, out = made.sweep / "updates" / "d" / "current.json", made.folder / "predicted"
    image = next((made.first / "img").glob("*.png"))
    assert main(["predict", str(pointer), str(image), "--out", str(out), "--quiet"]) == 0
    assert json.loads((out / "predict.json").read_text())["model"] == made.once.stem
    assert cv2.imread(str(out / "labels" / image.name), cv2.IMREAD_UNCHANGED).shape == (32, 32)


def test_one_command_decides_at_a_time(made, capsys):
    with Claims(made.sweep / "updates" / "e" / "claims") as other:
        assert other.take("decision")
        assert main(["update", str(made.parent), made.second, "--name", "e", *STILL]) == 2
        assert "update: line e is being updated by process" in capsys.readouterr().err
    assert main(["update", str(made.parent), made.second, "--name", "e", *STILL]) == 0


def test_a_pointer_that_a_crash_left_behind_and_results_behind_a_link_are_no_hindrance(made, tmp_path, capsys):
    (tmp_path / "link").symlink_to(made.sweep.parent)
    sweep = tmp_path / "link" / "cells"
    parent = sweep / "records" / made.parent.parent.name / made.parent.name
    assert main(["update", str(parent), made.second, "--name", "j", *STILL]) == 0
    line = Line(sweep / "updates" / "j")
    line.point(line.models()[0], 0)
    capsys.readouterr()
    status, told = _said(capsys, "update", line.pointer, made.third, "--json", *STILL)
    assert (status, told["number"], told["before"].rpartition("/")[2]) == (0, 2, made.once.name)


def _refused(capsys, *words):
    assert main(["update", *map(str, words)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize(
    ("new", "told"),
    [
        (
            "{name: cells, form: nucleus_cytoplasm}",
            "cells: has the classes: background, cytoplasm, nucleus (exclusive)",
        ),
        (
            "{name: cells, form: two_modality}",
            "cells: has channels: 2; the data that the model was trained on, first: 1",
        ),
        (
            "{name: cells, form: volume}",
            "cells: has images of rank: 3; the data that the model was trained on, first: 2",
        ),
        ("{name: cells, count: 8}", "the new data: cells: 2 independent groups of cases cannot fill 3 shares"),
        ("{name: cels}", "new.yaml: datasets[0]: dataset 'cels' is unknown; did you mean 'cells'?"),
        ("{name: cells, recipe: {epochs: 3}}", "new.yaml: recipe: an update has its parent's; --epochs and --rate are"),
        ("{name: cells, preprocess: {pad: 8}}", "new.yaml: preprocess: is not the parent's; leave it out"),
        ("[1, 2]", "new.yaml: is no data set; a folder, a YAML file with one data set, or the name of a data set"),
    ],
)
def test_new_data_that_do_not_fit_are_one_line(made, tmp_path, capsys, new, told):
    (tmp_path / "new.yaml").write_text(new)
    line = _refused(capsys, made.parent, tmp_path / "new.yaml", "--name", "f")
    assert told in line
    assert not (made.sweep / "updates" / "f").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["{parent}"], "update: give one of NEW_DATA, the data set to learn, --undo and --list"),
        (["{parent}", "{second}", "--undo"], "update: give one of NEW_DATA"),
        (["{parent}", "--undo", "--name", "new"], "nothing to take back; the first model of line new is in place"),
        (["{parent}", "{second}", "--method", "joint"], "update: joint training is the sweep's own trial"),
        (["{parent}", "{second}", "--method", "finetune", "--keep", "3"], "update: key 'keep' is unknown"),
        (["{parent}", "{second}", "--rate", "-1"], "update: rate: input should be greater than 0, came -1.0"),
        (["{parent}", "{second}", "--margin", "-1"], "--margin -1: is no number from 0 on"),
        (["{parent}", "{second}", "--metric", "hd95_directed_px"], "--margin: say how much worse in px"),
        (["{parent}", "{second}", "--name", "../x"], "update: --name '../x': use letters, digits and ._-"),
        (["{parent}", "nowhere"], "nowhere: there is no such file or folder, and data set 'nowhere' is unknown"),
        (["{first}", "{second}"], "is no trained trial; give results/SWEEP/records/MACHINE/ID.json"),
        (["{once}", "{second}"], "b_p9800_0, b_p9800_1, b_p9801_2 and 13 more: the model's own data have the same"),
    ],
)
def test_what_cannot_be_asked_for_is_one_line(made, capsys, words, told):
    named = [] if "--name" in words else ["--name", "f"]
    assert told in _refused(capsys, *(word.format(**vars(made)) for word in words), *named)


def test_a_model_that_is_not_in_place_any_more_is_told_with_the_one_that_is(made, capsys):
    assert main(["update", str(made.parent), made.second, "--name", "g", *STILL]) == 0
    capsys.readouterr()
    line = _refused(capsys, made.parent, made.third, "--name", "g")
    assert (
        f"update: in line g records/{made.once.parent.name}/{made.once.name} is in place, not {made.parent.name}"
        in line
    )
    assert str(made.sweep / "updates" / "g" / "current.json") in line
    assert main(["update", str(made.parent), made.second, "--name", "i", *STILL]) == 0
    capsys.readouterr()
    assert "say which one with --name, or give its current.json" in _refused(capsys, made.parent, made.third)


def test_a_parent_without_weights_or_not_done_is_one_line(made, tmp_path, capsys):
    place = tmp_path / "results" / "cells" / "records" / "desk"
    place.mkdir(parents=True)
    shutil.copy(made.parent, place)
    line = _refused(capsys, place / made.parent.name, made.second)
    assert "its weights were not kept, so it cannot be updated" in line
    (place / made.parent.name).write_text(replace(read(made.parent), status="failed", reason="no").to_json())
    assert "it is failed, so it cannot be updated" in _refused(capsys, place / made.parent.name, made.second)


def test_a_test_set_that_changed_or_is_gone_is_one_line(made, capsys):
    mask = next((made.first / "lab").glob("*.png"))
    before = mask.read_bytes()
    cv2.imwrite(str(mask), np.zeros((32, 32), np.uint8))
    with contextlib.ExitStack() as mended:
        mended.callback(mask.write_bytes, before)
        told = _refused(capsys, made.parent, made.third, "--name", "f")
        assert "first: the model's own data are not as they were when it was trained and tested" in told
    away = made.folder / "away"
    made.first.rename(away)
    with contextlib.ExitStack() as mended:
        mended.callback(away.rename, made.first)
        told = _refused(capsys, made.parent, made.third, "--name", "f")
        assert "the model's own data, without which no update can be judged: folder: " in told


@pytest.mark.slow
def test_a_replay_is_trained_judged_and_reported(made, capsys):
    words = [
        "update",
        made.parent,
        made.second,
        "--name",
        "h",
        "--epochs",
        "1",
        "--keep",
        "4",
        "--margin",
        "1",
        "--json",
    ]
    status, told = _said(capsys, *words, "--quiet")
    assert status == 0
    record = read(made.sweep / told["model"])
    assert record.trial.derivation.options == {"method": "replay", "keep": 4, "epochs": 1}
    assert record.data["kept"]["cases"] >= 5  # four of training, one of validation at least
    assert set(record.data["batches"].values()) == {"first", "update 1"}
    assert main(["report", str(made.sweep)]) == 0
    assert "replay of 4" in (made.sweep / "report" / "index.html").read_text()
