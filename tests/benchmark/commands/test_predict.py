"""What `unetbench predict` refuses, before anything heavy is loaded."""

import numpy as np
import pytest
from PIL import Image

from unetbench.benchmark.cli import main


@pytest.fixture
def image(tmp_path):
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "a.png")
    return str(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["none.json", "IMAGE", "--out", "OUT"],
            "none.json: there is no such file; give the record of a trained trial",
        ),
        (["IMAGE", "IMAGE", "--out", "OUT"], "a.png: is no model; give the record of a trained trial"),
        (["m.json", "nothing.png", "--out", "OUT"], "nothing.png: there is no such file or folder"),
        (["m.json", "IMAGE", "--out", "OUT", "--shard", "3/2"], "--shard 3/2: write i/n with i from 1 to n"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_line(words, told, image, tmp_path, capsys):
    replaced = [{"IMAGE": image, "OUT": str(tmp_path / "out")}.get(word, word) for word in words]
    assert main(["predict", *replaced]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line
    assert not (tmp_path / "out").exists()


def test_a_model_without_images_is_told_how_to_name_both(image, capsys):
    assert main(["predict", image]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "a model and images are needed: `predict MODEL IMAGE …`, or `predict IMAGE … --model MODEL`" in line


@pytest.mark.parametrize("words", [["nuclei-lite", "IMAGE"], ["IMAGE", "--model", "nuclei-lite"]])
def test_an_unknown_pretrained_model_is_answered_with_the_nearest_one(words, image, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["predict", *(image if word == "IMAGE" else word for word in words)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        "unetbench: nuclei-lite: there is no such file or folder, and pretrained model 'nuclei-lite'"
    )
    assert "did you mean 'nuclei-light'" in line
    assert not (tmp_path / "predicted").exists()
