"""The bioimage.io description says what is done here, or is refused; its own validator runs it."""

import hashlib
import os
import subprocess
import sys
import venv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from unetbench.benchmark.deploy.bioimageio import (
    preprocessed,
    preprocessing,
    put_description,
    put_test_tensors,
    require_describable,
)
from unetbench.benchmark.deploy.export import Plan
from unetbench.core.errors import Unfit
from unetbench.core.task import Task
from unetbench.datasets.prepare import Preprocess, prepare_image, task_after
from unetbench.runtimes.file_runtime import file_runtime

TRIAL = {"model": "unet(width=8)", "dataset": "dsb2018", "loss": "dice", "id": "0123456789abcdef"}
ONNX = file_runtime("onnx", {})


def _plan(task, preprocess=None, **changes):
    preprocess = preprocess or Preprocess()
    window = (16, 24) if task.rank == 2 else (8, 8, 16)
    made = Plan(task, task_after(task, preprocess), preprocess, window, 0.25, 0.4, False, True, trial=TRIAL)
    return replace(made, **changes)


def _described(folder, plan, dtype=np.uint8, **agreement):
    """The description of a folder whose network is a stand-in."""
    (folder / "network.onnx").write_bytes(b"network")
    (folder / "README.md").write_text("# A network\n")
    image = np.random.default_rng(0).integers(0, 255, (*plan.window, plan.task.channels)).astype(dtype)
    put_test_tensors(folder, image, np.zeros((*plan.window, plan.task.outputs)))
    agreed = {"opset": 17, "tolerance": 1e-4, "share": 0.0, **agreement}
    put_description(folder, plan, preprocessing(plan, np.dtype(dtype)), **agreed)
    return yaml.safe_load((folder / "rdf.yaml").read_text("utf-8"))


@pytest.mark.parametrize("rule", ["percentile", "zscore", "minmax", "none"])
@pytest.mark.parametrize(
    ("rank", "channels", "dtype", "largest"),
    [
        (2, 1, np.uint8, 255),
        (2, 3, np.uint8, 255),
        (2, 3, np.uint16, 60_000),
        (3, 2, np.float32, 50),
        (3, 1, np.int16, 900),
    ],
)
def test_the_operations_of_the_specification_do_what_training_did(rule, rank, channels, dtype, largest):
    plan = _plan(Task(rank, channels, ("object",)), Preprocess(normalise=rule))
    space = (37, 52) if rank == 2 else (9, 21, 18)
    ramp = np.linspace(0.2, 1, channels)  # channels of different range, so that a common one shows
    image = (np.random.default_rng(1).random((*space, channels)) ** 2 * ramp * largest).astype(dtype)
    ours = prepare_image("case", image, plan.source, plan.preprocess).image
    found = preprocessed(image.astype(np.float32), preprocessing(plan, image.dtype))
    np.testing.assert_allclose(found, ours, rtol=1e-6, atol=1e-6)


def test_percentiles_are_those_of_the_preprocessing_and_not_clipped(tmp_path):
    (image,) = _described(tmp_path, _plan(Task(2, 3, ("object",))))["inputs"]
    (step,) = image["preprocessing"]
    assert step["id"] == "scale_range"
    assert (step["kwargs"]["min_percentile"], step["kwargs"]["max_percentile"]) == (1.0, 99.8)
    assert step["kwargs"]["axes"] == ["y", "x", "channel"]  # 8-bit colours share one range


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_channels_that_are_no_8_bit_colours_are_scaled_apart(tmp_path, dtype):
    (image,) = _described(tmp_path, _plan(Task(2, 3, ("object",))), dtype)["inputs"]
    assert image["preprocessing"][0]["kwargs"]["axes"] == ["y", "x"]


def test_images_that_are_not_scaled_have_no_operation(tmp_path):
    (image,) = _described(tmp_path, _plan(Task(2, 1, ("object",)), Preprocess(normalise="none")))["inputs"]
    assert image["preprocessing"] == []


