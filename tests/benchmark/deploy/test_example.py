"""The example of an export folder does to an image what training and evaluation do, bit for bit where both can."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from unetbench.benchmark.deploy.example import segment
from unetbench.benchmark.deploy.export import Plan, begin, finish, put_plan, put_self_test
from unetbench.benchmark.trial.predict import predict, to_labels
from unetbench.core.task import Task
from unetbench.datasets.case import Sample
from unetbench.datasets.prepare import Preprocess, prepare, task_after
from unetbench.runtimes.file_runtime import file_runtime

TASKS = {
    "binary": Task(2, 3, ("object",)),
    "exclusive": Task(2, 3, ("background", "a", "b"), "exclusive"),
    "multilabel": Task(2, 3, ("a", "b"), "multilabel"),
    "volume": Task(3, 1, ("object",)),
}


def _image(task, dtype=np.uint8, seed=0):
    space = (37, 52) if task.rank == 2 else (9, 21, 18)
    values = np.random.default_rng(seed).integers(0, 255, (*space, task.channels))
    return values.astype(dtype)


def _plan(task, preprocess, **changes):
    seen = task_after(task, preprocess)
    window = (16, 24) if task.rank == 2 else (8, 8, 16)
    plan = Plan(task, seen, preprocess, window, 0.5, 0.4, False, True)
    return replace(plan, **changes)


def _logits(plan):
    """A stand-in for a network: neighbours and channels mixed, so that every pixel of the window counts."""
    mix = np.random.default_rng(3).standard_normal((plan.task.channels, plan.task.outputs)).astype(np.float32)

    def run(images):
        return (images + np.roll(images, 1, 1) - 0.5) @ mix

    return run


def _ours(plan, image):
    """Probabilities by the code that evaluates trials."""
    truth = np.zeros((*image.shape[:-1], plan.source.truth_channels), np.uint8)
    prepared = prepare("case", Sample(image, truth), plan.source, plan.preprocess)
    made = predict(
        _logits(plan), prepared.image, plan.task, window=plan.window, overlap=plan.overlap, batch=1, mirror=plan.mirror
    )
    return prepared.restore(made.probabilities)


def _theirs(plan, image, folder):
    put_plan(folder, plan)
    return segment.Model(folder, run=_logits(plan))


@pytest.mark.parametrize("kind", TASKS)
@pytest.mark.parametrize("mirror", [False, True])
def test_labels_and_probabilities_are_those_of_the_evaluation(tmp_path, kind, mirror):
    plan = _plan(TASKS[kind], Preprocess(), mirror=mirror)
    image = _image(plan.source)
    model = _theirs(plan, image, tmp_path)
    wanted = _ours(plan, image)
    np.testing.assert_allclose(model.probabilities(image), wanted, atol=1e-6)
    np.testing.assert_array_equal(model.segment(image), to_labels(wanted, plan.task, plan.threshold))


@pytest.mark.parametrize(
    "preprocess",
    [
        *(Preprocess(normalise=rule) for rule in ("percentile", "zscore", "minmax", "none")),
        Preprocess(colour="grey"),
        Preprocess(colour="grey", clahe=2.0),
        Preprocess(clahe=2.0),
        Preprocess(resize=(24, 31)),
        Preprocess(resize=(50, 80)),
        Preprocess(resize=(24, 80), pad=16),
        Preprocess(pad=32),
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_an_image_is_prepared_as_in_training(tmp_path, preprocess, dtype):
    plan = _plan(TASKS["binary"], preprocess)
    image = _image(plan.source, dtype)
    truth = np.zeros((*image.shape[:-1], 1), np.uint8)
    wanted = prepare("case", Sample(image, truth), plan.source, preprocess)
    put_plan(tmp_path, plan)
    about = json.loads((tmp_path / "model.json").read_text())
    found, content = segment.prepare(image, about["preprocess"])
    np.testing.assert_array_equal(found, wanted.image)
    assert content == wanted.content
    np.testing.assert_allclose(_theirs(plan, image, tmp_path).probabilities(image), _ours(plan, image), atol=1e-6)


def test_a_constant_image_is_legal(tmp_path):
    plan = _plan(TASKS["binary"], Preprocess(clahe=2.0))
    image = np.full((20, 30, 3), 7, np.uint8)
    np.testing.assert_allclose(_theirs(plan, image, tmp_path).probabilities(image), _ours(plan, image), atol=1e-6)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((8, 8), np.uint8), r"the image has shape \(8, 8\); 2 axes and one of channels are possible"),
        (np.zeros((8, 8, 2), np.uint8), "the image has 2 channels; this network takes 3"),
        (np.full((8, 8, 3), np.nan, np.float32), "NaN or infinite"),
    ],
)
def test_an_image_that_the_network_was_not_trained_for_is_refused(tmp_path, image, message):
    model = _theirs(_plan(TASKS["binary"], Preprocess()), image, tmp_path)
    with pytest.raises(ValueError, match=message):
        model.probabilities(image)


def test_a_boolean_image_is_read_as_zeros_and_ones_as_in_training(tmp_path):
    plan = _plan(TASKS["binary"], Preprocess())
    image = _image(plan.source) > 90
    found = _theirs(plan, image, tmp_path).probabilities(image)
    np.testing.assert_allclose(found, _ours(plan, image.astype(np.uint8)), atol=1e-6)


def test_the_example_imports_numpy_and_the_standard_library_alone():
    code = (
        "import runpy, sys; before = set(sys.modules);"
        f"runpy.run_path({segment.__file__!r}, run_name='example');"
        "print(sorted({m.split('.')[0] for m in set(sys.modules) - before} - set(sys.stdlib_module_names)))"
    )
    found = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "['numpy']"


SESSION = """
def load(file, threads=0):
    return lambda images: images[..., :1] - 0.5, {}
