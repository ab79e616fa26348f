"""A sweep file is read once; every mistake in it is one line that names the place and the fix."""

import pytest
import yaml

from unetbench.benchmark.sweep import file as sweep
from unetbench.benchmark.sweep.file import find, read
from unetbench.core.errors import SpecError
from unetbench.core.recipe import FIRST_STANDARD, Recipe
from unetbench.losses import LOSSES
from unetbench.losses.readable_labels import readable_labels
from unetbench.metrics.objects import SPLITS
from unetbench.models import MODELS

GOOD = """
name: small
datasets: [{name: cells, form: nuclei, count: 12, size: 64, recipe: {patch: [64, 64]}}]
models: [unet_quarter, {name: unet, width: 8}]
losses: [bce, {name: bce_dice, weight: 0.3}]
seeds: 2
recipe: {epochs: 3, rate: 1e-3}
"""


def _read(tmp_path, text, *overrides):
    file = tmp_path / "losses.yaml"
    file.write_text(text)
    return sweep.read(file, overrides)


def test_a_good_sweep_becomes_values(tmp_path):
    found = _read(tmp_path, GOOD)
    assert found.name == "small"
    assert [model.label for model in found.models] == ["unet_quarter", "unet(width=8)"]
    assert [loss.label for loss in found.losses] == ["bce", "bce_dice(weight=0.3)"]
    assert found.seeds == (0, 1)
    assert found.datasets[0].recipe.patch == (64, 64)
    assert found.datasets[0].recipe.epochs == 3
    assert found.datasets[0].recipe.rate == 1e-3


def test_an_option_at_its_default_makes_no_other_trial(tmp_path):
    found = _read(tmp_path, GOOD.replace("{name: unet, width: 8}", "{name: unet, width: 64}"))
    assert found.models[1].label == "unet"


def test_another_content_of_a_file_of_weights_is_another_trial(tmp_path):
    weights = tmp_path / "encoder.weights.h5"
    text = GOOD.replace("models: [", f"models: [{{name: encoder_unet, weights: {weights}}}, ")
    chosen = []
    for content in (b"a", b"b"):
        weights.write_bytes(content)
        chosen.append(_read(tmp_path, text).models[0])
    # printf a | sha256sum
    assert chosen[0].options == {"weights": str(weights), "weights_sha256": "ca978112ca1bbdca"}
    assert chosen[1] != chosen[0]


def test_the_way_to_objects_is_part_of_the_data_set_where_it_differs(tmp_path):
    usual, other = (_read(tmp_path, GOOD.replace("size: 64", f"size: 64, objects: {way}")) for way in SPLITS)
    assert usual.datasets == _read(tmp_path, GOOD).datasets
    assert other.datasets[0].choice.options["objects"] == "watershed"


def test_the_command_line_wins_over_every_recipe(tmp_path):
    found = _read(tmp_path, GOOD, "recipe.epochs=5", "recipe.patch=[32, 32]", "seeds=[7]", "models.1.width=4")
    assert (found.datasets[0].recipe.epochs, found.datasets[0].recipe.patch) == (5, (32, 32))
    assert found.seeds == (7,)
    assert found.models[1].label == "unet(width=4)"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "weight: 0.3",
            "weight: 0.3}, {name: weighted_sum, parts: [{name: diec}]",
            r"losses\[2\]: loss 'diec' is unknown; did you mean 'dice'",
        ),
        ("bce,", "diec,", r"losses\[0\]: loss 'diec' is unknown; did you mean 'dice'"),
        ("size: 64", "size: 64, objects: watersheds", r"objects: way to objects 'watersheds' is unknown; did you mean"),
        ("size: 64", "size: 64, objects: [watershed]", r"objects: way to objects .*watershed.* is unknown"),
        (
            "weight: 0.3",
            "weight: 0.3}, {name: weighted_sum, parts: [{name: 5}]",
            r"losses\[2\]: .*5 in parts is no name",
        ),
        ("unet_quarter", "unet_quater", r"models\[0\]: model 'unet_quater' is unknown; did you mean 'unet_quarter'"),
        ("name: cells", "name: cels", r"datasets\[0\]: dataset 'cels' is unknown; did you mean 'cells'"),
        ("weight: 0.3", "wieght: 0.3", r"losses\[1\]: bce_dice: option 'wieght' is unknown; did you mean 'weight'"),
        ("width: 8", "width: wide", r"models\[1\].width: 'wide' has the wrong type; the default is 64"),
        ("width: 8", "width: 8.5", r"models\[1\].width: 8.5 is not a whole number"),
        ("epochs: 3", "epoch: 3", r"recipe: key 'epoch' is unknown; did you mean 'epochs'"),
        ("epochs: 3", "epochs: -3", r"recipe.epochs: -3 must be more than 0"),
        ("epochs: 3", "predict_mib: true", r"recipe.predict_mib: true does not belong here; try auto"),
        ("epochs: 3", "steps: [1]", r"recipe: steps: input should be a valid integer, came \[1\]"),
        ("count: 12", "split: {validation: 0, train: 0.8}", r"split.validation: 0 leaves nothing to select the epoch"),
        ("count: 12", "split: {train: 0, validation: 0.8}", r"split.train: 0 leaves nothing to train on"),
        ("count: 12", "split: {test: 0, train: 0.9}", r"split.test: 0 leaves nothing to score"),
        ("count: 12", "split: {train: 0.9}", r"split: train 0.9, validation 0.1, test 0.2 do not add up to 1"),
        ("count: 12", "split: {folds: 3, fold: 3}", r"split: fold 3 of 3; at least 2 folds"),
        ("seeds: 2", "seed: 2", r"losses.yaml: key 'seed' is unknown; did you mean 'seeds'"),
        ("seeds: 2", "seeds: [1, 1]", r"seeds: \[1, 1\] is not a positive number or a list of different seeds"),
        ("seeds: 2", "empty: nan_wrost", r"empty: empty-mask policy 'nan_wrost' is unknown; did you mean 'nan_worst'"),
        ("models: [unet_quarter, {name: unet, width: 8}]", "", r"losses.yaml: models is missing"),
        ("models: [unet_quarter, {name: unet, width: 8}]", "models: [unet, unet]", r"models\[1\]: unet is there twice"),
        ("models: [unet_quarter, {name: unet, width: 8}]", "models: [{width: 8}]", r"models\[0\]: .* has no `name`"),
        ("count: 12", "split: {trian: 0.5}", r"datasets\[0\].split: key 'trian' is unknown; did you mean 'train'"),
        ("count: 12", "preprocess: {clahee: true}", r"preprocess: key 'clahee' is unknown; did you mean 'clahe'"),
        ("name: small", "name: [", r"losses.yaml: not YAML"),
    ],
)
def test_a_mistake_is_one_line_with_its_place_and_its_mend(tmp_path, old, new, message):
    assert old in GOOD
    with pytest.raises(SpecError, match=message) as error:
        _read(tmp_path, GOOD.replace(old, new, 1))
    assert "\n" not in str(error.value)


