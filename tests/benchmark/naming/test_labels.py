"""A label names a part of a sweep and nothing else; a bad one is refused in one line that says what to do."""

from dataclasses import replace

import pytest

from unetbench.benchmark.naming.labels import Labels
from unetbench.benchmark.sweep import file as sweep
from unetbench.core.errors import SpecError
from unetbench.core.recipe import Recipe
from unetbench.core.trial import Choice, Trial

PLAIN = """
datasets: [{folder: coelho, images: "dna/*.png", masks: "masks/*.png", classes: [nucleus]}, dsb2018]
models: [{name: unet, width: 8, depth: 4}, vnet]
losses: [bce, {name: dice, squared: true}]
runtimes: [keras]
recipe: {rate: 1e-3}
"""
LABELLED = (
    PLAIN.replace("{folder:", "{label: Coelho 2009, folder:")
    .replace("{name: unet,", "{label: Ours, name: unet,")
    .replace("losses: [bce,", "losses: [{name: bce, label: cross-entropy},")
    .replace("[keras]", "[{name: keras, label: Keras on CPU}]")
)


def _read(tmp_path, text):
    file = tmp_path / "mine.yaml"
    file.write_text(text, "utf-8")
    return sweep.read(file)


def _trials(found):
    return [
        Trial(data.choice, {**data.split, "digest": "ab"}, model, loss, data.recipe, 0)
        for data in found.datasets
        for model in found.models
        for loss in found.losses
    ]


def test_a_label_is_no_part_of_a_trial(tmp_path):
    plain, labelled = _trials(_read(tmp_path, PLAIN)), _trials(_read(tmp_path, LABELLED))
    assert plain == labelled
    assert [trial.id for trial in plain] == [trial.id for trial in labelled]
    assert [trial.compile_key for trial in plain] == [trial.compile_key for trial in labelled]


def test_labels_name_what_they_stand_beside(tmp_path):
    found = _read(tmp_path, LABELLED)
    first, last = _trials(found)[0], _trials(found)[-1]
    labels = found.labels
    assert (labels.dataset(first), labels.model(first.model), labels.loss(first.loss)) == (
        "Coelho 2009",
        "Ours",
        "cross-entropy",
    )
    assert (labels.dataset(last), labels.model(last.model), labels.loss(last.loss)) == ("", "", "")
    assert labels.runtime("keras") == "Keras on CPU"
    assert labels.runtime("onnx") == "onnx"


def test_an_option_at_its_default_and_a_digest_of_a_file_leave_the_label():
    labels = Labels(
        {
            "models": [
                {"name": "unet", "width": 64, "label": "plain"},
                {"name": "encoder_unet", "weights": "w.h5", "label": "E"},
            ],
            "datasets": [{"name": "cells", "preprocess": {"pad": 0, "normalise": "zscore"}, "label": "z"}],
        }
    )
    assert labels.model(Choice("unet")) == "plain"
    assert labels.model(Choice("unet", {"width": 8})) == ""
    assert labels.model(Choice("encoder_unet", {"weights": "w.h5", "weights_sha256": "ab"})) == "E"
    trial = Trial(
        Choice("cells", {"preprocess": {"normalise": "zscore"}}), {}, Choice("unet"), Choice("bce"), Recipe(), 0
    )
    assert labels.dataset(trial) == "z"
    assert labels.dataset(replace(trial, dataset=Choice("cells"))) == ""


def test_a_part_of_an_absent_plug_in_keeps_its_label():
    labels = Labels({"models": [{"name": "not_here", "width": 3, "label": "A"}, {"name": "not_here", "label": "B"}]})
    assert labels.model(Choice("not_here", {"width": 3})) == "A"
    assert labels.model(Choice("not_here")) == "B"
    labels = Labels({"models": [{"name": "not_here", "width": 3, "label": "A"}]})
    assert labels.model(Choice("not_here")) == "A"  # 3 is the default, then


def test_data_that_was_moved_keeps_its_label_and_another_folder_gets_none():
    labels = Labels({"datasets": [{"folder": "/new/place/coelho", "images": "*.png", "label": "Coelho"}]})
    trial = Trial(Choice("folder", {"images": "*.png"}), {}, Choice("unet"), Choice("bce"), Recipe(), 0)
    found = [
        labels.dataset(replace(trial, dataset=Choice("folder", {"images": "*.png", "path": path})))
        for path in ("coelho", "/new/place/coelho", "other")
    ]
    assert found == ["Coelho", "Coelho", ""]


