"""The ensemble steps of a sweep file become trials that know their members; every mistake is one line."""

import json
from dataclasses import asdict, replace

import pytest

from unetbench.benchmark.naming.trial_names import TrialNames
from unetbench.benchmark.sweep import file as sweep
from unetbench.benchmark.trial.averaging import Averaging
from unetbench.core.errors import SpecError
from unetbench.core.recipe import Recipe
from unetbench.core.trial import Choice, Derivation, Trial

TEXT = """
datasets: [cells]
models: [unet, {name: unet, width: 8, label: small}]
losses: [bce, dice]
seeds: 3
recipe: {epochs: 30, schedule: cosine, cycles: 3, stop_patience: 0}
"""


def _read(tmp_path, steps, text=TEXT):
    file = tmp_path / "mine.yaml"
    file.write_text(f"{text}ensembles:\n{steps}")
    return sweep.read(file)


def _trained(found):
    data = found.datasets[0]
    return [
        Trial(data.choice, {}, model, loss, data.recipe, seed)
        for model in found.models
        for loss in found.losses
        for seed in found.seeds
    ]


def _made(tmp_path, steps):
    found = _read(tmp_path, steps)
    trained = _trained(found)
    return trained, [trial for step in found.ensembles for trial in step.trials(trained)]


def test_over_seeds_each_model_and_loss_is_one_ensemble(tmp_path):
    trained, made = _made(tmp_path, "  - {over: seeds}")
    assert len(made) == 4
    assert made[0].derivation.parents == tuple(trial.id for trial in trained[:3])
    assert {(trial.seed, trial.is_untrained, trial.derivation.brief) for trial in made} == {
        (0, True, "mean of 3 seeds")
    }
    assert made[0].training == trained[0].recipe


def test_over_models_and_losses_each_seed_is_one_ensemble(tmp_path):
    _, made = _made(tmp_path, "  - {over: [models, losses], choose: greedy, most: 2}")
    assert [trial.seed for trial in made] == [0, 1, 2]
    assert all({member.seed for member in trial.derivation.members} == {trial.seed} for trial in made)
    assert made[0].derivation.options == {"choose": "greedy", "most": 2, "over": ["models", "losses"]}
    assert made[0].derivation.brief == "choice of 4 trials"


def test_names_tell_members_and_means_apart(tmp_path):
    text = "  - {over: models}\n  - {over: models, mean: logits}\n  - {copies: mirror, losses: [dice], models: [small]}"
    trained, made = _made(tmp_path, f"{text}\n  - {{average: swa, models: [unet], losses: [bce]}}")
    names = TrialNames([*trained, *made])
    told = list(dict.fromkeys((names[trial].model, names[trial].loss) for trial in made))
    assert told == [
        ("unet + unet(width=8), mean of 2 models", "bce"),
        ("unet + unet(width=8), mean of 2 models", "dice"),
        ("unet + unet(width=8), mean of 2 models (mean=logits)", "bce"),
        ("unet + unet(width=8), mean of 2 models (mean=logits)", "dice"),
        ("unet(width=8), mean of mirrored copies", "dice"),
        ("unet, swa", "bce"),
    ]


def test_steps_of_averaged_weights_say_what_trainings_keep(tmp_path):
    found = _read(tmp_path, "  - {average: ema, models: [unet]}\n  - {snapshots: 3}\n  - {over: seeds}")
    unet, small = (model.canonical for model in found.models)
    kept = [step.averaging for step in found.ensembles]
    assert kept == [Averaging("ema", 0.999, (unet,)), Averaging("snapshots", 0.0, (unet, small)), None]
    (trial, *_) = found.ensembles[0].trials(_trained(found))
    assert trial.derivation.options == {"by": "ema", "decay": 0.999}


def test_a_trial_goes_through_json_and_its_members_count(tmp_path):
    _, made = _made(tmp_path, "  - {over: seeds}")
    again = Trial.from_json(json.loads(json.dumps(asdict(made[0]))))
    assert (again, again.id) == (made[0], made[0].id)
    fewer = replace(made[0].derivation, members=made[0].derivation.members[:2])
    assert replace(made[0], derivation=fewer).id != made[0].id


def test_trials_of_before_keep_their_ids():
    unet = Choice("unet", {"width": 8})
    plain = Trial(Choice("cells"), {"digest": "0a"}, unet, Choice("dice"), Recipe(), 3)
    pruned = replace(
        plain, derivation=Derivation("magnitude", plain.id, unet, {"sparsity": 0.8, "epochs": 4, "rate": 1e-3})
    )
    assert (plain.id, pruned.id) == ("117921bcd621f97e", "e2401722e6d381ae")  # as commit aa86d2a has them


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("{over: seed}", "over[0]: input should be 'seeds', 'models' or 'losses', came 'seed'"),
        ("{over: [seeds], mean: median}", "mean: input should be 'probabilities' or 'logits', came 'median'"),
        ("{mean: logits}", "names no step; begin with over, copies, snapshots or average"),
        ("{over: seeds, snapshots: 2}", "over and snapshots are steps of their own"),
        ("{over: seeds, most: 2}", "ensembles[0].most: goes with choose: greedy"),
        ("{over: models, models: [unet]}", "over: models: the sweep has one of each"),
        ("{over: seeds, models: [unett]}", "models: model of the sweep 'unett' is unknown; did you mean 'unet'?"),
        ("{over: seeds, losses: [bc]}", "losses: loss of the sweep 'bc' is unknown; did you mean 'bce'?"),
        ("{average: swa, decay: 0.9}", "ensembles[0].decay: is none of swa's; begin is"),
        ("{average: ema, decay: 1.5}", "decay: input should be less than 1, came 1.5"),
        (
            "{snapshots: 4}",
            "4 need as many cycles of the rate; set recipe.schedule: cosine and recipe.cycles (it is 3)",
        ),
        ("{copies: turns}", "turns need recipe.augment.rotation_deg: 90, or say copies: mirror"),
    ],
)
def test_a_mistake_is_one_line(tmp_path, step, said):
    with pytest.raises(SpecError) as error:
        _read(tmp_path, f"  - {step}")
    assert said in str(error.value)
    assert str(error.value).startswith("mine.yaml: ensembles[0]")


@pytest.mark.parametrize(
    ("recipe", "step", "said"),
    [
        ("augment: none", "{copies: mirror}", "training does not mirror images"),
        ("mirror: true", "{copies: mirror}", "recipe.mirror averages over mirrored copies already"),
        ("stop_patience: 5", "{average: swa}", "set recipe.stop_patience: 0 (it is 5)"),
        ("patch: [64, 32], augment: {rotation_deg: 180}", "{copies: turns}", "need a square patch"),
    ],
)
def test_what_training_does_not_do_is_refused(tmp_path, recipe, step, said):
    text = f"datasets: [cells]\nmodels: [unet]\nlosses: [bce]\nrecipe: {{{recipe}}}\n"
    with pytest.raises(SpecError) as error:
        _read(tmp_path, f"  - {step}", text)
    assert said in str(error.value)


def test_the_same_step_twice_is_refused(tmp_path):
    with pytest.raises(SpecError, match=r"ensembles\[1\]: is the same step as ensembles\[0\]"):
        _read(tmp_path, "  - {over: seeds}\n  - {over: [seeds], mean: probabilities}")