def test_an_override_without_a_place_is_named(tmp_path):
    with pytest.raises(SpecError, match="--set models.7.width=3: there is no models.7"):
        _read(tmp_path, GOOD, "models.7.width=3")
    with pytest.raises(SpecError, match="write key=value"):
        _read(tmp_path, GOOD, "recipe.epochs")


def test_an_unknown_sweep_lists_the_shipped_ones():
    with pytest.raises(SpecError, match="no file qick, and shipped sweep 'qick' is unknown; did you mean 'quick'"):
        sweep.find("qick")


@pytest.mark.parametrize("name", sweep.shipped())
def test_every_shipped_sweep_is_right(name):
    assert sweep.read(sweep.find(name)).name == name


@pytest.mark.parametrize("name", ["losses", "losses_dsb2018"])
def test_the_sweeps_of_losses_leave_no_loss_out(name):
    opened = {choice.name for choice in sweep.read(sweep.find(name)).losses}
    only_of_several_outputs, same_here = {"deep_supervision"}, {"ce"}  # ce is bce on a binary task
    of_weak_labels = {name for name in _own(LOSSES) if readable_labels(name, {}) is not None}
    assert opened | only_of_several_outputs | same_here | of_weak_labels == _own(LOSSES)


def test_the_sweep_of_the_zoo_leaves_no_recipe_of_2d_out():
    opened = {choice.name for choice in sweep.read(sweep.find("zoo")).models}
    only_3d, unet_elsewhere = {"unet_3d", "vnet"}, {"late_fusion_unet"}  # of one modality it is unet
    assert opened | only_3d | unet_elsewhere == _own(MODELS)


def _own(registry):
    """Names of the parts that are not another test's plug-in."""
    return {name for name in registry if registry.part(name).module.startswith("unetbench.")}


def test_a_sweep_begun_before_there_were_two_standards_goes_on_with_the_first(tmp_path):
    file, begun = tmp_path / "mine.yaml", tmp_path / "results.yaml"
    spec = {"datasets": ["cells"], "models": ["unet"], "losses": ["bce"], "recipe": {"epochs": 3}}
    file.write_text(yaml.safe_dump(spec))
    begun.write_text(yaml.safe_dump({**spec, "name": "mine"}))
    fresh, older = read(file), read(file, (), begun)
    assert fresh.standard == 2
    assert fresh.datasets[0].recipe == Recipe(epochs=3)
    assert older.standard == 1
    assert older.datasets[0].recipe == Recipe(epochs=3, **FIRST_STANDARD)
    assert read(file, ["standard=2"], begun).datasets[0].recipe == Recipe(epochs=3)
    begun.write_text(yaml.safe_dump(fresh.resolved))
    assert read(file, (), begun).standard == 2


def test_a_shipped_sweep_goes_on_as_it_was_begun(tmp_path):
    begun = tmp_path / "sweep.yaml"
    then = {"name": "quick", "datasets": ["cells"], "models": ["unet"], "losses": ["dice"], "recipe": {"epochs": 2}}
    begun.write_text(yaml.safe_dump(then))
    older = read(find("quick"), (), begun)
    assert [loss.name for loss in older.losses] == ["dice"]
    assert older.datasets[0].recipe.describe() == "standard v1 with epochs=2"
    assert len(read(find("quick")).datasets) == 3
