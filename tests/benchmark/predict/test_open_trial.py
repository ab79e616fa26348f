"""A trained trial segments images as it did when it was scored."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

from unetbench.benchmark.cli import main
from unetbench.benchmark.predict.open_model import check_classes, open_model
from unetbench.benchmark.predict.open_trial import open_trial
from unetbench.benchmark.predict.segment import segment
from unetbench.benchmark.trial.context import Context, open_dataset
from unetbench.benchmark.trial.image_options import reading_of
from unetbench.benchmark.trial.origin import lightened
from unetbench.benchmark.trial.run_trial import WorkerCache, run_trial
from unetbench.core.errors import SpecError, StoreError
from unetbench.core.recipe import Augmentation, Recipe
from unetbench.core.registry import load_plugin
from unetbench.core.trial import Choice, Derivation, Trial
from unetbench.datasets.prepare import prepare_image
from unetbench.datasets.readers import Reading
from unetbench.datasets.source import Source
from unetbench.metrics.score import score_case
from unetbench.runtimes import RUNTIMES

FAULTY = Path(__file__).parents[1] / "faulty_parts.py"
DATASET = Choice("cells", {"count": 9, "size": [70, 90], "preprocess": {"normalise": "zscore", "pad": 8}})
RECIPE = Recipe(
    patch=(32, 32), batch=4, epochs=1, threshold="tuned", mirror=True, precision="mixed_bfloat16", predict_mib=8
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The context, the record and its file of a trial whose weights are kept."""
    folder = tmp_path_factory.mktemp("trained")
    load_plugin(FAULTY)
    context = Context(Source(None, folder / "cache"), folder, folder / "results", "small", weights=True)
    model = Choice("unet", {"width": 4, "depth": 2})
    trial = Trial(DATASET, {}, model, Choice("bce_dice"), RECIPE, 0)
    record = run_trial(trial, context, WorkerCache(), lambda event: None)
    assert record.status == "done", record.reason
    (weights,) = (folder / "results").rglob("*.keras")
    file = weights.parents[2] / "records" / weights.parent.name / f"{weights.stem}.json"
    file.parent.mkdir(parents=True)
    file.write_text(record.to_json())
    return context, record, file, weights


@pytest.fixture(scope="module")
def segmenter(trained):
    return open_trial(trained[2])


def test_what_is_segmented_has_the_scores_of_the_record(trained, segmenter):
    context, record, _, _ = trained
    opened = open_dataset(record.trial.dataset, record.trial.split, context)
    for case in opened.split.cases("test"):
        sample = case.read()
        found = segment(sample.image, segmenter, probabilities=True)
        (row,) = score_case(
            sample.truth, found.labels, opened.task, sample.spacing_mm, instances=sample.instances,
            probabilities=found.probabilities,
        )  # fmt: skip
        expected = next(own for own in record.scores if own["case"] == case.name)
        assert {key: row[key] for key in row} == {key: expected[key] for key in row}


def test_a_segmenter_tells_what_was_frozen_with_the_network(trained):
    _, record, file, weights = trained
    for model in (file, weights):
        found = open_model(model)
        assert found.name == record.trial.id
        assert found.threshold == record.selection["threshold"]
        assert (found.mirror, found.mirrored_axes, found.objects) == (True, True, "components")
        assert (found.preprocess.normalise, found.preprocess.pad) == ("zscore", 8)
        assert (found.source.channels, found.task.classes) == (1, ("nucleus",))
        assert found.reading == Reading()


def test_windows_within_less_memory_are_smaller_and_no_smaller_than_a_patch(segmenter):
    edges = {mib: segmenter.windows_within((600, 600), mib)["window"] for mib in (1, 2, 4, 2048)}
    assert edges[2048] == segmenter.windows((600, 600))["window"]  # no larger than those that were scored
    sizes = [height * width for height, width in edges.values()]
    assert sizes == sorted(sizes)
    assert 32 * 32 <= sizes[0] < sizes[-1]


def test_float32_predicts_nearly_what_bfloat16_does(trained, segmenter):
    image = np.random.default_rng(0).integers(0, 4000, (64, 64, 1)).astype(np.uint16)
    both = (segmenter, open_trial(trained[2], "float32"))
    as_trained, plain = (segment(image, one, probabilities=True).probabilities for one in both)
    assert as_trained is not None and plain is not None
    assert 0 < np.abs(as_trained - plain).max() < 0.1


def test_a_trial_without_weights_or_that_was_not_done_is_refused(trained, tmp_path):
    _, record, _, weights = trained
    alone = tmp_path / "results" / "small" / "records" / "m" / f"{record.trial.id}.json"
    alone.parent.mkdir(parents=True)
    alone.write_text(record.to_json())
    with pytest.raises(StoreError, match=r"weights of this trial were not kept.*say `weights: true`"):
        open_trial(alone)
    alone.write_text(replace(record, status="failed", reason="no space").to_json())
    with pytest.raises(StoreError, match="the trial is failed and has no network: no space"):
        open_trial(alone)
    elsewhere = tmp_path / "a" / "b" / "c.keras"
    elsewhere.parent.mkdir(parents=True)
    elsewhere.write_bytes(weights.read_bytes())
    with pytest.raises(StoreError, match=r"c\.keras: its record is not beside it"):
        open_trial(elsewhere)
    with pytest.raises(StoreError, match="there is no such file; give the record of a trained trial"):
        open_model(tmp_path / "none.json")
    with pytest.raises(SpecError, match="is no model; give the record"):
        open_model(FAULTY)
    with pytest.raises(StoreError, match=str(tmp_path)):  # no export folder either
        open_model(tmp_path)