def test_recipe_and_split_tell_a_data_set_listed_twice_apart(tmp_path):
    found = _read(
        tmp_path,
        """
datasets:
  - {name: dsb2018, label: long}
  - {name: dsb2018, label: short, recipe: {epochs: 5}}
  - {name: dsb2018, label: half, split: {train: 0.5, validation: 0.1, test: 0.4}}
models: [unet]
losses: [bce]
recipe: {rate: 2e-3, augment: none, patch: [64, 64]}
""",
    )
    trials = _trials(found)
    assert [found.labels.dataset(trial) for trial in trials] == ["long", "short", "half"]
    other = replace(trials[0], recipe=replace(trials[0].recipe, epochs=7))  # a record of an earlier sweep
    assert found.labels.dataset(other) == ""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Coelho 2009", "2009", r"mine.yaml: datasets\[0\].label: 2009 is not text; write it in quotes, for .* '2009'"),
        ("Coelho 2009", "''", r"datasets\[0\].label: the label is empty; give a name, or leave `label` out"),
        (
            "Coelho 2009",
            "a/b",
            r"datasets\[0\].label: 'a/b' holds '/', .*; use letters and digits of any script, spaces",
        ),
        ("Coelho 2009", '"a\\tb"', r"datasets\[0\].label: .* holds '\\t'"),
        ("Coelho 2009", "'a:b'", r"datasets\[0\].label: 'a:b' holds ':'"),
        ("Coelho 2009", "'a|b'", r"holds '\|'"),
        ("Coelho 2009", '"a\\u202eb"', r"datasets\[0\].label: .* holds '\\u202e'"),
        ("Coelho 2009", ".hidden", r"datasets\[0\].label: '.hidden' must begin with a letter or a digit"),
        ("Coelho 2009", "'dna '", r"must not end with a space"),
        ("Coelho 2009", "x" * 61, r"datasets\[0\].label: 'x+'… has 61 characters; give at most 60"),
        ("vnet", "{name: vnet, label: Ours}", r"models\[1\].label: 'Ours' is the label of models\[0\] too; give each"),
        ("vnet", "{name: vnet, label: ours}", r"'ours' makes the same file name as 'Ours' of models\[0\] too"),
        ("label: Ours", "label: vnet", r"models\[0\].label: 'vnet' is the name of models\[1\]; give another label, or"),
        ("label: cross-entropy", "label: dice(squared=true)", r"losses\[0\].label: .* is the name of losses\[1\]"),
        (
            "dsb2018",
            "{name: dsb2018, label: Coelho-2009}",
            r"makes the same file name as 'Coelho 2009' of datasets\[0\]",
        ),
        (
            "dsb2018",
            "{name: dsb2018, label: x}, {folder: y/X, images: '*.png', masks: '*.gif', classes: [a]}",
            r"datasets\[1\].label: 'x' is the name of datasets\[2\]",
        ),
        ("vnet", "{name: unet, width: 8, label: Theirs}", r"models\[1\]: unet\(width=8\) is there twice"),
        (
            "dsb2018",
            '{folder: coelho, images: "dna/*.png", masks: "masks/*.png", classes: [nucleus], label: B}',
            r"datasets\[1\]: folder\(.*\) is there twice",
        ),
        (
            "{label: Coelho 2009,",
            "{name: Coelho,",
            r"datasets\[0\].name: 'Coelho' beside a folder; write `label: Coelho`",
        ),
    ],
)
def test_a_label_that_cannot_be_one_is_a_line_that_says_what_to_do(tmp_path, old, new, message):
    assert old in LABELLED
    with pytest.raises(SpecError, match=message) as error:
        _read(tmp_path, LABELLED.replace(old, new, 1))
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("mine.yaml: ")


@pytest.mark.parametrize("label", ["Größe 2", "細胞核", "ядра (2D)", "हृदय", "U-Net + Dice & CE", "a_b.c = [1]", "7T"])
def test_letters_of_any_script_and_common_signs_are_fine(label):
    labels = Labels({"models": [{"name": "unet", "label": label}]})
    assert labels.model(Choice("unet")) == label


def test_what_else_is_wrong_in_a_sweep_as_run_is_passed_over():
    Labels({"models": [3, {"width": 2}, {"name": ["x"]}], "losses": "bce", "datasets": None, "recipe": 4, "split": "x"})


def test_a_label_may_be_what_its_own_part_is_called():
    labels = Labels({"models": [{"name": "unet", "label": "unet"}, {"name": "unet", "width": 8}]})
    assert labels.model(Choice("unet")) == "unet"