def test_tensors_have_the_order_and_the_closed_size_of_the_file(tmp_path):
    about = _described(tmp_path, _plan(Task(3, 2, ("a", "b"), "multilabel", spacing_mm=(0.002, 0.0005, 0.0005))))
    (image,), (probabilities,) = about["inputs"], about["outputs"]
    assert [axis["type"] for axis in image["axes"]] == ["batch", "space", "space", "space", "channel"]
    assert [axis.get("size") for axis in image["axes"]] == [1, 8, 8, 16, None]
    assert [axis.get("scale") for axis in image["axes"]] == [None, 2.0, 0.5, 0.5, None]
    assert image["axes"][1]["unit"] == "micrometer"
    assert image["axes"][-1]["channel_names"] == ["channel0", "channel1"]
    assert probabilities["axes"][-1]["channel_names"] == ["a", "b"]
    assert [axis["id"] for axis in probabilities["axes"][1:-1]] == ["z", "y", "x"]
    for tensor, wanted in ((image, (1, 8, 8, 16, 2)), (probabilities, (1, 8, 8, 16, 2))):
        array = np.load(tmp_path / tensor["test_tensor"]["source"])
        assert (array.shape, array.dtype) == (wanted, np.float32)


@pytest.mark.parametrize(
    ("task", "wanted"),
    [
        (Task(2, 1, ("object",)), {"id": "sigmoid"}),
        (Task(2, 1, ("a", "b"), "multilabel"), {"id": "sigmoid"}),
        (Task(2, 1, ("background", "a"), "exclusive"), {"id": "softmax", "kwargs": {"axis": "channel"}}),
    ],
)
def test_logits_become_probabilities_as_the_task_says(tmp_path, task, wanted):
    assert _described(tmp_path, _plan(task))["outputs"][0]["postprocessing"] == [wanted]


def test_every_file_is_named_with_its_digest(tmp_path):
    about = _described(tmp_path, _plan(Task(2, 1, ("object",))))
    files = [about["documentation"], about["weights"]["onnx"]]
    files += [about[side][0]["test_tensor"] for side in ("inputs", "outputs")]
    assert [file["source"] for file in files] == ["README.md", "network.onnx", "test-input.npy", "test-output.npy"]
    for file in files:
        assert file["sha256"] == hashlib.sha256((tmp_path / file["source"]).read_bytes()).hexdigest()


def test_the_tolerance_is_a_difference_and_a_share_of_elements(tmp_path):
    about = _described(tmp_path, _plan(Task(2, 1, ("object",))), tolerance=0.05, share=0.00123)
    (agreed,) = about["config"]["bioimageio"]["reproducibility_tolerance"]
    assert agreed["absolute_tolerance"] == 0.05
    assert agreed["relative_tolerance"] == 0.0
    assert agreed["mismatched_elements_per_million"] == 1230


def test_a_share_beyond_what_the_specification_takes_is_refused(tmp_path):
    with pytest.raises(Unfit, match="6000 of a million probabilities may differ .* takes 5000 at most"):
        _described(tmp_path, _plan(Task(2, 1, ("object",))), share=0.006)


def test_what_the_specification_cannot_say_stands_in_settings_of_its_own(tmp_path):
    kept = _described(tmp_path, _plan(Task(2, 1, ("object",)), mirror=True))["config"]["unetbench"]
    assert (kept["threshold"], kept["overlap"], kept["mirror"]) == (0.4, 0.25, True)
    assert kept["labels"] == {"0": "background", "1": "object"}