"""


@pytest.mark.parametrize(("value", "passed"), [(0.0, True), (3.0, False), (np.nan, False)])
def test_a_self_test_passes_with_the_probabilities_that_were_kept_and_not_with_nan(tmp_path, value, passed):
    # sigmoid(0) = 0.5 is kept; the other networks give sigmoid(3) = 0.95, and NaN.
    kind, plan = file_runtime("onnx", {}), _plan(TASKS["binary"], Preprocess())
    begin(tmp_path, kind).write_bytes(b"a network")
    (tmp_path / "session.py").write_text(
        f"def load(file, threads=0):\n    return lambda images: images[..., :1] * 0 + float('{value}'), {{}}\n"
    )
    put_self_test(tmp_path, _image(TASKS["binary"]), np.full((37, 52, 1), 0.5))
    finish(tmp_path, plan, "onnx", kind, {"self_test": {"tolerance": 0.05, "share": 0.001}})
    assert segment.self_test(tmp_path)[1] is passed


@pytest.fixture
def run_example(tmp_path):
    """A function that runs the command line of a folder whose network is that session."""

    def run(*words, session=SESSION):
        plan = _plan(TASKS["binary"], Preprocess())
        begin(tmp_path / "folder", file_runtime("onnx", {})).write_bytes(b"a network")
        (tmp_path / "folder" / "session.py").write_text(session)
        finish(tmp_path / "folder", plan, "onnx", file_runtime("onnx", {}), {})
        words = [sys.executable, "folder/segment.py", *words]
        return subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run


def test_a_runtime_that_is_not_installed_is_named_with_what_to_install(run_example):
    done = run_example("a.npy", "b.npy", session="def load(file, threads=0):\n    import no_such_runtime\n")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("no_such_runtime is not installed; pip install -r ")
    assert line.endswith("requirements.txt")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.png", "a.png: is no .npy file; save the image with numpy.save, as an array (*space, channels)"),
        ("a.npz", "a.npz: is no .npy file; save the image"),
        ("none.npy", "none.npy: No such file or directory"),
        ("complex.npy", "complex.npy: the image holds complex128; integers or floats are possible"),
        ("empty.npy", "empty.npy: the image has shape (0, 8, 3), so it is empty"),
        ("objects.npy", "objects.npy: Object arrays cannot be loaded"),
    ],
)
def test_an_image_that_cannot_be_taken_is_one_line(run_example, tmp_path, name, message):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n")
    np.savez(tmp_path / "a.npz", np.zeros((8, 8, 3)))
    np.save(tmp_path / "complex.npy", np.zeros((8, 8, 3), complex))
    np.save(tmp_path / "empty.npy", np.zeros((0, 8, 3), np.uint8))
    np.save(tmp_path / "objects.npy", np.full((2, 2, 3), None), allow_pickle=True)
    done = run_example(name, "labels.npy")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(message)
    assert not (tmp_path / "labels.npy").exists()


def test_labels_that_cannot_be_written_are_one_line(run_example, tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((8, 8, 3), np.uint8))
    done = run_example("a.npy", "nowhere/labels.npy")
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["nowhere/labels.npy: No such file or directory"]


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (["out.png"], "out.png: what is written is an array; give a name that ends in .npy"),
        (["labels.npy", "probabilities"], "probabilities: what is written is an array; give a name that ends in .npy"),
        (["./a.npy"], "a.npy: image, labels and probabilities need a file each"),
        (["b.npy", "b.npy"], "a.npy: image, labels and probabilities need a file each"),
    ],
)
def test_outputs_that_would_go_elsewhere_or_over_each_other_are_refused(run_example, tmp_path, outputs, message):
    np.save(tmp_path / "a.npy", np.zeros((8, 8, 3), np.uint8))
    before = (tmp_path / "a.npy").read_bytes()
    done = run_example("a.npy", *outputs)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [message]
    assert {file.name for file in tmp_path.iterdir()} == {"a.npy", "folder"}
    assert (tmp_path / "a.npy").read_bytes() == before


def test_labels_and_probabilities_are_where_the_usage_says(run_example, tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((8, 8, 3), np.uint8))
    assert run_example("a.npy", "labels.npy", "probabilities.npy").returncode == 0
    probabilities = np.load(tmp_path / "probabilities.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "labels.npy"), (probabilities >= 0.5).astype(np.uint8))
    assert probabilities.shape == (8, 8, 1)


def test_a_changed_network_segments_nothing(run_example, tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((8, 8, 3), np.uint8))
    assert run_example("a.npy", "labels.npy").returncode == 0
    (tmp_path / "folder" / "network.onnx").write_bytes(b"another")
    words = [sys.executable, "folder/segment.py", "a.npy", "again.npy"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["changed since the export: network.onnx; export the folder again"]
    assert not (tmp_path / "again.npy").exists()
