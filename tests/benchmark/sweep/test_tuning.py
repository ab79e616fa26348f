"""The section `tune` of a sweep file becomes a space and a budget; every mistake in it is one line with its mend."""

import pytest

from unetbench.benchmark.sweep import file as sweep
from unetbench.benchmark.sweep.brackets import brackets
from unetbench.benchmark.sweep.space import of_search, values_of, with_values
from unetbench.core.errors import SpecError
from unetbench.core.trial import Choice, Trial

GOOD = """
datasets: [cells]
models: [{name: unet, width: 8}, attention_unet]
losses: [bce_dice]
recipe: {epochs: 9, rate: 2e-3}
tune:
  engine: bayesian
  trials: 12
  seconds: 600
  space:
    rate: {from: 1e-4, to: 1e-2, log: true}
    batch: {from: 2, to: 8}
    schedule: [cosine, constant]
    augment.rotation_deg: {from: 0, to: 45}
    loss: [bce_dice, dice, {name: tversky, alpha: 0.7}]
    loss.tversky.beta: {from: 0.1, to: 0.9}
    model.depth: [3, 4]
    model.unet.width: {from: 8, to: 16, step: 4}
  retrain: 2
"""


def _read(tmp_path, text):
    file = tmp_path / "tuned.yaml"
    file.write_text(text)
    return sweep.read(file)


def _trial(found, model=0):
    data = found.datasets[0]
    return Trial(data.choice, {}, found.models[model], found.losses[0], data.recipe, 0)


def test_a_good_section_becomes_a_space_and_a_budget(tmp_path):
    found = _read(tmp_path, GOOD).tune
    assert (found.engine, found.budget.trials, found.budget.epochs, found.budget.seconds) == ("bayesian", 12, None, 600)
    assert found.retrain == (1, 2)  # the search trains with seed 0
    assert found.initial == 10  # eight dimensions and two
    kinds = {dimension.key: (dimension.values or dimension.low, dimension.integer) for dimension in found.space}
    assert kinds["loss"] == (("bce_dice", "dice", {"name": "tversky", "alpha": 0.7}), False)
    assert kinds["rate"] == (1e-4, False)
    assert kinds["batch"] == (2.0, True)
    assert kinds["model.unet.width"] == (8.0, True)


def test_a_sweep_without_the_section_is_not_tuned(tmp_path):
    assert _read(tmp_path, GOOD.partition("tune:")[0]).tune is None


def test_a_search_has_the_dimensions_of_its_own_model_only(tmp_path):
    found = _read(tmp_path, GOOD)
    keys = [{d.key for d in of_search(found.tune.space, model, found.losses[0])} for model in found.models]
    assert keys[0] - keys[1] == {"model.unet.width"}
    assert not keys[1] - keys[0]


