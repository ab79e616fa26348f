"""A sweep with runtimes is trained, converted, compared and timed; its trials leave as folders that run alone."""

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import yaml

from unetbench.benchmark.cli import main as unetbench
from unetbench.benchmark.deploy.example.segment import Model
from unetbench.benchmark.deploy.export import Export
from unetbench.benchmark.predict.open_model import open_model
from unetbench.benchmark.predict.segment import segment
from unetbench.benchmark.records.deployments import deployments
from unetbench.benchmark.report.deployments import judged
from unetbench.core.errors import StoreError

RUNTIMES = ["keras", "keras_predict", "onnx", "litert_int8", "onnx_cuda"]


@pytest.fixture(scope="module")
def swept(command, write_sweep, tmp_path_factory):
    """The results of a small sweep that was run with runtimes, and what it said."""
    folder = tmp_path_factory.mktemp("swept")
    sweep = write_sweep(
        folder,
        "devices",
        models=[{"name": "unet", "width": 8, "depth": 2}],
        runtimes=RUNTIMES,
        latency={"samples": 5, "budget_s": 0.2},
    )
    done = command("run", sweep, "--results", folder / "results")
    return folder / "results" / "devices", done


@pytest.fixture(scope="module")
def record(swept):
    """The file of the trial's record."""
    return next((swept[0] / "records").glob("*/*.json"))


@pytest.fixture(scope="module")
def exported(command, record, tmp_path_factory):
    """The trial as a folder for ONNX Runtime."""
    folder = tmp_path_factory.mktemp("exported") / "network"
    done = command("export", record, "--format", "onnx", "--out", folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_a_sweep_with_runtimes_measures_each_trial_on_each(swept):
    folder, done = swept
    assert done.returncode == 0, done.stderr
    ((_, found),) = deployments(folder)
    rows = {one.runtime: one for one in judged(found.trial, "", found.rows)}
    assert list(rows) == RUNTIMES
    assert rows["keras"].verdict == "baseline"
    assert rows["keras_predict"].verdict == rows["onnx"].verdict == "exact"
    assert rows["litert_int8"].verdict in ("within margin", "loses Dice", "constant")
    assert all(len(rows[name].samples_s) == 5 for name in RUNTIMES[:4])


def test_scores_of_a_float32_file_are_those_of_keras(swept):
    ((_, found),) = deployments(swept[0])
    scores = {row["runtime"]: row.get("scores") for row in found.rows}
    assert scores["onnx"] == scores["keras"]
    assert {entry["case"] for entry in scores["keras"]} == {entry["case"] for entry in scores["litert_int8"]}


def test_a_quantised_file_has_its_five_worst_layers_by_their_names_the_worst_first(swept):
    ((_, found),) = deployments(swept[0])
    rows = {row["runtime"]: row for row in found.rows}
    worst = rows["litert_int8"]["layer_errors"]
    assert len({entry["layer"] for entry in worst}) == 5
    assert all(entry["layer"].startswith(("conv2d", "beside_conv")) for entry in worst)
    errors = [entry["error"] for entry in worst]
    assert errors == sorted(errors, reverse=True)
    assert 1e-4 < errors[0] < 1
    assert all("layer_errors" not in rows[name] for name in ("keras", "keras_predict", "onnx"))


def test_validation_cases_are_segmented_too_and_are_not_test_cases(swept):
    ((_, found),) = deployments(swept[0])
    for row in found.rows[2:4]:
        tested, chosen = ({entry["case"] for entry in row[key]} for key in ("scores", "validation_scores"))
        assert tested
        assert chosen
        assert not tested & chosen


def test_a_run_ends_with_the_file_that_recommend_names(command, swept):
    folder, done = swept
    (entry,) = json.loads(command("recommend", folder, "--json").stdout)
    _, _, line = done.stdout.partition("To deploy: ")
    said = " ".join(line.split())
    assert said.startswith("cells on ")
    chosen = entry["recommended"]
    assert (f"seed 0 · {chosen['runtime']}: validation Dice" if chosen else entry["reason"]) in said
    assert chosen is None or (folder / "records" / f"{chosen['record']}.json").is_file()


def test_what_a_machine_lacks_is_a_row_with_its_reason(swept):
    ((_, found),) = deployments(swept[0])
    (row,) = [row for row in found.rows if row["runtime"] == "onnx_cuda"]
    assert row["status"] == "unavailable"
    assert "pip install onnxruntime-gpu" in row["problem"]


def test_a_second_run_measures_nothing_again(command, swept):
    folder, _ = swept
    before = [(file, file.stat().st_mtime_ns) for file in sorted(folder.glob("deployments/*/*"))]
    done = command("run", folder.parents[1] / "devices.yaml", "--results", folder.parent)
    assert done.returncode == 0
    assert before == [(file, file.stat().st_mtime_ns) for file in sorted(folder.glob("deployments/*/*"))]


@pytest.mark.slow
def test_fewer_cases_are_segmented_and_what_comes_out_is_not_kept(command, swept, record):
    ((_, kept),) = deployments(swept[0])
    done = command("time", record, "--runtimes", "onnx", "--cases", 1, "--samples", 2, "--budget", 0.05, "--json")
    assert done.returncode == 0, done.stderr
    (rows,) = json.loads(done.stdout).values()
    for row in rows:
        assert len({entry["case"] for entry in row["scores"]}) == 1
        assert len({entry["case"] for entry in row["validation_scores"]}) == 1
    whole = [row for one in kept.rows if one["runtime"] == "onnx" for row in one["scores"]]
    assert rows[1]["scores"][0] in whole
    assert [found for _, found in deployments(swept[0])] == [kept]


def test_an_export_passes_its_own_test_where_neither_keras_nor_unetbench_can_be_imported(exported):
    hidden = "import sys, runpy; [sys.modules.__setitem__(m, None) for m in ('tensorflow', 'keras', 'unetbench')];"
    code = f"{hidden} sys.argv = ['segment.py', '--self-test']; runpy.run_path('segment.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-I", "-c", code], cwd=exported, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "0.00% of the probabilities differ" in done.stdout