def test_weights_are_found_in_the_sweep_from_which_a_record_was_copied(trained):
    _, record, file, _ = trained
    copied = file.parents[3] / "again" / "records" / file.parent.name / file.name
    copied.parent.mkdir(parents=True)
    copied.write_text(record.to_json())
    assert open_trial(copied).name == record.trial.id


def test_weights_of_another_network_are_refused(trained, tmp_path):
    _, record, _, weights = trained
    trial = replace(record.trial, model=Choice("unet", {"width": 8, "depth": 2}))
    file = tmp_path / "results" / "small" / "records" / "m" / f"{trial.id}.json"
    file.parent.mkdir(parents=True)
    file.write_text(replace(record, trial=trial).to_json())
    beside = tmp_path / "results" / "small" / "weights" / "m" / f"{trial.id}.keras"
    beside.parent.mkdir(parents=True)
    beside.write_bytes(weights.read_bytes())
    with pytest.raises(StoreError, match=r"\.keras: cannot be loaded into unet\(width=8, depth=2\)"):
        open_trial(file)


def test_a_model_of_ones_own_must_be_the_one_that_was_trained(trained, tmp_path):
    _, record, _, _ = trained

    def stored(model, source):
        trial = replace(record.trial, model=Choice(model), sources={f"models {model}": source})
        file = tmp_path / "records" / "m" / f"{trial.id}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(replace(record, trial=trial).to_json())
        weights = tmp_path / "weights" / "m" / f"{trial.id}.keras"
        weights.parent.mkdir(parents=True, exist_ok=True)
        weights.write_bytes(b"")
        return file

    with pytest.raises(SpecError, match="its model nobodys is one of your own; give its file with --plugin"):
        open_trial(stored("nobodys", "1"))
    with pytest.raises(SpecError, match="the source of the model tiny is another than the one that was trained"):
        open_trial(stored("tiny", "1"))


def test_files_are_read_as_those_of_the_folder_that_was_trained_on():
    own = {"channels": "first", "exif": "ignore", "image_array": "x", "pages": "frames", "path": "p"}
    assert reading_of(Choice("folder", own)) == Reading("first", "ignore", "x", "frames")
    assert reading_of(Choice("dsb2018", {})) == Reading()


def test_mirroring_is_refused_where_training_did_not_mirror(trained):
    _, record, file, weights = trained
    recipe = replace(record.trial.recipe, augment=Augmentation.none(), mirror=False)
    trial = replace(record.trial, recipe=recipe)
    other = file.with_name(f"{trial.id}.json")
    other.write_text(replace(record, trial=trial).to_json())
    weights.with_name(f"{trial.id}.keras").write_bytes(weights.read_bytes())
    segmenter = open_trial(other)
    image = np.zeros((40, 40, 1), np.uint8)
    assert segment(image, segmenter).labels.shape == (40, 40)
    with pytest.raises(SpecError, match=r"mirror: the model was trained without mirrored images"):
        segment(image, segmenter, mirror=True)


def test_a_model_of_other_classes_is_refused(segmenter):
    check_classes(segmenter, "nucleus")
    with pytest.raises(SpecError, match="--classes liver: the model was trained for nucleus"):
        check_classes(segmenter, "liver")


def test_the_command_segments_files_with_a_trial(trained, tmp_path, capsys):
    context, record, file, _ = trained
    opened = open_dataset(record.trial.dataset, record.trial.split, context)
    case = opened.split.cases("test")[0]
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in/a.png"), case.read().image)
    (tmp_path / "in/b.png").write_bytes(b"no image")
    words = ["predict", str(file), str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--plugin", str(FAULTY)]
    assert main([*words, "--json", "--quiet", "--classes", "nucleus", "--mirror"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["done"], told["skipped"]) == (1, 0)
    assert told["failed"] == [
        {
            "image": f"{tmp_path}/in/b.png",
            "reason": f"{tmp_path}/in/b.png: is empty, damaged or cut short; fetch it again",
        }
    ]
    mask = cv2.imread(str(tmp_path / "out/labels/a.png"), cv2.IMREAD_UNCHANGED)
    row = next(own for own in record.scores if own["case"] == case.name)
    assert np.count_nonzero(mask) == row["tp"] + row["fp"]
    (tmp_path / "in/b.png").unlink()
    assert main([*words, "--mirror"]) == 0
    told = capsys.readouterr()
    assert told.out == f"0 of 1 images segmented into {tmp_path}/out, 1 finished before\n"
    assert "1 image is finished already; --overwrite segments it anew" in told.err
    assert main([*words, "--mirror", "--shard", "2/3"]) == 0
    assert "--shard 2/3: of 1 image none is of this part" in capsys.readouterr().err


def test_a_network_of_pruned_channels_is_opened_as_its_file_has_it(trained):
    _, record, file, weights = trained
    whole = keras.saving.load_model(weights, compile=False)
    pruned = Derivation("channels", record.trial.id, record.trial.model, {"share": 0.5})
    trial = replace(record.trial, derivation=pruned)
    network = lightened(trial, whole)
    assert network.count_params() < whole.count_params()
    network.save(weights.with_name(f"{trial.id}.keras"))
    other = file.with_name(f"{trial.id}.json")
    other.write_text(replace(record, trial=trial).to_json())
    image = np.random.default_rng(0).integers(0, 4000, (64, 64)).astype(np.uint16)
    segmenter = open_trial(other)
    prepared = prepare_image("a", image[..., None], segmenter.source, segmenter.preprocess).image[None]
    np.testing.assert_array_equal(segmenter.forward(prepared), RUNTIMES["keras"](network)(prepared))
