"""The pretrained models predict, without a network connection, what they predicted when they were measured."""

import json
import shutil
import socket
from argparse import Namespace
from pathlib import Path

import cv2
import numpy as np
import pytest

from unetbench.benchmark.cli import main
from unetbench.benchmark.commands.export import trained_of
from unetbench.benchmark.commands.ship_sources import probe_image
from unetbench.benchmark.predict.open_model import open_model
from unetbench.benchmark.predict.score_cases import score_cases
from unetbench.benchmark.predict.segment import segment
from unetbench.benchmark.records import pretrained
from unetbench.core.errors import StoreError
from unetbench.datasets import DATASETS

NAMES = pretrained.shipped()


@pytest.fixture(scope="module", autouse=True)
def offline():
    """Nothing may be fetched."""

    def refused(*_, **__):
        raise OSError("no network in this test")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refused)
        yield


@pytest.fixture(scope="module", params=NAMES)
def opened(request):
    """Name and segmenter of each model."""
    return request.param, open_model(request.param)


def test_there_are_three():
    assert NAMES == ["cells-light", "nuclei-light", "volume-light"]


def test_probabilities_are_those_that_were_measured(opened):
    name, segmenter = opened
    found = segment(probe_image(segmenter.source), segmenter, probabilities=True).probabilities
    probe = pretrained.named(name).measured["probe"]
    assert np.ptp(probe) > 0.5  # of nuclei and of background
    np.testing.assert_allclose(found.ravel()[:: found.size // 200], probe, atol=2e-4)


def generated(model):
    """Options of generated cells that the model was scored on, and the rows of their scores."""
    own = model.record.trial.dataset
    if own.name == "cells":
        options = {key: value for key, value in own.options.items() if key != "preprocess"}
        return options, model.record.scores
    (rows,) = (other["rows"] for other in model.measured["others"] if other["name"] == "cells")
    return {"count": 64, "domains": ("plain", "inverted", "noisy", "blurred")}, rows


def test_scores_of_generated_images_are_those_of_the_card(opened):
    name, segmenter = opened
    options, expected = generated(pretrained.named(name))
    chosen = list(dict.fromkeys(row["case"] for row in expected))[:2]
    cases = [case for case in DATASETS["cells"](None, **options).cases if case.name in chosen]
    for row in score_cases(segmenter, cases):
        (before,) = (was for was in expected if (was["case"], was["class"]) == (row["case"], row["class"]))
        assert row["dice"] == pytest.approx(before["dice"], abs=0.005)
        assert row["tp"] + row["fn"] == before["tp"] + before["fn"]


@pytest.mark.parametrize(("dtype", "channels"), [(np.uint8, 1), (np.uint16, 1), (np.uint8, 3), (np.uint8, 4)])
def test_the_command_of_the_readme_takes_grey_and_colour_of_8_and_16_bits(dtype, channels, tmp_path, monkeypatch):
    grey = DATASETS["cells"](None, count=1, size=(75, 90)).cases[0].read().image
    image = np.repeat(grey, channels, -1)
    if dtype == np.uint8:
        image = (image / image.max() * 255).astype(np.uint8)
    image[..., 3:] = 255
    cv2.imwrite(str(tmp_path / "a.png"), image)
    monkeypatch.chdir(tmp_path)
    assert main(["predict", "a.png", "--model", "nuclei-light", "--quiet"]) == 0
    mask = cv2.imread("predicted/labels/a.png", cv2.IMREAD_UNCHANGED)
    assert mask.shape == (75, 90)
    assert 0 < mask.mean() < 0.6


def test_the_name_may_stand_before_the_images(tmp_path, capsys):
    np.save(tmp_path / "v.npy", probe_image(open_model("volume-light").source)[..., 0])
    out = tmp_path / "out"
    words = [str(tmp_path / "v.npy"), "--out", str(out), "--json", "--quiet"]
    assert main(["predict", "volume-light", *words]) == 0
    assert json.loads(capsys.readouterr().out)["done"] == 1
    assert main(["predict", *words, "--model", "volume-light"]) == 0
    assert json.loads(capsys.readouterr().out)["skipped"] == 1  # the same model: the folder is its own


def test_a_folder_called_as_a_model_is_written_with_a_dot(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert open_model(Path("volume-light")).name == open_model("volume-light").name
    Path("volume-light").mkdir()
    for model in ("./volume-light", Path("volume-light")):
        with pytest.raises(StoreError, match="volume-light"):  # no export folder
            open_model(model)
    assert open_model("volume-light").task.rank == 3


def test_an_export_by_name_keeps_its_conversions_out_of_the_package(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trained = trained_of(Namespace(trial=Path("volume-light"), data=None, plugin=[]))
    assert trained.weights == pretrained.named("volume-light").weights_file
    assert trained.exports == tmp_path / "results" / "volume-light" / "exports"


def test_a_changed_file_is_named_in_one_line(tmp_path, monkeypatch):
    shutil.copytree(pretrained.SHIPPED / "nuclei-light", tmp_path / "nuclei-light")
    monkeypatch.setattr(pretrained, "SHIPPED", tmp_path)
    weights = pretrained.named("nuclei-light").weights_file
    weights.write_bytes(weights.read_bytes() + b" ")
    with pytest.raises(StoreError, match=r"\.keras: is not the file that came with unetbench; install unetbench again"):
        open_model("nuclei-light")
    weights.unlink()
    with pytest.raises(StoreError, match=r"nuclei-light: holds 0 files weights/\*/\*\.keras, not one"):
        open_model("nuclei-light")