def test_an_export_segments_a_file(exported, tmp_path):
    image = np.random.default_rng(0).integers(0, 255, (70, 90, 1)).astype(np.uint8)
    np.save(tmp_path / "image.npy", image)
    words = [sys.executable, exported / "segment.py", tmp_path / "image.npy", tmp_path / "labels.npy"]
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    labels = np.load(tmp_path / "labels.npy")
    assert labels.shape == (70, 90, 1)
    assert set(np.unique(labels)) <= {0, 1}


@pytest.mark.slow
def test_a_bioimageio_description_is_reproduced_by_its_weights_and_leaves_with_the_next_export(
    command, record, tmp_path
):
    folder = tmp_path / "described"
    done = command("export", record, "--format", "onnx", "--bioimageio", "--out", folder)
    assert done.returncode == 0, done.stderr
    about = yaml.safe_load((folder / "rdf.yaml").read_text("utf-8"))
    (step,) = about["inputs"][0]["preprocessing"]
    image = np.load(folder / "test-input.npy").astype(np.float64)
    assert image.max() > 2  # as its file has it
    low, high = np.percentile(image, (step["kwargs"]["min_percentile"], step["kwargs"]["max_percentile"]))
    session = onnxruntime.InferenceSession(folder / about["weights"]["onnx"]["source"])
    (logits,) = session.run(None, {session.get_inputs()[0].name: ((image - low) / (high - low)).astype(np.float32)})
    (agreed,) = about["config"]["bioimageio"]["reproducibility_tolerance"]
    assert about["outputs"][0]["postprocessing"] == [{"id": "sigmoid"}]
    np.testing.assert_allclose(
        1 / (1 + np.exp(-logits)), np.load(folder / "test-output.npy"), rtol=0, atol=agreed["absolute_tolerance"]
    )
    assert Export.read(folder).about["sha256"].keys() >= {"rdf.yaml", "test-input.npy", "test-output.npy"}
    assert "## Validation" in (folder / "README.md").read_text("utf-8")
    done = command("export", record, "--format", "onnx", "--out", folder)
    assert done.returncode == 0, done.stderr
    assert not {"rdf.yaml", "test-input.npy", "test-output.npy"} & {file.name for file in folder.iterdir()}
    assert "bioimage" not in (folder / "README.md").read_text("utf-8")


