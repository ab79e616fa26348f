"""`unetbench data audit` from the command line: folds by group, nothing trained twice, wrong masks first, verdicts."""

import csv
import json
import shutil

import cv2
import numpy as np
import pytest
import yaml
from scipy import ndimage

from unetbench.benchmark.audit.annotators import agreement, annotators
from unetbench.benchmark.audit.folds import AuditOptions, in_folds, out_of_fold
from unetbench.benchmark.audit.write import write_agreement
from unetbench.benchmark.cli import main
from unetbench.benchmark.records.store import Store
from unetbench.benchmark.sweep import file as sweep_file
from unetbench.benchmark.sweep import plan
from unetbench.benchmark.trial.context import Context, list_dataset
from unetbench.benchmark.trial.probabilities import file_of, write_probabilities
from unetbench.core.errors import DataError, SpecError
from unetbench.datasets.source import Source

CASES, EDGE = 12, 32
WRONG = "p3_09"


def _mask(number):
    rng = np.random.default_rng(number)
    mask = np.zeros((EDGE, EDGE), np.uint8)
    for corner in rng.choice(4, 3, replace=False):
        y, x = 2 + 16 * (corner // 2), 2 + 16 * (corner % 2)
        mask[y : y + 11, x : x + 11] = 1
    return mask


def _write(folder, masks="lab", groups=6, spoil=lambda name, mask: mask):
    names = [f"p{number % groups}_{number:02}" for number in range(CASES)]
    for part in ("img", masks):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        noise = np.random.default_rng(100 + number).integers(0, 40, (EDGE, EDGE))
        cv2.imwrite(str(folder / "img" / f"{name}.png"), (_mask(number) * 150 + noise).astype(np.uint8))
        cv2.imwrite(str(folder / masks / f"{name}.png"), spoil(name, _mask(number)) * 255)
    return names


def _without_one(name, mask):
    if name != WRONG:
        return mask
    pieces, _ = ndimage.label(mask)
    return np.where(pieces == 2, 0, mask).astype(np.uint8)


def _sweep(folder, **keys):
    data = {"folder": "mine", "images": "img/*.png", "masks": "lab/*.png", "classes": ["cell"], "group": "p(\\d)"}
    recipe = {"patch": [EDGE, EDGE], "batch": 4, "epochs": 1, "steps": 1}
    content = {"datasets": [data], "models": ["unet_light"], "losses": ["dice"], "recipe": recipe, **keys}
    file = folder / "mine.yaml"
    file.write_text(yaml.safe_dump(content))
    return file


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    """An audit of two folds, trained for a step; then with the probabilities of good models in place of its own."""
    folder = tmp_path_factory.mktemp("audit")
    names = _write(folder / "mine", spoil=_without_one)
    file = _sweep(folder)
    words = [
        "data",
        "audit",
        str(file),
        "--folds",
        "2",
        "--seeds",
        "1",
        "--quiet",
        "--results",
        str(folder / "results"),
    ]
    assert main(words) == 0
    trials = list((folder / "results" / "mine-audit" / "probabilities").glob("*/*"))
    assert len(trials) == 2
    for number, name in enumerate(names):
        soft = ndimage.gaussian_filter(_mask(number).astype(np.float32), 0.8)
        (home,) = [trial for trial in trials if file_of(trial, name).is_file()]  # each case in one fold
        write_probabilities(home, name, soft[..., None])
    return folder, words


def _rows(folder, name="cases.csv"):
    with (folder / "results" / "mine-audit" / "audit" / "mine" / name).open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_the_wrong_mask_is_first_and_nothing_is_trained_a_second_time(audited, capsys):
    folder, words = audited
    records = sorted((folder / "results" / "mine-audit" / "records").glob("*/*.json"))
    before = [record.stat().st_mtime_ns for record in records]
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["mine"]
    assert [record.stat().st_mtime_ns for record in records] == before
    assert (told["cases"], told["suspect"], told["models"]) == (CASES, 1, 1)
    assert told["first"][0]["case"] == WRONG
    assert told["first"][0]["reasons"][0].startswith("cell that the mask lacks (")
    rows = _rows(folder)
    assert [rows[0]["case"], rows[0]["place"]] == [WRONG, "1"]
    assert sorted(int(row["review"]) for row in rows) == list(range(1, CASES + 1))
    assert _rows(folder, "regions.csv")[0]["kind"] == "missing"


def test_the_gallery_is_one_page_with_the_region_drawn(audited):
    folder, words = audited
    assert main([*words, "--pictures", "3"]) == 0
    page = (folder / "results" / "mine-audit" / "audit" / "index.html").read_text("utf-8")
    assert page.count('<section class="case">') == 3
    assert f"1. {WRONG}" in page
    assert "data:image/png;base64," in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "shift of one or two pixels can hardly be told" in page


def test_verdicts_give_an_interval_and_wrong_ones_a_line(audited, capsys, tmp_path):
    folder, words = audited
    main(words)
    order = sorted(_rows(folder), key=lambda row: int(row["review"]))
    file = tmp_path / "verdicts.csv"
    lines = [f"{row['case']},{'wrong' if row['case'] == WRONG else 'Right'}" for row in order]
    file.write_text("case,verdict\n" + "\n".join(lines))
    capsys.readouterr()
    assert main([*words, "--json", "--reviewed", str(file), "--threshold", "0.9"]) == 0
    found = json.loads(capsys.readouterr().out)["mine"]["accuracy"]
    assert (found["reviewed"], found["wrong"], found["conclusion"]) == (CASES, 1, "above")
    assert found["low"] == found["high"] == 1 - 1 / CASES
    for content, message in (
        ("case,verdict\nx,right\n", "there is no case 'x'"),
        (f"case,verdict\n{WRONG},maybe\n", "line 2: verdict 'maybe'; give right, wrong or nothing"),
        ("name,verdict\nx,right\n", "has the columns name, verdict; give case and verdict"),
        (f"case,verdict\n{WRONG},right\n{WRONG},wrong\n", f"line 3: {WRONG} has a verdict before"),
    ):
        file.write_text(content)
        assert main([*words, "--reviewed", str(file)]) == 2
        err = capsys.readouterr().err
        assert message in err
        assert len(err.strip().splitlines()) == 1


@pytest.mark.slow
def test_a_trial_whose_probabilities_are_gone_is_run_again(audited, tmp_path):
    folder, words = audited
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    words = [word.replace(str(folder), str(copy)) for word in words]
    kept = sorted((copy / "results" / "mine-audit" / "probabilities").glob("*/*"))
    gone = next(kept[0].iterdir())
    gone.unlink()
    untouched = {file: file.stat().st_mtime_ns for file in kept[1].iterdir()}
    assert main(words) == 0
    assert gone.is_file()
    assert {file: file.stat().st_mtime_ns for file in kept[1].iterdir()} == untouched


def test_predictions_on_training_cases_are_refused(audited):
    folder, _ = audited
    wanted = sweep_file.read(folder / "mine.yaml")
    context = Context(Source(None, folder / "cache"), folder, folder / "results", "mine-audit", probabilities=True)
    first, second = plan.trials(in_folds(wanted, AuditOptions(2, (), 1), context), context)
    store = Store.here(context.results, context.sweep)
    case = first.opened.split.cases("test")[0]
    assert out_of_fold([first], case, store).shape == (1, EDGE, EDGE, 1)
    tested = {c.name for entry in (first, second) for c in entry.opened.split.cases("test")}
    assert len(tested) == CASES
    groups = [{c.group for c in entry.opened.split.cases("test")} for entry in (first, second)]
    assert not groups[0] & groups[1]
    with pytest.raises(DataError, match=rf"{case.name}: is a (train|validation) case of the trial {second.trial.id}"):
        out_of_fold([first, second], case, store)


@pytest.mark.parametrize(
    ("groups", "words", "message"),
    [
        (4, [], "mine: 4 groups of cases; an audit needs at least 5"),
        (6, ["--folds", "1"], "--folds 1: a case is predicted by models of the other folds; give 2 or more"),
        (
            6,
            ["--models", "unet_lite"],
            "--models: model of the sweep 'unet_lite' is unknown; did you mean 'unet_light'?",
        ),
        (6, ["--show", "x.png"], "--show is for `data check`"),
        (6, ["--reviewed", "none.csv"], "--reviewed none.csv: cannot be read"),
    ],
)
def test_what_cannot_be_audited_is_one_line(tmp_path, capsys, groups, words, message):
    _write(tmp_path / "mine", groups=groups)
    assert main(["data", "audit", str(_sweep(tmp_path)), "--results", str(tmp_path / "r"), *words]) == 2
    err = capsys.readouterr().err.strip()
    assert err.startswith(f"unetbench: {message}")
    assert len(err.splitlines()) == 1


def test_roles_of_the_publisher_are_passed_over_so_that_his_test_cases_are_judged_too(tmp_path):
    names = _write(tmp_path / "mine")
    lines = [
        f"img/{name}.png,lab/{name}.png,p{k % 6},{'test' if k % 6 == 0 else 'train'}" for k, name in enumerate(names)
    ]
    (tmp_path / "mine" / "pairs.csv").write_text("image,mask,group,split\n" + "\n".join(lines))
    file = _sweep(tmp_path, datasets=[{"folder": "mine", "pairs": "pairs.csv", "classes": ["cell"]}])
    context = Context(Source(None, tmp_path / "cache"), tmp_path, tmp_path / "r", "x")
    planned = plan.trials(in_folds(sweep_file.read(file), AuditOptions(3, (), 1), context), context)
    assert sum(len(entry.opened.split.cases("test")) for entry in planned) == CASES


def test_masks_of_two_annotators_in_one_folder_are_compared_and_written_least_agreement_first(tmp_path):
    names = _write(tmp_path / "mine")
    _write(tmp_path / "mine", masks="ben", spoil=_without_one)
    data = {"folder": "mine", "images": "img/*.png", "classes": ["cell"], "group": "p(\\d)"}
    wanted = sweep_file.read(
        _sweep(tmp_path, datasets=[{**data, "masks": "lab/*.png"}, {**data, "masks": "ben/*.png"}])
    )
    context = Context(Source(None, tmp_path / "cache"), tmp_path, tmp_path / "r", "x")
    sets = {name: list_dataset(one.choice, context) for name, one in zip("ab", wanted.datasets, strict=True)}
    assert annotators(sets) == [["a", "b"]]
    found = list(agreement(list(sets.values())))
    assert [one.dice for one in found if one.case != WRONG] == [1.0] * (len(names) - 1)
    write_agreement(tmp_path / "agreement.csv", ["a", "b"], found)
    with (tmp_path / "agreement.csv").open() as stream:
        first, *_ = csv.DictReader(stream)
    assert first["case"] == WRONG
    assert float(first["a and b"]) == pytest.approx(2 * 242 / (242 + 363), abs=1e-4)  # two of three squares of 11 x 11


def test_a_data_set_is_audited_by_its_name():
    wanted = sweep_file.of_dataset("cells", ["recipe.epochs=2"])
    (model,) = wanted.models
    assert (wanted.name, model.name, model.options) == ("cells", "unet_quarter", {"normalisation": "group"})
    assert wanted.datasets[0].recipe.epochs == 2
    with pytest.raises(SpecError):
        sweep_file.of_dataset("no_such_set")