def test_values_make_a_trial_and_a_trial_has_its_values(tmp_path):
    found = _read(tmp_path, GOOD)
    space, default = found.tune.space, _trial(found)
    assert values_of(default, space) == {
        "loss": "bce_dice",
        "rate": 2e-3,
        "batch": 8,
        "schedule": "plateau",
        "augment.rotation_deg": 15.0,
        "model.depth": 4,
        "model.unet.width": 8,
    }
    drawn = {
        "loss": {"name": "tversky", "alpha": 0.7},
        "loss.tversky.beta": 0.25,
        "rate": 0.01,
        "augment.rotation_deg": 3.0,
        "model.depth": 3,
        "model.unet.width": 12,
    }
    trial = with_values(default, drawn, space)
    assert trial.loss == Choice("tversky", {"alpha": 0.7, "beta": 0.25})
    assert trial.model == Choice("unet", {"depth": 3, "width": 12})
    assert (trial.recipe.rate, trial.recipe.augment.rotation_deg, trial.recipe.batch) == (0.01, 3.0, 8)
    assert {key: value for key, value in values_of(trial, space).items() if key in drawn} == drawn
    assert with_values(default, {"model.depth": 4}, space) == default  # the default is no other trial


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("engine: bayesian", "engine: grid", r"tuned.yaml: tune: engine: input should be 'random', 'bayesian' or"),
        ("trials: 12", "trails: 12", r"tune: key 'trails' is unknown; did you mean 'trials'"),
        ("  trials: 12\n  seconds: 600\n", "", r"tune: has no budget; give trials, epochs or seconds"),
        ("trials: 12", "trials: 1", r"tune: trials: input should be greater than or equal to 2, came 1"),
        ("trials: 12", "trials: 10", r"tune: 10 trials are no more than the 10 that come before the model"),
        ("trials: 12", "epochs: 17", r"tune.epochs: 17 are fewer than the default and one other trial take, 9 epochs"),
        ("seconds: 600", "seconds: 0", r"tune: seconds: input should be greater than 0, came 0"),
        ("    rate:", "    rat:", r"tune.space: key 'rat' is unknown; did you mean 'rate'"),
        ("    rate:", "    epochs:", r"tune.space.epochs: cannot be searched, for it is the unit of the budget"),
        ("    rate:", "    overlap:", r"tune.space.overlap: cannot be searched, for validation"),
        ("from: 1e-4", "from: 0.1", r"tune.space.rate: from 0.1 to 0.01 is empty; `to` must be more than `from`"),
        ("from: 1e-4", "from: 0", r"tune.space.rate: from 0 has no logarithm; begin above 0"),
        ("from: 1e-4, ", "", r"tune.space.rate: from is missing"),
        ("from: 1e-4", "form: 1e-4", r"tune.space.rate: (from is missing|key 'form' is unknown; did you mean 'from')"),
        ("from: 1e-4", "from: wide", r"tune.space.rate: from: input should be a valid number, came 'wide'"),
        ("to: 8}", "to: 8.5}", r"tune.space.batch: from 2 to 8.5 must be whole numbers; the default is 8"),
        ("to: 8}", "to: 8, step: 0.5}", r"batch: from 2 to 8 with step 0.5 must be whole numbers; the default is 8"),
        ("{from: 2, to: 8}", "{from: 0, to: 8}", r"tune.space.batch: recipe.batch: 0 must be more than 0"),
        ("[cosine, constant]", "[cosine]", r"tune.space.schedule: \['cosine'\] is neither a list of at least two"),
        ("[cosine, constant]", "[cosine, cosine]", r"tune.space.schedule: .* is neither a list of at least two diff"),
        ("[cosine, constant]", "[cosine, sine]", r"tune.space.schedule: schedule: input should be .*, came 'sine'"),
        (
            "[cosine, constant]",
            "{from: 0, to: 1}",
            r"tune.space.schedule: the default is 'plateau', which has no range",
        ),
        ("augment.rotation_deg", "augment.rotation", r"key of augment 'rotation' is unknown; did you mean 'rotation_d"),
        ("dice, {name", "dise, {name", r"tune.space.loss\[1\]: loss 'dise' is unknown; did you mean 'dice'"),
        ("loss.tversky.beta", "loss.tversky.gamma", r"tversky: option 'gamma' is unknown"),
        ("loss.tversky.beta", "loss.jaccard.smooth", r"loss of the sweep 'jaccard' is unknown; there are"),
        ("loss.tversky.beta", "loss.beta", r"loss.beta: bce_dice: option 'beta' is unknown.*loss.NAME.beta is of one"),
        ("model.depth", "model.dept", r"tune.space.model.dept: unet: option 'dept' is unknown; did you mean 'depth'"),
        ("model.unet.width", "model.unett.width", r"model of the sweep 'unett' is unknown; did you mean 'unet'"),
        ("[3, 4]", "[3, deep]", r"tune.space.model.depth.depth: 'deep' has the wrong type; the default is 4"),
        ("step: 4", "step: 9", r"tune.space.model.unet.width: step 9 is longer than the range from 8 to 16"),
        (
            "step: 4",
            "step: 1e-3",
            r"model.unet.width: step 0.001 makes more than 1000 values of the range from 8 to 16",
        ),
        ("step: 4", "step: 4, log: true", r"model.unet.width: step and log do not go together"),
        (
            "losses: [bce_dice]",
            "losses: [bce_dice, bce]",
            r"tune.space.loss: the sweep has 2 losses, each tuned by itself; leave one of the two out",
        ),
        ("retrain: 2", "retrain: 0", r"tune.retrain: 0 is not a positive number or a list of different seeds"),
        ("retrain: 2", "retrain: [1, 0]", r"tune.retrain: seed 0 is the one that the search trains with; give others"),
        ("retrain: 2", "stop: {after: [9]}", r"tune.stop.after: \[9\] are not rising epochs from 1 to 8"),
        ("retrain: 2", "stop: {after: [3], level: 2}", r"tune: stop.level: input should be less than 1, came 2"),
        ("retrain: 2", "stop: [3]", r"tune: stop: input should be a dictionary of after, level, came \[3\]"),
        ("engine: bayesian", "engine: random\n  initial: 4", r"tune.initial: belongs to the engine bayesian"),
        (
            "engine: bayesian",
            "engine: random\n  factor: 3",
            r"tune.factor: belongs to the engine hyperband, not to ran",
        ),
        ("engine: bayesian", "engine: hyperband\n  stop: {after: [3]}", r"tune.stop: hyperband has rungs of its own"),
        ("engine: bayesian", "engine: hyperband\n  factor: 10", r"9 epochs cannot be divided by 10"),
        (
            "engine: bayesian\n  trials: 12",
            "engine: hyperband\n  trials: 9",
            r"tune.trials: 9 are fewer than 10: the default and the first bracket, 9 → 3 → 1 trials of up to 9 epochs",
        ),
        (
            "engine: bayesian\n  trials: 12",
            "engine: hyperband\n  epochs: 29",
            r"tune.epochs: 29 are fewer than 30: the default and the first bracket, 9 → 3 → 1",
        ),
    ],
)
def test_a_mistake_is_one_line_with_its_place_and_its_mend(tmp_path, old, new, message):
    assert old in GOOD
    with pytest.raises(SpecError, match=message) as error:
        _read(tmp_path, GOOD.replace(old, new, 1))
    assert "\n" not in str(error.value)


def test_brackets_are_those_of_the_paper():
    # Li et al. 2018, table 1, R = 81 and eta = 3; its 27 of s = 3 is 34 by the formula, 5/4 * 27 = 33.75 rounded up
    found = brackets(81, 3)
    assert [bracket.sizes for bracket in found] == [(81, 27, 9, 3, 1), (34, 11, 3, 1), (15, 5, 1), (8, 2), (5,)]
    assert [bracket.epochs for bracket in found] == [(1, 3, 9, 27, 81), (3, 9, 27, 81), (9, 27, 81), (27, 81), (81,)]


def test_a_bracket_costs_what_its_rungs_add():
    first = brackets(9, 3)[0]
    assert first.sizes == (9, 3, 1)
    assert first.cost == 9 * 1 + 3 * (3 - 1) + 1 * (9 - 3)  # 21