def test_works_with_a_doi_are_cited_and_known_licences_have_their_identifier(tmp_path):
    plan = _plan(
        Task(2, 1, ("object",)),
        citation="Arganda-Carreras 2015, doi:10.3389/fnana.2015.00142; a note; Ljosa 2012, doi:10.1038/nmeth.2083 (v1)",
        licence="CC BY-NC-SA 3.0",
    )
    about = _described(tmp_path, plan)
    assert [entry["doi"] for entry in about["cite"]] == ["10.3389/fnana.2015.00142", "10.1038/nmeth.2083"]
    assert about["license"] == "CC-BY-NC-SA-3.0"
    assert "license" not in _described(tmp_path, replace(plan, licence="free for research with citation"))


@pytest.mark.parametrize(
    ("preprocess", "message"),
    [
        (Preprocess(clahe=2.0), r"has no operation for preprocess\.clahe \(2\)"),
        (Preprocess(resize=(32, 32)), r"has no operation for preprocess\.resize \(\[32, 32\]\)"),
        (Preprocess(colour="grey"), r"has no operation for preprocess\.colour \(grey\)"),
    ],
    ids=str,
)
def test_what_cannot_be_described_is_refused(preprocess, message):
    with pytest.raises(Unfit, match=message):
        require_describable("onnx", ONNX, _plan(Task(2, 3, ("object",)), preprocess))


def test_weights_of_another_format_are_refused():
    with pytest.raises(Unfit, match=r"takes ONNX weights, litert has \.tflite; take --format onnx"):
        require_describable("litert", file_runtime("litert", {}), _plan(Task(2, 3, ("object",))))


def test_grey_images_that_stay_grey_are_described():
    require_describable("onnx", ONNX, _plan(Task(2, 1, ("object",)), Preprocess(colour="grey", pad=8)))


@pytest.fixture(scope="module")
def validator(tmp_path_factory):
    """The program `bioimageio` in an environment of its own, for it wants an older pydantic than we may have."""
    folder = tmp_path_factory.mktemp("validator")
    venv.create(folder, with_pip=True)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    packages = ["bioimageio.core>=0.11", "pydantic<2.14", "onnxruntime>=1.18"]
    subprocess.run([str(programs / Path(sys.executable).name), "-m", "pip", "install", "-q", *packages], check=True)
    return programs / "bioimageio"


@pytest.mark.slow
def test_the_validator_of_bioimage_io_passes_descriptions_of_images_and_volumes(
    command, write_sweep, tmp_path, validator
):
    small = {"name": "cells", "count": 12, "size": [64, 64]}
    volume = {"name": "cells", "form": "volume", "count": 20, "preprocess": {"normalise": "minmax"}}
    sweep = write_sweep(
        tmp_path,
        "described",
        datasets=[
            {**small, "preprocess": {"normalise": "zscore"}},
            {**small, "form": "nucleus_cytoplasm"},
            {**volume, "recipe": {"patch": [8, 32, 32], "batch": 2}},
        ],
        models=[{"name": "unet", "width": 8, "depth": 2}],
        weights=True,
    )
    done = command("run", sweep, "--results", tmp_path / "results")
    assert done.returncode == 0, done.stderr
    records = sorted((tmp_path / "results").glob("*/records/*/*.json"))
    assert len(records) == 3
    for record in records:
        folder = tmp_path / record.stem
        done = command("export", record, "--format", "onnx", "--bioimageio", "--out", folder)
        assert done.returncode == 0, done.stderr
        for act in ("validate-format", "test"):
            words = [str(validator), act, str(folder / "rdf.yaml")]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            said = done.stdout + done.stderr
            assert done.returncode == 0, said
        assert "all elements agree" in " ".join(said.split())
        _spoil(folder)
        assert subprocess.run(words, capture_output=True, check=False).returncode != 0


def _spoil(folder):
    """Let the description scale in another way than training did, which its test has to notice."""
    about = yaml.safe_load((folder / "rdf.yaml").read_text("utf-8"))
    about["inputs"][0]["preprocessing"] = [{"id": "scale_linear", "kwargs": {"gain": 0.5, "offset": 0.0}}]
    (folder / "rdf.yaml").write_text(yaml.safe_dump(about), "utf-8")