def test_an_export_says_what_it_is(exported):
    about = Export.read(exported).about
    assert about["labels"] == {"0": "background", "1": "nuclei"} or set(about["labels"]) == {"0", "1"}
    assert {"window", "threshold", "preprocess", "licence", "citation", "sha256"} <= set(about)
    assert {"README.md", "CITATION.cff", "requirements.txt", "segment.py", "session.py"} <= set(about["sha256"])
    assert (exported / "requirements.txt").read_text().split() == ["numpy", "onnxruntime"]


def test_a_changed_file_of_an_export_is_named(exported, tmp_path):
    folder = shutil.copytree(exported, tmp_path / "changed")
    about = json.loads((folder / "model.json").read_text())
    with (folder / about["file"]).open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(StoreError, match=r"network\.onnx: was changed since the export; export the folder again"):
        Export.read(folder)
    done = subprocess.run(
        [sys.executable, "segment.py", "--self-test"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "changed since the export: network.onnx" in done.stdout


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "is no export folder"), ("{}", "cannot be read"), ('{"format": 99, "sha256": {}}', "format 99 is newer")],
)
def test_what_is_no_export_is_refused(tmp_path, content, message):
    if content is not None:
        (tmp_path / "model.json").write_text(content)
    with pytest.raises(StoreError, match=message):
        Export.read(tmp_path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--format", "keras_xla"], "export: keras_xla runs in Keras and has no file"),
        (["--format", "onx"], "runtime 'onx' is unknown; did you mean 'onnx'"),
        (["--format", "litert_int8", "--size", "8x32x32"], "--size: 8x32x32 has 3 edges, images have 2"),
        (["--format", "onnx", "--size", "30x30"], "size 30×30 does not fit the model, which takes multiples of"),
    ],
)
def test_what_cannot_be_exported_is_one_line(record, tmp_path, capsys, words, message):
    assert unetbench(["export", str(record), *words, "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert message in told
    assert len(told.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_an_export_that_is_refused_leaves_the_one_before_as_it_was(record, exported, tmp_path):
    folder = shutil.copytree(exported, tmp_path / "network")
    assert unetbench(["export", str(record), "--format", "onnx", "--size", "30x30", "--out", str(folder)]) == 2
    assert Export.read(folder).about == Export.read(exported).about
    assert list(tmp_path.iterdir()) == [folder]


def test_a_folder_that_holds_something_else_is_not_overwritten(command, record, tmp_path):
    (tmp_path / "thesis.txt").write_text("all of it")
    done = command("export", record, "--format", "onnx", "--out", tmp_path)
    assert done.returncode == 2
    assert "is there and is no export folder; give another --out" in done.stderr
    assert (tmp_path / "thesis.txt").read_text() == "all of it"


def test_a_trial_whose_weights_were_not_kept_says_how_to_keep_them(command, record, tmp_path):
    shutil.copytree(record.parents[2], tmp_path / "sweep", ignore=shutil.ignore_patterns("weights"))
    moved = next((tmp_path / "sweep" / "records").glob("*/*.json"))
    done = command("time", moved)
    assert done.returncode == 1
    assert "its weights were not kept" in done.stderr
    assert "`weights: true`" in done.stderr


@pytest.mark.slow
def test_an_export_runs_in_an_environment_with_numpy_and_its_runtime_alone(exported, tmp_path):
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    words = [python, "-m", "pip", "install", "-q", "-r", exported / "requirements.txt"]
    subprocess.run(list(map(str, words)), check=True)
    for arguments in (["--self-test"],):
        done = subprocess.run(
            [str(python), "segment.py", *arguments], cwd=Path(exported), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr + done.stdout


def test_the_export_and_predict_give_the_same_labels(exported):
    image = np.random.default_rng(1).integers(0, 255, (70, 90, 1)).astype(np.uint8)
    ours = segment(image, open_model(exported)).labels
    np.testing.assert_array_equal(np.squeeze(ours), np.squeeze(Model(exported).segment(image)))


@pytest.mark.slow
def test_an_untrained_recipe_that_was_timed_leaves_no_files_behind(command, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    words = ("--runtimes", "onnx", "--size", "32x32", "--set", "width=4", "--set", "depth=1")
    done = command("time", "unet", *words, "--samples", 2, "--budget", 0.05, "--json")
    assert done.returncode == 0, done.stderr
    assert [row["runtime"] for row in json.loads(done.stdout)] == ["keras", "onnx"]
    assert not list(tmp_path.glob("unetbench-*"))
